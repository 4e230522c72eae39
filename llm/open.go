package llm

// #include "bridge.h"
import "C"

import (
	"fmt"
	"runtime"

	"photodesc/llm/kernels"
)

// This file loads the models and finds out how much room a picture needs.

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
	e.canTruncateKV = e.model.canTruncateKV()
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
		e.multi, e.promptSuffixes, err = loadMultimodal(e.model, projector, gpu, opt, questions)
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
	e.prompt, e.promptSuffixes, err = newPromptMaker(e.model, e.vision.tileTokens, e.opt.Context, questions...)
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
	for _, c := range e.promptSuffixes {
		n = max(n, len(c.tokens))
	}
	return n
}
