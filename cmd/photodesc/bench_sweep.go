package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"photodesc/internal/bench/measure"
	"photodesc/internal/tuning"
	"photodesc/internal/ui"
	"photodesc/internal/wording"

	"github.com/spf13/cobra"
)

// sweep measures numbers of workers and threads and keeps the fastest.
func sweep(ctx context.Context, c *cobra.Command, b *measure.Benchmark, asJSON bool) error {
	report, err := b.Sweep(ctx)
	if ctx.Err() != nil {
		return &ui.Exit{Code: ui.ExitStopped, Err: errors.New("stopped on request; nothing is kept")}
	}
	if err != nil {
		return err
	}
	if asJSON {
		err = ui.WriteJSON(c.OutOrStdout(), report)
	} else {
		err = report.Write(c.OutOrStdout())
	}
	if err != nil {
		return err
	}
	best := report.Shapes[report.Best]
	kept := tuning.Result{Key: tuning.Here(b.Fingerprint, version), Name: b.Model, Workers: best.Workers, Threads: best.Threads,
		PhotosHour: best.PhotosHour, Time: time.Now().Truncate(time.Second)}
	if err := kept.Save(); err != nil {
		return fmt.Errorf("the result could not be kept: %w\n  runs of this model choose as before; --workers %d --threads %d chooses by hand", err, best.Workers, best.Threads)
	}
	fmt.Fprintf(os.Stderr, "Later runs of %s use %s of %s.\n", b.Model, wording.Count(best.Workers, "worker"), wording.Count(best.Threads, "thread"))
	return nil
}

// checkThreads says which results of bench --threads-sweep are used.
func checkThreads() (string, error) {
	text, bad := "", ""
	for _, r := range tuning.List(version) {
		if r.Err != nil {
			bad += fmt.Sprintf("\nnot used, for %s: %v", nameOf(r), r.Err)
			continue
		}
		text += fmt.Sprintf("\n%s: %s of %s, measured %s", nameOf(r), wording.Count(r.Workers, "worker"), wording.Count(r.Threads, "thread"), r.Time.Format("2 January 2006"))
	}
	switch {
	case text != "":
		return "as measured by bench --threads-sweep" + text + bad, nil
	case bad != "":
		return "chosen by memory and cores" + bad, nil
	}
	return "chosen by memory and cores; bench --threads-sweep measures them", nil
}

func nameOf(r tuning.Kept) string {
	if r.Name == "" {
		return "an unknown model"
	}
	return ui.OneLine(r.Name)
}
