package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
	"golang.org/x/term"

	"photodesc/tracker"
)

// progress shows a person how the run goes. On a terminal it keeps a bar and
// the last description at the bottom, and what is logged goes above them.
// Elsewhere there is a log line now and then.
type progress struct {
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
	plain  *console  // out
	paint  io.Writer // out, with as many colours as it has
}

const (
	progressRedraw = 100 * time.Millisecond
	progressRecent = 200

	stoppingPhase = "stopping"
)

func newProgress(out *os.File) *progress {
	plain, paint := newConsole(out), colorprofile.NewWriter(out, os.Environ())
	paint.Forward = plain
	return &progress{terminal: term.IsTerminal(int(out.Fd())) && os.Getenv("TERM") != "dumb", out: out, plain: plain, paint: paint}
}

// console is where log lines for people go; the bar makes room for them.
func (p *progress) console() io.Writer {
	if p.terminal {
		return aboveBar{p}
	}
	return p.plain
}

type aboveBar struct{ p *progress }

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

// wait says what the run does before there is anything to count.
func (p *progress) wait(phase string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.phase = phase + " …"
	p.show()
}

// setLine shows a line of the caller's own in the same place.
func (p *progress) setLine(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.phase = line
	p.show()
}

// begin counts up to total from now on.
func (p *progress) begin(total int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total, p.began, p.said = total, time.Now(), time.Now()
	p.show()
}

// show begins to keep the bar up to date. p.mu is held.
func (p *progress) show() {
	if !p.terminal || p.on {
		return
	}
	p.on, p.quit = true, make(chan struct{})
	go p.redraw(p.quit)
}

// redraw keeps the bar up to date, however fast photos come.
func (p *progress) redraw(quit chan struct{}) {
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
func (p *progress) draw(text string) error {
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
func (p *progress) erase(width int) string {
	rows := 0
	for _, line := range p.drawn {
		rows += max(1, (cells(line)+width-1)/max(width, 1))
	}
	if rows == 0 {
		return ""
	}
	return "\r" + strings.Repeat(ansi.CursorUp(1), rows-1) + ansi.EraseScreenBelow
}

// block is the bar and the last description, within width.
func (p *progress) block(width int) []string {
	if p.total == 0 {
		return []string{fit(p.phase, width)}
	}
	percent := 100 * float64(p.count) / float64(p.total)
	text := fmt.Sprintf("%s / %s", comma(p.count), comma(p.total))
	if p.failed > 0 {
		text += ", " + comma(p.failed) + " failed"
	}
	if rate := p.rate(time.Now()); p.phase != "" {
		text += ", " + p.phase
	} else if rate > 0 {
		left := seconds(float64(p.total-p.count) / rate * 3600)
		text += ", ~" + rateText(rate) + "/hour"
		if left >= time.Second {
			text += ", " + short(left) + " left"
		}
	}
	head := padLeft(percentText(percent), 6) + " "
	room := width - len(head) - 1 - cells(text)
	line := head + text
	if room >= 8 {
		line = head + styleBar.Render(bar(percent, min(room, 40))) + " " + text
	}
	lines := []string{fit(line, width)}
	if p.last != "" {
		lines = append(lines, styleFaint.Render(fit("       "+p.last, width)))
	}
	return lines
}

// rate is photos an hour, of late.
func (p *progress) rate(now time.Time) float64 {
	if len(p.recent) < 2 {
		return 0
	}
	return float64(len(p.recent)) / now.Sub(p.recent[0]).Hours()
}

// setPhase says what the run does apart from describing; "" is describing.
func (p *progress) setPhase(phase string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.phase = phase
}

// photo counts a photo and returns a line for the log when one is due, and how
// many photos this run has still to do.
func (p *progress) photo(rec tracker.Record) (line string, remaining int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.count++
	if p.phase != stoppingPhase {
		p.phase = ""
	}
	p.recent = append(p.recent, now)
	p.recent = p.recent[max(0, len(p.recent)-progressRecent):]
	if rec.Status == tracker.Failed {
		p.failed++ // and it is logged above the bar
	} else {
		p.last = oneLine(tracker.EncodePath(rec.Path)) + ": " + oneLine(rec.Description)
	}
	if now.Sub(p.said) < p.sayEvery(now) && p.count < p.total {
		return "", p.total - p.count
	}
	p.said = now
	return p.line(), p.total - p.count
}

// sayEvery is how often the log tells the progress: the longer a run takes, the
// less often.
func (p *progress) sayEvery(now time.Time) time.Duration {
	return min(max(now.Sub(p.began)/20, 10*time.Second), 5*time.Minute)
}

func (p *progress) line() string {
	percent := 100 * float64(p.count) / float64(max(p.total, 1))
	return fmt.Sprintf("Progress: %s / %s (%s) - %s remaining", comma(p.count), comma(p.total), percentText(percent), comma(p.total-p.count))
}

// now is the progress as a person asks for it in the middle of a run.
func (p *progress) now() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.total == 0 {
		return "No photo has been handed out yet"
	}
	line := p.line()
	if p.failed > 0 {
		line += ", " + comma(p.failed) + " failed"
	}
	if rate := p.rate(time.Now()); rate > 0 {
		line += ", ~" + rateText(rate) + " photos/hour, " + spell(seconds(float64(p.total-p.count)/rate*3600)) + " left"
	}
	if p.last != "" {
		line += "\nLast photo: " + fit(p.last, 200)
	}
	return line
}

// end takes the bar away; what was said above it stays.
func (p *progress) end() {
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
