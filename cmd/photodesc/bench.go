package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

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
		b.version, b.say = version, newBenchLog(os.Stderr)
		b.prepare = func(ctx context.Context, dir string) (prepared, error) {
			r := &runner{dir: dir, root: dir, flags: f.run, set: b.set}
			return r.prepareBench(ctx, b.say)
		}
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

// prepareBench finds what a run would do: which model, how many workers and slots.
func (r *runner) prepareBench(ctx context.Context, say func(string, ...any)) (p prepared, err error) {
	if err := r.findModel(); err != nil {
		return p, err
	}
	if !r.model.Here() {
		return p, fmt.Errorf("the model %s is not on this machine\n  fetch it first: %s", r.model.Name, commandLine("", "models", "pull", r.flags.model))
	}
	say("Loading %s", r.model.Name)
	m, err := measure(ctx, r.workerJob())
	if err != nil {
		return p, err
	}
	r.plan = r.set.plan(m)
	return prepared{model: r.model.Name, plan: r.plan, threads: r.threads(), job: r.workerJob()}, nil
}
