package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
	"unicode"

	"golang.org/x/term"

	"photodesc/internal/models"
	"photodesc/internal/storage"
	"photodesc/internal/ui"
	"photodesc/internal/worker"
	"photodesc/pool"
	"photodesc/tracker"
)

// describer describes a few photos and prints what comes of it, in their order.
type describer struct {
	run  *runner // its settings, model and plan; it has no workdir
	out  io.Writer
	show *ui.Progress

	showPrompt bool
	files      []*describedFile
	mu         sync.Mutex // of next
	next       int        // of files, to be printed
	failed     int
	temp       string // folder of photos that came through pipes
	stdinTaken bool
	clean      sync.Once
}

func (d *describer) describe(names []string) error {
	// With somebody listening a reader that goes away does not end the process before it has cleaned up.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	defer context.AfterFunc(ctx, func() {
		time.Sleep(time.Second) // a disk may hang
		d.removeTemp()
		os.Exit(ui.ExitStopped)
	})()
	d.show = ui.NewProgress(os.Stderr)
	defer d.clearLine()
	defer d.removeTemp()
	err := d.work(ctx, names)
	switch {
	case ctx.Err() != nil:
		return &ui.Exit{Code: ui.ExitStopped}
	case err != nil:
		return err
	case d.failed > 0:
		return &ui.Exit{Code: ui.ExitFailed}
	}
	return nil
}

func (d *describer) removeTemp() {
	d.clean.Do(func() {
		if d.temp != "" {
			os.RemoveAll(d.temp)
		}
	})
}

func (d *describer) work(ctx context.Context, names []string) error {
	r := d.run
	if err := r.findModel(); err != nil {
		return err
	}
	if err := d.findFiles(ctx, names); err != nil {
		return err
	}
	todo, of := d.todo()
	if len(todo) == 0 {
		return d.print()
	}
	if err := d.fetchModel(ctx); err != nil {
		return err
	}
	d.sayBuiltin()
	if text := languageWarning(d.run.set.Ask.Language, d.run.model.Files); text != "" {
		fmt.Fprintln(os.Stderr, text)
	}
	read, err := d.readable()
	if err != nil {
		return err
	}
	d.show.Wait("loading the model")
	config := func() worker.Config {
		config := r.workerConfig()
		config.Only, config.Nameless = storage.RawPaths(read), storage.RawPath(d.temp)
		return config
	}
	if err := d.planWorkers(ctx, config(), len(todo)); err != nil {
		return err
	}
	p := pool.New(pool.Config{
		Command: func(int) *exec.Cmd {
			cmd, err := worker.Command(config())
			if err != nil {
				return &exec.Cmd{Err: err}
			}
			return cmd
		},
		Version: version, Workers: r.plan.Workers, MaxInFlight: r.plan.Slots + worker.DecodeAhead, FirstInFlight: r.plan.First, BatchSize: r.flags.BatchSize,
		Prestart: r.plan.Prestart && len(todo) > r.flags.BatchSize, Cooldown: pool.AutoCooldown,
		Timeout: r.flags.Timeout, Untested: r.flags.Unchecked, Memory: r.plan.Own, Mapped: r.plan.Weights, Nice: r.flags.Nice,
		Observe: func(e pool.Event) {
			if e.Kind == pool.EventWorkerReady && e.Worker == 1 {
				d.mu.Lock()
				defer d.mu.Unlock()
				d.waitForNext()
			}
		},
	})
	defer context.AfterFunc(ctx, p.Kill)()
	_, err = p.Run(ctx, slices.Values(todo), func(res pool.Result) error {
		rec, _ := recordOf(res, r.model.Name, r.set.Ask.First())
		for _, i := range of[res.Path] {
			mine := rec
			d.files[i].rec = &mine
			if rec.Status == tracker.Failed {
				d.failed++
			}
		}
		return d.print()
	})
	return explain(err)
}

// planWorkers loads the model to measure it, unless there are few photos and much memory.
func (d *describer) planWorkers(ctx context.Context, config worker.Config, photos int) error {
	r, few := d.run, false
	if r.plan, few = r.set.PlanFew(modelBytes(r.model), photos); few {
		return nil
	}
	m, err := worker.Measure(ctx, config, r.flags.Nice)
	if err != nil {
		return r.unloadable(ctx, err)
	}
	r.plan = r.set.Plan(m, photos)
	if !r.plan.Fits {
		return fmt.Errorf("one photo needs more than the memory budget\n  give more with --memory (%q now), take a smaller model, or a lower --detail", r.flags.Memory)
	}
	r.plan.Slots = min(r.plan.Slots, photos)
	r.plan.Workers = min(r.plan.Workers, (photos+r.plan.Slots-1)/r.plan.Slots)
	return nil
}

// todo lists the paths to describe, each once, and which files each of them is.
func (d *describer) todo() (paths []string, of map[string][]int) {
	of = map[string][]int{}
	for i, f := range d.files {
		if f.rel == "" {
			continue
		}
		if len(of[f.rel]) == 0 {
			paths = append(paths, f.rel)
		}
		of[f.rel] = append(of[f.rel], i)
	}
	return paths, of
}

func (d *describer) fail(f *describedFile, kind tracker.Kind, message string) {
	d.failed++
	f.rec = &tracker.Record{
		Status: tracker.Failed, Model: d.run.model.Name, Prompt: d.run.set.Ask.First(), Time: time.Now(),
		Error: &tracker.RecordError{Kind: kind, Message: message},
	}
}

// fetchModel brings a model that is not here, as a run does.
func (d *describer) fetchModel(ctx context.Context) (err error) {
	r := d.run
	if r.model.Here() {
		return nil
	}
	r.model.Files, err = r.model.Get(ctx, models.Options{Memory: r.set.Memory, Unchecked: r.flags.Unchecked, Progress: ui.NewFetching(d.show, nil)})
	d.show.End()
	return unknownModel(err)
}

// sayBuiltin tells a person at a terminal how little the built-in model knows.
func (d *describer) sayBuiltin() {
	if d.run.model.Name != "builtin" || !term.IsTerminal(int(os.Stderr.Fd())) {
		return
	}
	fmt.Fprintln(os.Stderr, models.BuiltinNote)
	if !d.run.set.Ask.DescribesOnly() {
		fmt.Fprintln(os.Stderr, models.BuiltinPrompts)
	}
}

// waitForNext shows on a terminal which photo is being described. d.mu is held.
func (d *describer) waitForNext() {
	if d.next >= len(d.files) {
		return
	}
	text := "describing " + tracker.EncodePath(d.files[d.next].name)
	if n := len(d.files); n > 1 {
		text += fmt.Sprintf(", %s of %s", ui.Comma(d.next+1), ui.Comma(n))
	}
	d.show.Wait(text)
}

// clearLine takes the line off the terminal before something else takes its place. What is flushed shows no more lines.
func (d *describer) clearLine() {
	d.show.End()
	d.show.Plain.Flush()
	d.show = ui.NewProgress(os.Stderr)
}

// print prints what is known of the files whose turn it is.
func (d *describer) print() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for ; d.next < len(d.files) && d.files[d.next].rec != nil; d.next++ {
		d.clearLine()
		f := d.files[d.next]
		f.rec.Path = tracker.EncodePath(f.name)
		if f.rec.Status == tracker.Failed {
			why := plainText(f.rec.Error.Message, true)
			if f.rec.Error.Kind == tracker.Crash {
				why = "a library crashed over it, twice: " + why
			}
			fmt.Fprintf(os.Stderr, "photodesc: %s: %s\n", f.rec.Path, why)
		}
		if err := d.printRecord(*f.rec); err != nil {
			return err
		}
		f.rec = &tracker.Record{} // a long text is not kept
	}
	if d.next > 0 {
		d.waitForNext()
	}
	return nil
}

func (d *describer) printRecord(rec tracker.Record) error {
	if d.run.flags.Json {
		rec.Time = rec.Time.Truncate(time.Millisecond)
		return ui.WriteJSON(d.out, rec)
	}
	if rec.Status == tracker.Failed {
		return nil
	}
	before := ""
	if len(d.files) > 1 {
		before = rec.Path + ": "
	}
	if err := d.printPrompt(rec, before); err != nil {
		return err
	}
	names := d.run.set.Ask.Names()
	if len(names) == 1 {
		_, err := fmt.Fprintln(d.out, before+plainText(rec.Description, before != ""))
		return err
	}
	for i, name := range names {
		text := rec.Description
		if i > 0 {
			text = rec.Answers[name].Text
		}
		if _, err := fmt.Fprintf(d.out, "%s%s: %s\n", before, name, plainText(text, true)); err != nil {
			return err
		}
	}
	return nil
}

// printPrompt prints what the model was told and asked of a photo, where that is wanted.
func (d *describer) printPrompt(rec tracker.Record, before string) error {
	if !d.showPrompt {
		return nil
	}
	if rec.Context != "" {
		if _, err := fmt.Fprintf(d.out, "%stold: %s\n", before, plainText(strings.TrimSpace(rec.Context), true)); err != nil {
			return err
		}
	}
	for _, text := range d.run.set.Ask.Texts() {
		if _, err := fmt.Fprintf(d.out, "%sasked: %s\n", before, plainText(text, true)); err != nil {
			return err
		}
	}
	return nil
}

// plainText is a model's text without control characters, which a terminal would obey.
func plainText(s string, oneLine bool) string {
	return strings.Map(func(c rune) rune {
		if c == '\n' && !oneLine || !unicode.IsControl(c) {
			return c
		}
		return ' '
	}, s)
}
