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

	"photodesc/tracker"
)

// Progress shows a person how the run goes. On a terminal it keeps a bar and
// the last description at the bottom, and what is logged goes above them.
// Elsewhere there is a log line now and then.
type Progress struct {
	terminal bool
	out      *os.File

	mu     sync.Mutex
	on     bool // the bar is shown
	total  int
	count  int
	failed int
	phase  string
	last   string   // the last photo and its words
	drawn  []string // what is on the screen now
	began  time.Time
	said   time.Time   // of the last log line
	recent []time.Time // of the last photos, for the rate
	quit   chan struct{}
	Plain  *Console  // out
	paint  io.Writer // out, with as many colours as it has
}

const (
	progressRedraw = 100 * time.Millisecond
	progressRecent = 200

	// StoppingPhase is the phase of a run that was told to stop.
	StoppingPhase = "stopping"
)

// NewProgress shows progress on out, with a bar if that is a terminal.
func NewProgress(out *os.File) *Progress {
	plain := newConsole(out)
	bar := term.IsTerminal(int(out.Fd())) && os.Getenv("TERM") != "dumb" && !manner.Quiet
	return &Progress{terminal: bar, out: out, Plain: plain, paint: painter(out, plain)}
}

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

// Wait says what the run does before there is anything to count.
func (p *Progress) Wait(phase string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.phase = phase + " …"
	p.show()
}

// setLine shows a line of the caller's own in the same place.
func (p *Progress) setLine(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.phase = line
	p.show()
}

// Begin counts up to total from now on.
func (p *Progress) Begin(total int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total, p.began, p.said = total, time.Now(), time.Now()
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
	for {
		select {
		case <-quit:
			return
		case <-tick.C:
		}
		p.mu.Lock()
		if p.on {
			_ = p.draw("") // a terminal that is gone does not end the run
		}
		p.mu.Unlock()
	}
}

// draw puts text and then the bar where the bar was, in one write so that
// nothing flickers. p.mu is held.
func (p *Progress) draw(text string) error {
	width, _ := terminalSize(p.out)
	// A line that fills the last cell wraps on some terminals.
	lines := p.block(max(width-1, 10))
	if text == "" && strings.Join(lines, "\n") == strings.Join(p.drawn, "\n") {
		return nil
	}
	_, err := io.WriteString(p.paint, ansi.SetModeSynchronizedOutput+p.erase(width)+text+strings.Join(lines, "\n")+ansi.ResetModeSynchronizedOutput)
	p.drawn = lines
	return err
}

// erase takes the bar off the screen. After the window was made narrower its
// lines have become more.
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
	if p.total == 0 {
		return []string{Fit(p.phase, width)}
	}
	percent := 100 * float64(p.count) / float64(p.total)
	text := fmt.Sprintf("%s / %s", Comma(p.count), Comma(p.total))
	if p.failed > 0 {
		text += ", " + Comma(p.failed) + " failed"
	}
	if rate := p.rate(time.Now()); p.phase != "" {
		text += ", " + p.phase
	} else if rate > 0 {
		left := seconds(float64(p.total-p.count) / rate * 3600)
		text += ", ~" + RateText(rate) + "/hour"
		if left >= time.Second {
			text += ", " + short(left) + " left"
		}
	}
	head := padLeft(PercentText(percent), 6) + " "
	room := width - len(head) - 1 - Cells(text)
	line := head + text
	if room >= 8 {
		line = head + styleBar.Render(bar(percent, min(room, 40))) + " " + text
	}
	lines := []string{Fit(line, width)}
	if p.last != "" {
		lines = append(lines, StyleFaint.Render(Fit("       "+p.last, width)))
	}
	return lines
}

// rate is photos an hour, of late.
func (p *Progress) rate(now time.Time) float64 {
	if len(p.recent) < 2 {
		return 0
	}
	return float64(len(p.recent)) / now.Sub(p.recent[0]).Hours()
}

// SetPhase says what the run does apart from describing; "" is describing.
func (p *Progress) SetPhase(phase string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.phase = phase
}

// Photo counts a photo and returns a line for the log when one is due, and how
// many photos this run has still to do.
func (p *Progress) Photo(rec tracker.Record) (line string, remaining int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.count++
	if p.phase != StoppingPhase {
		p.phase = ""
	}
	p.recent = append(p.recent, now)
	p.recent = p.recent[max(0, len(p.recent)-progressRecent):]
	if rec.Status == tracker.Failed {
		p.failed++ // and it is logged above the bar
	} else {
		p.last = OneLine(tracker.EncodePath(rec.Path)) + ": " + OneLine(rec.Description)
	}
	if now.Sub(p.said) < p.sayEvery(now) && p.count < p.total {
		return "", p.total - p.count
	}
	p.said = now
	return p.line(), p.total - p.count
}

// sayEvery is how often the log tells the progress: the longer a run takes, the
// less often.
func (p *Progress) sayEvery(now time.Time) time.Duration {
	return min(max(now.Sub(p.began)/20, 10*time.Second), 5*time.Minute)
}

func (p *Progress) line() string {
	percent := 100 * float64(p.count) / float64(max(p.total, 1))
	return fmt.Sprintf("Progress: %s / %s (%s) - %s remaining", Comma(p.count), Comma(p.total), PercentText(percent), Comma(p.total-p.count))
}

// Now is the progress as a person asks for it in the middle of a run.
func (p *Progress) Now() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.total == 0 {
		return "No photo has been handed out yet"
	}
	line := p.line()
	if p.failed > 0 {
		line += ", " + Comma(p.failed) + " failed"
	}
	if rate := p.rate(time.Now()); rate > 0 {
		line += ", ~" + RateText(rate) + " photos/hour, " + Spell(seconds(float64(p.total-p.count)/rate*3600)) + " left"
	}
	if p.last != "" {
		line += "\nLast photo: " + Fit(p.last, 200)
	}
	return line
}

// End takes the bar away; what was said above it stays.
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
