package main

import (
	"fmt"
	"io"

	"photodesc/internal/prompts"
	"photodesc/internal/ui"
	"photodesc/internal/wording"
	"photodesc/tracker"

	"github.com/spf13/cobra"
)

const againHelp = `Asks for another description of photos that were described or failed. A run that
is up takes this up as it goes, the next one before all else; with
run --requested it does nothing else. The new description takes the place of
the old one, which stays in the outputs. Corrections stay and still count.

    photodesc again a.jpg          once more
    photodesc again 2024 --prompt short
    photodesc again --failed       all failed
    photodesc again a.jpg --cancel

PATH is a photo or a folder of photos, named as for show. With a prompt of its
own a photo keeps that description when --redo changed describes others again.
What is asked for waits in requests.jsonl; status says how many photos wait.`

type againFlags struct {
	prompt, model string
	failed        bool
	cancel        bool
}

func againCommand(g *global) *cobra.Command {
	var f againFlags
	c := &cobra.Command{
		Use:   "again [PATH…]",
		Short: "Have photos described again, with another prompt or model",
		Long:  againHelp,

		ValidArgsFunction: files,

		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case f.failed == (len(args) > 0):
				return ui.UsageError("again wants the paths of photos, or --failed")
			case f.cancel && (f.prompt != "" || f.model != ""):
				return ui.UsageError("--cancel takes back what was asked for, whatever the prompt and model; leave the other flags out")
			}
			if f.prompt != "" {
				if _, err := prompts.Parse(f.prompt); err != nil {
					return ui.UsageError("--prompt: %w", err)
				}
			}
			s, err := ui.Peek(g.dir)
			if err != nil {
				return err
			}
			return again(c.OutOrStdout(), s, args, f)
		},
	}
	c.Flags().StringVar(&f.prompt, "prompt", "", "what to ask: a `TEXT`, or "+prompts.Names()+"; what the run asks unless given")
	c.Flags().StringVar(&f.model, "model", "", "`NAME` of the model, as the run names it; any run's unless given")
	c.Flags().BoolVar(&f.failed, "failed", false, "all photos that failed and were never described")
	c.Flags().BoolVar(&f.cancel, "cancel", false, "take back what was asked for and waits")
	return c
}

// again asks for another description of the photos that a person named.
func again(w io.Writer, s tracker.Snapshot, args []string, f againFlags) error {
	wanted := newShownPaths(s.Root, args)
	var list []tracker.Request
	named := map[string]bool{}
	err := tracker.Find(s.Dir, wanted.match, 0, func(r tracker.Record) error {
		if !f.failed || r.Status == tracker.Failed {
			list = append(list, tracker.Request{Path: r.Path, Prompt: f.prompt, Model: f.model})
			named[r.Path] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	if missing := wanted.missing(); len(missing) > 0 {
		return notShown(s, missing)
	}
	if len(list) == 0 {
		fmt.Fprintln(w, "No photo failed.")
		return nil
	}
	if f.cancel {
		n, err := tracker.CancelRequests(s.Dir, func(q tracker.Request) bool { return named[q.Path] })
		if err == nil {
			fmt.Fprintf(w, "%s taken back.\n", wording.Count(n, "request"))
		}
		return err
	}
	added, err := tracker.AddRequests(s.Dir, list)
	if err != nil {
		return err
	}
	fmt.Fprint(w, wording.Count(added, "photo")+" to be described again")
	if more := len(list) - added; more > 0 {
		fmt.Fprintf(w, ", %s waiting for that already", ui.Comma(more))
	}
	switch {
	case s.TakesRequests(f.model):
		fmt.Fprintln(w, ". The run that is up takes this up as it goes.")
	case s.Running: // the workdir is not free
		fmt.Fprintf(w, ". The run that is up does not do it; this does, when that has ended:\n    %s\n", ui.RequestsCommand(s, f.model))
	default:
		fmt.Fprintf(w, ". This does it:\n    %s\n", ui.RequestsCommand(s, f.model))
	}
	return nil
}
