package machine

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/shirou/gopsutil/v3/host"
)

// CountsMapped reports whether ProcessMemory includes mapped files, such as weights.
const CountsMapped = false

// ProcessMemory returns the memory of a process in bytes: anonymous and shared pages
// and swap, without mapped files. It reads /proc/PID/status, because smaps_rollup
// walks all page tables of the process while it holds their lock.
func ProcessMemory(pid int) (uint64, error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0, err
	}
	return parseStatus(string(b))
}

// ownStatus is kept open so that a worker that has given up the right to open
// files can still read it.
var ownStatus, _ = os.Open("/proc/self/status")

// OwnMemory returns ProcessMemory of this process, 0 if it is unknown.
func OwnMemory() uint64 {
	buf := make([]byte, 8<<10)
	n, err := ownStatus.ReadAt(buf, 0)
	if n == 0 && err != nil {
		return 0
	}
	sum, _ := parseStatus(string(buf[:n]))
	return sum
}

// parseStatus returns the memory of a process, given its /proc/PID/status.
func parseStatus(s string) (uint64, error) {
	var sum uint64
	found := false
	for line := range strings.Lines(s) {
		name, value, ok := strings.Cut(line, ":")
		if !ok || name != "RssAnon" && name != "RssShmem" && name != "VmSwap" {
			continue
		}
		value = strings.TrimSuffix(strings.TrimSpace(value), " kB")
		n, err := strconv.ParseUint(value, 10, 54)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		sum += n << 10
		found = true
	}
	if !found {
		return 0, errors.New("the process has ended")
	}
	return sum, nil
}

// Hottest returns the temperature of the hottest sensor in °C; ok is false if there
// is none. Impossible temperatures, as of sensors that are not connected, are ignored.
func Hottest() (celsius float64, ok bool) {
	sensors, _ := host.SensorsTemperatures() // an error may concern only one sensor
	for _, s := range sensors {
		if t := s.Temperature; t > 0 && t < 125 && t > celsius {
			celsius, ok = t, true
		}
	}
	return celsius, ok
}
