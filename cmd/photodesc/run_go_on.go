package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"photodesc/internal/config"
	"photodesc/internal/ui"
	"photodesc/tracker"
)

// runArgs wants one folder of photos, or none to go on with the run before.
func runArgs(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return photosArg(c, args)
}

// folderOrLast is the photo folder given or, without one, the last run's with its settings.
func folderOrLast(c *cobra.Command, args []string, dir string, f *config.Flags) (root string, err error) {
	if len(args) > 0 {
		return args[0], nil
	}
	return goOn(c, dir, f)
}

// goOn returns the photo folder of the workdir and has f take over the settings of
// its last run.
func goOn(c *cobra.Command, dir string, f *config.Flags) (root string, err error) {
	s, err := ui.Peek(dir)
	if err != nil || s.Root == "" {
		return "", ui.UsageError("no run has worked in this workdir yet, so there is none to go on with\n  give the folder with the photos: %s",
			ui.CommandLine(dir, append(strings.Fields(c.CommandPath())[1:], "DIR")...))
	}
	if root, err = tracker.DecodePath(s.Root); err != nil {
		return "", fmt.Errorf("the folder of the last run cannot be read: %w\n  give it: %s", err, ui.CommandLine(dir, "run", "DIR"))
	}
	if len(s.Args) > 2 { // the command, flags and the folder
		err = f.GoOn(s.Args[1 : len(s.Args)-1])
	}
	return root, err
}
