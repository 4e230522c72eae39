package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode"

	"photodesc/internal/wording"
)

// result is what became of one model.
type result struct {
	Model     string  `json:"model"`
	Error     string  `json:"error,omitempty"` // why it was not checked to the end
	Fetched   bool    `json:"fetched"`
	Loads     bool    `json:"loads"`
	Pictures  int     `json:"pictures"`
	Described int     `json:"described"`
	Expected  int     `json:"expected_words"`
	Found     int     `json:"found_words"`
	Blank     int     `json:"blank_answers"`
	Loops     int     `json:"loops"`
	PerSecond float64 `json:"tokens_per_second"`
	Seconds   float64 `json:"seconds_per_picture"`
	Memory    uint64  `json:"memory_measured"`  // bytes: weights and the most that the workers had
	Catalogue uint64  `json:"memory_catalogue"` // bytes that `photodesc models` says
	Answers   []entry `json:"answers"`
}

// entry is the answer about one picture.
type entry struct {
	Picture string   `json:"picture"`
	Text    string   `json:"text"`
	Finish  string   `json:"finish,omitempty"`
	Missing []string `json:"missing,omitempty"` // expected words that the text lacks
	Failure string   `json:"failure,omitempty"`
}

// record is what is read of a line of a run's outputs.
type record struct {
	Path, Status, Description, Finish string
	Tokens, Blank                     int
	Seconds                           struct{ Generate, Total float64 }
	Error                             *struct{ Message string }
}

// add counts a record.
func (r *result) add(rec record, expected []string) {
	e := entry{Picture: rec.Path, Text: rec.Description, Finish: rec.Finish}
	r.Pictures++
	r.Blank += rec.Blank
	if rec.Status == "ok" {
		r.Described++
	} else if rec.Error != nil {
		e.Failure = rec.Error.Message
	}
	if rec.Finish == "repeat" {
		r.Loops++
	}
	for _, want := range expected {
		r.Expected++
		if has(rec.Description, want) {
			r.Found++
		} else {
			e.Missing = append(e.Missing, want)
		}
	}
	r.Answers = append(r.Answers, e)
}

// has tells whether one of the alternatives is among the words of a text, singular or plural.
func has(text, alternatives string) bool {
	words := map[string]bool{}
	for _, w := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		words[w], words[strings.TrimSuffix(w, "s")] = true, true
	}
	for _, want := range strings.Split(strings.ToLower(alternatives), "|") {
		if want = strings.TrimSpace(want); words[want] || strings.Contains(want, " ") && strings.Contains(strings.ToLower(text), want) {
			return true
		}
	}
	return false
}

// read counts the records of a workdir.
func (r *result) read(dir string, expected map[string][]string) error {
	files, err := filepath.Glob(filepath.Join(dir, "outputs", "*.jsonl"))
	if err != nil {
		return err
	}
	tokens, generating, total := 0, 0.0, 0.0
	left := maps.Clone(expected)
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var rec record
			if json.Unmarshal(lines.Bytes(), &rec) != nil || rec.Status == "" || expected[rec.Path] == nil {
				continue
			}
			r.add(rec, expected[rec.Path])
			delete(left, rec.Path)
			tokens, generating, total = tokens+rec.Tokens, generating+rec.Seconds.Generate, total+rec.Seconds.Total
		}
		err = lines.Err()
		f.Close()
		if err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(left)) {
		missing := record{Path: name, Status: "none"}
		missing.Error = &struct{ Message string }{"a run leaves it out"}
		r.add(missing, expected[name])
	}
	if generating > 0 {
		r.PerSecond = float64(tokens) / generating
	}
	if looked := r.Pictures - len(left); looked > 0 {
		r.Seconds = total / float64(looked)
	}
	return nil
}

// peak returns the most memory of the workers that a run's events tell of. While a model loads, its vision file is in memory
// twice for a moment; the text model is not yet, so that this is never the most of the whole.
func peak(events []byte) (most uint64) {
	loaded := false
	for line := range bytes.Lines(events) {
		var e struct {
			Event, Action string
			Workers       uint64 `json:"worker_bytes"`
		}
		if json.Unmarshal(line, &e) != nil {
			continue
		}
		if loaded = loaded || e.Event == "worker" && e.Action == "ready"; loaded {
			most = max(most, e.Workers)
		}
	}
	return most
}

// memoryText says how the memory measured compares with what the catalogue says, which is to be within 10%.
func (r *result) memoryText() string {
	off := 100 * (float64(r.Memory)/float64(r.Catalogue) - 1)
	if off < -10 || off > 10 {
		return fmt.Sprintf("WRONG by %+.0f%%", off)
	}
	return fmt.Sprintf("right (%+.0f%%)", off)
}

const mib = 1 << 20

// writeTable prints a line a model.
func writeTable(w io.Writer, results []result) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "model\tloads\tdescribed\twords found\tblank\tloops\ttokens/s\ts/picture\tmemory\tcatalogue\tmemory is")
	for _, r := range results {
		if !r.Loads {
			why := "NO"
			if !r.Fetched {
				why = "not fetched"
			}
			fmt.Fprintf(t, "%s\t%s%s\n", r.Model, why, strings.Repeat("\t-", 9))
			continue
		}
		fmt.Fprintf(t, "%s\tyes\t%d/%d\t%d/%d\t%d\t%d\t%.1f\t%.1f\t%d MiB\t%d MiB\t%s\n", r.Model, r.Described, r.Pictures, r.Found, r.Expected,
			r.Blank, r.Loops, r.PerSecond, r.Seconds, r.Memory/mib, r.Catalogue/mib, r.memoryText())
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, r := range results {
		if r.Error != "" {
			fmt.Fprintf(w, "%s: %s\n", r.Model, r.Error)
		}
		var wrong []string
		for _, a := range r.Answers {
			if a.Failure != "" || len(a.Missing) > 0 {
				wrong = append(wrong, a.Picture)
			}
		}
		if r.Loads && r.Described == 0 {
			fmt.Fprintf(w, "%s: answers nothing: do not use it here\n", r.Model)
		} else if len(wrong) > 0 {
			fmt.Fprintf(w, "%s: %s not as expected: %s\n", r.Model, wording.Count(len(wrong), "picture"), strings.Join(wrong, ", "))
		}
	}
	return nil
}
