package ui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"photodesc/tracker"
)

// eighths are columns of one cell, by height.
var eighths = strings.Split(" ▁▂▃▄▅▆▇█", "")

// youngRun is how many minutes a run must have been up for a plot of minutes.
const youngRun = 10

// drawPlot draws photos a minute as columns, the newest at the right, with axes
// and a heading: height+2 lines. The plot of a young run is of ten seconds each.
func drawPlot(s tracker.Snapshot, width, height int) []string {
	values, unit, each := s.PerMinute, "a minute", time.Minute
	if len(s.PerMinute) <= youngRun && len(s.PerTen) > 0 {
		values, unit, each = s.PerTen, "in ten seconds", 10*time.Second
	}
	// The running count is not comparable yet, unless it is all there is.
	if len(values) > 1 {
		values = values[:len(values)-1]
	}
	most := max(slices.Max(values), 1)
	label := len(fmt.Sprint(most))
	room := max(width-label-2, 1)
	wide := min(max(room/60, 1), 3) // cells of a column
	values = values[max(0, len(values)-room/wide):]
	span := min(room/wide, max(len(values), 60)) * wide

	heading, of := "Photos "+unit, ", the last "+Spell(time.Duration(len(values))*each)+" of work"
	lines := []string{StyleBold.Render(heading)}
	if Cells(heading+of) <= width {
		lines[0] += StyleFaint.Render(of)
	}
	for row := height - 1; row >= 0; row-- {
		name, axis := "", "│"
		if row == height-1 {
			name, axis = fmt.Sprint(most), "┤"
		}
		var cols strings.Builder
		cols.WriteString(strings.Repeat(" ", span-len(values)*wide))
		for _, v := range values {
			// At least a sliver for a minute in which anything was done.
			full := (v*height*8 + most - 1) / most
			cols.WriteString(strings.Repeat(eighths[min(max(full-8*row, 0), 8)], wide))
		}
		lines = append(lines, StyleFaint.Render(padLeft(name, label)+" "+axis)+styleBar.Render(cols.String()))
	}
	return append(lines, StyleFaint.Render(padLeft("0", label)+" └"+strings.Repeat("─", span)))
}
