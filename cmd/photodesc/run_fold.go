package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"photodesc/internal/ui"
)

const (
	// foldAfter is how many lines of a kind are logged one by one.
	foldAfter = 3
	// maxFolds bounds the kinds that are told apart; all others are one kind.
	maxFolds = 200
)

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
	happened, why string // "failed" and why
	said          int    // lines logged one by one
	more          int    // lines since the last that was logged
	last          string // path of the last of them
}

// varying is what differs among messages of the same kind: texts in quotation marks, and
// numbers.
var varying = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|[0-9]+`)

// add logs the line, or counts it: path has met what happened, and why.
func (f *folds) add(happened, path, why, line string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.kinds == nil {
		f.kinds = map[string]*fold{}
	}
	name := happened + "\x00" + varying.ReplaceAllString(strings.ReplaceAll(why, path, ""), "")
	kind := f.kinds[name]
	if kind == nil && len(f.kinds) >= maxFolds {
		name, why = happened, "for different reasons"
		kind = f.kinds[name]
	}
	if kind == nil {
		kind = &fold{happened: happened, why: why}
		f.kinds[name] = kind
	}
	if kind.said < foldAfter {
		kind.said++
		f.say(line)
		return
	}
	kind.more++
	kind.last = path
}

// flush logs how many lines of each kind have come since.
func (f *folds) flush() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(f.kinds)) {
		kind := f.kinds[name]
		if kind.more == 0 {
			continue
		}
		f.say(fmt.Sprintf("%s %s, as %s: %s", ui.Plural(kind.more, "more photo"), kind.happened, kind.last, kind.why))
		kind.more = 0
	}
}
