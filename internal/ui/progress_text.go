package ui

import (
	"fmt"
	"strings"

	"photodesc/internal/wording"
	"photodesc/tracker"
)

// FirstPhotos is shown while there is no rate yet.
const FirstPhotos = "first photos under way"

// onlyDuplicates is whether a run has had nothing but photos with the picture of a described one, which are in no rate.
func onlyDuplicates(p tracker.Progress) bool {
	return p.RunDuplicates > 0 && p.RunCompleted+p.RunFailed == 0
}

// firstPhotosText is [FirstPhotos] and for how long they are, or how many duplicates there were instead.
func firstPhotosText(p tracker.Progress) string {
	if onlyDuplicates(p) {
		return "all duplicates so far"
	}
	if d := seconds(p.RunSeconds); d >= shownFrom {
		return FirstPhotos + ", " + short(d)
	}
	return FirstPhotos
}

// doneText is how many of all photos are described.
func doneText(p tracker.Progress) string {
	if !p.TotalKnown {
		return Comma(p.Completed) + " described"
	}
	return fmt.Sprintf("%s / %s (%s)", Comma(p.Completed), Comma(p.Total), PercentText(p.Percent()))
}

// progressLine is the progress for the log.
func progressLine(p tracker.Progress) string {
	line := fmt.Sprintf("Progress: %s - %s remaining", doneText(p), Comma(p.Remaining))
	if p.RunDuplicates > 0 {
		line += ", " + wording.Count(p.RunDuplicates, "duplicate")
	}
	return line
}

// duplicatesText says of described photos how many have the words of another.
func duplicatesText(n int) string {
	return Comma(n) + " of these, with the words of a photo that has the same picture"
}

// progressDetails is what follows on a line that has room: failures, rate, time left.
func progressDetails(p tracker.Progress) string {
	var parts []string
	if p.Failed > 0 {
		parts = append(parts, Comma(p.Failed)+" failed")
	}
	if p.RunDuplicates > 0 {
		parts = append(parts, wording.Count(p.RunDuplicates, "duplicate"))
	}
	if rate := rateText(p); rate != "" && !onlyDuplicates(p) { // how many duplicates there are is said above
		parts = append(parts, rate)
	}
	if left := p.Left(); left > 0 {
		parts = append(parts, Spell(left)+" left")
	}
	return strings.Join(parts, ", ")
}

// rateText is the rate of a run that is up.
func rateText(p tracker.Progress) string {
	switch {
	case p.RateLastHour > 0:
		return "~" + RateText(p.RateLastHour) + " photos/hour"
	case p.InFlight > 0:
		return firstPhotosText(p)
	}
	return ""
}

// rates is the rate for pages that have a line for it.
func rates(s tracker.Snapshot) string {
	switch {
	case !s.Running && s.RateOverall > 0:
		return "~" + RateText(s.RateOverall) + " photos/hour"
	case !s.Running:
		return ""
	case s.RateLastHour > 0 && s.RunSeconds >= 3600:
		return fmt.Sprintf("~%s photos/hour (last hour), ~%s over the run", RateText(s.RateLastHour), RateText(s.RateRun))
	}
	return rateText(s.Progress)
}
