package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"photodesc/internal/ui"
	"photodesc/tracker"
)

const logsHelp = `Prints the log of the newest run in the workdir. With -f it shows the last lines
and then goes on as they come, also in the log of the next run, until it is
interrupted. Lines of level DEBUG are left out unless --debug asks for them; the
file has them. Old logs can be deleted at any time: nothing else is lost.`

func logsCommand(g *global) *cobra.Command {
	var follow, path, debug bool
	var lines int
	c := &cobra.Command{
		Use:   "logs",
		Short: "Show the newest log, and follow it with -f",
		Long:  logsHelp,
		Args:  exactly(0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error {
			if _, err := os.Stat(g.dir); err != nil {
				return ui.WorkdirError(g.dir, err)
			}
			debug = debug || g.manner.Verbose
			if lines < -1 {
				return ui.UsageError("--lines must not be negative")
			}
			if follow && !path {
				if lines < 0 {
					lines = 10
				}
				return ui.FollowLogs(c.Context(), c.OutOrStdout(), g.dir, lines, debug)
			}
			s, err := ui.Peek(g.dir)
			if err != nil {
				return err
			}
			name := s.Log
			if s.LogGone && !path {
				fmt.Fprintln(os.Stderr, ui.LogGoneText(name))
			}
			switch {
			case name == "" && s.LogGone:
				return &ui.Exit{Code: ui.ExitError}
			case name == "":
				return fmt.Errorf("there is no log in %q\n  a run writes one: %s", filepath.Join(g.dir, tracker.LogsName), ui.CommandLine(g.dir, "run", "DIR"))
			}
			if name = filepath.Join(g.dir, name); path {
				_, err := fmt.Fprintln(c.OutOrStdout(), name)
				return err
			}
			return ui.PrintLog(c.OutOrStdout(), name, lines, debug)
		},
	}
	c.Flags().BoolVarP(&follow, "follow", "f", false, "go on as lines come")
	c.Flags().IntVarP(&lines, "lines", "n", -1, "only the last `N` lines; all of them, or 10 with -f")
	c.Flags().BoolVar(&debug, "debug", false, "also what libraries and dead workers say")
	c.Flags().BoolVar(&path, "path", false, "print where the log is, not what it says")
	return c
}
