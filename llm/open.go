package llm

// #include "bridge.h"
import "C"

import (
	"fmt"
	"runtime"

	"photodesc/llm/kernels"
	llamacpp "photodesc/third_party/llama.cpp"
)

// System tells that the system's llama.cpp is linked, or one from a source tree, which may know models that
// photodesc does not.
const System = llamacpp.System

// FirstSmolVLM says why a program that links such a llama.cpp refuses SmolVLM's first
// version.
const FirstSmolVLM = "this program links a newer llama.cpp, which cannot be used for SmolVLM's first version: its vocabulary has no tokens for the places of tiles, which llama.cpp writes into prompts\n" +
	"  use --model smolvlm2, which is as large, or a photodesc that was built with its own llama.cpp"

// Open loads the models and starts the engine, on a GPU if there is one and the
// models can be loaded there, else on the CPU. The engine must be closed. The error
// says which file or option is wrong.
func Open(opt Options) (*Engine, error) {
	if err := llamacpp.Check(); err != nil { // before the library is called
		return nil, err
	}
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
	if err := kernels.Check(); err != nil {
		return nil, err
	}
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
	opt.compute = fixedThreads(opt.Threads)
	if !gpu && opt.Threads > 1 && kernels.Supported() {
		opt.compute = sharedThreads(opt.Threads)
	}

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
	for _, p := range opt.Prompts {
		s, err := newSampler(e.model, opt.Sampling, p.Grammar)
		if err != nil {
			return nil, err
		}
		s.close()
	}
	if e.front, err = newFrontend(e.model, gpu, opt); err != nil {
		return nil, err
	}
	// With a BLAS, the rounding of a row depends on how many are computed with it.
	e.groups = e.front.groupsPrompts() && (gpu || kernels.Supported())
	for _, p := range opt.Prompts {
		suffix, err := e.front.promptSuffix(p.Text)
		if err != nil {
			return nil, err
		}
		e.promptSuffixes = append(e.promptSuffixes, suffix)
	}
	perSlot, err := e.slotTokens()
	if err != nil {
		return nil, err
	}
	if e.ctx, err = newContext(e.model, opt.Parallel, perSlot, opt.Threads, e.front.minBatch()); err != nil {
		return nil, err
	}
	e.ctx.threads = opt.compute
	go e.run()
	return e, nil
}

// slotTokens is the context that a slot needs for the largest picture, in tokens.
func (e *Engine) slotTokens() (int, error) {
	need := e.front.maxTokens() + e.longestSuffix() + max(e.opt.MaxTokens, fewRows) // see tiledPrompt.addRows
	if need > e.model.train {
		return 0, fmt.Errorf("prompt and answer need up to %d tokens and the model's context holds %d; shorten the prompt, or use a lower --detail or --max-tokens", need, e.model.train)
	}
	return need, nil
}

func (e *Engine) longestSuffix() int {
	n := 0
	for _, s := range e.promptSuffixes {
		n = max(n, len(s.tokens))
	}
	return n
}
