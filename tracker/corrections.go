package tracker

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"photodesc/internal/fsutil"
)

// CorrectionsName is the file with the corrections, in the folder of the outputs.
const CorrectionsName = "corrections.jsonl"

// Correction is what a person says of a photo in place of the model. The newest of a path counts; one without a
// description and keywords takes earlier ones back.
type Correction struct {
	Path        string     `json:"path"`              // relative to the photo folder, any bytes; EncodePath'd on the line
	File        *PhotoFile `json:"file,omitempty"`    // the file that was corrected
	Picture     string     `json:"picture,omitempty"` // hash of its picture
	Description string     `json:"description"`       // "": the model's counts
	Keywords    []string   `json:"keywords,omitzero"` // nil: the model's count; empty: there are none
	Time        time.Time  `json:"time"`              // when it was made
}

// Empty is whether the correction only takes earlier ones back.
func (c Correction) Empty() bool { return c.Description == "" && c.Keywords == nil }

// clockTolerance is how far ahead the time of a correction may be. That of a clock which was set further ahead says nothing of what
// came before and after it.
const clockTolerance = 24 * time.Hour

// holdsFor is whether the correction counts for a record of its path. It does unless another picture was described, or came, under
// that path since.
func (c Correction) holdsFor(r *Record) bool {
	switch {
	case c.Empty():
		return false
	case r.Via == "" && !r.Time.After(c.Time) && c.Time.Before(time.Now().Add(clockTolerance)):
		return true
	case c.Picture != "" && r.File != nil && r.File.Picture != "":
		return c.Picture == r.File.Picture
	}
	return c.File.Same(r.File)
}

// CorrectionError says why a correction is not accepted.
type CorrectionError struct{ Path, Reason string }

func (e *CorrectionError) Error() string {
	return fmt.Sprintf("correction of %q: %s", e.Path, e.Reason)
}

// Limits of a correction.
const (
	maxCorrectionText = 100_000 // bytes of the description, and of all keywords together
	maxKeywords       = 1000
)

// cleaned returns the correction as it is kept: text is valid and without spaces around it, keywords are none twice.
func (c Correction) cleaned() (Correction, error) {
	if c.Path == "" {
		return c, &CorrectionError{c.Path, "there is no path"}
	}
	c.Description = cleanText(c.Description)
	if c.Keywords != nil {
		keywords, seen, total := []string{}, map[string]bool{}, 0
		for _, k := range c.Keywords {
			k = strings.Join(strings.Fields(cleanText(k)), " ")
			if k == "" || seen[k] {
				continue
			}
			seen[k] = true
			total += len(k)
			keywords = append(keywords, k)
		}
		c.Keywords = keywords
		if len(keywords) > maxKeywords || total > maxCorrectionText {
			return c, &CorrectionError{c.Path, fmt.Sprintf("there are too many keywords; at most %d and %d bytes are kept", maxKeywords, maxCorrectionText)}
		}
	}
	if len(c.Description) > maxCorrectionText {
		return c, &CorrectionError{c.Path, fmt.Sprintf("the description is too long; at most %d bytes are kept", maxCorrectionText)}
	}
	return c, nil
}

// cleanText makes text valid UTF-8 without control characters other than line ends.
func cleanText(s string) string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\t", " ").Replace(strings.ToValidUTF8(s, "\ufffd"))
	s = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 {
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}

func (c Correction) appendLine(buf []byte) ([]byte, error) {
	c.Path = EncodePath(c.Path)
	w := bytes.NewBuffer(buf)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false) // as in the outputs
	err := enc.Encode(c)
	return w.Bytes(), err
}

// Line is the correction as a line of JSON, newline included.
func (c Correction) Line() ([]byte, error) { return c.appendLine(nil) }

// ParseCorrection reads a line as [Correction.Line] makes it.
func ParseCorrection(line []byte) (Correction, error) {
	return parseCorrection(bytes.TrimSuffix(line, []byte{'\n'}))
}

func parseCorrection(line []byte) (c Correction, err error) {
	if !utf8.Valid(line) {
		return c, errNotUTF8
	}
	if err := json.Unmarshal(line, &c); err != nil {
		return c, err
	}
	if c.Path, err = DecodePath(c.Path); err != nil {
		return c, err
	}
	if c.Path == "" {
		return c, errors.New("no path")
	}
	return c, nil
}

// Corrections are the corrections of a workdir.
type Corrections struct {
	byPath map[string]Correction
	Bad    int // lines that cannot be read

	newest map[string]int // the newest line of each path, be it one that takes a correction back
	lines  int
}

// ReadCorrections reads the newest correction of each path. A workdir without corrections has none. Lines that cannot be read are
// counted; what follows the last newline, as after a kill, is used if it is whole. All corrections are in memory together.
func ReadCorrections(dir string) (*Corrections, error) {
	all := &Corrections{byPath: map[string]Correction{}, newest: map[string]int{}}
	f, err := fsutil.OpenRegular(correctionsPath(dir), os.O_RDONLY, 0)
	if errors.Is(err, os.ErrNotExist) {
		return all, nil
	}
	if err != nil {
		return all, fmt.Errorf("the corrections cannot be read: %w", err)
	}
	defer f.Close()
	rest, err := scanLines(f, parseCorrection, func(line int, c Correction, err error) {
		all.lines = line
		if err != nil {
			all.Bad++
			return
		}
		all.add(c, line)
	})
	if err != nil {
		return all, fmt.Errorf("the corrections cannot be read: %w", err)
	}
	if c, err := parseCorrection(trimLine(rest.data, rest.offset == 0)); rest.torn && err == nil {
		all.add(c, rest.line)
	}
	return all, nil
}

func (a *Corrections) add(c Correction, line int) {
	a.newest[c.Path] = line
	if c.Empty() {
		delete(a.byPath, c.Path)
	} else {
		a.byPath[c.Path] = c
	}
}

// after returns the paths of which a correction was made or taken back after so many lines.
func (a *Corrections) after(lines int) (paths []string) {
	for path, line := range a.newest {
		if line > lines {
			paths = append(paths, path)
		}
	}
	return paths
}

// CorrectionsMark is another text whenever the corrections are others; "" where there are none.
func CorrectionsMark(dir string) (string, error) {
	info, err := os.Stat(correctionsPath(dir))
	if errors.Is(err, os.ErrNotExist) || err == nil && info.Size() == 0 {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("the corrections cannot be read: %w", err)
	}
	mark, err := markBefore(correctionsPath(dir), info.Size())
	if err != nil {
		return "", fmt.Errorf("the corrections cannot be read: %w", err)
	}
	return fmt.Sprintf("%d %d %s", info.Size(), info.ModTime().UnixNano(), mark), nil
}

func correctionsPath(dir string) string { return filepath.Join(dir, OutputsName, CorrectionsName) }

// Of returns the correction of a path.
func (a *Corrections) Of(path string) (Correction, bool) {
	c, ok := a.byPath[path]
	return c, ok
}

// All gives each correction, in no order.
func (a *Corrections) All() iter.Seq[Correction] { return maps.Values(a.byPath) }

// Len is how many photos have a correction, without regard to whether it still counts.
func (a *Corrections) Len() int { return len(a.byPath) }

// Apply returns what counts of a photo: the record with the words of its correction, if there is one that counts.
func (a *Corrections) Apply(r Record) Photo {
	if c, ok := a.byPath[r.Path]; ok {
		return c.Apply(r)
	}
	return Photo{Record: r}
}

// Apply returns the record of the correction's path with the words of the correction, if that counts for it.
func (c Correction) Apply(r Record) Photo {
	p := Photo{Record: r}
	if !c.holdsFor(&r) {
		return p
	}
	p.CorrectedAt = c.Time
	if c.Time.IsZero() { // a line that somebody wrote by hand
		p.CorrectedAt = time.Unix(0, 0).UTC()
	}
	p.ModelDescription, p.ModelKeywords = r.Description, r.Keywords
	if c.Description != "" {
		p.Description = c.Description
	}
	if c.Keywords != nil {
		p.Keywords = slices.Clone(c.Keywords)
	}
	return p
}
