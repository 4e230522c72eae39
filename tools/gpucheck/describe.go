package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"photodesc/internal/wording"
	"photodesc/tracker"
)

// result holds descriptions and measurements of one run of the program.
type result struct {
	words      map[string]string // descriptions, by path
	gpu        bool              // a GPU was used
	protection string            // of its workers, as the log names it

	photos, failed int
	workers, slots int       // as planned for the memory; the slots of all workers together
	ready, last    time.Time // when the first worker was ready; when the last photo was recorded
	start          float64   // seconds from starting the program to ready
	cpu            float64   // CPU seconds of the program and its workers

	// Seconds, the sum of all photos. In a worker, encode, prompt and generate do not overlap.
	decode, encode, prompt, generate float64
	tiles, promptTokens, tokens      int
	deaths                           []string // of workers, with the reason; and photos that failed
}

// took is the time from the first ready worker to the last photo, in seconds.
func (r *result) took() float64 { return max(r.last.Sub(r.ready).Seconds(), 1e-3) }

// event has the fields of an event of `photodesc run --json` that are used here; docs/events.md documents all.
type event struct {
	Event   string
	Time    time.Time
	Action  string
	Reason  string
	Message string
	Workers int
	Slots   int
}

// describe runs the program on a folder of photos, in a workdir of its own. An error contains the last lines of its standard
// error.
func (c *checker) describe(ctx context.Context, photos string, env []string, args ...string) (*result, error) {
	work, err := os.MkdirTemp(c.work, "run-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	cmd := c.command(ctx, "photodesc", append([]string{"-C", work, "run", "--no-config", "--json", photos}, args...)...)
	cmd.Env = append(cmd.Env, env...)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	r := &result{}
	readErr := r.read(out)
	err = cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("the time is up after %d photos", r.photos)
	case err != nil:
		return nil, fmt.Errorf("%w\n%s", err, wording.LastLines(said.String(), 6))
	case readErr != nil:
		return nil, readErr
	case r.photos == 0:
		return nil, errors.New("no photo was described")
	}
	r.start = r.ready.Sub(began).Seconds()
	r.cpu = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
	if r.words, err = readWords(work); err != nil {
		return nil, err
	}
	return r, r.readLog(work)
}

// read adds up the events of a run.
func (r *result) read(events io.Reader) error {
	lines := bufio.NewReader(events)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var e event
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("the run's events cannot be read: %w", err)
		}
		switch {
		case e.Event == "start":
			r.workers, r.slots = e.Workers, e.Slots
		case e.Event == "worker" && e.Action == "ready" && r.ready.IsZero():
			r.ready = e.Time
		case e.Event == "worker" && e.Action == "exit" && e.Reason != "batch" && e.Reason != "finished":
			r.deaths = append(r.deaths, strings.TrimSpace(e.Reason+" "+e.Message))
		case e.Event == "photo":
			var photo struct{ tracker.Record }
			if err := json.Unmarshal(line, &photo); err != nil {
				return fmt.Errorf("the run's events cannot be read: %w", err)
			}
			r.add(e.Time, photo.Record)
		}
	}
}

// add counts a photo.
func (r *result) add(at time.Time, p tracker.Record) {
	if p.Status != tracker.OK {
		r.failed++
		if p.Error != nil {
			r.deaths = append(r.deaths, "a photo failed: "+p.Error.Message)
		}
		return
	}
	r.photos++
	r.last = at
	r.decode += p.Seconds.Decode
	r.encode += p.Seconds.Encode
	r.prompt += p.Seconds.Prompt
	r.generate += p.Seconds.Generate
	r.tiles += p.Tiles
	r.promptTokens += p.PromptTokens
	r.tokens += p.Tokens
}

// readLog reads from a run's log what its events do not have.
func (r *result) readLog(work string) error {
	files, err := filepath.Glob(filepath.Join(work, "logs", "*.log"))
	if err != nil || len(files) == 0 {
		return errors.Join(err, errors.New("the run left no log"))
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(text)) {
			if _, what, ok := strings.Cut(line, "Protection: "); ok {
				r.protection = strings.TrimSpace(what)
			}
			if strings.Contains(line, "Model loaded in") && strings.Contains(line, "CUDA") {
				r.gpu = true
			}
		}
	}
	return nil
}
