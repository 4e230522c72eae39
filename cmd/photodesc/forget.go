package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"photodesc/internal/fsutil"
	"photodesc/internal/storage"
	"photodesc/internal/ui"
	"photodesc/internal/wording"
	"photodesc/tracker"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

const forgetHelp = `Drops the results of photos that are gone: described or failed in an earlier run,
and not found by the last one, in a folder that could be read. They are looked for
once more before. What is in a folder that cannot be read, or on a disk that is
not mounted, is not gone.

A line in the outputs takes each result back; what was written before stays
there. Your corrections stay, too, and count again if the photo comes back.`

type forgetFlags struct {
	gone, dryRun, yes bool
}

func forgetCommand(g *global) *cobra.Command {
	var f forgetFlags
	c := &cobra.Command{
		Use:     "forget --gone",
		Short:   "Drop the results of photos that are gone",
		Long:    forgetHelp,
		Args:    exactly(0, "no argument"),
		Example: "  photodesc forget --gone --dry-run\n  photodesc forget --gone",
		RunE: func(c *cobra.Command, _ []string) error {
			if !f.gone {
				return ui.UsageError("say what is to be forgotten: --gone, the photos that are gone from the photo folder")
			}
			return forgetGone(c.InOrStdin(), c.OutOrStdout(), g.dir, f)
		},
	}
	c.Flags().BoolVar(&f.gone, "gone", false, "photos that are gone from the photo folder")
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "say what would be dropped, and change nothing")
	c.Flags().BoolVar(&f.yes, "yes", false, "do not ask; needed where there is no terminal")
	return c
}

func forgetGone(in io.Reader, w io.Writer, dir string, f forgetFlags) error {
	s, err := ui.Peek(dir)
	if err != nil {
		return err
	}
	if err := checkDescribed(s); err != nil {
		return err
	}
	list, err := goneNow(s)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		fmt.Fprintln(w, "No photo with results is gone, as far as the last run saw.")
		return nil
	}
	writeGone(w, list)
	switch {
	case f.dryRun:
		return nil
	case f.yes:
	case !asksOn(in):
		return ui.UsageError("there is no terminal to ask on; --yes drops them without a question")
	default:
		fmt.Fprint(w, "Drop their results? [y/N] ")
		answer, _ := bufio.NewReader(in).ReadString('\n')
		if a := strings.ToLower(strings.TrimSpace(answer)); a != "y" && a != "yes" {
			fmt.Fprintln(w, "Nothing was changed.")
			return nil
		}
	}
	t, err := tracker.Open(dir, tracker.Options{})
	if locked := (*tracker.LockedError)(nil); errors.As(err, &locked) {
		return lockedError(locked)
	}
	if err != nil {
		return err
	}
	if list, err = goneNow(s); err == nil { // a run may have worked here meanwhile
		err = forget(t, dir, list)
	}
	t.Live().Stop(stopReason(err))
	if err = errors.Join(err, t.Close()); err != nil {
		return err
	}
	fmt.Fprintf(w, "Dropped the results of %s.\n", wording.Count(len(list), "photo"))
	return nil
}

// forget drops photos and leaves the others on the list.
func forget(t *tracker.Tracker, dir string, list []tracker.Photo) error {
	var paths []string
	dropped := map[string]bool{}
	for _, p := range list {
		paths, dropped[p.Path] = append(paths, p.Path), true
	}
	if err := t.Files().ForgetGone(paths); err != nil {
		return err
	}
	gone := tracker.ReadGone(dir)
	var left []string
	for _, path := range gone.Paths() {
		if !dropped[path] {
			left = append(left, path)
		}
	}
	return tracker.WriteGone(dir, left, gone.Mounts)
}

// goneNow are the photos with results that were gone at the last walk and are still.
func goneNow(s tracker.Snapshot) (list []tracker.Photo, err error) {
	gone := tracker.ReadGone(s.Dir)
	if gone.Len() == 0 {
		return nil, nil
	}
	root, err := tracker.DecodePath(s.Root)
	if err != nil || root == "" {
		return nil, fmt.Errorf("the workdir does not say which photo folder it belongs to\n  `%s` writes it down", ui.CommandLine(s.Dir, "run", "DIR"))
	}
	certainly := func(string) bool { return true } // only a run lists a bucket, and all of it
	if !fsutil.IsBucket(root) {
		if certainly, err = goneFrom(root, gone); err != nil {
			return nil, err
		}
	}
	for p, err := range tracker.Photos(s.Dir, tracker.Select{Match: gone.Has}) {
		if err != nil {
			return nil, err
		}
		if certainly(p.Path) {
			p.Description, p.Raw, p.Answers, p.Prompt = "", "", nil, "" // there may be many
			list = append(list, p)
		}
	}
	return list, nil
}

// goneFrom returns what tells whether a photo is gone from a folder now.
func goneFrom(root string, gone *tracker.Gone) (func(path string) bool, error) {
	if entries, err := filepath.Glob(filepath.Join(fsutil.QuoteGlob(root), "*")); err != nil || len(entries) == 0 {
		return nil, fmt.Errorf("the photo folder %q is empty or cannot be read; is its disk mounted?\n  nothing is forgotten while it is away", root)
	}
	return storage.NewAbsence(root, storage.NewMountPoints(root), gone.Mounts, nil).Gone, nil
}

// writeGone says what would be dropped.
func writeGone(w io.Writer, list []tracker.Photo) {
	described, failed, corrected := 0, 0, 0
	for i := range list {
		p := &list[i]
		switch {
		case p.Status == tracker.OK:
			described++
		default:
			failed++
		}
		if p.Corrected() {
			corrected++
		}
	}
	text := wording.Count(len(list), "photo") + " gone from the photo folder: " + ui.Comma(described) + " described, " + ui.Comma(failed) + " failed"
	if corrected > 0 {
		text += "; you corrected " + ui.Comma(corrected)
	}
	fmt.Fprintln(w, text)
	const most = 5
	for _, p := range list[:min(len(list), most)] {
		fmt.Fprintln(w, "    "+ui.OneLine(tracker.EncodePath(p.Path)))
	}
	if more := len(list) - most; more > 0 {
		fmt.Fprintln(w, "    and "+ui.Comma(more)+" more")
	}
}

// asksOn is whether somebody can be asked.
func asksOn(in io.Reader) bool {
	f, ok := in.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && term.IsTerminal(int(os.Stdout.Fd()))
}
