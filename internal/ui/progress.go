package ui

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/term"

	"photodesc/internal/wording"
	"photodesc/tracker"
)

// Progress shows the progress of a run. On a terminal it keeps a bar and the last
// description at the bottom, with log lines above them. Elsewhere it writes a log line
// from time to time.
type Progress struct {
	terminal bool
	out      *os.File

	mu      sync.Mutex
	on      bool                    // the bar is shown
	numbers func() tracker.Progress // nil until there is anything to count
	phase   string
	since   time.Time     // when the phase began; zero if that is not to be shown
	watches func() string // what is said while there is nothing to do but to wait for new photos; nil at other times
	last    string        // the last photo and its description
	drawn   []string      // what is on the screen now
	began   time.Time
	logged  time.Time // when the last log line was due
	quit    chan struct{}
	Plain   *Console  // out
	paint   io.Writer // out, with as many colours as it has
}

const (
	progressRedraw = 100 * time.Millisecond
	watchingRedraw = 10 // times as seldom while the run waits for new photos

	// StoppingPhase is the phase of a run that was told to stop.
	StoppingPhase = tracker.StoppingPhase
)

// NewProgress shows progress on out, with a bar if that is a terminal.
func NewProgress(out *os.File) *Progress {
	plain := newConsole(out)
	bar := term.IsTerminal(int(out.Fd())) && os.Getenv("TERM") != "dumb" && !manner.Quiet
	return &Progress{terminal: bar, out: out, Plain: plain, paint: painter(out, plain)}
}

// Terminal reports whether a bar is shown.
func (p *Progress) Terminal() bool { return p.terminal }

// console is where log lines for people go; the bar makes room for them.
func (p *Progress) console() io.Writer {
	if p.terminal {
		return aboveBar{p}
	}
	return p.Plain
}

type aboveBar struct{ p *Progress }

func (w aboveBar) Write(b []byte) (int, error) {
	w.p.mu.Lock()
	defer w.p.mu.Unlock()
	if !w.p.on {
		return w.p.paint.Write(b)
	}
	if err := w.p.draw(string(b)); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Wait shows what the run does before the first numbers.
func (p *Progress) Wait(phase string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.setPhase(phase + " …")
	p.show()
}

// Show shows what a node does instead of a bar, until it is told something else.
func (p *Progress) Show(text string) {
	p.setLine(text)
}

// Print writes lines for the person at the terminal that no log gets, between the log lines before and after.
func (p *Progress) Print(text string) { _, _ = io.WriteString(p.console(), text) }

// setLine shows a line of the caller's own in the same place.
func (p *Progress) setLine(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.phase, p.since, p.watches = line, time.Time{}, nil
	p.show()
}

// Begin shows the numbers from now on.
func (p *Progress) Begin(numbers func() tracker.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.numbers, p.began, p.logged = numbers, time.Now(), time.Now()
	p.show()
}

// show begins to keep the bar up to date. p.mu is held.
func (p *Progress) show() {
	if !p.terminal || p.on {
		return
	}
	p.on, p.quit = true, make(chan struct{})
	go p.redraw(p.quit)
}

// redraw keeps the bar up to date, however fast photos come.
func (p *Progress) redraw(quit chan struct{}) {
	tick := time.NewTicker(progressRedraw)
	defer tick.Stop()
	for turn := 0; ; turn++ {
		select {
		case <-quit:
			return
		case <-tick.C:
		}
		p.mu.Lock()
		if p.on && (p.watches == nil || turn%watchingRedraw == 0) {
			_ = p.draw("") // a terminal that is gone does not end the run
		}
		p.mu.Unlock()
	}
}

// draw puts text and then the bar where the bar was, in one write so that
// nothing flickers. p.mu is held.
func (p *Progress) draw(text string) error {
	width, _ := terminalSize(p.out)
	// A line that fills the last cell wraps on some terminals, and a terminal writes ^C behind the last line.
	lines := p.block(max(width-3, 10))
	if text == "" && strings.Join(lines, "\n") == strings.Join(p.drawn, "\n") {
		return nil
	}
	_, err := io.WriteString(p.paint, ansi.SetModeSynchronizedOutput+p.erase(width)+text+strings.Join(lines, "\n")+ansi.ResetModeSynchronizedOutput)
	p.drawn = lines
	return err
}

// erase removes the bar from the screen. If the window was made narrower, the bar
// has more lines than before.
func (p *Progress) erase(width int) string {
	rows := 0
	for _, line := range p.drawn {
		rows += max(1, (Cells(line)+width-1)/max(width, 1))
	}
	if rows == 0 {
		return ""
	}
	return "\r" + strings.Repeat(ansi.CursorUp(1), rows-1) + ansi.EraseScreenBelow
}

// block is the bar and the last description, within width.
func (p *Progress) block(width int) []string {
	if p.numbers == nil {
		return []string{withTime(p.phase, p.since, time.Now(), width)}
	}
	n := p.numbers()
	percent := n.Percent()
	text := fmt.Sprintf("%s / %s", Comma(n.Completed), Comma(n.Total))
	more := p.details(n, time.Now())
	head := padLeft(PercentText(percent), 6) + " "
	var below []string
	if whole := text + ", " + more; more != "" && len(head)+Cells(whole) <= width {
		text = whole
	} else if more != "" {
		indent := strings.Repeat(" ", len(head))
		for part := range strings.SplitSeq(Wrap(more, max(width-len(indent), 10), ""), "\n") {
			below = append(below, Fit(indent+part, width))
		}
	}
	line := head + text
	if room := width - Cells(line) - 1; room >= 8 {
		line = head + styleBar.Render(bar(percent, min(room, 40))) + " " + text
	}
	lines := append([]string{Fit(line, width)}, below...)
	if p.last != "" {
		lines = append(lines, StyleFaint.Render(Fit("       "+p.last, width)))
	}
	return lines
}

// details are what the bar says beside the counts.
func (p *Progress) details(n tracker.Progress, now time.Time) string {
	var parts []string
	if n.Failed > 0 {
		parts = append(parts, Comma(n.Failed)+" failed")
	}
	lasts := now.Sub(p.since)
	switch {
	case p.phase == StoppingPhase && n.InFlight > 0:
		parts = append(parts, StoppingPhase, wording.Count(n.InFlight, "photo")+" in flight", short(lasts))
	case p.phase == "" && p.watches != nil:
		parts = append(parts, p.watches())
	case p.phase != "":
		parts = append(parts, p.phase)
		if !p.since.IsZero() && lasts >= shownFrom {
			parts = append(parts, short(lasts))
		}
	case n.RateLastHour > 0:
		parts = append(parts, "~"+RateText(n.RateLastHour)+"/hour")
		if left := n.Left(); left > 0 {
			parts = append(parts, short(left)+" left")
		}
	case n.InFlight > 0:
		parts = append(parts, firstPhotosText(n))
	}
	return strings.Join(parts, ", ")
}

// setPhase notes since when a phase lasts. What follows a colon is news of the same
// phase. p.mu is held.
func (p *Progress) setPhase(phase string) {
	what := func(s string) string {
		s, _, _ = strings.Cut(strings.TrimSuffix(s, " …"), ":")
		return s
	}
	if what(phase) != what(p.phase) || p.since.IsZero() {
		p.since = time.Now()
	}
	p.phase, p.watches = phase, nil
}

// Watching shows that the run waits for new photos, and since when, until it does something else.
func (p *Progress) Watching(numbers func() tracker.Progress, last *tracker.Recent) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.numbers = numbers
	if p.phase != StoppingPhase {
		s := tracker.Snapshot{}
		if last != nil {
			s.Recent = []tracker.Recent{*last}
		}
		p.phase, p.since = "", time.Time{}
		p.watches = func() string { return watchingText(s, time.Now()) }
	}
	p.show()
}

// SetPhase shows what the run does apart from describing; "" is describing. While
// a run stops, the phase does not change.
func (p *Progress) SetPhase(phase string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.phase != StoppingPhase {
		p.setPhase(phase)
	}
}

// Photo shows a photo that was counted, and returns a line for the log when one is
// due.
func (p *Progress) Photo(rec tracker.Record) (line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now, n := time.Now(), p.numbers()
	if p.phase != StoppingPhase {
		p.phase, p.watches = "", nil
	}
	if rec.Status != tracker.Failed { // failures are logged above the bar
		p.last = OneLine(tracker.EncodePath(rec.Path)) + ": " + OneLine(rec.Description)
	}
	if now.Sub(p.logged) < p.logEvery(now) && n.Remaining > n.Later {
		return ""
	}
	p.logged = now
	return progressLine(n)
}

// logEvery is how often the progress is logged: the longer the run, the less often.
func (p *Progress) logEvery(now time.Time) time.Duration {
	return min(max(now.Sub(p.began)/20, 10*time.Second), 5*time.Minute)
}

// Now returns the progress, for a person who asks for it during a run.
func (p *Progress) Now() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.numbers == nil {
		return "No photo has been handed out yet"
	}
	n := p.numbers()
	line := progressLine(n)
	if details := progressDetails(n); details != "" {
		line += ", " + details
	}
	if p.last != "" {
		line += "\nLast photo: " + Fit(p.last, 200)
	}
	return line
}

// End removes the bar; the lines above it stay.
func (p *Progress) End() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.on {
		return
	}
	close(p.quit)
	p.on = false
	width, _ := terminalSize(p.out)
	_, _ = io.WriteString(p.paint, p.erase(width))
	p.drawn = nil
}
