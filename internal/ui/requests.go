package ui

import (
	"fmt"
	"maps"
	"slices"

	"photodesc/internal/wording"
	"photodesc/tracker"
)

// RequestsCommand is the command that describes only what was asked for, with a model; "" is that of the last
// run.
func RequestsCommand(s tracker.Snapshot, model string) string {
	args := []string{"run", "--requested"}
	if model != "" && (model != s.Model || len(s.Args) == 0) {
		args = append(args, "--model", model)
	}
	if slices.Contains(s.Args, "--no-local") || slices.Contains(s.Args, "--no-local=true") {
		args = append(args, "--no-local=false") // it is described on this machine
	}
	if len(s.Args) == 0 && s.Root != "" {
		args = append(args, s.Root)
	}
	return CommandLine(s.Dir, args...)
}

// requestTexts says how many photos are to be described again, and what they wait for: nothing if there are none.
func requestTexts(s tracker.Snapshot) (lines []string) {
	q := s.Requests
	if q == nil {
		return nil
	}
	any := q.Waiting
	for _, model := range slices.Sorted(maps.Keys(q.Models)) {
		if s.TakesRequests(model) || !s.Running && model == s.Model && len(s.Args) > 0 {
			continue // the run that is up, or the next one, takes them up
		}
		any -= q.Models[model]
		lines = append(lines, fmt.Sprintf("%s for a run with model %s: %s", wait(q.Models[model]), OneLine(model), RequestsCommand(s, model)))
	}
	switch {
	case any > 0 && s.TakesRequests(""):
		lines = slices.Insert(lines, 0, wait(any)+" for the run that is up, which takes them up as it goes")
	case any > 0 && s.Running:
		lines = slices.Insert(lines, 0, wait(any)+" for another run, when the one that is up has ended: "+RequestsCommand(s, ""))
	case any > 0:
		lines = slices.Insert(lines, 0, wait(any)+" for a run: "+RequestsCommand(s, ""))
	}
	if q.Damaged > 0 {
		lines = append(lines, styleWarn.Render(fmt.Sprintf("%s of %s cannot be read", wording.Count(q.Damaged, "line"), tracker.RequestsName)))
	}
	return lines
}

// wait is so many photos that wait.
func wait(n int) string {
	if n == 1 {
		return "1 photo waits"
	}
	return Comma(n) + " photos wait"
}
