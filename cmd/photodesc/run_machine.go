package main

import (
	"fmt"
	"runtime"

	"photodesc/internal/machine"
	"photodesc/internal/ui"
	"photodesc/internal/wording"
)

// machineText says in a line what the machine is like when a run begins.
func machineText() string {
	text := "Machine: " + coresText("CPU", runtime.NumCPU(), machine.CPUs())
	if model := machine.CPUModel(); model != "" {
		text += " (" + ui.OneLine(model) + ")"
	}
	if busy := machine.CPUPercent(); busy >= 0 {
		text += fmt.Sprintf(", %.0f%% busy", busy)
	}
	if m, err := machine.ReadSystemMemory(); err == nil {
		text += fmt.Sprintf("; memory %s of %s GB used (%.1f%%)", gigabytes(m.Total-m.Available), gigabytes(m.Total), m.UsedPercent)
	}
	return text
}

// coresText counts the cores, and says so if a control group's quota or GOMAXPROCS allows fewer.
func coresText(noun string, cores, allowed int) string {
	text := wording.Count(cores, noun)
	if allowed < cores {
		text += fmt.Sprintf(", of which %d may be used", allowed)
	}
	return text
}

// gigabytes is a size in GB of 2^30 bytes, as memory is sold.
func gigabytes(bytes uint64) string { return fmt.Sprintf("%.1f", float64(bytes)/(1<<30)) }
