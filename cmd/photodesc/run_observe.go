package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"photodesc/internal/machine"

	"go.uber.org/zap/zapcore"

	"photodesc/internal/worker"
	"photodesc/pool"
	"photodesc/tracker"
)

// poolObserver passes what the pool does to the tracker, the log, events and the
// service manager. Its methods are called by the pool's goroutine.
type poolObserver struct {
	*runner
	pauses  []string // the pool's reasons to hand out no photos
	waiting string   // for what, when nothing is in flight for that
	noGPU   bool     // the last worker's model did not load on the GPU that is there
}

func (r *poolObserver) observe(e pool.Event) {
	live := r.track.Live()
	r.poolEvent(e)
	switch e.Kind {
	case pool.EventWorkerStart:
		live.WorkerStarted()
	case pool.EventWorkerReady:
		if r.waiting == "" && sourceWaits(r.runner) == "" {
			live.SetPhase("")
			r.show.SetPhase("")
		}
		r.foreground.say(wordRunning)
		r.workerReady(e)
	case pool.EventWorkerExit:
		switch e.Reason {
		case pool.ReasonBatch, pool.ReasonFinished, pool.ReasonStop, pool.ReasonBattery:
		default:
			live.WorkerRestarted(e.Reason, e.Message)
		}
	case pool.EventHandOut:
		live.SetInFlight(withRemote(r.runner, e.InFlight, e.Ages))
	case pool.EventAnswer:
		r.loading.end()
		live.SetInFlight(withRemote(r.runner, e.InFlight, e.Ages))
		if !e.Unneeded { // a duplicate says nothing of how long a photo takes
			live.Answered(e.Seconds)
		}
	case pool.EventMemory:
		r.service.Alive()
		live.SetInFlight(withRemote(r.runner, e.InFlight, e.Ages))
		sample := tracker.Sample{
			SupervisorBytes: machine.OwnMemory(),
			WorkerBytes:     e.WorkerBytes,
			BudgetBytes:     r.plan.Own,
			CPUPercent:      tenth(e.CPU),
			MemoryPercent:   tenth(e.Memory),
			Workers:         r.plan.Workers,
			SlotsUsed:       e.InFlight,
			Slots:           r.plan.Workers * r.plan.Slots,
		}
		live.Sample(sample)
		r.wait(e.InFlight)
		r.events.write(memoryEvent{head("memory"), sample, tenth(e.Celsius), cmp.Or(r.waiting, sourceWaits(r.runner))})
	case pool.EventPause:
		r.pauses = append(r.pauses, e.Reason)
	case pool.EventResume:
		r.pauses = slices.DeleteFunc(r.pauses, func(p string) bool { return p == e.Reason })
		r.wait(0)
	}
}

// tenth rounds to one decimal.
func tenth(v float64) float64 { return math.Round(10*v) / 10 }

// wait tells that the run waits, once no photos are handed out and none is in
// flight, and that it goes on.
func (r *poolObserver) wait(inFlight int) {
	reason, forWhat := "", ""
	if len(r.pauses) > 0 && inFlight == 0 {
		reason = r.pauses[0]
		forWhat = waitText(reason)
	}
	if forWhat == "" && r.waiting != "" { // what the photos wait for goes on
		forWhat = sourceWaits(r.runner)
	}
	if forWhat == r.waiting {
		return
	}
	r.waiting = forWhat
	if forWhat == "" {
		r.track.Live().SetPhase("")
		r.show.SetPhase("")
		return
	}
	r.loading.end()
	r.track.Live().SetWaiting(forWhat, reason != "folder")
	r.show.SetPhase("waiting for " + forWhat)
	r.service.Status("Waiting for " + forWhat)
}

// waitText is what a run waits for, by the reasons of package pool.
func waitText(reason string) string {
	switch reason {
	case "memory":
		return "memory to free up"
	case "folder":
		return "the photos to come back"
	case "battery":
		return "mains power"
	case "heat":
		return "the machine to cool"
	case "cooldown":
		return "the cooldown to pass"
	}
	return reason
}

func (r *poolObserver) workerReady(e pool.Event) {
	var info worker.Info
	if json.Unmarshal(e.Info, &info) != nil {
		return
	}
	if e.Worker != 1 {
		if slow := info.NoGPU != ""; slow != r.noGPU {
			r.noGPU = slow
			if slow {
				r.log.Warn(fmt.Sprintf("GPU: worker %d does not get the model onto it, the CPU does its work: %s", e.Worker, info.NoGPU))
			}
		}
		return
	}
	r.noGPU = info.NoGPU != ""
	var names []string
	for _, d := range info.Devices {
		names = append(names, d.Name+" ("+d.Description+")")
	}
	for _, b := range info.Backends {
		if b.Problem != "" && !b.Spare {
			r.log.Warn("GPU: " + b.String())
		} else {
			r.log.Info("GPU: " + b.String())
		}
	}
	if info.NoGPU != "" {
		r.log.Warn("GPU: the model does not load on it, the CPU does the work: " + info.NoGPU)
	}
	r.loading.end()
	r.log.Info(fmt.Sprintf("Model loaded in %.1f s on %s", e.Seconds, strings.Join(names, ", ")))
	if info.Weak != "" {
		r.log.Warn("Protection is not complete: " + info.Weak)
	}
	if text := "Protection: " + info.Protection + loaders(r.flags.Untrusted); r.once(text) {
		r.log.Info(text)
	}
	if r.track.Live().Progress().RunCompleted == 0 {
		r.loading = r.startStep("The first photos are under way")
	}
}

// workerSays logs a line that a worker printed, with the level at its beginning.
// llama.cpp prints the same about a model in each worker, so only the lines of the
// first one are logged.
func (r *poolObserver) workerSays(n int, line string) {
	level, text := zapcore.DebugLevel, line
	if len(line) > 2 && line[1] == ' ' {
		switch line[0] {
		case 'D', 'I':
			if n > 1 {
				return
			}
			text = line[2:]
		case 'W':
			level, text = zapcore.InfoLevel, line[2:]
			if n > 1 {
				level = zapcore.DebugLevel
			}
		case 'E':
			level, text = zapcore.ErrorLevel, line[2:]
		}
	}
	if e := r.detail.Check(level, fmt.Sprintf("worker %d: %s", n, text)); e != nil {
		e.Write()
	}
}

func loaders(untrusted bool) string {
	if untrusted {
		return "; image decoders that are not safe against hostile files are in use"
	}
	return "; image decoders that are not safe against hostile files are blocked"
}
