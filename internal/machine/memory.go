package machine

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/shirou/gopsutil/v3/mem"
)

// minMemory is the smallest valid budget in bytes. "60" is more likely to mean 60%.
const minMemory = 1 << 20

// ParseMemory parses a memory budget such as "60%", "6GiB" or "600 MiB" and returns
// it in bytes. A percentage is one of machine bytes. An empty string is 0, no budget.
func ParseMemory(s string, machine uint64) (uint64, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return 0, nil
	}
	if share, ok := strings.CutSuffix(s, "%"); ok {
		p, err := strconv.ParseFloat(strings.TrimSpace(share), 64)
		if err != nil || math.IsNaN(p) || p <= 0 || p > 100 {
			return 0, fmt.Errorf("memory %q: a share is more than 0%% and at most 100%%", s)
		}
		return uint64(float64(machine) * (p / 100)), nil
	}
	n, err := humanize.ParseBytes(s)
	if err != nil {
		return 0, fmt.Errorf("memory %q: want a share as in 60%% or a size as in 6GiB", s)
	}
	if n < minMemory {
		return 0, fmt.Errorf("memory %q: that is %s, too little for anything; want a share as in 60%% or a size as in 6GiB", s, humanize.IBytes(n))
	}
	return n, nil
}

// TotalMemory returns the memory that this process can use at most: that of the
// machine or, if less, the limit of its control group. where says which it is.
func TotalMemory() (bytes uint64, where string, err error) {
	v, err := mem.VirtualMemory()
	if err != nil {
		return 0, "", fmt.Errorf("memory of this machine: %w", err)
	}
	if limit := ownCgroup().limit(); limit > 0 && limit < v.Total {
		return limit, "the control group", nil
	}
	return v.Total, "the machine", nil
}

// SystemMemory is the state of the memory of the machine or the control group.
type SystemMemory struct {
	Total       uint64  // bytes
	Available   uint64  // bytes that a new program could get without swapping
	UsedPercent float64 // of the machine or the control group, whichever is tighter
}

// ReadSystemMemory returns the current state. Memory in the page cache, such as
// mapped weights, counts as available, because the kernel can reclaim it.
func ReadSystemMemory() (SystemMemory, error) {
	v, err := mem.VirtualMemory()
	if err != nil {
		return SystemMemory{}, err
	}
	if v.Total == 0 {
		return SystemMemory{}, errors.New("the system reports no memory")
	}
	s := SystemMemory{Total: v.Total, Available: v.Available}
	s.UsedPercent = 100 * (1 - float64(v.Available)/float64(v.Total))
	g := ownCgroup()
	if limit := g.limit(); limit > 0 && limit < v.Total {
		used := g.usage()
		s.UsedPercent = max(s.UsedPercent, 100*float64(used)/float64(limit))
		s.Total = limit
		s.Available = min(s.Available, limit-min(used, limit))
	}
	return s, nil
}
