package machine

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/shirou/gopsutil/v3/host"
)

// CountsMapped: see pool.Config.Mapped.
const CountsMapped = false

// ProcessMemory reads /proc/PID/status. smaps_rollup has more to say but walks
// all page tables of a process with gigabytes mapped, with its lock held.
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

// OwnMemory is this process's own memory in bytes, as the supervisor counts a
// worker's: anonymous pages and swap, without mapped files. 0 is unknown.
func OwnMemory() uint64 {
	buf := make([]byte, 8<<10)
	n, err := ownStatus.ReadAt(buf, 0)
	if n == 0 && err != nil {
		return 0
	}
	sum, _ := parseStatus(string(buf[:n]))
	return sum
}

// parseStatus adds up what a process has for itself.
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
		return 0, fmt.Errorf("no memory counted: the process has ended")
	}
	return sum, nil
}

// NewCPUMeter measures the load between its calls, from /proc/stat.
func NewCPUMeter() func() float64 {
	busy0, all0 := cpuTimes()
	last := -1.0
	return func() float64 {
		busy, all := cpuTimes()
		if all > all0 {
			last = 100 * float64(busy-busy0) / float64(all-all0)
			busy0, all0 = busy, all
		}
		return last
	}
}

func cpuTimes() (busy, all uint64) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0
	}
	return parseCPUTimes(string(b))
}

// parseCPUTimes reads the first line: user nice system idle iowait irq softirq
// steal; what follows is counted in those already.
func parseCPUTimes(s string) (busy, all uint64) {
	line, _, _ := strings.Cut(s, "\n")
	fields := strings.Fields(line)
	if len(fields) < 5 || fields[0] != "cpu" {
		return 0, 0
	}
	for i, f := range fields[1:min(len(fields), 9)] {
		n, err := strconv.ParseUint(f, 10, 64)
		if err != nil {
			return 0, 0
		}
		all += n
		if i != 3 && i != 4 {
			busy += n
		}
	}
	return busy, all
}

// Hottest asks all sensors. Some boards list sensors that are not connected,
// which read as impossible temperatures.
func Hottest() (float64, bool) {
	sensors, _ := host.SensorsTemperatures() // an error about one leaves the others
	top, ok := 0.0, false
	for _, s := range sensors {
		if t := s.Temperature; t > 0 && t < 125 && t > top {
			top, ok = t, true
		}
	}
	return top, ok
}
