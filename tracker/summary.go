package tracker

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// worstShown is how many examples a kind of error has.
const worstShown = 3

// Summary is everything in numbers. A photo counts once: as ok when it was ever
// described, else by its last failure. Of a photo that was described again with
// other settings the newest line counts, be it a failure.
type Summary struct {
	Run Snapshot `json:"run"` // batches, workers, memory and CPU are in its Counters

	OK          int     `json:"ok"`
	Duplicates  int     `json:"duplicates,omitempty"` // of OK, with the words of another photo; in no figure below but the models
	Failed      int     `json:"failed"`
	SuccessRate float64 `json:"success_rate"` // from 0 to 1
	Retried     int     `json:"retried"`      // ok, but not at the first attempt
	AskedAgain  int     `json:"asked_again"`  // ok, but the model said nothing at first
	SaidNothing int     `json:"said_nothing"` // failed because the model said nothing

	Seconds         StageStats     `json:"seconds"`           // of ok photos
	Words           Stats          `json:"words"`             // of a description
	Tokens          Stats          `json:"tokens"`            // of a description
	TokensPerSecond float64        `json:"tokens_per_second"` // all tokens by all time spent generating
	Tiles           Stats          `json:"tiles"`
	Finish          map[Finish]int `json:"finish"`
	Models          map[string]int `json:"models"`          // ok photos by model
	Nodes           map[string]int `json:"nodes,omitempty"` // ok photos by machine, of runs that several shared

	Errors []KindSummary `json:"errors"` // most frequent first

	First   time.Time  `json:"first,omitzero"` // the earliest and latest result
	Last    time.Time  `json:"last,omitzero"`
	Files   []FileSize `json:"files"`
	Damaged int        `json:"damaged_lines"` // lines of outputs that cannot be read
}

// StageStats are seconds a photo, by stage.
type StageStats struct {
	Decode   Stats `json:"decode"`
	Encode   Stats `json:"encode"`
	Prompt   Stats `json:"prompt"`
	Generate Stats `json:"generate"`
	Total    Stats `json:"total"`
}

// KindSummary is one kind of error.
type KindSummary struct {
	Kind  Kind          `json:"kind"`
	Count int           `json:"count"`
	Hint  string        `json:"hint"`  // what to do about it
	Worst []FailedPhoto `json:"worst"` // those that took most attempts, then most time
}

// FailedPhoto is a photo without a description.
type FailedPhoto struct {
	Path string `json:"path"` // EncodePath'd
	Failure
	Blank   int       `json:"blank,omitempty"` // answers without a letter
	Seconds float64   `json:"seconds"`         // spent on it
	Time    time.Time `json:"time"`
}

// FileSize is one file of the workdir.
type FileSize struct {
	Name  string `json:"name"` // relative to the workdir
	Bytes int64  `json:"bytes"`
	Lines int    `json:"lines,omitempty"` // of an output
}

// Summarize reads all outputs of a workdir, running or not, and changes
// nothing. A million photos take seconds and some 150 MB.
func Summarize(dir string) (Summary, error) {
	run, err := Peek(dir)
	if err != nil {
		return Summary{}, err
	}
	sum := newSumming()
	sum.Run, sum.lines = run, map[string]int{}
	if err := readOutputs(dir, parseFigures, sum.merge); err != nil {
		return Summary{}, err
	}
	sum.end()
	sum.Files = sum.fileSizes(dir)
	return sum.Summary, nil
}

// ListFailed returns the photos that [Summary] counts as failed, ordered by
// path.
func ListFailed(dir string) ([]FailedPhoto, error) {
	sum := newSumming()
	sum.failuresOnly = true
	if err := readOutputs(dir, parseFigures, sum.merge); err != nil {
		return nil, err
	}
	list := make([]FailedPhoto, 0, len(sum.failed))
	for _, f := range sum.failed {
		list = append(list, f)
	}
	slices.SortFunc(list, func(a, b FailedPhoto) int { return strings.Compare(a.Path, b.Path) })
	return list, nil
}

// figures are what a result line adds to a summary.
type figures struct {
	Path        string `json:"path"`
	Status      Status `json:"status"`
	Settings    string `json:"settings"`
	Description text   `json:"description"`
	Finish      Finish `json:"finish"`
	Model       string `json:"model"`
	Node        string `json:"node"`
	Tiles       int    `json:"tiles"`
	Tokens      int    `json:"tokens"`
	Answers     map[string]struct {
		Tokens int `json:"tokens"`
	} `json:"answers"`
	Seconds  Seconds      `json:"seconds"`
	Attempts int          `json:"attempts"`
	Blank    int          `json:"blank"`
	Of       string       `json:"of"`
	Time     time.Time    `json:"time"`
	Error    *RecordError `json:"error"`

	key        key
	settingsID []byte // may lie inside the line
}

// text is a description of which only the number of words is kept.
type text struct{ words int }

func (t *text) UnmarshalJSON(raw []byte) error {
	t.words = countWords(raw)
	return nil
}

// countWords counts the words of a JSON string without unescaping it.
func countWords(raw []byte) int {
	words := 0
	inWord := false
	raw = bytes.Trim(raw, `"`)
	for i := 0; i < len(raw); i++ {
		space := raw[i] == ' '
		if raw[i] == '\\' && i+1 < len(raw) {
			i++
			space = raw[i] == 'n' || raw[i] == 't' || raw[i] == 'r'
		}
		if !space && !inWord {
			words++
		}
		inWord = !space
	}
	return words
}

func parseFigures(line []byte) (figures, error) {
	var f figures
	if !utf8.Valid(line) {
		return f, errNotUTF8
	}
	if err := json.Unmarshal(line, &f); err != nil {
		return f, err
	}
	path, err := DecodePath(f.Path)
	if err != nil {
		return f, err
	}
	f.key = keyOf(path)
	f.settingsID = []byte(f.Settings)
	return f, checkRead(f.Path, f.Status)
}

func (s *summing) period(t time.Time) {
	if t.IsZero() {
		return
	}
	if s.First.IsZero() || t.Before(s.First) {
		s.First = t
	}
	if t.After(s.Last) {
		s.Last = t
	}
}

func byKind(failed map[key]FailedPhoto) []KindSummary {
	kinds := map[Kind]*KindSummary{}
	for _, f := range failed {
		k := kinds[f.Kind]
		if k == nil {
			k = &KindSummary{Kind: f.Kind, Hint: f.Kind.Hint()}
			kinds[f.Kind] = k
		}
		k.Count++
		k.Worst = append(k.Worst, f)
		slices.SortFunc(k.Worst, worse)
		k.Worst = k.Worst[:min(len(k.Worst), worstShown)]
	}
	list := make([]KindSummary, 0, len(kinds))
	for _, k := range kinds {
		list = append(list, *k)
	}
	slices.SortFunc(list, func(a, b KindSummary) int {
		if a.Count != b.Count {
			return b.Count - a.Count
		}
		return strings.Compare(string(a.Kind), string(b.Kind))
	})
	return list
}

func worse(a, b FailedPhoto) int {
	switch {
	case a.Attempts != b.Attempts:
		return b.Attempts - a.Attempts
	case a.Seconds > b.Seconds:
		return -1
	case a.Seconds < b.Seconds:
		return 1
	}
	return strings.Compare(a.Path, b.Path)
}

// fileSizes lists the workdir's files that are there.
func (s *summing) fileSizes(dir string) []FileSize {
	names := []string{ProgressName}
	outputs, _ := outputFiles(dir)
	for _, path := range outputs {
		name, _ := filepath.Rel(dir, path)
		names = append(names, name)
	}
	logs, _ := matching(filepath.Join(dir, LogsName), logPrefix, logSuffix)
	for _, name := range logs {
		names = append(names, filepath.Join(LogsName, name))
	}
	names = append(names, StateName)
	var files []FileSize
	for _, name := range names {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil {
			files = append(files, FileSize{Name: name, Bytes: info.Size(), Lines: s.lines[name]})
		}
	}
	return files
}
