package machine

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/shirou/gopsutil/v3/host"
)

// CountsMapped is whether ProcessMemory counts mapped files, such as a model's weights.
const CountsMapped = false

// ProcessMemory returns the bytes that a process has for itself: anonymous and
// shared pages and swap, without mapped files. It reads /proc/PID/status, because
// smaps_rollup walks all page tables of the process with its lock held.
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

// parseStatus adds up the bytes that a process has for itself.
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
// is none. Sensors that are not connected show impossible temperatures and are left out.
func Hottest() (celsius float64, ok bool) {
	sensors, _ := host.SensorsTemperatures() // an error about one leaves the others
	for _, s := range sensors {
		if t := s.Temperature; t > 0 && t < 125 && t > celsius {
			celsius, ok = t, true
		}
	}
	return celsius, ok
}
