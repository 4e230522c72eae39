//go:build !linux

package machine

import "github.com/shirou/gopsutil/v3/process"

// CountsMapped reports whether ProcessMemory includes mapped files, such as weights.
const CountsMapped = true

// ProcessMemory returns the resident size of a process in bytes, mapped files
// included. Systems other than Linux have no portable count without them.
func ProcessMemory(pid int) (uint64, error) {
	p := process.Process{Pid: int32(pid)}
	info, err := p.MemoryInfo()
	if err != nil {
		return 0, err
	}
	return info.RSS, nil
}

// OwnMemory returns 0, unknown: the resident size would include the mapped weights.
func OwnMemory() uint64 { return 0 }

// Hottest returns false: no sensors are supported on this system.
func Hottest() (celsius float64, ok bool) { return 0, false }
