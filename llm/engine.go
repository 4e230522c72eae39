// Package llm describes pictures with a vision-language model. llama.cpp is linked
// into the process, and several pictures are answered at once. Tiles and prompt of
// SmolVLM are made here, as the reference makes them (tiled.go); pictures of other
// families go through llama.cpp's multimodal library (mtmd.go). The package takes
// pixels and returns text: it knows nothing of files, batches or processes.
package llm

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"photodesc/internal/kinds"
)

// Options says what an engine loads and how large it is.
type Options struct {
	Model  string // GGUF text model
	Vision string // GGUF vision file (mmproj)
	// Prompts are asked about every picture, one after the other; the picture is
	// encoded and prefilled once. Empty: DefaultPrompt.
	Prompts []Prompt
	// Context limits Picture.Context, in tokens; 0: it is left out.
	Context int
	// Detail decides how finely a picture is shown, and so what it costs.
	Detail Detail
	// Parallel is the number of slots: pictures generated together.
	Parallel int
	// Threads is for llama.cpp and the BLAS; 0: one for each CPU. On a CPU with
	// kernels, fewer compute while other programs use the cores.
	Threads int
	// MaxTokens limits an answer; 0: 128.
	MaxTokens int
	Sampling  Sampling
	// Exact generates exactly MaxTokens tokens, past end tokens and loops. It is for
	// measurements.
	Exact bool
	// Unchecked takes a model of a family that photodesc does not know, if the system's
	// llama.cpp is linked.
	Unchecked bool `json:",omitempty"`

	compute *computeThreads // the engine's, set by Open
}

// Prompt is a question about every picture.
type Prompt struct {
	Text string
	// Grammar restricts the answer. It is written in llama.cpp's GBNF and has the
	// rule "root"; empty: any answer.
	Grammar string `json:",omitempty"`
}

// Answer has the model's answers about one picture.
type Answer struct {
	Reply         // to the first prompt
	More  []Reply // to the further ones, in their order
	Tiles int     // tiles encoded, the one of the whole picture included
	// The time spent on all prompts. Steps shared with other pictures are split evenly.
	Encode, Prefill, Generate time.Duration

	sampled []sampled // by prompt, in all tries
}

// sampled are the tokens sampled in all attempts to answer a prompt, end tokens
// included, and the first token of each attempt.
type sampled struct {
	all, first []int32
}

// reply returns the answer to the prompt with an index.
func (a *Answer) reply(prompt int) *Reply {
	if prompt == 0 {
		return &a.Reply
	}
	return &a.More[prompt-1]
}

// Reply is the answer to one prompt.
type Reply struct {
	Text         string // trimmed, valid UTF-8
	Finish       Finish
	PromptTokens int // text and picture
	Tokens       int // generated, without the end token
}

// Finish says why an answer ended.
type Finish = kinds.Finish

// The reasons.
const (
	FinishStop   = kinds.FinishStop
	FinishLength = kinds.FinishLength
	FinishRepeat = kinds.FinishRepeat
)

// ErrBroken is wrapped by errors after which the engine must not be used for any
// picture. The process should end.
var ErrBroken = errors.New("the engine is broken")

// ErrClosed is returned if the engine was closed before the answer was complete.
var ErrClosed = errors.New("the engine is closed")

// Engine owns the models and the llama context, which one goroutine uses. Describe
// hands it pictures. Each is given a slot, one sequence of the KV cache; all occupied
// slots are decoded together, and a slot that is done is filled again at once.
type Engine struct {
	opt   Options
	gpu   bool
	noGPU string
	model *textModel
	ctx   *textContext
	front frontend

	promptSuffixes []part // the end of each prompt: the question and what follows it
	groups         bool   // prompts of several pictures are prefilled together
	canTruncateKV  bool   // the picture stays in the KV cache from question to question

	in   chan *job
	quit chan struct{}
	done chan struct{}

	cutting chan struct{} // limits how many pictures are cut at once

	encoded, prefilled atomic.Int64 // tiles and tokens since Open

	life   sync.RWMutex // held for reading while C memory is used outside run
	closed bool
}

// job is one picture on its way through the engine.
type job struct {
	ctx    context.Context
	prompt picturePrompt // what the questions share
	limit  int           // tokens of an answer
	asked  []int         // indexes of the prompts that are asked
	retry  bool
	answer Answer
	err    error
	ready  chan struct{}
}

// Describe answers all prompts about one picture. It is safe for concurrent use and
// waits until a slot is free. Tiles are cut in the caller's goroutine. After an
// error the engine can be used for other pictures, unless it wraps ErrBroken.
func (e *Engine) Describe(ctx context.Context, p Picture) (Answer, error) {
	return e.describe(ctx, p, e.opt.Detail, e.newJob(e.opt.MaxTokens))
}

// newJob asks all prompts, with answers of at most limit tokens.
func (e *Engine) newJob(limit int) *job {
	n := len(e.opt.Prompts)
	j := &job{limit: limit, answer: Answer{More: make([]Reply, n-1), sampled: make([]sampled, n)}}
	for i := range n {
		j.asked = append(j.asked, i)
	}
	return j
}

// WarmUp describes a small black picture, so that no photo waits for what is done
// only once. On a CPU, one tile and one token make the encoder allocate its
// buffers. On a GPU, the picture gets as many tiles and tokens as a photo, because
// drivers compile their code separately for some of these numbers. WarmUp fails
// if weights or a driver yield values that are not finite. The errors are Describe's.
func (e *Engine) WarmUp(ctx context.Context) error {
	const edge = 8
	p := Picture{Width: edge, Height: edge, Pix: make([]byte, 3*edge*edge)}
	if !e.OnGPU() {
		_, err := e.describe(ctx, p, DetailAuto, e.newJob(1))
		return err
	}
	_, err := e.Describe(ctx, p)
	if err != nil && len(Backends()) > 0 {
		return fmt.Errorf("%w\n  PHOTODESC_BACKENDS=0 leaves the GPU out", err)
	}
	return err
}

func (e *Engine) describe(ctx context.Context, p Picture, d Detail, j *job) (Answer, error) {
	if err := e.prepare(ctx, p, d, j); err != nil {
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

// prepare lays out the prompt and cuts the tiles.
func (e *Engine) prepare(ctx context.Context, p Picture, d Detail, j *job) error {
	e.life.RLock()
	defer e.life.RUnlock()
	if e.closed {
		return ErrClosed
	}
	if err := p.check(); err != nil {
		return err
	}
	j.ctx, j.ready = ctx, make(chan struct{})
	var err error
	if j.prompt, err = e.front.plan(p, d); err != nil {
		return err
	}
	length := j.prompt.tokens() + e.longestSuffix()
	if limit := e.ctx.perSlot - e.opt.MaxTokens; length > limit {
		return fmt.Errorf("the prompt has %d tokens and the context holds %d; use a lower --detail", length, limit)
	}
	// More at once would not be faster, and each takes a thread and twice its pixels.
	e.cutting <- struct{}{}
	j.answer.Tiles = j.prompt.cut()
	<-e.cutting
	return nil
}

// Close stops the engine and frees its C memory. Describe calls in progress return
// ErrClosed. A second call does nothing.
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
	if e.front != nil {
		e.front.close()
	}
	e.model.close()
}
