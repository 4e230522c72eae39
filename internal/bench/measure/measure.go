// Package measure implements `photodesc bench`: it measures a run, the bare engine
// and a server on the same photos in several rounds, and reports the medians.
package measure

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"photodesc/internal/bench"
	"photodesc/internal/config"
	"photodesc/internal/fsutil"
	"photodesc/internal/models/gguf"
	"photodesc/internal/ui"
	"photodesc/internal/worker"
	"photodesc/pool"
)

// Benchmark is one measurement.
type Benchmark struct {
	flags         Flags
	Set           config.Settings
	width, height int
	server        *bench.Server // nil: none to compare with
	textTokens    int           // of the server's prompt without a picture; 0: it does not say
	Say           func(format string, args ...any)
	Version       string // of the program
	// Prepare finds what a run in the folder dir would do.
	Prepare func(ctx context.Context, dir string) (Prepared, error)

	tmp string
	Prepared
}

// Prepared is what a run with the same flags would do.
type Prepared struct {
	Model  string        // its name
	Plan   pool.Plan     // a run's
	Worker worker.Config // as a run would configure its workers
	GPU    bool          // does the work

	PlanOf      func(pool.Shape) pool.Plan // a run's plan with so many workers and threads
	Fingerprint string                     // of the model
}

// benchRound is what one round gave.
type benchRound struct {
	limits Limits
	run    runResult
	engine engineResult
	server bench.Round
}

// Measure runs the whole benchmark. It ends with ctx.
func (b *Benchmark) Measure(ctx context.Context) (*Report, error) {
	var err error
	if b.tmp, err = fsutil.MkdirTemp("photodesc-bench-"); err != nil {
		return nil, err
	}
	defer os.RemoveAll(b.tmp)
	if b.server != nil {
		b.Say("Asking %s about a photo", b.flags.Against)
		// No round has this photo.
		jpeg, err := bench.Photo(0, b.width, b.height)
		if err != nil {
			return nil, err
		}
		if b.textTokens, err = b.server.Probe(ctx, jpeg); err != nil {
			return nil, err
		}
	}
	if b.Prepared, err = b.Prepare(ctx, b.tmp); err != nil {
		return nil, err
	}
	b.choosePhotos()
	var rounds []benchRound
	for n := range b.flags.Rounds {
		if b.flags.Rounds > 1 {
			b.Say("Round %d of %d", n+1, b.flags.Rounds)
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
func (b *Benchmark) choosePhotos() {
	f := &b.flags
	if f.Photos == 0 {
		f.Photos = max(2*b.Plan.Workers*b.Plan.Slots, f.TheirPhotos)
	}
	if f.TheirPhotos == 0 {
		f.TheirPhotos = f.Photos
	}
}

// round measures all once, on photos of its own: a server may remember those
// it has seen.
func (b *Benchmark) round(ctx context.Context, n int) (r benchRound, err error) {
	dir := filepath.Join(b.tmp, fmt.Sprintf("round-%d", n+1))
	photos, work := filepath.Join(dir, "photos"), filepath.Join(dir, "work")
	if err := errors.Join(os.MkdirAll(photos, 0o700), os.Mkdir(work, 0o700)); err != nil {
		return r, err
	}
	defer os.RemoveAll(dir)
	paths, err := bench.WritePhotos(photos, 1+n*b.flags.Photos, b.flags.Photos, b.width, b.height)
	if err != nil {
		return r, err
	}
	if r.limits, err = b.limits(ctx); err != nil {
		return r, err
	}
	b.Say("%s: %s", padded("limit"), r.limits.text())
	if r.run, err = b.run(ctx, photos, work); err != nil {
		return r, err
	}
	b.Say("%s: %s photos an hour", padded("run"), ui.RateText(3600/r.run.photoSeconds()))
	if r.engine, err = b.engine(ctx, paths); err != nil {
		return r, err
	}
	b.Say("%s: %s photos an hour", padded("bare engine"), ui.RateText(3600/r.engine.photoSeconds()))
	if b.server == nil {
		return r, nil
	}
	var jpegs [][]byte
	for _, path := range paths[:b.flags.TheirPhotos] {
		jpeg, err := os.ReadFile(path)
		if err != nil {
			return r, err
		}
		jpegs = append(jpegs, jpeg)
	}
	if r.server, err = b.server.Measure(ctx, jpegs, b.flags.Concurrency); err != nil {
		return r, err
	}
	b.Say("%s: %s photos an hour", padded("server"), ui.RateText(3600*float64(r.server.Photos)/r.server.Seconds))
	return r, nil
}

func padded(name string) string { return ui.Pad("  "+name, 14) }

// sizes reads what the model's arithmetic costs; nil where that is not known.
func (b *Benchmark) sizes() (*bench.Vision, *bench.Text) {
	var v *bench.Vision
	var t *bench.Text
	if f, err := gguf.Open(b.Worker.Engine.Vision); err == nil {
		if sizes, ok := bench.VisionOf(f); ok {
			v = &sizes
		}
	}
	if f, err := gguf.Open(b.Worker.Engine.Model); err == nil {
		if sizes, ok := bench.TextOf(f); ok {
			t = &sizes
		}
	}
	return v, t
}
