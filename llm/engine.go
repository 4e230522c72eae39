// Package llm describes pictures with a vision-language model: llama.cpp linked
// into the process, several pictures answered at once. For SmolVLM the tiles and
// the prompt are made here, as the reference makes them; other models go
// through llama.cpp's own multimodal path (multimodal.go). Pictures in,
// descriptions out: it knows nothing of files, batches or processes.
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
	"sync/atomic"
	"time"

	"photodesc/llm/kernels"
)

// Options says what an engine loads and how large it is.
type Options struct {
	Model  string // GGUF text model
	Vision string // GGUF vision file (mmproj)
	// Prompts are put to every picture, one after the other; the picture is
	// encoded and prefilled once. None: DefaultPrompt.
	Prompts []Prompt
	// Context is the room in tokens for a picture's own context; 0: none is given.
	Context int
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

// Prompt is a question to every picture.
type Prompt struct {
	Text string
	// Grammar, in llama.cpp's GBNF with the rule "root", is kept to by the
	// answer; empty: it is free.
	Grammar string `json:",omitempty"`
}

// Answer is what the model said of one picture.
type Answer struct {
	Reply         // to the first prompt
	More  []Reply // to the further ones, in their order
	Tiles int     // pictures encoded, the overview among them
	// Time spent, on all prompts together; what was shared with other pictures is split evenly.
	Encode, Prefill, Generate time.Duration
}

// Reply is the answer to one prompt.
type Reply struct {
	Text         string
	Finish       Finish
	PromptTokens int // text and image
	Tokens       int // generated, the end token not counted
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
	gpu    bool
	noGPU  string
	model  *textModel
	ctx    *textContext
	vision *visionEncoder // SmolVLM's
	prompt *promptMaker   // SmolVLM's
	multi  *multimodal    // any other model's; nil for SmolVLM

	closings []part // the end of the prompt, for each question
	groups   bool   // prompts of several pictures are prefilled together
	rewinds  bool   // the picture stays in the KV cache from question to question

	in   chan *job
	quit chan struct{}
	done chan struct{}

	cutting chan struct{} // room for so many pictures to be cut at once

	encoded, prefilled atomic.Int64 // tiles and tokens so far

	life   sync.RWMutex // held for reading while C memory is used outside run
	closed bool
}

// job is one picture on its way through the engine.
type job struct {
	ctx    context.Context
	tiles  [][]byte
	prompt []part // what the questions share
	shared int    // its tokens
	most   int    // tokens of an answer
	multi  multiJob
	answer Answer
	err    error
	ready  chan struct{}
}

// Open loads the models and starts the engine, on a GPU where there is one that
// takes them, else on the CPU. Close gives everything back.
func Open(opt Options) (*Engine, error) {
	if !hasGPU() {
		return openOn(opt, false)
	}
	e, err := openOn(opt, true)
	if err == nil {
		return e, nil
	}
	onCPU, failed := openOn(opt, false)
	if failed != nil {
		return nil, failed
	}
	onCPU.noGPU = err.Error()
	return onCPU, nil
}

func openOn(opt Options, gpu bool) (_ *Engine, err error) {
	if opt.Parallel < 1 {
		opt.Parallel = 1
	}
	if opt.Threads < 1 {
		opt.Threads = runtime.NumCPU()
	}
	if opt.MaxTokens < 1 {
		opt.MaxTokens = 128
	}
	if len(opt.Prompts) == 0 {
		opt.Prompts = []Prompt{{Text: DefaultPrompt}}
	}
	C.pd_blas_threads(C.int(opt.Threads))

	e := &Engine{opt: opt, gpu: gpu, in: make(chan *job), quit: make(chan struct{}), done: make(chan struct{}),
		cutting: make(chan struct{}, 2)}
	defer func() {
		if err != nil {
			e.free()
		}
	}()
	if e.model, err = loadText(opt.Model, gpu); err != nil {
		return nil, err
	}
	e.rewinds = e.model.rewinds()
	e.groups = gpu || kernels.Supported()
	projector, err := projectorOf(opt.Vision)
	if err != nil {
		return nil, err
	}
	var questions []string
	for _, p := range opt.Prompts {
		questions = append(questions, p.Text)
		s, err := newSampler(e.model, opt.Sampling, p.Grammar)
		if err != nil {
			return nil, err
		}
		s.close()
	}
	if projector == projectorSmolVLM {
		err = e.loadSmolVLM(gpu, questions)
	} else {
		e.multi, e.closings, err = loadMultimodal(e.model, projector, gpu, opt, questions)
	}
	if err != nil {
		return nil, err
	}
	perSlot, err := e.slotTokens()
	if err != nil {
		return nil, err
	}
	if e.ctx, err = newContext(e.model, opt.Parallel, perSlot, opt.Threads, e.multi.atOnce()); err != nil {
		return nil, err
	}
	go e.run()
	return e, nil
}

func (e *Engine) loadSmolVLM(gpu bool, questions []string) (err error) {
	if e.vision, err = loadVision(e.opt.Vision, gpu, e.opt.Threads); err != nil {
		return err
	}
	if e.vision.embd != e.model.embd {
		return fmt.Errorf("the vision file gives embeddings of %d values and the text model takes %d: they do not belong together", e.vision.embd, e.model.embd)
	}
	e.prompt, e.closings, err = newPromptMaker(e.model, e.vision.tileTokens, e.opt.Context, questions...)
	return err
}

// slotTokens is the context a slot needs for the largest picture.
func (e *Engine) slotTokens() (int, error) {
	need := e.longestClosing() + max(e.opt.MaxTokens, fewRows) // see Engine.pad
	if e.multi != nil {
		need += e.multi.shared(e.multi.largest) + e.opt.Context
	} else {
		longest := e.opt.Detail.largest(e.vision.tile, e.vision.reference)
		need += e.prompt.largest(PlanTiles(longest, longest, longest, e.vision.tile))
	}
	if need > e.model.train {
		return 0, fmt.Errorf("prompt and answer need up to %d tokens and the model's context holds %d; shorten the prompt, or use a lower --detail or --max-tokens", need, e.model.train)
	}
	return need, nil
}

func (e *Engine) longestClosing() int {
	n := 0
	for _, c := range e.closings {
		n = max(n, len(c.tokens))
	}
	return n
}

// LongestEdge is the longest edge in pixels that a picture need have: a
// decoder may shrink larger ones while loading, but not below it.
func (e *Engine) LongestEdge() int {
	if e.multi != nil {
		return WantedEdge(e.multi.longestEdge(e.opt.Detail))
	}
	return WantedEdge(e.opt.Detail.largest(e.vision.tile, e.vision.reference))
}

// WantedEdge is the longest edge in pixels to decode a picture at that is then
// resampled to the given one. Every pixel of a small picture is kept, whatever
// the model: shrinking while decoding is for photos, where it saves time.
func WantedEdge(longest int) int { return max(longest, 512) }

// Devices lists the compute devices that the engine uses.
func (e *Engine) Devices() []Device {
	return slices.DeleteFunc(Devices(), func(d Device) bool { return d.Kind == "GPU" && !e.gpu })
}

// OnGPU tells whether it uses a GPU.
func (e *Engine) OnGPU() bool { return e.gpu }

// NoGPU says why there is a GPU and it is not used; else it is empty.
func (e *Engine) NoGPU() string { return e.noGPU }

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
	if e.multi != nil {
		return Sizes{Weights: w, Vision: uint64(e.multi.info().weight_bytes), KV: kv, Compute: compute + e.multi.computeBytes()}
	}
	info := e.vision.info()
	return Sizes{Weights: w, Vision: uint64(info.weight_bytes), KV: kv, Compute: compute + uint64(info.compute_bytes)}
}

// Describe answers for one picture. It may be called from many goroutines; a
// call waits until a slot is free. Cutting the tiles happens in the caller's
// goroutine. An error is of the picture or of the model; the engine goes on.
func (e *Engine) Describe(ctx context.Context, p Picture) (Answer, error) {
	return e.describe(ctx, p, e.opt.Detail, e.opt.MaxTokens)
}

// Try sends a small black picture all the way to the first token, whatever the
// detail: afterwards the encoder has its buffers, and weights or a driver that
// give no numbers have been found out. The errors are Describe's.
func (e *Engine) Try(ctx context.Context) error {
	const edge = 8
	_, err := e.describe(ctx, Picture{Width: edge, Height: edge, Pix: make([]byte, 3*edge*edge)}, DetailAuto, 1)
	return err
}

func (e *Engine) describe(ctx context.Context, p Picture, d Detail, most int) (Answer, error) {
	j, err := e.prepare(ctx, p, d, most)
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
func (e *Engine) prepare(ctx context.Context, p Picture, d Detail, most int) (*job, error) {
	e.life.RLock()
	defer e.life.RUnlock()
	if e.closed {
		return nil, ErrClosed
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	j := &job{ctx: ctx, most: most, ready: make(chan struct{})}
	var cut func() [][]byte
	if e.multi != nil {
		j.multi = e.multi.plan(p, d, e.opt.Context)
		j.shared = e.multi.shared(j.multi.size) + len(j.multi.context)
		cut = func() [][]byte { return [][]byte{j.multi.size.of(p)} }
	} else {
		w, h := p.size()
		grid := PlanTiles(w, h, d.longest(w, h, e.vision.tile, e.vision.reference), e.vision.tile)
		var err error
		if j.prompt, j.shared, err = e.prompt.opening(grid, p.Context); err != nil {
			return nil, err
		}
		cut = func() [][]byte { return p.Tiles(grid, e.vision.tile) }
	}
	length := j.shared + e.longestClosing()
	if room := e.ctx.perSlot - e.opt.MaxTokens; length > room {
		return nil, fmt.Errorf("the prompt of %d tokens does not fit the context, which has room for %d; use a lower --detail", length, room)
	}
	// More at once would be no faster, and each takes a thread and twice its pixels.
	e.cutting <- struct{}{}
	j.tiles = cut()
	<-e.cutting
	j.answer.Tiles = len(j.tiles)
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
	e.multi.close()
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
		} else {
			e.generate(slots)
		}
		e.askOn(slots)
		e.reap(slots) // slots that ended at once are filled again first
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
		if err := e.ask(s, 0); err != nil {
			j.fail(err)
			continue
		}
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
