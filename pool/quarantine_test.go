package pool

import (
	"fmt"
	"strings"
	"testing"
)

// attemptsOf makes attempts at photos named by their paths. A path may say what
// happened to the photo before: "a memory=2 crashes=1".
func attemptsOf(paths ...string) []*attempt {
	var all []*attempt
	for i, spec := range paths {
		p := &photo{}
		for j, word := range strings.Fields(spec) {
			var n int
			key, value, _ := strings.Cut(word, "=")
			fmt.Sscan(value, &n)
			switch {
			case j == 0:
				p.path = word
			case key == "crashes":
				p.crashes = n
			case key == "memory":
				p.memoryDeaths = n
			case key == "timeouts":
				p.timeouts = n
			case word == "probe":
				p.probe = true
			}
		}
		all = append(all, &attempt{id: uint64(i + 1), photo: p})
	}
	return all
}

func (q *quarantine) text() string {
	var b strings.Builder
	for _, p := range q.fresh {
		fmt.Fprint(&b, " ", p.path)
	}
	b.WriteString(" |")
	for _, p := range q.quarantined {
		fmt.Fprint(&b, " ", p.path)
		if p.isolateInPool {
			b.WriteString("!")
		}
	}
	return strings.TrimSpace(b.String())
}

// What becomes of each photo that was in flight at a death, and what waits then:
// fresh photos, "|", those in quarantine, with "!" those that must be alone in
// the whole pool.
func TestQuarantineResolve(t *testing.T) {
	const retry, fail, check, discard = outcomeRetry, outcomeFail, outcomeCheck, outcomeDiscard
	for _, test := range []struct {
		name     string
		kind     DeathKind
		attempts []string
		timedOut int // which of them, counted from 1
		c        circumstances
		want     []outcome
		failed   string // the kind of the last failure
		waiting  string
	}{
		{"one of several crashed", DeathSegfault, []string{"a", "b", "c"}, 0, circumstances{}, []outcome{retry, retry, retry}, "", "x | a b c"},
		{"alone, first crash", DeathAbort, []string{"a"}, 0, circumstances{}, []outcome{retry}, "", "x | a"},
		{"alone, second crash", DeathExit, []string{"a crashes=1"}, 0, circumstances{}, []outcome{fail}, KindCrash, "x |"},
		{"several were in flight: no crash is counted", DeathExit, []string{"a crashes=1", "b crashes=1"}, 0, circumstances{}, []outcome{retry, retry}, "", "x | a b"},
		{"nothing in flight", DeathSegfault, nil, 0, circumstances{}, nil, "", "x |"},
		{"out of memory with others", DeathOOM, []string{"a", "b"}, 0, circumstances{poolIdle: true}, []outcome{retry, retry}, "", "x | a! b!"},
		{"out of memory alone in its worker, not in the pool", DeathOOM, []string{"a memory=2"}, 0, circumstances{}, []outcome{retry}, "", "x | a!"},
		{"out of memory alone in the pool", DeathOOM, []string{"a memory=1"}, 0, circumstances{poolIdle: true}, []outcome{retry}, "", "x | a!"},
		{"out of memory alone for the third time", DeathOOM, []string{"a memory=2"}, 0, circumstances{poolIdle: true}, []outcome{fail}, KindMemory, "x |"},
		{"over its own budget for the third time, others at work", DeathMemory, []string{"a memory=2"}, 0, circumstances{}, []outcome{fail}, KindMemory, "x |"},
		{"killed from outside three times", DeathKilled, []string{"a memory=2"}, 0, circumstances{poolIdle: true}, []outcome{fail}, KindCrash, "x |"},
		{"time-out, the worker went on answering", DeathTimeout, []string{"a", "slow", "b"}, 2, circumstances{answering: true}, []outcome{retry, retry, retry}, "", "a b x | slow"},
		{"time-out, the engine hung", DeathTimeout, []string{"a", "slow", "b"}, 2, circumstances{}, []outcome{retry, retry, retry}, "", "x | a slow b"},
		{"second time-out", DeathTimeout, []string{"slow timeouts=1", "a"}, 1, circumstances{answering: true}, []outcome{fail, retry}, KindTimeout, "a x |"},
		{"time-out that the storage may have caused", DeathTimeout, []string{"slow timeouts=1", "a"}, 1, circumstances{answering: true, checkStorage: true}, []outcome{check, retry}, "", "a x |"},
		{"a probe", DeathSegfault, []string{"p crashes=1 probe"}, 0, circumstances{}, []outcome{discard}, "", "x |"},
		{"crashes and time-outs are counted apart", DeathSegfault, []string{"a timeouts=1 memory=2"}, 0, circumstances{}, []outcome{retry}, "", "x | a"},
	} {
		q := &quarantine{}
		q.add(&photo{path: "x"})
		attempts := attemptsOf(test.attempts...)
		if test.timedOut > 0 {
			test.c.timedOut = attempts[test.timedOut-1]
		}
		var got []outcome
		failed := ""
		for _, r := range q.resolve(death{kind: test.kind}, attempts, test.c) {
			got = append(got, r.outcome)
			if r.failure != nil {
				failed = r.failure.Kind
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(test.want) || failed != test.failed || q.text() != test.waiting {
			t.Errorf("%s: outcomes %v, failed %q, waiting %q; want %v, %q, %q", test.name, got, failed, q.text(), test.want, test.failed, test.waiting)
		}
	}
}

// Which photo is tried alone next, by the number of deaths in a row.
func TestQuarantineNext(t *testing.T) {
	for _, test := range []struct {
		name   string
		known  string
		fresh  string
		deaths []int
		want   string // "?" marks a probe whose outcome is discarded
	}{
		{"few deaths", "k", "x y", []int{1, 2, 2}, "a b c"},
		{"every other one is a known photo", "k", "x y", []int{3, 4, 5, 6, 7}, "k? a k? b k?"},
		{"or the last fresh one", "", "x y", []int{3, 4, 5, 6, 7}, "y a x b c"},
		{"or none is left to probe with", "", "", []int{3, 4, 5}, "a b c"},
		{"a success ends the probing", "k", "", []int{3, 0, 3}, "k? a k?"},
	} {
		q := &quarantine{knownReadable: test.known}
		for _, path := range strings.Fields(test.fresh) {
			q.add(&photo{path: path})
		}
		for _, a := range attemptsOf("a", "b", "c") {
			q.isolate(a.photo)
		}
		var got []string
		for _, deaths := range test.deaths {
			p := q.takeIsolated(deaths)
			if p.probe {
				p.path += "?"
			}
			got = append(got, p.path)
		}
		if s := strings.Join(got, " "); s != test.want {
			t.Errorf("%s: %q, want %q", test.name, s, test.want)
		}
	}
}

// A probe for a photo that needs the whole pool needs it, too.
func TestQuarantineProbeIsAsIsolated(t *testing.T) {
	for _, known := range []string{"", "k"} {
		q := &quarantine{knownReadable: known}
		q.add(&photo{path: "x"})
		q.isolate(&photo{path: "a", isolateInPool: true})
		if q.nextIsolation() != isolatedInPool {
			t.Error("isolation of the next photo is not isolatedInPool")
		}
		if p := q.takeIsolated(probeAfterDeaths); !p.isolateInPool || p.path == "a" {
			t.Errorf("probe %+v", p)
		}
	}
}
