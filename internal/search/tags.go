package search

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"photodesc/tracker"
)

// tagsOf has a word for each folder that a path lies in, the photo folder included, and words for the month and the day
// taken, so that a search in one folder or of one month is a search for its word.
func tagsOf(path, taken string) string {
	tags := folderTokens(path)
	if day, _, err := tracker.ParseTaken(taken); err == nil {
		tags += " " + monthTag + day.Format("200601") + " " + dayTag + day.Format("20060102")
	}
	return tags
}

const (
	monthTag = "m"
	dayTag   = "d"
)

// Days is a range of days by the cameras' clocks, both included. The zero value is all photos, also those without a date.
type Days struct {
	First, Last time.Time // in UTC, at 0:00
}

// ErrDays says that a text is no range of days.
var ErrDays = errors.New("not a date as 2024, 2024-05 or 2024-05-31, nor two with .. between them")

// ParseDays reads a year, a month or a day, as 2024, 2024-05 and 2024-05-31, or a range of two, either of which may be
// missing: 2023..2024-05, 2020.., ..2019.
func ParseDays(text string) (d Days, err error) {
	first, last, isRange := strings.Cut(text, "..")
	if !isRange {
		d.First, d.Last, err = parseDay(text)
		return d, err
	}
	if first == "" && last == "" {
		return d, ErrDays
	}
	d = Days{firstDay, lastDay}
	if first != "" {
		if d.First, _, err = parseDay(first); err != nil {
			return d, err
		}
	}
	if last != "" {
		if _, d.Last, err = parseDay(last); err != nil {
			return d, err
		}
	}
	if d.Last.Before(d.First) {
		return d, fmt.Errorf("a range that ends before it begins")
	}
	return d, nil
}

// The days that photos can be taken at, as package photo believes them.
var (
	firstDay = time.Date(1826, 1, 1, 0, 0, 0, 0, time.UTC)
	lastDay  = time.Date(2199, 12, 31, 0, 0, 0, 0, time.UTC)
)

func parseDay(text string) (first, last time.Time, err error) {
	for _, l := range []struct {
		layout              string
		years, months, days int
	}{{"2006", 1, 0, 0}, {"2006-01", 0, 1, 0}, {time.DateOnly, 0, 0, 1}} {
		if t, err := time.Parse(l.layout, text); err == nil {
			if t.Before(firstDay) || t.After(lastDay) {
				return first, last, fmt.Errorf("no year in which photos were taken")
			}
			return t, t.AddDate(l.years, l.months, l.days-1), nil
		}
	}
	return first, last, ErrDays
}

// expression is the range in FTS5's language: whole months, and the days of those that are not whole.
func (d Days) expression() string {
	var tags []string
	for month := d.First.AddDate(0, 0, 1-d.First.Day()); !month.After(d.Last); month = month.AddDate(0, 1, 0) {
		end := month.AddDate(0, 1, -1)
		if !month.Before(d.First) && !end.After(d.Last) {
			tags = append(tags, monthTag+month.Format("200601"))
			continue
		}
		for day := month; !day.After(end); day = day.AddDate(0, 0, 1) {
			if !day.Before(d.First) && !day.After(d.Last) {
				tags = append(tags, dayTag+day.Format("20060102"))
			}
		}
	}
	return "tags : (" + strings.Join(tags, " OR ") + ")"
}
