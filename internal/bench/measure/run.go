package measure

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"time"

	"photodesc/internal/wording"
	"photodesc/internal/worker"
	"photodesc/llm"
	"photodesc/tracker"
)

// runResult is what a run's events say.
type runResult struct {
	photos int
	start  float64 // seconds from the command to its first worker's hello
	load   float64 // seconds from a worker's start to its hello, on average
	took   float64 // seconds from the first hello to the last photo's record

	memory uint64 // bytes that all workers had together, at most

	encode, prefill, generate   float64 // seconds, of all workers together
	tiles, promptTokens, tokens float64
}

func (r runResult) photoSeconds() float64 { return r.took / float64(max(r.photos, 1)) }

// run describes the photos with the real program, as a person would.
func (b *Benchmark) run(ctx context.Context, photos, work string) (runResult, error) {
	f := b.flags.Run
	cmd, err := selfCommand(ctx, "-C", work, "run", "--no-config", "--json", "--model", f.Model, "--mmproj", f.Mmproj,
		"--prompt", llm.DefaultPrompt, "--detail", f.Detail, "--max-tokens", strconv.Itoa(f.MaxTokens), "--exact-tokens",
		"--workers", strconv.Itoa(b.Plan.Workers), "--parallel", strconv.Itoa(b.Plan.Slots), "--threads", strconv.Itoa(b.Plan.Threads),
		"--memory", f.Memory, "--timeout", f.Timeout.String(), "--cooldown", f.Cooldown,
		"--batch-size", strconv.Itoa(max(f.BatchSize, b.flags.Photos)), photos)
	if err != nil {
		return runResult{}, err
	}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	var words bytes.Buffer
	cmd.Stderr = &words
	out, err := cmd.StdoutPipe()
	if err != nil {
		return runResult{}, err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return runResult{}, err
	}
	result, readErr := readRun(out, began)
	err = cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return runResult{}, ctx.Err()
	case readErr != nil:
		return runResult{}, readErr
	case err != nil:
		return runResult{}, fmt.Errorf("the run failed: %w\n%s", err, wording.LastLines(words.String(), 5))
	case result.photos != b.flags.Photos:
		return runResult{}, fmt.Errorf("the run described %d of %d photos\n%s", result.photos, b.flags.Photos, wording.LastLines(words.String(), 5))
	}
	return result, nil
}

// selfCommand is this program again.
func selfCommand(ctx context.Context, args ...string) (*exec.Cmd, error) {
	self, err := worker.OwnBinary()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Args[0] = "photodesc"
	return cmd, nil
}

// readRun adds up the events of a run that began at the given time.
func readRun(events io.Reader, began time.Time) (r runResult, err error) {
	var ready, last time.Time
	var loads int
	var failure error
	lines := bufio.NewReader(events)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return r, err
		}
		var e struct {
			Event  string
			Action string
			Time   time.Time
		}
		if err := json.Unmarshal(line, &e); err != nil {
			return r, fmt.Errorf("the run's events cannot be read: %w", err)
		}
		switch {
		case e.Event == "worker" && e.Action == "ready":
			var w struct{ Seconds float64 }
			if err := json.Unmarshal(line, &w); err != nil {
				return r, err
			}
			loads++
			r.load += w.Seconds
			if ready.IsZero() {
				ready = e.Time
				r.start = ready.Sub(began).Seconds()
			}
		case e.Event == "memory":
			var m struct{ tracker.Sample }
			if err := json.Unmarshal(line, &m); err != nil {
				return r, err
			}
			r.memory = max(r.memory, m.WorkerBytes)
		case e.Event == "photo":
			var p struct{ tracker.Record }
			if err := json.Unmarshal(line, &p); err != nil {
				return r, err
			}
			if p.Status != tracker.OK {
				failure = fmt.Errorf("a photo could not be described: %s", p.Error.Message)
				continue
			}
			r.photos++
			last = e.Time
			r.encode += p.Seconds.Encode
			r.prefill += p.Seconds.Prompt
			r.generate += p.Seconds.Generate
			r.tiles += float64(p.Tiles)
			r.promptTokens += float64(p.PromptTokens)
			r.tokens += float64(p.Tokens)
		}
	}
	if failure != nil {
		return r, failure
	}
	r.load /= float64(max(loads, 1))
	r.took = max(last.Sub(ready).Seconds(), 1e-3) // what events are exact to
	return r, nil
}
