package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"photodesc/internal/bench/measure"
	"photodesc/internal/ui"
	"photodesc/internal/worker"
	"photodesc/pool"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func benchCommand() *cobra.Command {
	var f measure.Flags
	c := &cobra.Command{
		Use:   "bench",
		Short: "How fast this machine describes photos, and what share of its limit is reached",
		Long:  benchHelp,
		Example: "  photodesc bench --model smolvlm-500m\n" +
			"  photodesc bench --model smolvlm-500m --threads-sweep\n" +
			"  photodesc bench --against http://127.0.0.1:8080 --concurrency 4 --size 512x384",
		Args: exactly(0, "no argument"),
	}
	s := c.Flags()
	s.SortFlags = false
	s.IntVar(&f.Photos, "photos", 0, "photos to describe in each round (default: twice as many as are described at once)")
	s.StringVar(&f.Size, "size", "1024x768", "`SIZE` of the photos in pixels")
	s.IntVar(&f.Rounds, "rounds", 0, "rounds; the medians count (default 1, with --against 3)")
	// A run's own flags, with its own words; what is left out has a run's default.
	all := pflag.NewFlagSet("run", pflag.ContinueOnError)
	f.Run.Register(all)
	f.Run.MaxTokens, f.Run.Exact, f.Run.Cooldown = 64, true, "0s"
	for _, name := range []string{"model", "mmproj", "model-unchecked", "detail", "max-tokens", "memory", "workers", "parallel", "threads", "timeout"} {
		s.AddFlag(all.Lookup(name))
	}
	s.Lookup("max-tokens").DefValue = "64"
	s.Lookup("max-tokens").Usage = "length of each description, in tokens"
	s.StringVar(&f.Against, "against", "", "`URL` of a server to measure on the same photos, such as llama.cpp's or Ollama's")
	s.StringVar(&f.TheirModel, "against-model", "", "`NAME` of the server's model, where it serves several")
	s.IntVar(&f.Concurrency, "concurrency", 4, "photos the server is asked about at once")
	s.IntVar(&f.TheirPhotos, "against-photos", 0, "give the server only so many photos of each round; 0 is all")
	s.BoolVar(&f.Sweep, "threads-sweep", false, "measure numbers of workers and threads, and keep the fastest for later runs of this model")
	s.BoolVar(&f.Json, "json", false, "for programs: one JSON object on standard output")
	c.RunE = func(c *cobra.Command, _ []string) error {
		b, err := f.Check()
		if err != nil {
			return err
		}
		b.Version, b.Say = version, measure.NewBenchLog(os.Stderr)
		b.Prepare = func(ctx context.Context, dir string) (measure.Prepared, error) {
			r := &runner{dir: dir, root: dir, source: folderPhotos(dir), flags: f.Run, set: b.Set}
			return prepareBench(ctx, r, f.Sweep, b.Say)
		}
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
		defer stop()
		if f.Sweep {
			return sweep(ctx, c, b, f.Json)
		}
		report, err := b.Measure(ctx)
		if ctx.Err() != nil {
			return &ui.Exit{Code: ui.ExitStopped, Err: errors.New("stopped on request; nothing was measured")}
		}
		if err != nil {
			return err
		}
		if f.Json {
			return ui.WriteJSON(c.OutOrStdout(), report)
		}
		return report.Write(c.OutOrStdout())
	}
	c.AddCommand(benchEngineCommand(), benchLimitsCommand())
	return c
}

// manyPhotos are those of the run whose workers and slots are measured.
const manyPhotos = 1_000_000

// prepareBench finds what a run would do: which model, how many workers and slots.
func prepareBench(ctx context.Context, r *runner, sweep bool, say func(string, ...any)) (p measure.Prepared, err error) {
	if err := r.findModel(); err != nil {
		return p, err
	}
	if !r.model.Here() {
		return p, fmt.Errorf("the model %s is not on this machine\n  fetch it first: %s", r.model.Name, ui.CommandLine("", "models", "pull", r.flags.Model))
	}
	say("Loading %s", r.model.Name)
	m, err := worker.Measure(ctx, r.workerConfig(), 0)
	if err != nil {
		return p, r.unloadable(ctx, err)
	}
	sum, err := r.model.Fingerprint()
	if err != nil {
		return p, err
	}
	if !m.GPU && !sweep {
		r.set.Measured = measuredShape(r.set, r.model, func(text string) { say("%s", text) })
	}
	r.plan = r.set.Plan(m, manyPhotos)
	return measure.Prepared{
		Model: r.model.Name, Plan: r.plan, Worker: r.workerConfig(), GPU: m.GPU, Fingerprint: sum,
		PlanOf: func(shape pool.Shape) pool.Plan { return r.set.WithShape(shape).Plan(m, 0) },
	}, nil
}

func benchEngineCommand() *cobra.Command {
	return &cobra.Command{
		Use: "engine", Short: "The bare engine; started by bench", Hidden: true, Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return measure.ServeBareEngine(os.Stdin, os.Stdout) },
	}
}

func benchLimitsCommand() *cobra.Command {
	return &cobra.Command{
		Use: "limits", Short: "The machine's limits; started by bench", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			threads, err := strconv.Atoi(args[0])
			if err != nil || threads < 1 {
				return ui.UsageError("%q is no number of threads", args[0])
			}
			return ui.WriteJSON(c.OutOrStdout(), measure.FindLimits(threads))
		},
	}
}
