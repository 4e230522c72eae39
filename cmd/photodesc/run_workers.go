package main

import (
	"os/exec"

	"photodesc/internal/photo/vips"
	"photodesc/llm"
	"photodesc/pool"
)

// This file says how many workers there are and what each is told.

// threads is the number of threads of one worker.
func (r *runner) threads() int {
	if r.set.threads > 0 {
		return r.set.threads
	}
	return r.plan.Cores
}

func (r *runner) workerJob() workerJob {
	return workerJob{
		Root:      rawPath(r.root),
		Links:     rawPaths(r.links),
		Untrusted: r.flags.untrusted,
		MaxBytes:  int64(r.plan.Photo),
		Decoders:  2,
		Ask:       r.set.ask,
		Engine: llm.Options{
			Model: r.model.Text, Vision: r.model.Vision,
			Detail:   r.set.detail,
			Parallel: max(r.plan.InFlight, 1), Threads: r.threads(),
			MaxTokens: r.flags.maxTokens, Exact: r.flags.exact,
			Sampling: llm.Sampling{
				Temperature: r.flags.temperature, TopP: r.flags.topP,
				RepeatPenalty: r.flags.repeatPenalty, Seed: r.flags.seed,
			},
		},
	}
}

func (r *runner) reach(todo []string) func(string) error {
	return reach{
		root: r.root, anchors: r.anchors, good: r.good, photos: todo,
		works:    func() bool { return r.track.Counts().Done > 0 },
		readable: vips.Readable, patience: answerPatience,
	}.look
}

func (r *runner) poolConfig(todo []string) pool.Config {
	return pool.Config{
		Command: func(int) *exec.Cmd {
			cmd, err := workerProcess(r.workerJob())
			if err != nil {
				return &exec.Cmd{Err: err}
			}
			return cmd
		},
		Version:   version,
		Workers:   r.plan.Workers,
		InFlight:  r.plan.InFlight + decodeAhead,
		BatchSize: r.flags.batchSize,
		Cooldown:  r.set.cooldown,
		Prestart:  r.plan.Prestart,
		Timeout:   r.flags.timeout,
		Memory:    r.plan.Own,
		Mapped:    r.plan.Weights,
		MaxTemp:   r.flags.maxTemp,
		Good:      r.good,
		Reach:     r.reach(todo),
		Log:       r.detail,
		Output:    r.workerSays,
		Observe:   r.observe,
	}
}
