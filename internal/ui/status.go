package ui

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"photodesc/internal/wording"
	"photodesc/tracker"
)

// labelWidth is the column in which values begin.
const labelWidth = 13

// lastMost is how many cells of the last description are shown where there is
// no terminal to say.
const lastMost = 120

// TerminalClosed is why a run stopped whose terminal was closed.
const TerminalClosed = "the terminal was closed"

// WriteStatus writes lines of at most width cells; 0 is no limit.
func WriteStatus(w io.Writer, s tracker.Snapshot, now time.Time, width int) {
	if s.State == tracker.StateNone {
		fmt.Fprintf(w, "No run has worked in this folder yet. Begin one:\n    %s\n", CommandLine(s.Dir, "run", "DIR"))
		return
	}
	line := func(name, value string) {
		if name != "" {
			name += ":"
		}
		fmt.Fprintf(w, "%-*s%s\n", labelWidth, name, Fit(value, width-labelWidth))
	}
	if s.TotalKnown {
		line("Completed", doneText(s.Progress))
	} else {
		line("Completed", Comma(s.Completed))
	}
	if s.Duplicates > 0 {
		line("Duplicates", duplicatesText(s.Duplicates))
	}
	failed := Comma(s.Failed)
	if s.Failed > 0 {
		failed = styleBad.Render(failed)
	}
	line("Failed", failed)
	if s.Gone > 0 {
		line("Gone", Comma(s.Gone)+" described, not in the photo folder any more, or left out")
	}
	if text := correctedText(s); text != "" {
		line("Corrected", text)
	}
	for i, text := range requestTexts(s) {
		line([]string{"Asked for", ""}[min(i, 1)], text)
	}
	if text := sidecarsText(s.Sidecars); text != "" {
		line("Sidecars", text)
	}
	if s.TotalKnown {
		line("Remaining", Comma(s.Remaining))
		line("Progress", "["+styleBar.Render(bar(s.Percent(), barWidth(width)))+"]")
	}
	line("Running", runningText(s, now))
	for _, hint := range goOnText(s) {
		// Never cut: it is there to be copied.
		fmt.Fprintf(w, "%*s%s\n", labelWidth, "", hint)
	}
	if rate := rates(s); rate != "" {
		line("Rate", rate)
	}
	nodes := "Nodes:"
	for _, text := range nodeLines(s, now, maxNodeLines) {
		fmt.Fprintf(w, "%-*s%s\n", labelWidth, nodes, wrap(text, width, labelWidth))
		nodes = ""
	}
	if left := s.Left(); s.Running && !s.Stalled && left > 0 {
		line("Time left", Spell(left)+", until "+untilText(left, now))
	}
	if !s.LastUpdate.IsZero() {
		line("Last update", ago(s.LastUpdate, now))
	}
	if last := s.LastPhoto(); last != nil {
		last.Text = Fit(last.Text, lastMost)
		line("Last photo", OneLine(last.Path)+": "+lastText(*last))
	}
	name := "Left out:"
	for _, text := range leftOutLines(s.LeftOut) {
		// What is left out comes last in it, so it is not cut.
		fmt.Fprintf(w, "%-*s%s\n", labelWidth, name, wrap(text, width, labelWidth))
		name = ""
	}
	if s.Log != "" {
		line("Log", filepath.Join(s.Dir, s.Log))
		if s.Running && !s.LogGone {
			fmt.Fprintf(w, "%*sfollow it: %s\n", labelWidth, "", CommandLine(s.Dir, "logs", "-f"))
		}
	}
	if s.LogGone {
		line("Note", styleWarn.Render("the log of the run that is up was deleted")+"; the run goes on, what it logs is lost")
	}
	if s.Damage != "" {
		line("Note", styleWarn.Render(s.Damage)+"; no photo is lost by it, rates and times are")
	}
}

func barWidth(width int) int {
	if width <= 0 {
		return 40
	}
	return max(min(40, width-labelWidth-2), 4)
}

// PercentText never rounds up to all.
func PercentText(percent float64) string {
	if percent < 100 && percent > 99.9 {
		percent = 99.9
	}
	return fmt.Sprintf("%.1f%%", percent)
}

// runningText says whether a run is up, and what else matters of it.
func runningText(s tracker.Snapshot, now time.Time) string {
	text := "no"
	if s.Running {
		text = styleGood.Render("yes")
		if s.PID > 0 {
			text += fmt.Sprintf(", pid %d", s.PID)
		}
		if s.Batch > 0 {
			text += ", batch " + Comma(s.Batch)
		}
		if s.Model != "" {
			text += ", model " + OneLine(s.Model)
		}
	}
	switch s.State {
	case tracker.StateStalled:
		return text + ", but " + styleBad.Render("STALLED") + ": silent for longer than a photo may take"
	case tracker.StateWaiting:
		return text + ", " + styleWarn.Render(phaseText(s, now))
	case tracker.StateWatching:
		return text + ", " + styleGood.Render(phaseText(s, now))
	case tracker.StateRunning:
		if s.Phase != "" {
			return text + ", " + phaseText(s, now)
		}
		return text
	case tracker.StateFinished:
		return text + ", " + styleGood.Render("finished") + endedText(s, now)
	case tracker.StateDied:
		return text + ", it " + styleBad.Render("ended without a word") + " (killed, the machine went down, or its disk is full)"
	case tracker.StateBroke:
		first, _, _ := strings.Cut(s.Stop.Text, "\n")
		return text + ", it " + styleBad.Render("could not go on") + endedText(s, now) + ": " + OneLine(first)
	}
	if s.Stop != nil && s.Stop.Reason == tracker.Stopped {
		if s.Stop.Text != "" { // not because somebody asked for it
			return text + ", stopped" + endedText(s, now) + ": " + OneLine(s.Stop.Text)
		}
		return text + ", stopped on request" + endedText(s, now)
	}
	if s.Stop != nil && s.Remaining > 0 { // by --limit, or photos have come since
		return text + ", ended" + endedText(s, now) + " with " + wording.Count(s.Remaining, "photo") + " left"
	}
	return text
}

func endedText(s tracker.Snapshot, now time.Time) string {
	if s.Stop == nil || s.Stop.Time.IsZero() {
		return ""
	}
	return " " + ago(s.Stop.Time, now)
}

// goOnText says what to do next, a line each.
func goOnText(s tracker.Snapshot) (hints []string) {
	again := s.Args
	if len(again) == 0 {
		again = []string{"run", "DIR"}
		if s.Root != "" {
			again[1] = s.Root
		}
	}
	switch s.State {
	case tracker.StateStalled:
		return []string{
			"the log may say why: " + CommandLine(s.Dir, "logs"),
			"end it:              " + CommandLine(s.Dir, "stop", "--now"),
			"then go on:          " + CommandLine(s.Dir, again...),
		}
	case tracker.StateBroke:
		_, rest, _ := strings.Cut(s.Stop.Text, "\n")
		for hint := range strings.Lines(rest) {
			hints = append(hints, OneLine(hint))
		}
		return append(hints, "go on: "+CommandLine(s.Dir, again...))
	case tracker.StateStopped, tracker.StateDied:
		hints = []string{"go on: " + CommandLine(s.Dir, again...)}
		if s.Stop != nil && s.Stop.Text == TerminalClosed {
			hints = append(hints, "with --background a run goes on when its terminal is closed")
		}
		return hints
	case tracker.StateFinished:
		if s.Failed > 0 {
			return []string{
				"which failed:   " + CommandLine(s.Dir, "summary", "--failed"),
				"try them again: " + CommandLine(s.Dir, append(again, "--retry-failed")...),
			}
		}
	}
	return nil
}

func lastText(r tracker.Recent) string {
	if r.Status == tracker.Failed {
		return styleBad.Render("failed") + fmt.Sprintf(" (%s), %s", r.Kind, folded(r.Text))
	}
	return `"` + OneLine(r.Text) + `"`
}

// correctedText says how many photos a person corrected, "" if there is nothing to say.
func correctedText(s tracker.Snapshot) string {
	switch {
	case s.DamagedCorrections > 0:
		return fmt.Sprintf("%s; %s of outputs/%s cannot be read", wording.Count(s.Corrected, "photo"),
			wording.Count(s.DamagedCorrections, "line"), tracker.CorrectionsName)
	case s.Corrected > 0:
		return Comma(s.Corrected)
	}
	return ""
}

// sidecarsText says how many sidecars were exported and how many are out of date, "" if none were exported.
func sidecarsText(s *tracker.Sidecars) string {
	if s == nil {
		return ""
	}
	text := fmt.Sprintf("%s up to date on %s; ", Comma(s.UpToDate), s.Time.Local().Format("2 Jan 2006 15:04"))
	switch {
	case s.Writing:
		return text + "those of this run are counted when it ends"
	case s.More && s.OutOfDate > 0:
		return text + "since then more than " + wording.Count(s.OutOfDate, "photo") + " described or corrected"
	case s.More:
		return text + "what was described since is not counted"
	case s.OutOfDate > 0:
		return text + "now at most " + Comma(s.OutOfDate) + " missing or out of date"
	}
	return text + "nothing described or corrected since"
}
