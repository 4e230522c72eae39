package machine

import "github.com/shirou/gopsutil/v3/cpu"

// CPUPercent returns the load of all processors since the last call or, the first
// time, since the program began: 0 to 100, or -1 if it is unknown.
func CPUPercent() float64 {
	percent, err := cpu.Percent(0, false)
	if err != nil || len(percent) != 1 {
		return -1
	}
	return percent[0]
}

// CPUModel returns the name of the first processor, "" if it is unknown.
func CPUModel() string {
	info, err := cpu.Info()
	if err != nil || len(info) == 0 {
		return ""
	}
	return info[0].ModelName
}
