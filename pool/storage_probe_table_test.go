package pool

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// probeScript drives a storageProbe on paper. Its steps:
//
//	read A       a worker could not read photo A
//	timeout A    photo A took too long
//	ask A        the probe of A is due now; "ask -" that none is
//	found A      the probe can read A
//	bad A        the probe cannot read A, and it is A alone
//	away A       the storage is unavailable
//	overdue      the probe counts as overdue; "not overdue"
//	described    a worker has described a photo
//	stop         the run takes the pending attempts back
//	5s           so much time passes
//
// A step is followed by "→" and what the run is told to do.
type probeScript struct {
	p      *storageProbe
	now    time.Time
	photos map[string]*photo
}

func (s *probeScript) step(t *testing.T, name, line string) {
	t.Helper()
	line, want, _ := strings.Cut(line, " → ")
	verb, arg, _ := strings.Cut(line, " ")
	if d, err := time.ParseDuration(verb); err == nil {
		s.now = s.now.Add(d)
		return
	}
	photoOf := func() *attempt {
		if s.photos[arg] == nil {
			s.photos[arg] = &photo{path: arg}
		}
		return &attempt{photo: s.photos[arg]}
	}
	var d probeDecision
	switch verb {
	case "read":
		d = s.p.add(pendingRead{attempt: photoOf(), failure: &Failure{ReadError: true}})
	case "timeout":
		d = s.p.add(pendingRead{attempt: photoOf(), death: death{kind: DeathTimeout}})
	case "ask":
		if path, ok := s.p.next(s.now); ok != (arg != "-") || ok && path != arg {
			t.Errorf("%s: %s: asks for %q, %v", name, line, path, ok)
		}
	case "found":
		d = s.p.answered(arg, nil, s.now)
	case "bad":
		d = s.p.answered(arg, errors.New("bad"), s.now)
	case "away":
		d = s.p.answered(arg, &UnavailableError{"no disk"}, s.now)
	case "overdue", "not":
		if s.p.overdue(s.now) != (verb == "overdue") {
			t.Errorf("%s: %s is not so", name, line)
		}
		if verb == "overdue" {
			d = s.p.expire(s.now)
		}
	case "described":
		s.p.described()
	case "stop":
		s.p.takePending()
	default:
		t.Fatalf("no step %q", line)
	}
	var does []string
	if d.warning != "" {
		does = append(does, "warn")
	}
	does = append(does, map[storageChange]string{storageSame: "", becameUnavailable: "unavailable", becameAvailable: "back"}[d.change])
	for _, r := range d.retry {
		does = append(does, "retry "+r.photo.path)
	}
	if d.replaceWorkers {
		does = append(does, "replace")
	}
	if d.charge != nil {
		does = append(does, "charge "+d.charge.photo.path)
	}
	if d.fail != nil {
		does = append(does, "fail "+d.fail.photo.path)
	}
	does = slices.DeleteFunc(does, func(s string) bool { return s == "" })
	if got := strings.Join(does, ", "); got != want {
		t.Errorf("%s: %s → %s, want %s", name, line, got, want)
	}
}

func TestStorageProbe(t *testing.T) {
	for _, test := range []struct {
		name  string
		steps []string
	}{
		{"one photo cannot be read", []string{"ask -", "read a", "ask a", "bad a → fail a", "ask -"}},
		{"one photo hangs", []string{"timeout a", "ask a", "found a → charge a", "timeout a", "ask a", "bad a → charge a"}},
		{"one at a time, in order", []string{"read a", "read b", "ask a", "ask -", "bad a → fail a", "ask b", "bad b → fail b"}},
		{"the disk is pulled out and comes back", []string{"read a", "read b", "ask a", "away a → warn, unavailable, retry a, retry b, replace",
			"ask -", "4s", "ask -", "1s", "ask a", "away a", "5s", "ask a", "found a → back", "ask -"}},
		{"read errors while it is away are tried again", []string{"read a", "ask a", "away a → warn, unavailable, retry a, replace", "read b → retry b", "timeout c → retry c"}},
		{"a warning a minute", []string{"read a", "ask a", "away a → warn, unavailable, retry a, replace", "59s", "ask a", "away a", "5s", "ask a", "away a → warn"}},
		{"back, though the photo itself is bad", []string{"read a", "ask a", "away a → warn, unavailable, retry a, replace", "5s", "ask a", "bad a → back"}},
		{"the probe hangs", []string{"read a", "ask a", "29s", "not overdue", "1s", "overdue → warn, unavailable, retry a, replace", "1h", "not overdue", "ask -", "found a → back"}},
		{"an answer for a photo that is not pending any more", []string{"read a", "ask a", "stop", "read b", "bad a", "ask b", "bad b → fail b"}},
		{"readable, but not by workers", []string{"read a", "ask a", "found a → retry a", "read a", "ask a", "found a → retry a, replace",
			"read a", "ask a", "found a → fail a",
			"read b", "ask b", "found b → fail b", // their word is taken now
			"described", "read b", "ask b", "found b → retry b"}},
	} {
		s := &probeScript{&storageProbe{enabled: true, timeout: probeTimeout}, time.Unix(1000, 0), map[string]*photo{}}
		for i, line := range test.steps {
			s.step(t, fmt.Sprintf("%s, step %d", test.name, i+1), line)
		}
	}
}

func TestStorageProbeFull(t *testing.T) {
	p := &storageProbe{enabled: true}
	for i := range maxPendingReads {
		if p.full() {
			t.Fatalf("full with %d", i)
		}
		p.add(pendingRead{attempt: &attempt{photo: &photo{}}})
	}
	if !p.full() {
		t.Error("not full")
	}
}
