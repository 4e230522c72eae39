package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"photodesc/internal/machine"

	"go.uber.org/zap/zapcore"

	"photodesc/internal/worker"
	"photodesc/pool"
	"photodesc/tracker"
)

// observe leaves what the pool does where status and summary find it.
func (r *runner) observe(e pool.Event) {
	live := r.track.Live()
	r.poolEvent(e)
	switch e.Kind {
	case pool.EventWorkerStart:
		live.WorkerStarted()
	case pool.EventWorkerReady:
		if r.waiting == "" {
			live.SetPhase("")
		}
		r.foreground.say(wordRunning)
		r.workerReady(e)
	case pool.EventWorkerExit:
		switch e.Reason {
		case pool.ReasonBatch, pool.ReasonFinished, pool.ReasonStop:
		default:
			live.WorkerRestarted(e.Reason)
		}
	case pool.EventMemory:
		r.service.Alive()
		sample := tracker.Sample{
			SupervisorBytes: machine.OwnMemory(),
			WorkerBytes:     e.WorkerBytes,
			BudgetBytes:     r.plan.Own,
			CPUPercent:      e.CPU,
			Workers:         r.plan.Workers,
			SlotsUsed:       e.InFlight,
			Slots:           r.plan.Workers * r.plan.InFlight,
		}
		live.Sample(sample)
		r.wait(e.InFlight)
		r.events.write(memoryEvent{head("memory"), sample, e.Memory, e.Celsius, r.waiting})
	case pool.EventPause:
		r.pauses = append(r.pauses, e.Reason)
	case pool.EventResume:
		r.pauses = slices.DeleteFunc(r.pauses, func(p string) bool { return p == e.Reason })
		r.wait(0)
	}
}

// wait says that the run waits, once photos are held back and none is in flight
// any more, and that it goes on.
func (r *runner) wait(inFlight int) {
	forWhat := ""
	if len(r.pauses) > 0 && inFlight == 0 {
		forWhat = waitText(r.pauses[0])
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
	r.track.Live().SetWaiting(forWhat)
	r.show.SetPhase("waiting for " + forWhat)
	r.service.Status("Waiting for " + forWhat)
}

// waitText is what a run waits for, by the pool's reasons.
func waitText(reason string) string {
	switch reason {
	case "memory":
		return "memory to free up"
	case "folder":
		return "the photos to come back"
	case "heat":
		return "the machine to cool"
	case "cooldown":
		return "the cooldown to pass"
	}
	return reason
}

func (r *runner) workerReady(e pool.Event) {
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
	r.log.Info(fmt.Sprintf("Model loaded in %.1f s on %s", e.Seconds, strings.Join(names, ", ")))
	if info.Weak != "" {
		r.log.Warn("Protection is not complete: " + info.Weak)
	}
	r.log.Info("Protection: " + info.Protection + loaders(r.flags.Untrusted))
}

// workerSays logs a line that a worker printed, at the level it carries. What
// llama.cpp tells of a model is the same for each worker: the first one's will do.
func (r *runner) workerSays(n int, line string) {
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
