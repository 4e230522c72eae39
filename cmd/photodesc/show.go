package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"photodesc/internal/fsutil"
	"photodesc/internal/ui"
	"photodesc/tracker"

	"github.com/spf13/cobra"
)

const showHelp = `Prints what is known of photos: description, keywords, answers to further
prompts, corrections with the model's own words, date taken, camera and place,
size, model, time. PATH is a photo or a folder of photos, relative to
the photo folder or to where you are, or absolute. Without PATH the 10 photos
that were done last are shown.

With --json each photo is a line, as it is in the outputs, with its correction.`

// shownLast is how many photos are shown when none is named.
const shownLast = 10

func showCommand(g *global) *cobra.Command {
	var asJSON bool
	var last int
	c := &cobra.Command{
		Use:     "show [PATH…]",
		Short:   "What is known of photos: descriptions, keywords, failures",
		Long:    showHelp,
		Example: "  photodesc show beach.jpg\n  photodesc show 2024/summer\n  photodesc show --last 100 --json",

		ValidArgsFunction: files,

		RunE: func(c *cobra.Command, args []string) error {
			if last < 0 {
				return ui.UsageError("--last: %d is not a number of photos", last)
			}
			s, err := ui.Peek(g.dir)
			if err != nil {
				return err
			}
			if len(args) == 0 && last == 0 {
				last = shownLast
			}
			return show(c.OutOrStdout(), s, args, last, asJSON)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "for programs: a JSON object a line")
	c.Flags().IntVar(&last, "last", 0, "only the photos done last, at most this `number`")
	return c
}

func show(w io.Writer, s tracker.Snapshot, args []string, last int, asJSON bool) error {
	wanted := newShownPaths(s.Root, args)
	colors, width := ui.Colors(w), ui.TerminalWidth(w)
	shown := 0
	gone, copies := tracker.ReadGone(s.Dir), map[string][]string(nil)
	if s.Duplicates > 0 && len(args) > 0 {
		var err error
		if copies, err = tracker.Copies(s.Dir, wanted.match); err != nil {
			return err
		}
	}
	for photo, err := range tracker.Photos(s.Dir, tracker.Select{Match: wanted.match, Last: last}) {
		if err != nil {
			return err
		}
		photo.Gone, photo.Copies = gone.Has(photo.Path) && !isThere(s, photo.Path), copies[photo.Path]
		if shown++; asJSON {
			line, err := photo.Line()
			if err == nil {
				_, err = w.Write(line)
			}
			if err != nil {
				return err
			}
			continue
		}
		if shown > 1 {
			fmt.Fprintln(colors)
		}
		if err := ui.WritePhoto(colors, photo, width); err != nil {
			return err
		}
	}
	if missing := wanted.missing(); len(missing) > 0 {
		return notShown(s, missing)
	}
	if shown == 0 && len(args) > 0 { // their results were taken back
		return notShown(s, args)
	}
	if shown == 0 && !asJSON {
		fmt.Fprintf(w, "No photo has been described here yet. Begin with:\n    %s\n", ui.CommandLine(s.Dir, "run", "DIR"))
	}
	return nil
}

// isThere is whether a photo that was gone can be seen again.
func isThere(s tracker.Snapshot, path string) bool {
	root, err := tracker.DecodePath(s.Root)
	if err != nil || root == "" {
		return false
	}
	_, err = os.Lstat(fsutil.Join(root, path))
	return err == nil
}

func notShown(s tracker.Snapshot, missing []string) error {
	text := fmt.Sprintf("%q", missing[0])
	if len(missing) > 1 {
		text += fmt.Sprintf(" and %s more", ui.Comma(len(missing)-1))
	}
	hint := "is this its workdir? -C names another"
	if root, err := tracker.DecodePath(s.Root); err == nil {
		hint = fmt.Sprintf("paths count from %q; one that is not there or not yet done has no record", root)
	}
	return fmt.Errorf("nothing is known of %s\n  %s", text, hint)
}

// shownPaths are the photos and folders that a person named.
type shownPaths struct {
	mu    sync.Mutex
	names []shownPath // empty: all
}

type shownPath struct {
	arg   string
	paths []string // what it can mean, relative to the photo folder; "." is all of it
	found bool
}

// newShownPaths takes the photo folder as a snapshot has it, "" when it is not known.
func newShownPaths(encodedRoot string, args []string) *shownPaths {
	root, err := tracker.DecodePath(encodedRoot)
	if err != nil {
		root = ""
	}
	s := &shownPaths{}
	for _, arg := range args {
		p := shownPath{arg: arg}
		if fsutil.IsBucket(root) { // keys may begin with a slash, and have two in a row
			p.paths = append(p.paths, strings.TrimSuffix(arg, "/"))
		}
		if !filepath.IsAbs(arg) {
			p.paths = append(p.paths, filepath.Clean(arg))
		}
		if decoded, err := tracker.DecodePath(arg); err == nil && decoded != arg {
			p.paths = append(p.paths, filepath.Clean(decoded))
		}
		if abs, err := fsutil.Abs(arg); err == nil && root != "" {
			p.paths = append(p.paths, below(root, abs)...)
		}
		s.names = append(s.names, p)
	}
	return s
}

// below returns path as seen from root, through links, too; nothing where it is outside.
func below(root, path string) (found []string) {
	if fsutil.IsBucket(root) {
		if rel, in := strings.CutPrefix(strings.TrimSuffix(path, "/")+"/", fsutil.Join(root, "")); in {
			found = append(found, cmp.Or(strings.TrimSuffix(rel, "/"), "."))
		}
		return found
	}
	for _, pair := range [][2]string{{root, path}, {fsutil.Resolve(root), fsutil.Resolve(path)}} {
		rel, err := filepath.Rel(pair[0], pair[1])
		if err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
			found = append(found, rel)
		}
	}
	return found
}

// match is called by several goroutines at once.
func (s *shownPaths) match(path string) bool {
	if len(s.names) == 0 {
		return true
	}
	hit := false
	for i := range s.names {
		for _, want := range s.names[i].paths {
			if want == "." || fsutil.Below(path, want) {
				hit = true
				s.mu.Lock()
				s.names[i].found = true
				s.mu.Unlock()
				break
			}
		}
	}
	return hit
}

func (s *shownPaths) missing() (args []string) {
	for _, n := range s.names {
		if !n.found {
			args = append(args, n.arg)
		}
	}
	return args
}
