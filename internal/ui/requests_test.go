package ui

import (
	"strings"
	"testing"

	"photodesc/tracker"
)

// What is asked for is promised only where the run that is up does it, and the command that does it works.
func TestRequestTexts(t *testing.T) {
	plain := tracker.Snapshot{HasRun: true, Model: "smolvlm", Args: []string{"run", "/p"}, Requests: &tracker.RequestCounts{Waiting: 3, Models: map[string]int{"other": 2}}}
	with := func(change func(*tracker.Snapshot)) tracker.Snapshot { s := plain; change(&s); return s }
	const other = "2 photos wait for a run with model other: photodesc run --requested --model other"
	for _, c := range []struct {
		name string
		s    tracker.Snapshot
		want []string
	}{
		{"not up", plain, []string{"1 photo waits for a run: photodesc run --requested", other}},
		{"up", with(func(s *tracker.Snapshot) { s.Running = true }), []string{"1 photo waits for the run that is up, which takes them up as it goes", other}},
		{"up, for others only", with(func(s *tracker.Snapshot) {
			s.Running, s.NoRequests, s.Args = true, true, []string{"run", "--no-local", "/p"}
		}), []string{
			"1 photo waits for another run, when the one that is up has ended: photodesc run --requested --no-local=false", other + " --no-local=false"}},
		{"was for others only", with(func(s *tracker.Snapshot) { s.Args = []string{"run", "--no-local=true", "/p"} }), []string{
			"1 photo waits for a run: photodesc run --requested --no-local=false", other + " --no-local=false"}},
		{"up, its model is asked for", with(func(s *tracker.Snapshot) {
			s.Running, s.Requests = true, &tracker.RequestCounts{Waiting: 2, Models: map[string]int{"smolvlm": 2}}
		}), []string{"2 photos wait for the run that is up, which takes them up as it goes"}},
		{"up for others only, its model is asked for", with(func(s *tracker.Snapshot) {
			s.Running, s.NoRequests, s.Requests = true, true, &tracker.RequestCounts{Waiting: 2, Models: map[string]int{"smolvlm": 2}}
		}), []string{"2 photos wait for a run with model smolvlm: photodesc run --requested"}},
	} {
		if got := requestTexts(c.s); strings.Join(got, "\n") != strings.Join(c.want, "\n") {
			t.Errorf("%s: %q\nwant\n%q", c.name, got, c.want)
		}
	}
}
