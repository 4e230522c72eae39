//go:build !linux

package machine

import "github.com/shirou/gopsutil/v3/process"

// CountsMapped is whether ProcessMemory counts mapped files, such as a model's weights.
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

// OwnMemory is unknown here: the resident size would count the mapped weights.
func OwnMemory() uint64 { return 0 }

// Hottest knows no sensors here.
func Hottest() (celsius float64, ok bool) { return 0, false }
