package tracker

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"time"
	"unicode/utf8"

	"photodesc/internal/fsutil"
)

// FactsName is the file with what was read of photos after they were described, in the workdir: records of version 0.1 have
// neither date nor camera. It is a cache, which may be removed.
const FactsName = "file_facts.jsonl"

// FileFacts are what a photo's file says of itself. Taken and Camera are those of [Record]; both "": it says nothing.
type FileFacts struct {
	Path    string    `json:"path"` // relative to the photo folder, any bytes; EncodePath'd on the line
	Size    int64     `json:"size"`
	ModTime time.Time `json:"mtime"`
	Taken   string    `json:"taken,omitempty"`
	Camera  string    `json:"camera,omitempty"`
}

// maxFact bounds a text of FileFacts, in bytes.
const maxFact = 1000

// factsLine is a line of the file: facts, or how far the outputs have been looked through.
type factsLine struct {
	FileFacts
	Positions map[string]Position `json:"positions,omitempty"`
}

// Facts are all that were read.
type Facts struct {
	byPath    map[string]FileFacts
	positions map[string]Position
}

// ReadFacts reads the facts of a workdir, of which there may be none. Lines that cannot be read are left out: the photos are
// read again.
func ReadFacts(dir string) (*Facts, error) {
	all := &Facts{byPath: map[string]FileFacts{}}
	f, err := fsutil.OpenRegular(factsPath(dir), os.O_RDONLY, 0)
	if errors.Is(err, os.ErrNotExist) {
		return all, nil
	}
	if err != nil {
		return all, fmt.Errorf("what was read of old photos cannot be read: %w\n  %s may be removed", err, FactsName)
	}
	defer f.Close()
	_, err = scanLines(f, parseFacts, func(_ int, l factsLine, err error) {
		switch {
		case err != nil:
		case l.Positions != nil:
			all.positions = l.Positions
		default:
			all.byPath[l.Path] = l.FileFacts
		}
	})
	if err != nil {
		return all, fmt.Errorf("what was read of old photos cannot be read: %w\n  %s may be removed", err, FactsName)
	}
	return all, nil
}

func parseFacts(line []byte) (l factsLine, err error) {
	if !utf8.Valid(line) {
		return l, errNotUTF8
	}
	if err := json.Unmarshal(line, &l); err != nil || l.Positions != nil {
		return l, err
	}
	if l.Path, err = DecodePath(l.Path); err != nil {
		return l, err
	}
	if l.Path == "" || len(l.Camera) > maxFact {
		return l, errors.New("no path, or too long")
	}
	if _, _, err := ParseTaken(l.Taken); l.Taken != "" && err != nil {
		return l, err
	}
	return l, nil
}

// LacksFacts is whether a record is of a version that did not note what the file says of itself.
func (r *Record) LacksFacts() bool {
	return r.Status == OK && r.Taken == "" && r.Camera == "" && (r.File == nil || r.File.Hash == "" && r.File.Picture == "")
}

// Fill completes an old record with the facts of its file, if that is the file that was described.
func (a *Facts) Fill(r *Record) {
	if len(a.byPath) == 0 || !r.LacksFacts() {
		return
	}
	if f, ok := a.byPath[r.Path]; ok && f.of(r) {
		r.Taken, r.Camera = f.Taken, f.Camera
	}
}

// of is whether the facts are of the file that a record describes: it was not changed since.
func (f FileFacts) of(r *Record) bool {
	if r.File != nil {
		return r.File.Same(&PhotoFile{Size: f.Size, ModTime: f.ModTime})
	}
	return !f.ModTime.After(r.Time)
}

// Len is how many photos have facts.
func (a *Facts) Len() int { return len(a.byPath) }

// Paths calls f with the path of each photo that has facts.
func (a *Facts) Paths(f func(path string)) {
	for path, facts := range a.byPath {
		if facts.Taken != "" || facts.Camera != "" {
			f(path)
		}
	}
}

// MissingFacts are the paths of old photos whose files have not been looked at. Only what was added to the outputs since
// [LookedThrough] is read. positions are for LookedThrough, nil
// where nothing was added.
func MissingFacts(dir string) (paths []string, positions map[string]Position, err error) {
	all, err := ReadFacts(dir)
	if err != nil {
		return nil, nil, err
	}
	for range 2 {
		positions = map[string]Position{}
		maps.Copy(positions, all.positions)
		missing, order := map[string]bool{}, []string{}
		err = Follow(dir, all.positions, func(file string, r Record, after Position) error {
			positions[file] = after
			switch f, known := all.byPath[r.Path]; {
			case !r.LacksFacts():
				delete(missing, r.Path)
			case !known || !f.of(&r):
				if !missing[r.Path] {
					order = append(order, r.Path)
				}
				missing[r.Path] = true
			}
			return nil
		}, func(string, int64, error) {})
		if !errors.Is(err, ErrOutputsChanged) {
			for _, path := range order {
				if missing[path] {
					paths = append(paths, path)
					delete(missing, path)
				}
			}
			if maps.Equal(positions, all.positions) {
				positions = nil
			}
			return paths, positions, err
		}
		all.positions = nil
	}
	return nil, nil, err
}

// AddFacts keeps facts.
func AddFacts(dir string, list []FileFacts) error {
	var lines []any
	for _, f := range list {
		f.Path, f.ModTime = EncodePath(f.Path), f.ModTime.UTC()
		lines = append(lines, f)
	}
	return appendFacts(dir, lines)
}

// LookedThrough notes that the files of all old photos were looked at, as far as the outputs reach.
func LookedThrough(dir string, positions map[string]Position) error {
	return appendFacts(dir, []any{struct {
		Positions map[string]Position `json:"positions"`
	}{positions}})
}

func appendFacts(dir string, lines []any) error {
	if len(lines) == 0 {
		return nil
	}
	var w bytes.Buffer
	enc := json.NewEncoder(&w)
	enc.SetEscapeHTML(false)
	for _, l := range lines {
		if err := enc.Encode(l); err != nil {
			return err
		}
	}
	list := sharedFile{path: factsPath(dir), what: "dates and cameras", again: "do the same again"}
	held, err := list.lock()
	if err != nil {
		return err
	}
	defer func() { _ = held.Unlock() }()
	return list.append(&lenientFS{filesystem: osFS{}, refused: func(error) {}}, w.Bytes())
}

func factsPath(dir string) string { return filepath.Join(dir, FactsName) }

// FactsMark is another text whenever the facts may be others; "" where there are none.
func FactsMark(dir string) string { return sizeMark(factsPath(dir)) }
