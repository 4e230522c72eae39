//go:build !linux

package pool

import (
	"errors"
	"os/exec"
	"strconv"
	"strings"
)

// countsMapped: see Config.Mapped.
const countsMapped = true

// processMemory is the resident size as ps tells it: systems other than Linux
// have no portable count of a process's own memory. Mapped files are in it.
func processMemory(pid int) (uint64, error) {
	out, err := exec.Command("ps", "-o", "rss=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(out)), 10, 54)
	if err != nil {
		return 0, errors.New("ps said no number")
	}
	return n << 10, nil
}

// selfMemory is unknown: asking ps is too dear for every answer, and the
// supervisor's samples have to do.
func selfMemory() uint64 { return 0 }

// newCPUMeter knows nothing here.
func newCPUMeter() func() float64 { return func() float64 { return -1 } }

// hottest knows nothing here; Samplers.Heat takes a better answer.
func hottest() (float64, bool) { return 0, false }
