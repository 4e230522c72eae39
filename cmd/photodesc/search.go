package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"photodesc/internal/fsutil"
	"photodesc/internal/search"
	"photodesc/internal/ui"
	"photodesc/internal/wording"
	"photodesc/tracker"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

const searchHelp = `Finds photos by words of their descriptions, keywords, further answers, cameras,
names of places and file names. All words must be there, in any form: dog finds dogs. Where you
corrected a photo, your words are searched.

    photodesc search dog beach        both words
    photodesc search '"red car"'      a phrase
    photodesc search 'moun*'          words that begin so
    photodesc search dog -- -beach    with one word and without the other
    photodesc search cat OR dog       one of them
    photodesc search place:rome       in names of places alone

The best of the newest matches come first. Copies with the same picture and words
are one match, but for -0, which gives each; --each does so, too. Photos that are
gone from the photo folder are left out without --gone. The index, search.db in the workdir,
is brought up to date by each search and may be removed at any time.`

// shownFound is how many photos are shown to a person who does not say how many.
const shownFound = 20

type searchFlags struct {
	asJSON, nul   bool
	gone, each    bool
	skipOld       bool
	folder, since string
	taken         string
	limit         int
}

func searchCommand(g *global) *cobra.Command {
	var f searchFlags
	c := &cobra.Command{
		Use:     "search WORDS…",
		Short:   "Find photos by words",
		Long:    searchHelp,
		Example: "  photodesc search birthday cake\n  photodesc search snow --in alps --taken 2024-12..2025-02\n  photodesc search -0 screenshot | xargs -0 ls -l",
		RunE: func(c *cobra.Command, args []string) error {
			words := strings.Join(args, " ")
			if strings.TrimSpace(words) == "" {
				return noSearchWords(search.ErrEmpty)
			}
			if f.limit < 0 {
				return ui.UsageError("--limit: %d is not a number of photos", f.limit)
			}
			if f.asJSON && f.nul {
				return ui.UsageError("--json and -0 exclude each other")
			}
			if !c.Flags().Changed("limit") && !f.asJSON && !f.nul {
				f.limit = shownFound
			}
			since, err := sinceTime(f.since, time.Now())
			if err != nil {
				return err
			}
			taken, err := takenDays(f.taken)
			if err != nil {
				return err
			}
			s, err := ui.Peek(g.dir)
			if err != nil {
				return err
			}
			if err := checkDescribed(s); err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt)
			defer stop()
			o := search.Options{Since: since, Taken: taken, Limit: f.limit, Each: f.each || f.nul}
			if !f.gone {
				o.Hidden = tracker.ReadGone(g.dir).Paths()
			}
			if f.folder != "" {
				if o.Folder, err = searchedFolder(s, f.folder); err != nil {
					return err
				}
			}
			if (f.taken != "" || tracker.FactsMark(s.Dir) == "") && !f.skipOld {
				fillOld(ctx, s)
			}
			if ctx.Err() != nil {
				return &ui.Exit{Code: ui.ExitStopped}
			}
			return findPhotos(ctx, c.OutOrStdout(), s, words, o, f)
		},
	}
	c.Flags().StringVar(&f.folder, "in", "", "only photos in this `FOLDER` and below it")
	c.Flags().StringVar(&f.taken, "taken", "", "only photos taken at this `DATE`, as 2024, 2024-05 or 2024-05-31, or between two, as 2023..2024-05; those without a date of their own are left out")
	c.Flags().StringVar(&f.since, "since", "", "only photos described since this `DATE`, as 2024, 2024-05 or 2024-05-31, or for a time, as 7d or 12h")
	c.Flags().IntVar(&f.limit, "limit", 0, "at most this `N` of photos, 0 is all (default 20 for people, else all)")
	c.Flags().BoolVar(&f.each, "each", false, "photos with the same picture and words one by one; else as one, with the number of its copies")
	c.Flags().BoolVar(&f.gone, "gone", false, "also photos that are gone from the photo folder")
	c.Flags().BoolVar(&f.skipOld, "skip-old", false, "do not read dates and cameras of photos that version 0.1 described")
	c.Flags().BoolVar(&f.asJSON, "json", false, "for programs: a JSON object a line")
	c.Flags().BoolVarP(&f.nul, "null", "0", false, "for xargs -0: the files' paths, with a zero byte after each")
	return c
}

func findPhotos(ctx context.Context, w io.Writer, s tracker.Snapshot, text string, o search.Options, f searchFlags) error {
	x, err := updatedIndex(ctx, s.Dir)
	if err != nil {
		return err
	}
	defer x.Close()
	if u := x.Unreadable(); u.Lines > 0 {
		rest := "it describes is not found; it"
		if u.Lines > 1 {
			rest = "they describe is not found; the first"
		}
		fmt.Fprintf(os.Stderr, "%s of the outputs cannot be read, and what %s is in %q, from byte %d: %v\n",
			wording.Count(u.Lines, "line"), rest, u.File, u.At, u.Err)
	}
	root, err := tracker.DecodePath(s.Root)
	if err != nil {
		root = ""
	}
	shown := 0
	colors, width := ui.Colors(w), ui.TerminalWidth(w)
	matches, more, err := x.Find(ctx, text, o, func(h search.Hit) error {
		shown++
		switch {
		case f.nul:
			_, err := fmt.Fprintf(w, "%s\x00", photoAt(root, h.Path))
			return err
		case f.asJSON:
			return ui.WriteJSON(w, foundPhoto(h, root))
		}
		if shown > 1 {
			fmt.Fprintln(colors)
		}
		return ui.WriteFound(colors, ui.Found{Path: h.Path, Description: h.Description, Keywords: h.Keywords, Answers: h.Answers, Camera: h.Camera, Place: h.Place, Copies: len(h.Copies)},
			search.MarkBegin, search.MarkEnd, width)
	})
	switch {
	case errors.Is(err, search.ErrEmpty):
		return noSearchWords(err)
	case errors.Is(err, context.Canceled):
		return &ui.Exit{Code: ui.ExitStopped}
	case err != nil:
		return err
	}
	if !f.nul && !f.asJSON {
		if shown > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintln(w, ui.FoundText(shown, matches, more))
	}
	return nil
}

func noSearchWords(err error) error {
	return ui.UsageError("%v; give some, as in `photodesc search dog beach`", err)
}

// updatedIndex opens the index of a workdir and brings it up to date.
func updatedIndex(ctx context.Context, dir string) (*search.Index, error) {
	x, err := search.Open(ctx, dir)
	if err != nil {
		return nil, err
	}
	indexed, done := indexProgress(os.Stderr)
	err = x.Update(ctx, indexed)
	done()
	switch {
	case err == nil:
		return x, nil
	case errors.Is(err, context.Canceled):
		err = &ui.Exit{Code: ui.ExitStopped}
	default:
		err = fmt.Errorf("the search index cannot be brought up to date: %w\n  is the disk full? what is missing there is no photo: %s may be removed", err, search.IndexName)
	}
	_ = x.Close()
	return nil, err
}

// foundJSON is a photo that was found, for programs.
type foundJSON struct {
	Path        string          `json:"path"`           // as in the outputs
	File        string          `json:"file,omitempty"` // absolute; left out where the photo folder is not known or the path is no text
	Description string          `json:"description"`
	Keywords    []string        `json:"keywords,omitempty"`
	Answers     string          `json:"answers,omitempty"`
	Camera      string          `json:"camera,omitempty"`
	Place       string          `json:"place,omitempty"` // its names
	Taken       string          `json:"taken,omitempty"`
	Corrected   bool            `json:"corrected,omitempty"` // a person wrote the description or the keywords
	Copies      []string        `json:"copies,omitempty"`    // paths of other photos found, with the same picture and words
	Model       string          `json:"model"`
	Language    string          `json:"language,omitempty"` // that its answers were asked for in, BCP-47
	Time        json.RawMessage `json:"time"`
}

func foundPhoto(h search.Hit, root string) foundJSON {
	plain := strings.NewReplacer(search.MarkBegin, "", search.MarkEnd, "")
	at, _ := h.Time.UTC().MarshalJSON()
	f := foundJSON{
		Path: tracker.EncodePath(h.Path), Description: plain.Replace(h.Description), Answers: plain.Replace(h.Answers),
		Camera: plain.Replace(h.Camera), Place: plain.Replace(h.Place), Taken: h.Taken, Corrected: h.Corrected, Model: h.Model, Language: h.Language, Time: at,
	}
	for _, path := range h.Copies {
		f.Copies = append(f.Copies, tracker.EncodePath(path))
	}
	if k := plain.Replace(h.Keywords); k != "" {
		f.Keywords = strings.Split(k, ", ")
	}
	if file := photoAt(root, h.Path); root != "" && tracker.EncodePath(file) == file {
		f.File = file
	}
	return f
}

// indexProgress says on a terminal how many descriptions are indexed, once that takes more than a second.
func indexProgress(w *os.File) (indexed func(int), done func()) {
	if !term.IsTerminal(int(w.Fd())) {
		return nil, func() {}
	}
	begun, said := time.Now(), false
	return func(n int) {
			if time.Since(begun) > time.Second {
				said = true
				fmt.Fprintf(w, "\rindexing descriptions for the search: %s", ui.Comma(n))
			}
		}, func() {
			if said {
				fmt.Fprint(w, "\r\x1b[K")
			}
		}
}

// photoAt is the full path, or the address, of a photo.
func photoAt(root, rel string) string {
	if fsutil.IsBucket(root) {
		return fsutil.Join(root, rel)
	}
	return filepath.Join(root, rel)
}

// searchedFolder is a folder as seen from the photo folder.
func searchedFolder(s tracker.Snapshot, folder string) (string, error) {
	root, err := tracker.DecodePath(s.Root)
	if err != nil || root == "" {
		return filepath.ToSlash(filepath.Clean(folder)), nil
	}
	if filepath.IsLocal(folder) { // "..", where a person is deep in the folder, is not seen from its top
		if info, err := os.Stat(filepath.Join(root, folder)); err == nil && info.IsDir() {
			return filepath.ToSlash(filepath.Clean(folder)), nil
		}
	}
	abs, err := fsutil.Abs(folder)
	if err != nil {
		return "", err
	}
	if found := below(root, abs); len(found) > 0 {
		return filepath.ToSlash(found[0]), nil
	}
	if !filepath.IsLocal(folder) {
		return "", ui.UsageError("--in: %q is not in the photo folder %q", folder, root)
	}
	return filepath.ToSlash(filepath.Clean(folder)), nil
}

// takenDays reads --taken.
func takenDays(text string) (search.Days, error) {
	if text == "" {
		return search.Days{}, nil
	}
	days, err := search.ParseDays(text)
	if err != nil {
		return days, ui.UsageError("--taken: %q is %v", text, err)
	}
	return days, nil
}

// sinceTime reads --since: a date, or a time back from now.
func sinceTime(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{"2006", "2006-01", time.DateOnly, "2006-01-02 15:04", time.RFC3339} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	days := 0
	if n, err := fmt.Sscanf(text, "%dd", &days); n == 1 && err == nil && fmt.Sprintf("%dd", days) == text && days >= 0 && days < 100_000 {
		return now.AddDate(0, 0, -days), nil
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	return time.Time{}, ui.UsageError("--since: %q is not a date as 2024, 2024-05 or 2024-05-31, nor a time as 7d or 12h", text)
}
