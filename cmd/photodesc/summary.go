package main

import (
	"time"

	"github.com/spf13/cobra"

	"photodesc/internal/ui"
	"photodesc/tracker"
)

const summaryHelp = `Everything in numbers, over all runs of the workdir: photos, seconds, words,
errors by kind with examples and what to do, workers, memory, files. A photo
counts once: as described if it ever was, else by its last failure. Seconds of a
photo are those on its own way; several are on their way at once.

With --failed it lists every photo without a description: the kind of failure,
the path and the message. With --json all of it for programs.`

func summaryCommand(g *global) *cobra.Command {
	var asJSON, failed bool
	c := &cobra.Command{
		Use:   "summary",
		Short: "Everything in numbers: successes, errors by kind, times, memory, files",
		Long:  summaryHelp,
		Args:  exactly(0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error {
			w := c.OutOrStdout()
			if _, err := ui.Peek(g.dir); err != nil {
				return err
			}
			if failed {
				list, err := tracker.ListFailed(g.dir)
				if err != nil {
					return err
				}
				if asJSON {
					return ui.WriteJSON(w, list)
				}
				ui.WriteFailed(ui.Colors(w), list)
				return nil
			}
			s, err := tracker.Summarize(g.dir)
			if err != nil {
				return err
			}
			if asJSON {
				return ui.WriteJSON(w, s)
			}
			ui.WriteSummary(ui.Colors(w), s, time.Now(), ui.TerminalWidth(w))
			return nil
		},
	}
	c.Flags().BoolVar(&failed, "failed", false, "list the photos that failed")
	c.Flags().BoolVar(&asJSON, "json", false, "for programs: one JSON object, or an array of failures")
	return c
}
