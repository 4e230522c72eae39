//go:build !linux

package machine

import (
	"errors"
	"os/exec"
	"strconv"
	"strings"
)

// CountsMapped: see pool.Config.Mapped.
const CountsMapped = true

// ProcessMemory is the resident size as ps tells it: systems other than Linux
// have no portable count of a process's own memory. Mapped files are in it.
func ProcessMemory(pid int) (uint64, error) {
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

// OwnMemory is unknown: asking ps is too dear for every answer, and the
// supervisor's samples have to do.
func OwnMemory() uint64 { return 0 }

// NewCPUMeter knows nothing here.
func NewCPUMeter() func() float64 { return func() float64 { return -1 } }

// Hottest knows nothing here; Samplers.Heat takes a better answer.
func Hottest() (float64, bool) { return 0, false }
