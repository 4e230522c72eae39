package ui

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"photodesc/internal/wording"
	"photodesc/tracker"
)

// RunSummary is one run in numbers: the last words of its log and its last
// event.
type RunSummary struct {
	Described    int                  `json:"described"`            // by this run
	Duplicates   int                  `json:"duplicates,omitempty"` // given the words of another photo by this run; not in Described
	Failed       int                  `json:"failed"`
	Errors       map[tracker.Kind]int `json:"errors,omitempty"`
	SuccessRate  float64              `json:"success_rate"` // from 0 to 1
	AllDescribed int                  `json:"all_described"`
	AllFailed    int                  `json:"all_failed"`
	Total        int                  `json:"total"`
	WallSeconds  float64              `json:"wall_seconds"`
	PhotoSeconds float64              `json:"seconds_per_photo"` // of describing, for all at once
	Latency      tracker.Gauge        `json:"photo_seconds"`     // of a described photo, others beside it
	PhotosHour   float64              `json:"photos_per_hour"`
	Tokens       int                  `json:"tokens"`
	Batches      int                  `json:"batches"`
	Workers      int                  `json:"workers"`
	Restarts     map[string]int       `json:"restarts,omitempty"`
	PeakWorkers  uint64               `json:"peak_worker_bytes"`
	Paused       float64              `json:"paused_seconds"`
	Nodes        []NodeSummary        `json:"nodes,omitempty"` // machines that took part, this one included
	Output       string               `json:"output,omitempty"`
	Log          string               `json:"log,omitempty"`
}

// Text is the summary as a block of lines.
func (s RunSummary) Text() string {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "\n%-*s%s", labelWidth+2, name+":", fmt.Sprintf(format, args...))
	}
	b.WriteString("Summary of this run")
	all := ""
	if s.AllDescribed != s.Described || s.Total != s.Described {
		all = fmt.Sprintf(" (in all %s of %s)", Comma(s.AllDescribed), Comma(max(s.Total, s.AllDescribed)))
	}
	line("Described", "%s%s", Comma(s.Described), all)
	if s.Duplicates > 0 {
		line("Duplicates", "%s more, with the words of a photo that has the same picture", Comma(s.Duplicates))
	}
	failed := Comma(s.Failed)
	if kinds := countsText(s.Errors); kinds != "" {
		failed += ": " + kinds
	}
	line("Failed", "%s", failed)
	if n := s.Described + s.Failed; n > 0 {
		line("Success rate", "%s", PercentText(100*s.SuccessRate))
	}
	if s.PhotosHour > 0 && s.Described > 0 {
		line("Average time", "%s seconds a photo, ~%s photos/hour", secondsText(s.PhotoSeconds), RateText(s.PhotosHour))
	}
	took := Spell(seconds(s.WallSeconds))
	if paused := seconds(s.Paused); paused >= time.Second {
		if Spell(paused) == Spell(seconds(s.WallSeconds)) {
			took += ", nearly all of it waiting"
		} else {
			took += ", of which " + Spell(paused) + " waiting"
		}
	}
	line("Took", "%s", took)
	if s.Workers > 0 {
		work := wording.Count(s.Batches, "batch") + ", " + wording.Count(s.Workers, "worker")
		if restarts := countsText(s.Restarts); restarts != "" {
			work += "; replaced before their time: " + restarts
		}
		line("Work", "%s", work)
		line("Memory", "workers took up to %s together", bytesText(float64(s.PeakWorkers)))
	}
	name := "Nodes"
	for i, n := range s.Nodes {
		if i == maxNodeLines-1 && len(s.Nodes) > maxNodeLines {
			fmt.Fprintf(&b, "\n%-*sand %s more", labelWidth+2, "", Comma(len(s.Nodes)-i))
			break
		}
		if name != "" {
			line(name, "%s", n.text())
		} else {
			fmt.Fprintf(&b, "\n%-*s%s", labelWidth+2, "", n.text())
		}
		name = ""
	}
	if s.Output != "" {
		line("Results", "%s", filepath.Clean(s.Output))
	}
	return b.String()
}

// countsText is "2 unreadable, 1 timeout", the most frequent first.
func countsText[K ~string](counts map[K]int) string {
	keys := slices.SortedFunc(maps.Keys(counts), func(a, b K) int {
		if counts[a] != counts[b] {
			return counts[b] - counts[a]
		}
		return strings.Compare(string(a), string(b))
	})
	var parts []string
	for _, k := range keys {
		if counts[k] > 0 {
			parts = append(parts, Comma(counts[k])+" "+reasonText(string(k)))
		}
	}
	return strings.Join(parts, ", ")
}
