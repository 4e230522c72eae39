package llm

import (
	"slices"
)

// LongestEdge is the longest edge in pixels that the engine makes use of. A decoder
// may shrink larger photos while loading, but not below it.
func (e *Engine) LongestEdge() int {
	return WantedEdge(e.front.longestEdge())
}

// WantedEdge is the longest edge in pixels to decode a picture at that is then
// resampled to the given one. It is at least 512: shrinking while decoding saves
// time with photos, and small pictures keep every pixel.
func WantedEdge(longest int) int { return max(longest, 512) }

// PhotoTiles is the number of tiles that a large photo of 4 to 3 is cut into.
func (e *Engine) PhotoTiles() int {
	_, tiles := e.front.shownAt(4000, 3000, e.opt.Detail)
	return tiles
}

// Devices lists the compute devices that the engine uses.
func (e *Engine) Devices() []Device {
	return slices.DeleteFunc(Devices(), func(d Device) bool { return d.Kind == "GPU" && !e.gpu })
}

// OnGPU tells whether the engine uses a GPU.
func (e *Engine) OnGPU() bool { return e.gpu }

// NoGPU says why the machine's GPU is not used. It is empty if it is used, or if there is none.
func (e *Engine) NoGPU() string { return e.noGPU }

// Sizes is the memory an engine holds, in bytes.
type Sizes struct {
	Weights uint64 `json:"weights"` // text model; mapped, shared between processes
	Vision  uint64 `json:"vision"`  // vision file; mapped and shared too, except on a GPU
	KV      uint64 `json:"kv"`      // KV cache
	Compute uint64 `json:"compute"` // compute buffers of both; the encoder's are known after the first tile
	// Unwritten is the part of Compute that is never written, so that on a CPU the system never has to find memory for it:
	// llama.cpp has room for the logits of all rows of a step, and only those of a prompt's last one are asked for. It is 0 for
	// pictures that are not cut into tiles, whose encoder needs the more memory, the larger they are.
	Unwritten uint64 `json:"unwritten"`
}

// Sizes reports the memory held now.
func (e *Engine) Sizes() Sizes {
	e.life.RLock()
	defer e.life.RUnlock()
	if e.closed {
		return Sizes{}
	}
	w, kv, compute := e.ctx.memory()
	vision, buffers := e.front.memory()
	s := Sizes{Weights: w, Vision: vision, KV: kv, Compute: compute + buffers}
	if e.front.sameTiles() {
		s.Unwritten = min(e.ctx.unwritten(), compute)
	}
	return s
}
