package main

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"photodesc/internal/wording"
)

const (
	// foldAfter is how many lines of a kind are logged one by one.
	foldAfter = 3
	// maxFolds bounds the kinds that are told apart; all others are one kind.
	maxFolds = 200
)

// warning is what happened to a photo, a folder or another file, and why.
type warning struct {
	of, happened string // "photo", "failed"
	path, why    string
	line         string // all of it for the log
}

// folds keeps the log readable when photos meet the same trouble by the
// hundred, as after their folder was renamed. The first lines of a kind are logged as
// they come, then a line now and then has their number. It may be used concurrently.
type folds struct {
	say func(text string)

	mu    sync.Mutex
	kinds map[string]*fold
}

// fold is the lines of one kind.
type fold struct {
	last warning // of them
	said int     // lines logged one by one
	more int     // lines since the last that was logged
}

// varying is what differs among messages of the same kind: texts in quotation marks, and
// numbers.
var varying = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|[0-9]+`)

// add logs the warning, or counts it.
func (f *folds) add(w warning) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.kinds == nil {
		f.kinds = map[string]*fold{}
	}
	what := w.of + " " + w.happened
	name := what + "\x00" + varying.ReplaceAllString(strings.ReplaceAll(w.why, w.path, ""), "")
	kind := f.kinds[name]
	if kind == nil && len(f.kinds) >= maxFolds {
		name, w.why = what, "for different reasons"
		kind = f.kinds[name]
	}
	if kind == nil {
		kind = &fold{}
		f.kinds[name] = kind
	}
	kind.last = w
	if kind.said < foldAfter {
		kind.said++
		f.say(w.line)
		return
	}
	kind.more++
}

// flush logs how many warnings of each kind have come since.
func (f *folds) flush() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(f.kinds)) {
		kind := f.kinds[name]
		if kind.more == 0 {
			continue
		}
		f.say(wording.Count(kind.more, "more "+kind.last.of) + " " + kind.last.happened + ", as " + kind.last.path + ": " + kind.last.why)
		kind.more = 0
	}
}
