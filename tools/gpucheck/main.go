// Command gpucheck checks photodesc on a machine with an NVIDIA GPU that has the CUDA toolkit, but neither Go nor libvips.
//
//	make gpucheck                           # where photodesc is developed: writes build/photodesc-gpucheck.tar.xz
//	tar xJf photodesc-gpucheck.tar.xz       # on the machine with the GPU
//	photodesc-gpucheck/gpucheck             # at most eight minutes
//
// It builds the CUDA library for that GPU, compares the built-in model's descriptions on the GPU and on the CPU with the
// golden texts, and runs `photodesc doctor` and `photodesc bench`. It then measures models of SmolVLM's shapes with random
// weights, for several numbers of workers and slots. The report goes to standard output and to report.txt, the figures to
// trials.jsonl. The exit code is 1 if a step failed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gpucheck:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 1 && args[0] == "pack" {
		return pack(ctx, os.Stdout)
	}
	flags := flag.NewFlagSet("gpucheck", flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "usage: gpucheck [flags] [STEP...]\n       gpucheck pack >FILE.tar\nsteps, all if none is named:", stepNames())
		flags.PrintDefaults()
	}
	limit := flags.Duration("for", 8*time.Minute, "stop measuring after this time")
	out := flags.String("o", "", "`folder` for report.txt, trials.jsonl and the build's log (default: results, beside gpucheck)")
	arch := flags.String("arch", "native", "architecture to build the CUDA library for, such as sm_90")
	quick := flags.Bool("quick", false, "few photos and the tiny model: to try gpucheck itself")
	if err := flags.Parse(args); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	c := &checker{dir: filepath.Dir(self), out: *out, arch: *arch, quick: *quick, until: time.Now().Add(*limit)}
	if c.out == "" {
		c.out = filepath.Join(c.dir, "results")
	}
	chosen, err := chooseSteps(flags.Args())
	if err != nil {
		return err
	}
	return c.check(ctx, chosen)
}
