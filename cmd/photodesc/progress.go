package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"photodesc/tracker"
)

// progress shows a person how the run goes: a bar with the last description
// below it on a terminal, a log line now and then elsewhere.
type progress struct {
	terminal bool
	out      *os.File
	bar      *progressbar.ProgressBar
	total    int
	count    int
	said     time.Time // of the last log line
	began    time.Time
}

// progressEvery is how often a log line tells the progress where there is no bar.
const progressEvery = 10 * time.Second

func newProgress(out *os.File) *progress {
	return &progress{terminal: term.IsTerminal(int(out.Fd())), out: out}
}

// console is where log lines for people go; the bar makes room for them.
func (p *progress) console() io.Writer {
	if p.terminal {
		return &besideBar{p}
	}
	return p.out
}

// besideBar writes above the bar.
type besideBar struct{ p *progress }

func (w *besideBar) Write(b []byte) (int, error) {
	bar := w.p.bar
	if bar == nil || bar.IsFinished() {
		return w.p.out.Write(b)
	}
	if err := bar.Clear(); err != nil {
		return 0, err
	}
	n, err := w.p.out.Write(b)
	if e := bar.RenderBlank(); err == nil {
		err = e
	}
	return n, err
}

func (p *progress) begin(total int) {
	p.total, p.began, p.said = total, time.Now(), time.Now()
	if !p.terminal {
		return
	}
	p.bar = progressbar.NewOptions(total,
		progressbar.OptionSetWriter(p.out),
		progressbar.OptionSetDescription("loading model"),
		progressbar.OptionShowCount(),
		progressbar.OptionShowIts(),
		progressbar.OptionSetItsString("photos"),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionSetElapsedTime(false),
		progressbar.OptionSetWidth(24),
		progressbar.OptionUseANSICodes(true),
		progressbar.OptionSetMaxDetailRow(1),
		progressbar.OptionThrottle(100*time.Millisecond),
	)
	p.bar.RenderBlank()
}

// photo counts a photo and returns a line for the log when one is due.
func (p *progress) photo(rec tracker.Record) string {
	p.count++
	if p.bar != nil {
		p.bar.Describe("describing")
		p.bar.AddDetail(p.detail(rec))
		p.bar.Add(1)
	}
	if time.Since(p.said) < progressEvery && p.count < p.total {
		return ""
	}
	p.said = time.Now()
	if p.terminal {
		return ""
	}
	return p.line()
}

// detail is the last photo and its words on one line of the terminal.
func (p *progress) detail(rec tracker.Record) string {
	text := rec.Description
	if rec.Error != nil {
		text = "failed: " + rec.Error.Message
	}
	line := tracker.EncodePath(rec.Path) + ": " + strings.Join(strings.Fields(text), " ")
	width, _, err := term.GetSize(int(p.out.Fd()))
	if err != nil || width < 20 {
		width = 80
	}
	if r := []rune(line); len(r) > width-2 {
		line = string(r[:width-3]) + "…"
	}
	return line
}

func (p *progress) line() string {
	percent := 100 * float64(p.count) / float64(max(p.total, 1))
	return fmt.Sprintf("Progress: %s / %s (%.1f%%) - %s remaining", comma(p.count), comma(p.total), percent, comma(p.total-p.count))
}

// end takes the bar away; what was said above it stays.
func (p *progress) end() {
	if p.bar != nil && !p.bar.IsFinished() {
		p.bar.Clear()
		p.bar.Exit()
	}
	p.bar = nil
}

func (p *progress) close() { p.end() }
