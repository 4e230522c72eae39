package main

import (
	"time"

	"photodesc/internal/ui"

	"github.com/spf13/cobra"
)

const statusHelp = `Says how far the run in the workdir is, how fast, until when, and whether it is
alive. The rate counts time in which a run was up, not the nights it was off.

With --watch a terminal shows it live: rate, memory, CPU, slots, the last
descriptions and failures; q leaves and the run goes on. Elsewhere --watch
prints a line every 10 seconds, and with --json an object every 2 seconds, until
it is interrupted. It waits for a run that has not begun and follows one that
stops and starts again.

In --json, "state" is one of none, running, waiting, stalled, finished, stopped,
error (it could not go on) and died (it ended without a word).`

func statusCommand(g *global) *cobra.Command {
	var asJSON, watch bool
	c := &cobra.Command{
		Use:   "status",
		Short: "How far, how fast, until when, and is it alive",
		Long:  statusHelp,
		Args:  exactly(0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error {
			w := c.OutOrStdout()
			if watch {
				return ui.WatchStatus(c.Context(), w, g.dir, asJSON)
			}
			s, err := ui.Peek(g.dir)
			if err != nil {
				return err
			}
			if asJSON {
				return ui.WriteJSON(w, s)
			}
			ui.WriteStatus(ui.Colors(w), s, time.Now(), ui.TerminalWidth(w))
			return nil
		},
	}
	c.Flags().BoolVarP(&watch, "watch", "w", false, "keep showing it; q leaves, the run goes on")
	c.Flags().BoolVar(&asJSON, "json", false, "for programs: one JSON object")
	return c
}
