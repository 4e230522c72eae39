package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"photodesc/internal/ui"
	"photodesc/internal/wording"
	"photodesc/tracker"

	"github.com/spf13/cobra"
)

const mergeHelp = `Adds the results of other workdirs, such as those of shards, to the workdir given
with -C, which is created if it is not there. They must be of the same photo
folder. A photo that is in several of them gets the results of the one that
described it last. The other workdirs are not changed.

    photodesc -C all merge shard-0 shard-1 shard-2

A merge that was stopped can be started again: what is merged already is not
added twice, and newer results of the other workdirs are added later.

If the workdirs name different folders because these are mounted elsewhere on
other machines, --folder says which folder it is here.`

func mergeCommand(g *global) *cobra.Command {
	var folder string
	c := &cobra.Command{
		Use:   "merge WORKDIR...",
		Short: "Join the results of other workdirs, as of shards, into one",
		Long:  mergeHelp,

		ValidArgsFunction: folders,

		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return ui.UsageError("give the workdirs whose results are to be added")
			}
			if err := otherWorkdirs(g.dir, args); err != nil {
				return err
			}
			if folder != "" {
				abs, err := photoPlace(folder)
				if err != nil {
					return err
				}
				folder = abs
			}
			return merge(c.OutOrStdout(), g.dir, args, folder)
		},
	}
	c.Flags().StringVar(&folder, "folder", "", "the photo `FOLDER` of all of them, where they name different ones")
	return c
}

// otherWorkdirs checks that each workdir is given once and is not the one merged into.
func otherWorkdirs(dir string, sources []string) error {
	seen := []string{dir}
	for _, s := range sources {
		info, err := os.Stat(s)
		switch {
		case errors.Is(err, os.ErrNotExist):
			return fmt.Errorf("there is no folder %q", s)
		case err != nil:
			return err
		case !info.IsDir():
			return fmt.Errorf("%q is a file; give the workdir of a run", s)
		}
		if _, err := os.Stat(filepath.Join(s, tracker.ProgressName)); err != nil {
			return fmt.Errorf("%q is not the workdir of a run: it has no %s", s, tracker.ProgressName)
		}
		for i, other := range seen {
			there, err := os.Stat(other)
			if err != nil || !os.SameFile(info, there) {
				continue
			}
			if i == 0 {
				return ui.UsageError("%q is the workdir that the others are added to; name it with -C only", s)
			}
			return ui.UsageError("%q is given twice", s)
		}
		seen = append(seen, s)
	}
	return nil
}

func merge(w io.Writer, dir string, sources []string, folder string) error {
	show := ui.NewProgress(os.Stderr)
	show.Wait("reading results")
	m, err := tracker.Merge(dir, sources, tracker.MergeOptions{Root: folder, Progress: func(lines int) {
		show.Wait("reading results: " + ui.Comma(lines) + " lines so far")
	}})
	show.End()
	show.Plain.Flush()
	var locked *tracker.LockedError
	var roots *tracker.RootsError
	switch {
	case errors.As(err, &locked):
		return lockedError(locked)
	case errors.As(err, &roots):
		return fmt.Errorf("%w\n  if that is the same folder, mounted elsewhere, say where it is with --folder", err)
	case err != nil:
		return err
	}
	fmt.Fprintf(w, "Added the results of %s from %s.\n", wording.Count(m.Photos, "photo"), wording.Count(len(sources), "workdir"))
	if m.Several > 0 {
		fmt.Fprintf(w, "%s in several of them: the newest results count.\n", isAre(m.Several, "photo"))
	}
	if m.Corrections > 0 {
		fmt.Fprintf(w, "Added %s.\n", wording.Count(m.Corrections, "correction"))
	}
	if m.Bad > 0 {
		fmt.Fprintf(w, "%s of results cannot be read and stay where they are.\n", wording.Count(m.Bad, "line"))
	}
	failed := ""
	if m.Counts.Failed > 0 {
		failed = fmt.Sprintf(", %s failed", ui.Comma(m.Counts.Failed))
	}
	fmt.Fprintf(w, "The workdir has %s described%s.\n", wording.Count(m.Counts.Done, "photo"), failed)
	fmt.Fprintf(w, "Next: %s\n", ui.CommandLine(dir, "run", m.Root))
	return nil
}

func isAre(n int, what string) string {
	if n == 1 {
		return "1 " + what + " is"
	}
	return wording.Count(n, what) + " are"
}
