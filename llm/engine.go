// Package llm describes pictures with a SmolVLM model: llama.cpp linked into
// the process, tiles and prompt as the reference makes them, several pictures
// answered at once. Pictures in, descriptions out: it knows nothing of files,
// batches or processes.
package llm

// #include "bridge.h"
import "C"

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"time"
)

// Options says what an engine loads and how large it is.
type Options struct {
	Model  string // GGUF text model
	Vision string // GGUF vision file (mmproj)
	// Prompt is the question put to every picture.
	Prompt string
	// Detail decides the number of tiles.
	Detail Detail
	// Parallel is the number of slots: pictures generated together.
	Parallel int
	// Threads for llama.cpp and the BLAS; 0: one for each CPU.
	Threads int
	// MaxTokens bounds an answer.
	MaxTokens int
	Sampling  Sampling
	// Exact generates exactly MaxTokens: no end, no repeat detection. For measuring.
	Exact bool
}

// Answer is what the model said of one picture.
type Answer struct {
	Text         string
	Finish       Finish
	Tiles        int // pictures encoded, the overview among them
	PromptTokens int // text and image
	Tokens       int // generated, the end token not counted
	// Time spent; what was shared with other pictures is split evenly.
	Encode, Prefill, Generate time.Duration
}

// Finish says why an answer ended.
type Finish string

const (
	FinishStop   Finish = "stop"   // the model ended it
	FinishLength Finish = "length" // MaxTokens reached
	FinishRepeat Finish = "repeat" // the text began to loop; the loop is cut off
)

// ErrBroken is wrapped by errors after which the engine is not to be trusted
// with any picture: end the process.
var ErrBroken = errors.New("the engine is broken")

// ErrClosed: the engine was closed before the answer was complete.
var ErrClosed = errors.New("the engine is closed")

// Engine owns the models and the llama context, on one goroutine. Pictures
// arrive through Describe; their embeddings go into sequence slots; all live
// slots are decoded together; a slot that is done is refilled at once.
type Engine struct {
	opt    Options
	model  *textModel
	ctx    *textContext
	vision *visionEncoder
	prompt *promptMaker

	in   chan *job
	quit chan struct{}
	done chan struct{}

	cutting chan struct{} // room for so many pictures to be cut at once

	life   sync.RWMutex // held for reading while C memory is used outside run
	closed bool
}

// job is one picture on its way through the engine.
type job struct {
	ctx    context.Context
	tiles  [][]byte
	prompt []part
	length int // tokens of the prompt
	answer Answer
	err    error
	ready  chan struct{}
}

// Open loads the models and starts the engine. Close gives everything back.
func Open(opt Options) (_ *Engine, err error) {
	start()
	if opt.Parallel < 1 {
		opt.Parallel = 1
	}
	if opt.Threads < 1 {
		opt.Threads = runtime.NumCPU()
	}
	if opt.MaxTokens < 1 {
		opt.MaxTokens = 128
	}
	if opt.Prompt == "" {
		opt.Prompt = DefaultPrompt
	}
	C.pd_blas_threads(C.int(opt.Threads))
	gpu := hasGPU()

	e := &Engine{opt: opt, in: make(chan *job), quit: make(chan struct{}), done: make(chan struct{}),
		cutting: make(chan struct{}, 2)}
	defer func() {
		if err != nil {
			e.free()
		}
	}()
	if e.model, err = loadText(opt.Model, gpu); err != nil {
		return nil, err
	}
	if e.vision, err = loadVision(opt.Vision, gpu, opt.Threads); err != nil {
		return nil, err
	}
	if e.vision.projector != projectorSmolVLM {
		return nil, fmt.Errorf("the vision file %q is of type %q; only SmolVLM's (%q) are understood", opt.Vision, e.vision.projector, projectorSmolVLM)
	}
	if e.vision.embd != e.model.embd {
		return nil, fmt.Errorf("the vision file gives embeddings of %d values and the text model takes %d: they do not belong together", e.vision.embd, e.model.embd)
	}
	if e.prompt, err = newPromptMaker(e.model, e.vision.tileTokens, opt.Prompt); err != nil {
		return nil, err
	}
	perSlot, err := e.slotTokens()
	if err != nil {
		return nil, err
	}
	if e.ctx, err = newContext(e.model, opt.Parallel, perSlot, opt.Threads); err != nil {
		return nil, err
	}
	go e.run()
	return e, nil
}

// slotTokens is the context a slot needs for the largest picture.
func (e *Engine) slotTokens() (int, error) {
	longest := e.opt.Detail.largest(e.vision.tile, e.vision.reference)
	square := PlanTiles(longest, longest, longest, e.vision.tile)
	need := e.prompt.length(square) + e.opt.MaxTokens
	if need > e.model.train {
		return 0, fmt.Errorf("prompt and answer need up to %d tokens and the model's context holds %d; shorten the prompt, or use a lower --detail or --max-tokens", need, e.model.train)
	}
	return need, nil
}

// LongestEdge is the longest edge in pixels that a picture need have: a
// decoder may shrink larger ones while loading, but not below it.
func (e *Engine) LongestEdge() int {
	return WantedEdge(e.opt.Detail.largest(e.vision.tile, e.vision.reference))
}

// WantedEdge is the longest edge in pixels to decode a picture at that is then
// resampled to the given one. Every pixel of a small picture is kept, whatever
// the model: shrinking while decoding is for photos, where it saves time.
func WantedEdge(longest int) int { return max(longest, 512) }

// Sizes is the memory an engine holds, in bytes.
type Sizes struct {
	Weights uint64 `json:"weights"` // text model; mapped, shared between processes
	Vision  uint64 `json:"vision"`  // vision file; mapped and shared too, except on a GPU
	KV      uint64 `json:"kv"`      // KV cache
	Compute uint64 `json:"compute"` // compute buffers of both; the encoder's are known after the first tile
}

// Sizes reports the memory held now.
func (e *Engine) Sizes() Sizes {
	e.life.RLock()
	defer e.life.RUnlock()
	if e.closed {
		return Sizes{}
	}
	w, kv, compute := e.ctx.memory()
	info := e.vision.info()
	return Sizes{Weights: w, Vision: uint64(info.weight_bytes), KV: kv, Compute: compute + uint64(info.compute_bytes)}
}

// Describe answers for one picture. It may be called from many goroutines; a
// call waits until a slot is free. Cutting the tiles happens in the caller's
// goroutine. An error is of the picture or of the model; the engine goes on.
func (e *Engine) Describe(ctx context.Context, p Picture) (Answer, error) {
	j, err := e.prepare(ctx, p)
	if err != nil {
		return Answer{}, err
	}
	select {
	case e.in <- j:
	case <-ctx.Done():
		return Answer{}, ctx.Err()
	case <-e.done:
		return Answer{}, ErrClosed
	}
	select {
	case <-j.ready:
		return j.answer, j.err
	case <-e.done:
		return Answer{}, ErrClosed
	}
}

// prepare plans and cuts the tiles and lays out the prompt.
func (e *Engine) prepare(ctx context.Context, p Picture) (*job, error) {
	e.life.RLock()
	defer e.life.RUnlock()
	if e.closed {
		return nil, ErrClosed
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	w, h := p.size()
	grid := PlanTiles(w, h, e.opt.Detail.longest(w, h, e.vision.tile, e.vision.reference), e.vision.tile)
	j := &job{ctx: ctx, ready: make(chan struct{})}
	j.length = e.prompt.length(grid)
	if room := e.ctx.perSlot - e.opt.MaxTokens; j.length > room {
		return nil, fmt.Errorf("the prompt of %d tokens does not fit the context, which has room for %d; use a lower --detail", j.length, room)
	}
	var err error
	if j.prompt, err = e.prompt.parts(grid); err != nil {
		return nil, err
	}
	// More at once would be no faster, and each takes a thread and twice its pixels.
	e.cutting <- struct{}{}
	j.tiles = p.Tiles(grid, e.vision.tile)
	<-e.cutting
	j.answer.Tiles = len(j.tiles)
	j.answer.PromptTokens = j.length
	return j, nil
}

// Close stops the engine and frees the C memory. Answers under way end with
// ErrClosed.
func (e *Engine) Close() {
	e.life.Lock()
	defer e.life.Unlock()
	if !e.closed {
		e.closed = true
		close(e.quit)
		<-e.done
		e.free()
	}
}

func (e *Engine) free() {
	e.ctx.close()
	e.vision.close()
	e.model.close()
}

// run is the one goroutine that touches the llama context.
func (e *Engine) run() {
	defer close(e.done)
	slots := make([]*slot, e.opt.Parallel)
	defer func() {
		for _, s := range slots {
			s.close()
		}
	}()
	for {
		fresh, ok := e.admit(slots)
		if !ok {
			return
		}
		if len(fresh) > 0 {
			e.prefill(fresh)
			e.reap(slots)
			continue // slots that ended at once are filled again first
		}
		e.generate(slots)
		e.reap(slots)
	}
}

// admit fills free slots with the pictures that wait; it blocks only while no
// slot is live. It reports false when the engine is to end.
func (e *Engine) admit(slots []*slot) (fresh []*slot, ok bool) {
	for i := range slots {
		if slots[i] != nil {
			continue
		}
		j, ok := e.next(slices.ContainsFunc(slots, func(s *slot) bool { return s != nil }))
		if !ok {
			return nil, false
		}
		if j == nil {
			break
		}
		s := &slot{id: i, job: j}
		if err := e.encode(s); err != nil {
			j.fail(err)
			continue
		}
		s.sampler = newSampler(e.opt.Sampling)
		slots[i] = s
		fresh = append(fresh, s)
	}
	return fresh, true
}

// next takes the next picture; nil when none waits and busy is set.
func (e *Engine) next(busy bool) (j *job, ok bool) {
	if busy {
		select {
		case <-e.quit:
			return nil, false
		case j := <-e.in:
			return j, true
		default:
			return nil, true
		}
	}
	select {
	case <-e.quit:
		return nil, false
	case j := <-e.in:
		return j, true
	}
}

// reap hands out finished answers and empties their slots.
func (e *Engine) reap(slots []*slot) {
	for i, s := range slots {
		if s == nil {
			continue
		}
		if err := s.job.ctx.Err(); err != nil && !s.ended {
			s.job.err, s.ended = err, true
		}
		if s.ended {
			e.ctx.forget(i)
			s.close()
			close(s.job.ready)
			slots[i] = nil
		}
	}
}

func (j *job) fail(err error) {
	j.err = err
	close(j.ready)
}

func seconds(d time.Duration, share int) time.Duration {
	return time.Duration(math.Round(float64(d) / float64(max(share, 1))))
}
