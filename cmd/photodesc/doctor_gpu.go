package main

import (
	"strings"

	"github.com/dustin/go-humanize"

	"photodesc/llm"
)

// checkGPU tells which GPU is used, and why a library that is there is not.
func checkGPU() (string, error) {
	var lines []string
	unused := false
	for _, d := range llm.Devices() {
		if d.Kind == "GPU" {
			lines = append(lines, d.Name+" ("+d.Description+"), "+humanize.IBytes(d.Total))
		}
	}
	if len(lines) == 0 {
		lines = append(lines, "none; the CPU does the work")
		unused = true
	}
	for _, b := range llm.Backends() {
		lines = append(lines, b.String())
	}
	text := strings.Join(lines, "\n")
	if unused && len(lines) > 1 {
		return "", note{text}
	}
	return text, nil
}
