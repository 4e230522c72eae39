//go:build !llama_system

package llm

/*
#include <stdlib.h>
#include "bridge.h"
*/
import "C"

import (
	"fmt"
	"os"
	"unsafe"

	"photodesc/llm/kernels"
)

// visionEncoder is SmolVLM's encoder: it turns tiles into embeddings. It belongs to
// one goroutine and must be closed.
type visionEncoder struct {
	p          *C.struct_clip_ctx
	tile       int // edge of the square picture it takes, pixels
	reference  int // longest edge of the reference, pixels
	tileTokens int // embeddings for each tile
	embd       int // values in one embedding
	projector  string
	threads    *computeThreads
	levels     [3][256]float32 // what the 8-bit values of each colour become
	planes     []float32       // a tile's, used again for the next
}

func loadVision(path string, gpu bool, threads int) (*visionEncoder, error) {
	start()
	cpath := C.CString(path)
	defer C.free(unsafe.Pointer(cpath))
	var msg [256]C.char
	other := visionDevice(gpu)
	p := C.pd_vision_load(cpath, C.bool(other), C.bool(!other && kernels.Supported()), &msg[0], 256)
	if p == nil {
		return nil, fmt.Errorf("llama.cpp cannot load the vision file %q: %s", path, C.GoString(&msg[0]))
	}
	handles.Add(1)
	v := &visionEncoder{p: p, threads: fixedThreads(threads)}
	info := v.info()
	v.tile, v.reference = int(info.tile), int(info.longest_edge)
	v.tileTokens, v.embd = int(info.tile_tokens), int(info.embd)
	v.projector = C.GoString(&info.projector[0])
	for i := range 3 {
		v.levels[i] = normalised(float32(info.mean[i]), float32(info.std[i]))
	}
	v.planes = make([]float32, 3*v.tile*v.tile)
	if v.reference == 0 {
		v.reference = 4 * v.tile // what SmolVLM models are trained with
	}
	return v, nil
}

// visionDevice chooses the device that encodes and tells whether it is another
// than ggml's CPU.
func visionDevice(gpu bool) bool {
	if !gpu && hasBLAS() {
		// clip looks for a device only if it is told to use a GPU.
		os.Setenv("MTMD_BACKEND_DEVICE", "BLAS")
		return true
	}
	return gpu
}

func (v *visionEncoder) info() (info C.struct_pd_vision_info) {
	C.pd_vision_info(v.p, &info)
	return info
}

func (v *visionEncoder) close() {
	if v != nil && v.p != nil {
		C.pd_vision_free(v.p)
		v.p = nil
		handles.Add(-1)
	}
}

// encode writes the embeddings of one tile (tile×tile pixels, R G B, 8 bit)
// to out: tileTokens × embd floats.
func (v *visionEncoder) encode(pix []byte, out []float32) error {
	toPlanes(v.planes, pix, &v.levels)
	var rc C.int
	v.threads.compute(kernels.Prompts, func(threads int) {
		rc = C.pd_vision_encode(v.p, C.int(threads), (*C.float)(&v.planes[0]), C.int(v.tile), (*C.float)(&out[0]))
	})
	if rc != 0 {
		return fmt.Errorf("%w: llama.cpp could not encode a tile of %d×%d pixels", ErrBroken, v.tile, v.tile)
	}
	return finite(out)
}
