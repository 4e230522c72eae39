package main

import (
	"fmt"
	"io"
	"time"

	"photodesc/internal/ui"

	"github.com/spf13/cobra"
)

const statusHelp = `Says how far the run in the workdir is, how fast, until when, and whether it is
alive. The rate is per hour of describing: the time in which no run was up, and
in which it loaded the model or waited for the photos' disk, is left out.

With --watch a terminal shows it live: rate, memory, CPU, slots, the last
descriptions and failures; q leaves and the run goes on. Elsewhere --watch
prints a line every 10 seconds, and with --json an object every 2 seconds, until
it is interrupted. It waits for a run that has not begun and follows one that
stops and starts again.

With --all it tells of all workdirs in which you have had runs on this machine,
wherever they are, those with a run that is up first.

In --json, "state" is one of none, running, waiting, stalled, finished, stopped,
error (it could not go on) and died (it ended without a word).

Nodes that are up on this machine, for runs on others, are told of, too.`

func statusCommand(g *global) *cobra.Command {
	var asJSON, watch, all bool
	c := &cobra.Command{
		Use:   "status",
		Short: "How far, how fast, until when, and is it alive",
		Long:  statusHelp,
		Args:  exactly(0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error {
			w := c.OutOrStdout()
			switch {
			case all && watch:
				return ui.UsageError("--all tells once; for one workdir there is `status --watch`")
			case all && c.Flags().Changed("workdir"):
				return ui.UsageError("--all is about every workdir, -C about one")
			case all:
				return statusAll(w, asJSON)
			case watch:
				return ui.WatchStatus(c.Context(), w, g.dir, asJSON, ownNodes)
			}
			s, err := ui.Peek(g.dir)
			if err != nil {
				return err
			}
			if asJSON {
				return ui.WriteJSON(w, ui.Machine{Snapshot: s, OwnNodes: ownNodes()})
			}
			ui.WriteStatus(ui.Colors(w), s, time.Now(), ui.TerminalWidth(w))
			if !s.Running {
				sayUpElsewhere(w, g.dir, "status")
			}
			sayNodes(w)
			return nil
		},
	}
	c.Flags().BoolVarP(&watch, "watch", "w", false, "keep showing it; q leaves, the run goes on")
	c.Flags().BoolVar(&all, "all", false, "all workdirs of yours on this machine, those that are up first")
	c.Flags().BoolVar(&asJSON, "json", false, "for programs: one JSON object")
	return c
}

// statusAll tells of all workdirs of this user.
func statusAll(w io.Writer, asJSON bool) error {
	now := time.Now()
	places, err := everyPlace(now, placeTimeout)
	if err != nil {
		return err
	}
	if asJSON {
		return ui.WriteJSON(w, ui.Places{Workdirs: places, OwnNodes: ownNodes()})
	}
	ui.WritePlaces(ui.Colors(w), places, now, ui.TerminalWidth(w))
	sayNodes(w)
	return nil
}

// sayUpElsewhere names the runs that are up in other workdirs, with a command for
// each.
func sayUpElsewhere(w io.Writer, dir, command string) {
	for i, e := range upElsewhere(dir, time.Now()) {
		if i == 0 {
			fmt.Fprintln(w, "Runs that are up elsewhere:")
		}
		fmt.Fprintf(w, "    %s    # photos of %s\n", ui.CommandLine(e.Workdir, command), ui.OneLine(ui.AtHome(e.Root)))
	}
}
