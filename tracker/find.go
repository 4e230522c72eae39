package tracker

import (
	"slices"
	"sync/atomic"
)

// Find calls found with one record of each photo whose path is matched: its newest description or, if it never
// was described, its last failure. Records come in the order in which the photos were done. With last above 0 only the
// last ones are found, that many. The outputs are read twice and a million photos need some 60 MB, whatever their words.
// match may be called by several goroutines at once. Lines that cannot be read are left out. An error of found ends it.
func Find(dir string, match func(path string) bool, last int, found func(Record) error) error {
	newest := map[key]newestLine{}
	line := 0
	err := readOutputs(dir, parseMatched(match, parseOutcome), func(_ string, _ int, o *outcome, err error) {
		line++
		if err != nil || o == nil {
			return
		}
		if o.forgotten {
			delete(newest, o.key)
			return
		}
		if was, known := newest[o.key]; !known || was.failed || !o.failed {
			newest[o.key] = newestLine{line, o.failed}
		}
	})
	if err != nil {
		return err
	}
	first := firstOf(newest, last)
	line = 0
	var stop error
	var stopped atomic.Bool
	err = readOutputsUntil(dir, &stopped, parseMatched(match, parseRecord), func(_ string, _ int, r *Record, err error) {
		line++
		if err != nil || r == nil || stop != nil || line < first {
			return
		}
		// A run may have added lines since the first reading: those of photos that were described again are found next time.
		if newest[keyOf(r.Path)].line == line {
			if stop = found(*r); stop != nil {
				stopped.Store(true)
			}
		}
	})
	if stop != nil {
		return stop
	}
	return err
}

// newestLine is the newest valid line of a photo, numbered over all outputs.
type newestLine struct {
	line   int
	failed bool
}

// firstOf returns the line from which on the last photos are read, 0 for all of them.
func firstOf(newest map[key]newestLine, last int) int {
	if last <= 0 || last >= len(newest) {
		return 0
	}
	lines := make([]int, 0, len(newest))
	for _, c := range newest {
		lines = append(lines, c.line)
	}
	slices.Sort(lines)
	return lines[len(lines)-last]
}

// parseMatched parses only the lines of matched photos and gives nil for others.
func parseMatched[T any](match func(path string) bool, parse func([]byte) (T, error)) func([]byte) (*T, error) {
	return func(line []byte) (*T, error) {
		path, _, plain := okLinePath(line)
		if plain && !match(string(path)) {
			return nil, nil
		}
		if !plain {
			r, err := parseRecord(line)
			if err != nil {
				return nil, err
			}
			if !match(r.Path) {
				return nil, nil
			}
		}
		v, err := parse(line)
		return &v, err
	}
}
