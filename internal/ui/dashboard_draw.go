package ui

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"photodesc/internal/wording"
	"photodesc/tracker"
)

// On a small terminal the plot is left out first, then failures, then photos. The
// rest is cut at the right and at the bottom.
const (
	plotLeast, plotNice, plotMost = 3, 6, 12 // rows of columns
	photosLeast                   = 3
	failuresMost                  = 3
)

// drawDashboard fills a screen of the given size, and never more.
func drawDashboard(m Machine, problem error, now time.Time, width, height int) string {
	s, p := m.Snapshot, page{width: width, height: height}
	p.title(s)
	if problem != nil {
		first, _, _ := strings.Cut(problem.Error(), "\n")
		p.add(styleBad.Render(first))
	}
	if s.State == tracker.StateNone {
		p.add("", "No run has worked in this folder yet. Begin one in another terminal:", "    "+CommandLine(s.Dir, "run", "DIR"), "",
			"It will appear here.")
		p.ownNodes(m.OwnNodes, now)
		return p.finish(now)
	}
	p.progress(s, now)
	p.state(s, now)

	photos, failures := photoLines(s.Recent, p.inner()), photoLines(s.Failures, p.inner())
	machine := machineLines(s, p.inner())
	if len(machine) > 0 {
		p.gap()
		p.add(machine...)
	}
	if nodes := nodeLines(s, now, max(p.room()/4, 1)); len(nodes) > 0 {
		p.gap()
		p.add(StyleBold.Render("Nodes"))
		p.add(nodes...)
	}
	p.ownNodes(m.OwnNodes, now)

	// The rest of the screen is divided.
	share := shareOut(p.room(), p.gapLines(), len(photos), len(failures), len(s.PerMinute) > 0)
	if share.plot > 0 {
		p.gap()
		p.add(drawPlot(s, p.inner(), share.plot)...)
	}
	if share.photos+share.failures > 0 {
		p.gap()
	}
	p.list("Last photos", photos, share.photos)
	p.list("Last failures", failures, share.failures)
	return p.finish(now)
}

// ownNodes adds the nodes that are up on this machine for runs elsewhere.
func (p *page) ownNodes(list []OwnNode, now time.Time) {
	for i, n := range list {
		if i == 0 {
			p.gap()
		}
		p.add(strings.Split(strings.TrimSuffix(n.Text(now, p.inner()), "\n"), "\n")...)
	}
}

// shares are numbers of lines, headings and axes not counted.
type shares struct{ photos, failures, plot int }

// shareOut divides the lines: each part gets its minimum, the most important first,
// and the rest goes to the parts that can use it.
func shareOut(room, gap, photos, failures int, rates bool) (s shares) {
	take := func(want, least, overhead int) int {
		if n := min(want, room-overhead); n >= max(least, 1) {
			room -= n + overhead
			return n
		}
		return 0
	}
	s.photos = take(min(photos, photosLeast), 1, 1+gap)
	if rates {
		s.plot = take(plotLeast, plotLeast, 2+gap)
	}
	s.failures = take(min(failures, failuresMost), 1, 1)
	if s.plot > 0 {
		s.plot += take(min(plotNice-plotLeast, room/3), 1, 0)
	}
	if s.photos > 0 {
		s.photos += take(photos-s.photos, 1, 0)
	}
	if s.plot > 0 {
		s.plot += take(plotMost-s.plot, 1, 0)
	}
	return s
}

// page collects lines.
type page struct {
	width, height int
	lines         []string
}

// inner is the width between the margins.
func (p *page) inner() int { return max(p.width-2, 1) }

// room is how many lines are free above the footer.
func (p *page) room() int { return max(0, p.height-1-len(p.lines)) }

func (p *page) add(lines ...string) { p.lines = append(p.lines, lines...) }

// gap adds an empty line if there is space.
func (p *page) gap() { p.add(make([]string, p.gapLines())...) }

func (p *page) gapLines() int {
	if p.height >= 20 {
		return 1
	}
	return 0
}

func (p *page) list(heading string, newestLast []string, n int) {
	if n == 0 {
		return
	}
	p.add(StyleBold.Render(heading))
	for _, line := range slices.Backward(newestLast[len(newestLast)-n:]) {
		p.add(line)
	}
}

// finish cuts the page to the screen and puts the footer at its bottom.
func (p *page) finish(now time.Time) string {
	body := p.lines[:min(len(p.lines), max(p.height-1, 0))]
	var b strings.Builder
	for _, line := range body {
		b.WriteString(" " + Fit(line, p.inner()) + "\n")
	}
	b.WriteString(strings.Repeat("\n", max(0, p.height-1-len(body))))
	foot := spread("q leaves, the run goes on", now.Format("15:04:05"), p.inner())
	b.WriteString(" " + StyleFaint.Render(foot))
	return b.String()
}

// spread puts two texts at the ends of a line. If both do not fit, the right one is
// left out.
func spread(left, right string, width int) string {
	if space := width - Cells(left) - Cells(right); space >= 2 {
		return left + strings.Repeat(" ", space) + right
	}
	return Fit(left, width)
}

func (p *page) title(s tracker.Snapshot) {
	state := stateText(s)
	room := p.inner() - Cells(state) - 2 - len("photodesc  ")
	dir := s.Dir
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	if s.Root != "" {
		if both := OneLine(s.Root) + " → " + OneLine(dir); Cells(both) <= room {
			dir = both
		}
	}
	p.add(spread(StyleBold.Render("photodesc")+"  "+fitPath(OneLine(dir), max(room, 8)), state, p.inner()))
	p.gap()
}

func stateText(s tracker.Snapshot) string {
	switch s.State {
	case tracker.StateRunning:
		if s.Phase == StoppingPhase {
			return styleWarn.Render("● stopping")
		}
		return styleGood.Render("● running")
	case tracker.StateWatching:
		return styleGood.Render("● watching")
	case tracker.StateWaiting:
		return styleWarn.Render("● waiting")
	case tracker.StateStalled:
		return styleBad.Render("● stalled")
	case tracker.StateFinished:
		return styleGood.Render("✓ finished")
	case tracker.StateBroke:
		return styleBad.Render("✗ could not go on")
	case tracker.StateDied:
		return styleBad.Render("✗ ended without a word")
	case tracker.StateStopped:
		return styleWarn.Render("○ stopped")
	}
	return StyleFaint.Render("○ no run yet")
}

func (p *page) progress(s tracker.Snapshot, now time.Time) {
	if s.TotalKnown {
		percent := PercentText(s.Percent())
		p.add(styleBar.Render(bar(s.Percent(), max(p.inner()-7, 4))) + " " + padLeft(percent, 6))
	}
	counts := StyleBold.Render(Comma(s.Completed))
	if s.TotalKnown {
		counts += " of " + Comma(s.Total)
	}
	if s.Failed > 0 {
		counts += ", " + styleBad.Render(Comma(s.Failed)+" failed")
	}
	left := ""
	if s.TotalKnown && s.Remaining > 0 {
		toGo := Comma(s.Remaining) + " to go"
		if Cells(counts+", "+toGo) > p.inner() {
			p.add(counts)
			counts = toGo
		} else {
			counts += ", " + toGo
		}
		if d := s.Left(); s.Running && !s.Stalled && d > 0 {
			left = Spell(d) + ", until " + untilText(d, now)
		}
	}
	p.ends(counts, left)
}

// ends puts two texts at the ends of a line, or on two lines where one is too narrow.
func (p *page) ends(left, right string) {
	p.add(spread(left, right, p.inner()))
	if right != "" && Cells(left)+Cells(right)+2 > p.inner() {
		p.add(right)
	}
}

// state shows what the run is doing, or how it ended and how to resume it.
func (p *page) state(s tracker.Snapshot, now time.Time) {
	rate, up := rates(s), "up "+Spell(seconds(s.UpSeconds))+" in "+wording.Count(s.Counters.Runs, "run")
	if Cells(rate) > p.inner() {
		rate = rateText(s.Progress)
	}
	p.ends(rate, up)
	if s.State == tracker.StateRunning && s.Phase == "" {
		return
	}
	p.gap()
	text := "Running: " + runningText(s, now)
	if Cells(text) > p.inner() && s.Phase != "" && !s.Stalled {
		text = styleWarn.Render(phaseText(s, now))
	}
	p.wrapped(text)
	for _, hint := range goOnText(s) {
		p.hint(hint)
	}
}

// wrapped adds a text, on up to three lines if one is too narrow.
func (p *page) wrapped(text string) {
	lines := strings.SplitN(Wrap(text, p.inner(), "  "), "\n", 3)
	lines[len(lines)-1] = strings.ReplaceAll(lines[len(lines)-1], "\n ", "")
	p.add(lines...)
}

// hint shows what to do next. A command in it that does not fit begins a line of
// its own and is broken between its words, so that it can be copied.
func (p *page) hint(text string) {
	room := p.inner() - 4
	label, command, found := strings.Cut(text, ": ")
	if command = strings.TrimLeft(command, " "); found && strings.HasPrefix(command, "photodesc ") && Cells(text) > room {
		p.add("    " + label + ":")
		text = BreakCommand(command, room, "")
	}
	for line := range strings.SplitSeq(Wrap(text, room, ""), "\n") {
		for part := range strings.SplitSeq(ansi.Hardwrap(line, max(room, 10), true), "\n") { // a word may be wider than the screen
			p.add("    " + part)
		}
	}
}

// machineLines are memory, CPU, slots and workers of a run that is up.
func machineLines(s tracker.Snapshot, width int) []string {
	m := s.Sample
	if !s.Running {
		return nil
	}
	var lines []string
	row := func(name string, percent float64, texts ...string) {
		wide := max(min(20, width-46), 6)
		style := styleBar
		if name == "Memory" && percent >= 90 {
			style = styleWarn
		}
		lines = append(lines, Pad(name, 8)+style.Render(bar(percent, wide))+"  "+firstThatFits(width-10-wide, texts))
	}
	if m.WorkerBytes > 0 || m.SupervisorBytes > 0 {
		text := bytesText(float64(m.WorkerBytes))
		percent := 0.0
		if m.BudgetBytes > 1 {
			percent = 100 * float64(m.WorkerBytes) / float64(m.BudgetBytes)
			text += " of " + bytesText(float64(m.BudgetBytes))
		}
		row("Memory", percent, "workers "+text+"; supervisor "+bytesText(float64(m.SupervisorBytes)), text)
		row("CPU", m.CPUPercent, fmt.Sprintf("%.0f%% of this machine", m.CPUPercent), fmt.Sprintf("%.0f%%", m.CPUPercent))
	}
	if m.Slots > 0 {
		used := min(m.SlotsUsed, m.Slots)
		of, ready := fmt.Sprintf("%d of %d", used, m.Slots), ""
		if ahead := m.SlotsUsed - used; ahead > 0 {
			ready = fmt.Sprintf(", %d ready", ahead)
		}
		workers, batch := "; "+wording.Count(m.Workers, "worker"), ", batch "+Comma(s.Batch)
		row("Slots", 100*float64(used)/float64(m.Slots), of+" in use"+ready+workers+batch, of+workers+batch, of+workers, of)
	}
	if restarts := restartsText(s.Counters); restarts != "" {
		for i, line := range strings.Split(Wrap(restarts, max(width-8, 1), ""), "\n") {
			name := ""
			if i == 0 {
				name = "Trouble"
			}
			lines = append(lines, Pad(name, 8)+styleWarn.Render(line))
		}
	}
	return lines
}

// firstThatFits is the first text of at most so many cells, or the last.
func firstThatFits(cells int, texts []string) string {
	for _, text := range texts {
		if Cells(text) <= cells {
			return text
		}
	}
	return texts[len(texts)-1]
}

// restartsText counts workers replaced before their time, with reasons.
func restartsText(c tracker.Counters) string {
	total := 0
	var reasons []string
	for _, reason := range slices.Sorted(maps.Keys(c.Restarts)) {
		total += c.Restarts[reason]
		reasons = append(reasons, fmt.Sprintf("%s %s", reasonText(reason), Comma(c.Restarts[reason])))
	}
	if total == 0 {
		return ""
	}
	return fmt.Sprintf("%s (%s)", wording.Count(total, "restart"), strings.Join(reasons, ", "))
}

// reasonText is why a worker was replaced, in a few words.
func reasonText(reason string) string { return strings.ReplaceAll(reason, "-", " ") }

// photoLines are photos in columns: time, path, words.
func photoLines(photos []tracker.Recent, width int) []string {
	column := 0
	for _, r := range photos {
		column = max(column, Cells(OneLine(r.Path)))
	}
	column = min(column, max(12, width*3/10))
	var lines []string
	for _, r := range photos {
		text := folded(r.Text)
		if r.Status == tracker.Failed {
			text = styleBad.Render(string(r.Kind)) + ": " + text
		}
		lines = append(lines, StyleFaint.Render(r.Time.Local().Format("15:04:05"))+"  "+
			Pad(fitPath(OneLine(r.Path), column), column)+"  "+text)
	}
	return lines
}
