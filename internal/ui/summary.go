package ui

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"photodesc/internal/wording"
	"photodesc/tracker"
)

// WriteFailed writes a line a photo; messages of several lines are folded.
func WriteFailed(w io.Writer, list []tracker.FailedPhoto) {
	if len(list) == 0 {
		fmt.Fprintln(w, "No photo failed.")
		return
	}
	for _, f := range list {
		fmt.Fprintf(w, "%s  %s: %s\n", styleBad.Render(Pad(string(f.Kind), 11)), f.Path, folded(f.Message))
	}
}

// summaryPage lays the summary out in blocks of labelled lines.
type summaryPage struct {
	w     io.Writer
	width int // 0 is no limit
	begun bool
}

func (p *summaryPage) heading(text string) {
	if p.begun {
		fmt.Fprintln(p.w)
	}
	p.begun = true
	fmt.Fprintln(p.w, StyleBold.Render(text))
}

func (p *summaryPage) line(name, format string, args ...any) {
	fmt.Fprintf(p.w, "  %s%s\n", Pad(name, labelWidth), Fit(fmt.Sprintf(format, args...), p.width-labelWidth-2))
}

// wrapped breaks text between words, and indents what follows.
func (p *summaryPage) wrapped(indent, text string) {
	fmt.Fprintln(p.w, indent+wrap(text, p.width, len(indent)+2))
}

// wrap breaks text between words so that it fits a width, 0 for no limit, with
// all lines but the first indented.
func wrap(text string, width, indent int) string {
	if width <= 0 {
		return text
	}
	return strings.ReplaceAll(Wrap(text, max(width-indent, 20), ""), "\n", "\n"+strings.Repeat(" ", indent))
}

// WriteSummary writes a summary of a workdir for a terminal with so many columns.
func WriteSummary(w io.Writer, s tracker.Summary, now time.Time, width int) {
	if s.OK+s.Failed == 0 && s.Run.State == tracker.StateNone {
		WriteStatus(w, s.Run, now, width)
		return
	}
	p := &summaryPage{w: w, width: width}
	p.photos(s, now)
	if s.OK > 0 {
		p.seconds(s)
		p.descriptions(s)
	}
	p.errors(s, now)
	p.work(s, now)
	p.files(s)
}

func (p *summaryPage) photos(s tracker.Summary, now time.Time) {
	p.heading("Photos")
	p.line("Described", "%s", doneText(s.Run.Progress))
	if s.Duplicates > 0 {
		p.line("Duplicates", "%s", duplicatesText(s.Duplicates))
	}
	failed := Comma(s.Failed)
	if s.Failed > 0 {
		failed = styleBad.Render(failed)
	}
	p.line("Failed", "%s", failed)
	if text := correctedText(s.Run); text != "" {
		p.line("Corrected", "%s", text)
	}
	if text := sidecarsText(s.Run.Sidecars); text != "" {
		p.line("Sidecars", "%s", text)
	}
	if s.OK+s.Failed > 0 {
		p.line("Success rate", "%s of those tried", PercentText(100*s.SuccessRate))
	}
	if s.Retried > 0 {
		p.line("Retried", "%s not at the first attempt", Comma(s.Retried))
	}
	if s.AskedAgain > 0 {
		p.line("Asked again", "%s that the model said nothing about at first", Comma(s.AskedAgain))
	}
	if s.SaidNothing > 0 {
		p.line("Said nothing", "%s failed because the model said nothing about them", Comma(s.SaidNothing))
	}
	name := "Left out"
	for _, text := range leftOutLines(s.Run.LeftOut) {
		fmt.Fprintf(p.w, "  %s%s\n", Pad(name, labelWidth), wrap(text, p.width, labelWidth+2))
		name = ""
	}
	p.line("Running", "%s", runningText(s.Run, now))
	if !s.First.IsZero() {
		p.line("Period", "%s to %s", s.First.Local().Format("Mon 2 Jan 2006 15:04"), s.Last.Local().Format("Mon 2 Jan 2006 15:04"))
	}
	if up := s.Run.UpSeconds; up > 0 {
		p.line("Up", "%s in %s", Spell(seconds(up)), wording.Count(s.Run.Counters.Runs, "run"))
	}
	if s.Run.RateOverall > 0 {
		p.line("Rate", "~%s photos/hour, %s seconds a photo", RateText(s.Run.RateOverall), secondsText(3600/s.Run.RateOverall))
	}
}

func (p *summaryPage) seconds(s tracker.Summary) {
	p.heading("Seconds of a photo")
	fmt.Fprintln(p.w, StyleFaint.Render(fmt.Sprintf("  %-10s%10s%10s%10s   %s", "", "average", "median", "95 %", "range")))
	for _, row := range []struct {
		name string
		s    tracker.Stats
	}{
		{"decode", s.Seconds.Decode}, {"encode", s.Seconds.Encode}, {"prompt", s.Seconds.Prompt},
		{"generate", s.Seconds.Generate}, {"total", s.Seconds.Total},
	} {
		fmt.Fprintf(p.w, "  %-10s%10s%10s%10s   %s to %s\n", row.name, secondsText(row.s.Mean), secondsText(row.s.Median),
			secondsText(row.s.P95), secondsText(row.s.Min), secondsText(row.s.Max))
	}
}

func (p *summaryPage) descriptions(s tracker.Summary) {
	p.heading("Descriptions")
	spread := func(v tracker.Stats) string {
		return fmt.Sprintf("average %.0f, median %.0f, 95 %% up to %.0f, range %.0f to %.0f", v.Mean, v.Median, v.P95, v.Min, v.Max)
	}
	p.line("Words", "%s", spread(s.Words))
	p.line("Tokens", "%s", spread(s.Tokens))
	p.line("Tiles", "%s", spread(s.Tiles))
	speed := fmt.Sprintf("%s tokens/second for one photo", RateText(s.TokensPerSecond))
	if up := s.Run.UpSeconds; up > 0 {
		speed += fmt.Sprintf(", %s for all together", RateText(s.Tokens.Mean*float64(s.Tokens.Count)/up))
	}
	p.line("Speed", "%s", speed)
	var ends []string
	for _, f := range []struct {
		finish tracker.Finish
		text   string
	}{
		{tracker.FinishStop, "by the model"}, {tracker.FinishLength, "at --max-tokens"}, {tracker.FinishRepeat, "repeating itself"},
	} {
		if n := s.Finish[f.finish]; n > 0 {
			ends = append(ends, fmt.Sprintf("%s %s (%s)", f.text, Comma(n), PercentText(100*float64(n)/float64(s.OK))))
		}
	}
	p.line("Ended", "%s", strings.Join(ends, ", "))
	p.line("Models", "%s", byName(s.Models))
	if len(s.Nodes) > 0 {
		p.line("Machines", "%s", byName(s.Nodes))
	}
}

// byName is "builtin 15, smolvlm 3".
func byName(counts map[string]int) string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		names = append(names, OneLine(name)+" "+Comma(counts[name]))
	}
	return strings.Join(names, ", ")
}

func (p *summaryPage) errors(s tracker.Summary, now time.Time) {
	if len(s.Errors) == 0 && s.Damaged == 0 {
		return
	}
	p.heading("Errors")
	for _, k := range s.Errors {
		p.wrapped("  ", fmt.Sprintf("%s %s: %s", styleBad.Render(Comma(k.Count)), k.Kind, k.Hint))
		for _, f := range k.Worst {
			detail := ""
			if f.Attempts > 1 || f.Seconds >= 1 {
				detail = fmt.Sprintf(" (%s, %s s)", wording.Count(f.Attempts, "attempt"), secondsText(f.Seconds))
			}
			fmt.Fprintln(p.w, Fit("      "+f.Path+detail+": "+folded(f.Message), p.width))
		}
		if more := k.Count - len(k.Worst); more > 0 {
			fmt.Fprintf(p.w, "      and %s more, see `%s`\n", Comma(more), CommandLine(s.Run.Dir, "summary", "--failed"))
		}
	}
	for i, r := range s.Run.Failures {
		if i == 0 {
			fmt.Fprintln(p.w, "  The last ones, each at its time:")
		}
		fmt.Fprintln(p.w, Fit("      "+timeText(r.Time, now)+"  "+OneLine(r.Path)+": "+string(r.Kind)+": "+folded(r.Text), p.width))
	}
	if s.Damaged > 0 {
		fmt.Fprintf(p.w, "  %s of the outputs cannot be read and are left out here\n", wording.Count(s.Damaged, "line"))
	}
}

func (p *summaryPage) work(s tracker.Summary, now time.Time) {
	c := s.Run.Counters
	if c.Runs == 0 {
		return
	}
	p.heading("Work")
	p.line("Workers", "%s in %s", Comma(c.Workers), wording.Count(c.Batches, "batch"))
	restarts := restartsText(c)
	if restarts == "" {
		restarts = "none"
	}
	p.line("Restarts", "%s", restarts)
	for i, r := range s.Run.Restarts {
		name := ""
		if i == 0 {
			name = "Last ones"
		}
		p.line(name, "%s  %s%s", timeText(r.Time, now), reasonText(r.Reason), after(": ", OneLine(r.Text)))
	}
	if m := c.Machine; m.Samples > 0 {
		p.line("Machine", "memory in use: average %.1f%%, range %.1f%% to %.1f%%, last %.1f%%", m.Mean, m.Min, m.Max, m.Last)
	}
	if m := c.Memory; m.Samples > 0 {
		p.line("Memory", "average %s, range %s to %s, last %s", bytesText(m.Mean), bytesText(m.Min), bytesText(m.Max), bytesText(m.Last))
	}
	if u := c.CPU; u.Samples > 0 {
		p.line("CPU", "average %.0f%%, range %.0f%% to %.0f%%, last %.0f%%", u.Mean, u.Min, u.Max, u.Last)
	}
}

// timeText is a moment, with its day unless that is today.
func timeText(t, now time.Time) string {
	t = t.Local()
	if t.Format(time.DateOnly) == now.Local().Format(time.DateOnly) {
		return t.Format("15:04:05")
	}
	return t.Format("2 Jan 2006 15:04:05")
}

// after is text with something before it, "" for none.
func after(before, text string) string {
	if text == "" {
		return ""
	}
	return before + text
}

// filesShown is how many files of a kind are listed one by one.
const filesShown = 5

func (p *summaryPage) files(s tracker.Summary) {
	p.heading("Files")
	folder, shown := "", 0
	hidden, hiddenBytes := 0, int64(0)
	flush := func() {
		if hidden > 0 {
			fmt.Fprintf(p.w, "  %10s  and %s more in %s\n", bytesText(float64(hiddenBytes)), Comma(hidden), folder)
		}
		hidden, hiddenBytes, shown = 0, 0, 0
	}
	// Of many files in a folder the newest are worth a line.
	perFolder := map[string]int{}
	for _, f := range s.Files {
		perFolder[folderOf(f.Name)]++
	}
	for _, f := range s.Files {
		if dir := folderOf(f.Name); dir != folder {
			flush()
			folder = dir
		}
		if shown++; shown <= perFolder[folder]-filesShown {
			hidden, hiddenBytes = hidden+1, hiddenBytes+f.Bytes
			continue
		}
		lines := ""
		if f.Lines > 0 {
			lines = ", " + wording.Count(f.Lines, "line")
		}
		fmt.Fprintf(p.w, "  %10s  %s%s\n", bytesText(float64(f.Bytes)), f.Name, lines)
	}
	flush()
}

func folderOf(name string) string {
	dir, _, found := strings.Cut(name, "/")
	if !found {
		return ""
	}
	return dir
}
