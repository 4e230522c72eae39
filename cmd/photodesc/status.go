package main

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"photodesc/tracker"
)

func statusCommand(g *global) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "status",
		Short: "How far, how fast, until when, and is it alive",
		Args:  exactly(0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := tracker.Peek(g.dir)
			if err != nil {
				return err
			}
			if asJSON {
				enc := json.NewEncoder(c.OutOrStdout())
				enc.SetEscapeHTML(false)
				return enc.Encode(s)
			}
			writeStatus(c.OutOrStdout(), s, time.Now())
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "for programs: one JSON object")
	return c
}

func writeStatus(w io.Writer, s tracker.Snapshot, now time.Time) {
	if !s.HasRun {
		fmt.Fprintf(w, "No run has worked in this folder yet. Begin one:\n    photodesc%s run DIR\n", dirFlag(s.Dir))
		return
	}
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%-12s %s\n", name+":", fmt.Sprintf(format, args...))
	}
	percent := 0.0
	if s.Total > 0 {
		percent = 100 * float64(s.Completed) / float64(s.Total)
	}
	if s.TotalKnown {
		line("Completed", "%s / %s (%.1f%%)", comma(s.Completed), comma(s.Total), percent)
	} else {
		line("Completed", "%s", comma(s.Completed))
	}
	line("Failed", "%s", comma(s.Failed))
	if s.TotalKnown {
		line("Remaining", "%s", comma(s.Remaining))
		line("Progress", "%s", bar(percent, 40))
	}
	line("Running", "%s", runningText(s))
	if s.RateOverall > 0 {
		line("Rate", "~%s photos/hour (last hour), ~%s over the run", comma(int(s.RateLastHour)), comma(int(s.RateOverall)))
	}
	if s.Running && s.LeftSeconds > 0 {
		left := time.Duration(s.LeftSeconds * float64(time.Second))
		line("Time left", "%s, until %s", spell(left), now.Add(left).Format(untilLayout(left)))
	}
	if !s.LastUpdate.IsZero() {
		line("Last update", "%s", humanize.RelTime(s.LastUpdate, now, "ago", "from now"))
	}
	if last := s.LastPhoto(); last != nil {
		line("Last photo", "%s: %s", last.Path, lastText(*last))
	}
	if s.Log != "" {
		line("Log", "%s", filepath.Join(s.Dir, s.Log))
	}
}

func runningText(s tracker.Snapshot) string {
	switch {
	case s.Running:
		text := fmt.Sprintf("yes, pid %d", s.PID)
		if s.Batch > 0 {
			text += fmt.Sprintf(", batch %s", comma(s.Batch))
		}
		if s.Model != "" {
			text += ", model " + s.Model
		}
		if s.Stalled {
			return text + ", but STALLED: no sign of progress for longer than a photo may take"
		}
		if s.Waiting {
			return text + ", waiting: " + s.Phase
		}
		if s.Phase != "" {
			return text + ", " + s.Phase
		}
		return text
	case s.Died:
		return "no, it ended without a word (killed, or the machine went down); `photodesc run` goes on"
	case s.Stop != nil && s.Stop.Reason == tracker.Stopped:
		return "no, stopped on request; `photodesc run` goes on"
	case s.Stop != nil && s.Stop.Reason == tracker.Broke:
		first, _, _ := strings.Cut(s.Stop.Text, "\n")
		return "no, it could not go on: " + first
	case s.Remaining > 0:
		return "no; `photodesc run` goes on"
	}
	return "no, finished"
}

func lastText(r tracker.Recent) string {
	if r.Status == tracker.Failed {
		return fmt.Sprintf("failed (%s), %s", r.Kind, r.Text)
	}
	return fmt.Sprintf("%q", r.Text)
}

func bar(percent float64, width int) string {
	full := min(int(percent/100*float64(width)), width)
	return "[" + strings.Repeat("█", full) + strings.Repeat("░", width-full) + "]"
}

// spell gives a duration in its two largest units.
func spell(d time.Duration) string {
	units := []struct {
		name string
		size time.Duration
	}{{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second}}
	var parts []string
	for _, u := range units {
		if n := int(d / u.size); n > 0 || len(parts) == 1 {
			d -= time.Duration(n) * u.size
			if n > 0 {
				parts = append(parts, plural(n, u.name))
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

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return comma(n) + " " + noun + "s"
}

func untilLayout(left time.Duration) string {
	switch {
	case left < 20*time.Hour:
		return "15:04"
	case left < 6*24*time.Hour:
		return "Monday 15:04"
	}
	return "Monday 2 January"
}

// dirFlag is the -C that a person must repeat, or nothing.
func dirFlag(dir string) string {
	if dir == "." || dir == "" {
		return ""
	}
	return " -C " + dir
}
