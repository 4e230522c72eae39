package ui

import (
	"fmt"
	"math"
	"time"

	"github.com/dustin/go-humanize"
	"go.uber.org/zap"

	"photodesc/internal/models/hub"
)

// Fetching shows how a download goes: a bar on a terminal, a line now and then
// elsewhere.
type Fetching struct {
	show *Progress
	log  func(string) // nil: lines go beside the bar

	file  hub.File
	began time.Time
	first int64 // bytes that were there at the beginning
	at    int64
	marks []mark    // of late, for the rate
	said  time.Time // of the last line
}

type mark struct {
	time  time.Time
	bytes int64
}

// NewFetching shows downloads in show. Lines for people go to log, or beside the bar if
// that is nil.
func NewFetching(show *Progress, log func(string, ...zap.Field)) *Fetching {
	f := &Fetching{show: show}
	if log != nil {
		f.log = func(s string) { log(s) }
	}
	return f
}

// Say shows a line.
func (f *Fetching) Say(line string) {
	if f.log != nil {
		f.log(line)
		return
	}
	if !manner.Quiet {
		fmt.Fprintln(f.show.console(), line)
	}
}

// Close takes the bar off the terminal.
func (f *Fetching) Close() {
	f.show.End()
	f.show.Plain.Flush()
}

// Begin says that a file is fetched, of which have bytes are there.
func (f *Fetching) Begin(file hub.File, have int64) {
	now := time.Now()
	f.file, f.began, f.first, f.at, f.said = file, now, have, have, now
	f.marks = []mark{{now, have}}
	line := "Fetching " + file.Path
	if file.Size >= 0 {
		line += ", " + humanize.Bytes(uint64(file.Size))
	}
	if have > 0 {
		line += fmt.Sprintf("; %s are there already", humanize.Bytes(uint64(have)))
	}
	f.Say(line)
}

// At says how many bytes of the file are there.
func (f *Fetching) At(bytes int64) {
	now := time.Now()
	if bytes < f.at {
		f.marks = nil // from the beginning again
	}
	f.at = bytes
	if n := len(f.marks); n == 0 || now.Sub(f.marks[n-1].time) > 250*time.Millisecond {
		f.marks = append(f.marks, mark{now, bytes})
		f.marks = f.marks[max(0, len(f.marks)-40):]
	}
	if f.show.terminal {
		f.show.setLine(f.bar(now))
		return
	}
	if now.Sub(f.said) >= min(max(now.Sub(f.began)/10, 5*time.Second), time.Minute) {
		f.said = now
		f.Say("Fetching " + f.file.Path + ": " + f.numbers(now))
	}
}

// rate is bytes a second, of late.
func (f *Fetching) rate(now time.Time) float64 {
	if len(f.marks) == 0 {
		return 0
	}
	took := now.Sub(f.marks[0].time).Seconds()
	if took < 0.5 {
		return 0
	}
	return float64(f.at-f.marks[0].bytes) / took
}

func (f *Fetching) percent() float64 {
	return 100 * float64(f.at) / float64(max(f.file.Size, f.at, 1))
}

// numbers are size, rate and time left.
func (f *Fetching) numbers(now time.Time) string {
	text := humanize.Bytes(uint64(f.at))
	if f.file.Size >= 0 {
		text = fmt.Sprintf("%s, %s of %s", PercentText(f.percent()), text, humanize.Bytes(uint64(f.file.Size)))
	}
	rate := f.rate(now)
	if rate < 1 {
		return text
	}
	text += fmt.Sprintf(", %s/s", humanize.Bytes(uint64(rate)))
	if left := float64(f.file.Size-f.at) / rate; left >= 1 && left < math.MaxInt32 {
		text += ", " + short(seconds(left)) + " left"
	}
	return text
}

// bar is numbers behind a bar, for a terminal.
func (f *Fetching) bar(now time.Time) string {
	if f.file.Size < 0 {
		return "fetching: " + f.numbers(now)
	}
	return styleBar.Render(bar(f.percent(), 24)) + " " + f.numbers(now)
}

// Retry says that the download failed and is tried again after pause.
func (f *Fetching) Retry(_ string, err error, pause time.Duration) {
	f.Say(fmt.Sprintf("Trying again in %s: %v", Spell(pause.Round(time.Second)), err))
}

// Wait says that another process fetches the file.
func (f *Fetching) Wait(path string) {
	f.Say(fmt.Sprintf("Another photodesc is fetching %s; waiting for it", path))
}

// End says that the file is there. An error is said elsewhere.
func (f *Fetching) End(path string, err error) {
	if err != nil {
		return // it is said elsewhere
	}
	took := time.Since(f.began)
	line := fmt.Sprintf("Fetched %s", path)
	if n := f.at - f.first; n > 0 && took > 0 {
		line += fmt.Sprintf(", %s in %s", humanize.Bytes(uint64(n)), Spell(took))
	}
	f.Say(line)
}
