package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"photodesc/bench"
	"photodesc/internal/models/gguf"
	"photodesc/pool"
)

// benchmark is one measurement.
type benchmark struct {
	flags         benchFlags
	set           settings
	width, height int
	server        *bench.Server // nil: none to compare with
	say           func(format string, args ...any)
	version       string // of the program
	// prepare finds what a run in the folder dir would do.
	prepare func(ctx context.Context, dir string) (prepared, error)

	tmp string
	prepared
}

// prepared is what a run with the same flags would do.
type prepared struct {
	model   string    // its name
	plan    pool.Plan // a run's
	threads int       // of one worker
	job     workerJob // a worker's, as a run would tell it
}

// benchRound is what one round gave.
type benchRound struct {
	limits limits
	run    runResult
	engine engineResult
	server bench.Round
}

func (b *benchmark) measure(ctx context.Context) (*benchReport, error) {
	var err error
	if b.tmp, err = os.MkdirTemp("", "photodesc-bench-"); err != nil {
		return nil, err
	}
	defer os.RemoveAll(b.tmp)
	if b.server != nil {
		b.say("Asking %s about a photo", b.flags.against)
		// No round has this photo.
		jpeg, err := bench.Photo(0, b.width, b.height)
		if err != nil {
			return nil, err
		}
		if err := b.server.Probe(ctx, jpeg); err != nil {
			return nil, err
		}
	}
	if b.prepared, err = b.prepare(ctx, b.tmp); err != nil {
		return nil, err
	}
	b.choosePhotos()
	var rounds []benchRound
	for n := range b.flags.rounds {
		if b.flags.rounds > 1 {
			b.say("Round %d of %d", n+1, b.flags.rounds)
		}
		r, err := b.round(ctx, n)
		if err != nil {
			return nil, err
		}
		rounds = append(rounds, r)
	}
	return b.report(rounds), nil
}

// choosePhotos sets the numbers that were not given. With fewer photos than
// twice the slots, most of a round would be filling and emptying them.
func (b *benchmark) choosePhotos() {
	f := &b.flags
	if f.photos == 0 {
		f.photos = max(2*b.plan.Workers*b.plan.InFlight, f.theirPhotos)
	}
	if f.theirPhotos == 0 {
		f.theirPhotos = f.photos
	}
}

// round measures all once, on photos of its own: a server may remember those
// it has seen.
func (b *benchmark) round(ctx context.Context, n int) (r benchRound, err error) {
	dir := filepath.Join(b.tmp, fmt.Sprintf("round-%d", n+1))
	photos, work := filepath.Join(dir, "photos"), filepath.Join(dir, "work")
	if err := errors.Join(os.MkdirAll(photos, 0o700), os.Mkdir(work, 0o700)); err != nil {
		return r, err
	}
	defer os.RemoveAll(dir)
	paths, err := bench.WritePhotos(photos, 1+n*b.flags.photos, b.flags.photos, b.width, b.height)
	if err != nil {
		return r, err
	}
	if r.limits, err = b.limits(ctx); err != nil {
		return r, err
	}
	b.say("%s: %s", padded("limit"), r.limits.text())
	if r.run, err = b.run(ctx, photos, work); err != nil {
		return r, err
	}
	b.say("%s: %s photos an hour", padded("run"), rateText(3600/r.run.photoSeconds()))
	if r.engine, err = b.engine(ctx, paths); err != nil {
		return r, err
	}
	b.say("%s: %s photos an hour", padded("bare engine"), rateText(3600/r.engine.photoSeconds()))
	if b.server == nil {
		return r, nil
	}
	var jpegs [][]byte
	for _, path := range paths[:b.flags.theirPhotos] {
		jpeg, err := os.ReadFile(path)
		if err != nil {
			return r, err
		}
		jpegs = append(jpegs, jpeg)
	}
	if r.server, err = b.server.Measure(ctx, jpegs, b.flags.concurrency); err != nil {
		return r, err
	}
	b.say("%s: %s photos an hour", padded("server"), rateText(3600*float64(r.server.Photos)/r.server.Seconds))
	return r, nil
}

func padded(name string) string { return pad("  "+name, 14) }

// sizes reads what the model's arithmetic costs; nil where that is not known.
func (b *benchmark) sizes() (*bench.Vision, *bench.Text) {
	var v *bench.Vision
	var t *bench.Text
	if f, err := gguf.Open(b.job.Engine.Vision); err == nil {
		if sizes, ok := bench.VisionOf(f); ok {
			v = &sizes
		}
	}
	if f, err := gguf.Open(b.job.Engine.Model); err == nil {
		if sizes, ok := bench.TextOf(f); ok {
			t = &sizes
		}
	}
	return v, t
}
