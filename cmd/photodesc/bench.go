package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"photodesc/bench"
	"photodesc/internal/models/gguf"
	"photodesc/llm"
	"photodesc/pool"
)

// benchFlags is what a person may say of a measurement.
type benchFlags struct {
	run         runFlags
	photos      int
	size        string
	rounds      int
	json        bool
	against     string
	theirModel  string
	theirPhotos int
	concurrency int
}

func benchCommand() *cobra.Command {
	var f benchFlags
	c := &cobra.Command{
		Use:   "bench",
		Short: "How fast this machine describes photos, and what share of its limit is reached",
		Long:  benchHelp,
		Example: "  photodesc bench --model smolvlm-500m\n" +
			"  photodesc bench --against http://127.0.0.1:8080 --concurrency 4 --size 512x384",
		Args: exactly(0, "no argument"),
	}
	s := c.Flags()
	s.SortFlags = false
	s.IntVar(&f.photos, "photos", 0, "photos to describe in each round (default: twice as many as are described at once)")
	s.StringVar(&f.size, "size", "1024x768", "`SIZE` of the photos in pixels")
	s.IntVar(&f.rounds, "rounds", 0, "rounds; the medians count (default 1, with --against 3)")
	// A run's own flags, with its own words; what is left out has a run's default.
	all := pflag.NewFlagSet("run", pflag.ContinueOnError)
	f.run.register(all)
	f.run.maxTokens, f.run.exact, f.run.cooldown = 64, true, "0s"
	for _, name := range []string{"model", "mmproj", "detail", "max-tokens", "memory", "workers", "parallel", "threads", "timeout"} {
		s.AddFlag(all.Lookup(name))
	}
	s.Lookup("max-tokens").DefValue = "64"
	s.Lookup("max-tokens").Usage = "length of each description, in tokens"
	s.StringVar(&f.against, "against", "", "`URL` of a server to measure on the same photos, such as llama.cpp's or Ollama's")
	s.StringVar(&f.theirModel, "against-model", "", "`NAME` of the server's model, where it serves several")
	s.IntVar(&f.concurrency, "concurrency", 4, "photos the server is asked about at once")
	s.IntVar(&f.theirPhotos, "against-photos", 0, "give the server only so many photos of each round; 0 is all")
	s.BoolVar(&f.json, "json", false, "for programs: one JSON object on standard output")
	c.RunE = func(c *cobra.Command, _ []string) error {
		b, err := f.check()
		if err != nil {
			return err
		}
		b.say = newBenchLog(os.Stderr)
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
		defer stop()
		report, err := b.measure(ctx)
		if ctx.Err() != nil {
			return &exit{code: exitStopped, err: errors.New("stopped on request; nothing was measured")}
		}
		if err != nil {
			return err
		}
		if f.json {
			return writeJSON(c.OutOrStdout(), report)
		}
		return report.write(c.OutOrStdout())
	}
	c.AddCommand(benchEngineCommand(), benchLimitsCommand())
	return c
}

// check turns the flags into a measurement.
func (f *benchFlags) check() (*benchmark, error) {
	set, err := f.run.check()
	if err != nil {
		return nil, err
	}
	b := &benchmark{flags: *f, set: set}
	var ok bool
	if b.width, b.height, ok = parseSize(f.size); !ok {
		return nil, usageError("--size %q is not a size in pixels such as 1024x768", f.size)
	}
	if f.rounds == 0 {
		if b.flags.rounds = 1; f.against != "" {
			b.flags.rounds = 3
		}
	}
	switch {
	case f.photos < 0 || f.photos > 10_000:
		return nil, usageError("--photos must be from 1 to 10,000")
	case f.rounds < 0 || f.rounds > 1000:
		return nil, usageError("--rounds must be from 1 to 1,000")
	case f.concurrency < 1 || f.concurrency > 256:
		return nil, usageError("--concurrency must be from 1 to 256")
	case f.theirPhotos < 0 || f.photos > 0 && f.theirPhotos > f.photos:
		return nil, usageError("--against-photos must be from 1 to the number of --photos")
	case f.against == "" && f.theirModel != "":
		return nil, usageError("--against-model belongs to --against")
	}
	if f.against != "" {
		b.server, err = bench.NewServer(bench.ServerOptions{
			URL: f.against, Model: f.theirModel, Prompt: llm.DefaultPrompt,
			MaxTokens: f.run.maxTokens, Timeout: f.run.timeout,
		})
		if err != nil {
			return nil, usageError("--against: %w", err)
		}
	}
	return b, nil
}

// parseSize reads "1024x768".
func parseSize(s string) (width, height int, ok bool) {
	w, h, found := strings.Cut(strings.ToLower(s), "x")
	width, err1 := strconv.Atoi(w)
	height, err2 := strconv.Atoi(h)
	const most = 20_000
	ok = found && err1 == nil && err2 == nil && width >= 1 && height >= 1 && width <= most && height <= most
	return width, height, ok
}

// benchmark is one measurement.
type benchmark struct {
	flags         benchFlags
	set           settings
	width, height int
	server        *bench.Server // nil: none to compare with
	say           func(format string, args ...any)

	tmp     string
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
	if err := b.makePlan(ctx); err != nil {
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

// newBenchLog says what goes on, a line at a time: measuring takes minutes.
func newBenchLog(w io.Writer) func(string, ...any) {
	return func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
}
