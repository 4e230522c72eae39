package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"runtime"

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

// decodeAhead is how many photos more than its slots a worker holds, so that
// pixels are ready when a slot is free.
const decodeAhead = 2

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

// ownBinary is the file this process was started from, even if an upgrade has
// put another in its place since.
func ownBinary() (string, error) {
	if runtime.GOOS == "linux" {
		return "/proc/self/exe", nil
	}
	return os.Executable()
}

// workerProcess is the command of a worker: this binary again.
func workerProcess(job workerJob) (*exec.Cmd, error) {
	self, err := ownBinary()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(job)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "worker")
	cmd.Args[0] = "photodesc" // what ps shows
	cmd.Env = append(workerEnvironment(os.Environ()), workerJobEnv+"="+string(text))
	return cmd, nil
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
