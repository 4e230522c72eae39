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

	sampled []sampled // by prompt, in all tries
}

// sampled are the tokens that the tries to answer a prompt have come to, with
// the one that ended each.
type sampled struct {
	all, first []int32
}

// reply is the answer to one of the prompts.
func (a *Answer) reply(prompt int) *Reply {
	if prompt == 0 {
		return &a.Reply
	}
	return &a.More[prompt-1]
}

// Reply is the answer to one prompt.
type Reply struct {
	Text         string
	Finish       Finish
	PromptTokens int // text and image
	Tokens       int // generated, the end token not counted
}

// Finish says why an answer ended.
type Finish = kinds.Finish

// The reasons.
const (
	FinishStop   = kinds.FinishStop
	FinishLength = kinds.FinishLength
	FinishRepeat = kinds.FinishRepeat
)

// ErrBroken is wrapped by errors after which the engine is not to be trusted
// with any picture: end the process.
var ErrBroken = errors.New("the engine is broken")

// ErrClosed means that the engine was closed before the answer was complete.
var ErrClosed = errors.New("the engine is closed")

// Engine owns the models and the llama context, on one goroutine. Pictures
// arrive through Describe; their embeddings go into sequence slots; all live
// slots are decoded together; a slot that is done is refilled at once.
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

	cutting chan struct{} // room for so many pictures to be cut at once

	encoded, prefilled atomic.Int64 // tiles and tokens so far

	life   sync.RWMutex // held for reading while C memory is used outside run
	closed bool
}

// job is one picture on its way through the engine.
type job struct {
	ctx    context.Context
	prompt picturePrompt // what the questions share
	most   int           // tokens of an answer
	put    []int         // the prompts that are put, by index
	retry  bool
	answer Answer
	err    error
	ready  chan struct{}
}

// Describe answers for one picture. It may be called from many goroutines; a
// call waits until a slot is free. Cutting the tiles happens in the caller's
// goroutine. An error is of the picture or of the model; the engine goes on.
func (e *Engine) Describe(ctx context.Context, p Picture) (Answer, error) {
	return e.describe(ctx, p, e.opt.Detail, e.newJob(e.opt.MaxTokens))
}

// newJob asks all prompts.
func (e *Engine) newJob(most int) *job {
	n := len(e.opt.Prompts)
	j := &job{most: most, answer: Answer{More: make([]Reply, n-1), sampled: make([]sampled, n)}}
	for i := range n {
		j.put = append(j.put, i)
	}
	return j
}

// Try sends a small black picture all the way to the first token, whatever the
// detail: afterwards the encoder has its buffers, and weights or a driver that
// give no numbers have been found out. The errors are Describe's.
func (e *Engine) Try(ctx context.Context) error {
	const edge = 8
	_, err := e.describe(ctx, Picture{Width: edge, Height: edge, Pix: make([]byte, 3*edge*edge)}, DetailAuto, e.newJob(1))
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

// prepare plans and cuts the tiles and lays out the prompt.
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
	if room := e.ctx.perSlot - e.opt.MaxTokens; length > room {
		return fmt.Errorf("the prompt of %d tokens does not fit the context, which has room for %d; use a lower --detail", length, room)
	}
	// More at once would be no faster, and each takes a thread and twice its pixels.
	e.cutting <- struct{}{}
	j.answer.Tiles = j.prompt.cut()
	<-e.cutting
	return nil
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
	if e.front != nil {
		e.front.close()
	}
	e.model.close()
}
