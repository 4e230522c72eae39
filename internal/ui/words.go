package ui

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"photodesc/internal/wording"
)

// Numbers and times as people say them.

// Comma returns n with commas between thousands.
func Comma(n int) string { return humanize.Comma(int64(n)) }

// bytesText is a size with the units that memory is sold in.
func bytesText(n float64) string {
	if n < 0 {
		n = 0
	}
	return humanize.IBytes(uint64(n))
}

// RateText is a number of photos in an hour; a slow one has a decimal.
func RateText(perHour float64) string {
	if perHour < 10 {
		return fmt.Sprintf("%.1f", perHour)
	}
	return Comma(int(math.Round(perHour)))
}

// secondsText has more decimals for shorter times.
func secondsText(s float64) string {
	switch {
	case s >= 100:
		return Comma(int(math.Round(s)))
	case s >= 10:
		return fmt.Sprintf("%.1f", s)
	case s >= 0.1 || s == 0:
		return fmt.Sprintf("%.2f", s)
	}
	return fmt.Sprintf("%.3f", s)
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func bar(percent float64, width int) string {
	full := min(max(int(percent/100*float64(width)), 0), width)
	return strings.Repeat("█", full) + strings.Repeat("░", width-full)
}

// Spell gives a duration in its two largest units.
func Spell(d time.Duration) string {
	units := []struct {
		name string
		size time.Duration
	}{{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second}}
	var parts []string
	for _, u := range units {
		if n := int(d / u.size); n > 0 || len(parts) == 1 {
			d -= time.Duration(n) * u.size
			if n > 0 {
				parts = append(parts, wording.Count(n, u.name))
			}
			if len(parts) == 2 || n == 0 {
				break
			}
		}
	}
	if len(parts) == 0 {
		return "less than a second"
	}
	return strings.Join(parts, " ")
}

// short is Spell in few cells.
func short(d time.Duration) string {
	s := Spell(d)
	for _, u := range []struct{ long, short string }{{"day", "d"}, {"hour", "h"}, {"minute", "min"}, {"second", "s"}} {
		s = strings.ReplaceAll(strings.ReplaceAll(s, u.long+"s", u.short), u.long, u.short)
	}
	return s
}

// ago returns how long ago a time was.
func ago(t, now time.Time) string {
	switch d := now.Sub(t); {
	case d < 2*time.Second:
		return "just now"
	case d < time.Minute:
		return wording.Count(int(d.Seconds()), "second") + " ago"
	}
	return humanize.RelTime(t, now, "ago", "from now")
}

// untilText is when something will be over, as vague as it is far away.
func untilText(left time.Duration, now time.Time) string {
	layout := "Monday 2 January"
	switch {
	case left < 20*time.Hour:
		layout = "15:04"
	case left < 6*24*time.Hour:
		layout = "Monday 15:04"
	case left > 300*24*time.Hour:
		layout = "2 January 2006"
	}
	return now.Add(left).Format(layout)
}

// CommandLine is what a person types to do something in the workdir.
func CommandLine(dir string, args ...string) string {
	words := []string{"photodesc"}
	if dir != "" && filepath.Clean(dir) != "." {
		words = append(words, "-C", QuoteWord(dir))
	}
	for _, a := range args {
		words = append(words, QuoteWord(a))
	}
	return strings.Join(words, " ")
}

// QuoteWord protects a word from the shell, where that is needed.
func QuoteWord(s string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=,:@%+"
	if s != "" && strings.Trim(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// AtHome writes a path below the home folder as people do.
func AtHome(path string) string {
	home, err := os.UserHomeDir()
	if rest, below := strings.CutPrefix(path, home+"/"); err == nil && below && home != "" {
		return "~/" + rest
	}
	return path
}
