package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"time"

	"photodesc/internal/config"
	"photodesc/internal/models"
	"photodesc/internal/photo/vips"
	"photodesc/internal/storage"
	"photodesc/internal/tuning"
	"photodesc/internal/ui"
	"photodesc/internal/wording"
	"photodesc/internal/worker"
	"photodesc/llm"
	"photodesc/pool"
)

// This file says how many workers there are and what each is told.

// planText says how the work is shared out.
func planText(plan pool.Plan, flags *config.Flags) string {
	text := fmt.Sprintf("%s, each with %s at once on %s; batches of %s", wording.Count(plan.Workers, "worker"),
		wording.Count(plan.Slots, "photo"), wording.Count(plan.Threads, "thread"), ui.Comma(flags.BatchSize))
	if plan.Measured {
		text += "; measured fastest by bench --threads-sweep"
	}
	if flags.Nice > 0 {
		text += fmt.Sprintf("; at nice %d", flags.Nice)
	}
	return text
}

// tooManyThreads warns of a worker with more threads than cores: they wait for each other after each of thousands of
// operations, and the cores are busy with waiting.
func tooManyThreads(threads, cores int) string {
	if threads <= cores {
		return ""
	}
	return fmt.Sprintf("%s in a worker on %s take many times as long as few, or do not get anywhere; leave --threads out",
		wording.Count(threads, "thread"), wording.Count(cores, "core"))
}

// measuredShape is what `photodesc bench --threads-sweep` found for this model; zero
// if there is nothing, or if it does not hold any more, which say is told.
func measuredShape(set config.Settings, model models.Wanted, say func(string)) pool.Shape {
	if !set.AutoShape() {
		return pool.Shape{}
	}
	sum, err := model.Fingerprint()
	if err != nil {
		return pool.Shape{}
	}
	found, err := tuning.Load(tuning.Here(sum, version))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return pool.Shape{}
	case err != nil:
		say("The result of bench --threads-sweep is not used: " + err.Error())
		return pool.Shape{}
	}
	return pool.Shape{Workers: found.Workers, Threads: found.Threads}
}

func (r *runner) workerConfig() worker.Config {
	return worker.Config{
		Root:       storage.RawPath(r.source.workerRoot()),
		Links:      storage.RawPaths(r.found.links),
		Untrusted:  r.flags.Untrusted,
		MaxBytes:   int64(r.plan.Photo),
		Decoders:   2,
		Ask:        r.set.Ask,
		Inside:     r.flags.XMP,
		Thumbnails: r.thumbnails != nil,
		Share:      r.copies != nil,
		Engine: llm.Options{
			Model: r.model.Text, Vision: r.model.Vision,
			Unchecked: r.flags.Unchecked,
			Detail:    r.set.Detail,
			Parallel:  max(r.plan.Slots, 1), Threads: r.plan.Threads,
			MaxTokens: r.flags.MaxTokens, Exact: r.flags.Exact,
			Sampling: llm.Sampling{
				Temperature: r.flags.Temperature, TopP: r.flags.TopP,
				RepeatPenalty: r.flags.RepeatPenalty, Seed: r.flags.Seed,
			},
		},
	}
}

func probeStorage(r *runner, todo []string) func(string) error {
	return storage.Probe{
		Root: r.root, MountPoints: r.found.mountPoints, KnownReadable: r.found.knownReadable, Photos: todo,
		AnyDescribed: func() bool { return r.track.Counts().Done > 0 },
		Readable:     vips.Readable, Timeout: storage.ReadTimeout,
	}.Check
}

// startsWorkers makes the commands of workers with a configuration.
func startsWorkers(config func() worker.Config) func(int) *exec.Cmd {
	return func(int) *exec.Cmd {
		cmd, err := worker.Command(config())
		if err != nil {
			return &exec.Cmd{Err: err}
		}
		return cmd
	}
}

func (r *runner) poolConfig(todo []string) pool.Config {
	o := &poolObserver{runner: r}
	idle := time.Duration(0)
	if r.flags.Shared() {
		idle = releaseIdle
	}
	c := pool.Config{
		ReleaseIdle: idle,

		Command:     startsWorkers(r.workerConfig),
		Version:     version,
		Workers:     r.plan.Workers,
		Nice:        r.flags.Nice,
		MaxInFlight: r.plan.Slots + worker.DecodeAhead,
		BatchSize:   r.flags.BatchSize,
		NextBatch:   r.track.Live().BatchStarted,
		Cooldown:    r.set.Cooldown,
		Prestart:    r.plan.Prestart,
		Timeout:     r.flags.Timeout,
		Memory:      r.plan.Own,
		Mapped:      r.plan.Weights,
		MaxTemp:     r.flags.MaxTemp,
		Untested:    r.flags.Unchecked,

		FirstInFlight:  r.plan.First,
		PauseOnBattery: r.flags.OnBattery == config.BatteryPause,

		Needed:  r.copies.needed(),
		Log:     r.detail,
		Output:  o.workerSays,
		Observe: o.observe,
	}
	r.source.attach(&c, r, todo)
	return c
}
