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

// leastMemory is below every budget that anybody can mean. Who says 60 means 60%.
const leastMemory = 1 << 20

// ParseMemory reads a budget as people write it, "60%", "6GiB" or "600 MiB", as
// bytes; a share is taken of machine. An empty string is no budget, 0.
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
	if n < leastMemory {
		return 0, fmt.Errorf("memory %q: that is %s, too little for anything; want a share as in 60%% or a size as in 6GiB", s, humanize.IBytes(n))
	}
	return n, nil
}

// MachineMemory is the memory that this process may hope for: the machine's,
// or its control group's when that is less. where says which.
func MachineMemory() (bytes uint64, where string, err error) {
	v, err := mem.VirtualMemory()
	if err != nil {
		return 0, "", fmt.Errorf("memory of this machine: %w", err)
	}
	if limit := ownCgroup().limit(); limit > 0 && limit < v.Total {
		return limit, "the control group", nil
	}
	return v.Total, "the machine", nil
}

// SystemMemory is one look at the memory that all programs share.
type SystemMemory struct {
	Total       uint64
	Available   uint64  // what a new program could get without swapping
	UsedPercent float64 // of the machine or the control group, whichever is tighter
}

// ReadSystemMemory measures by what is available, not by what is free: the page
// cache, which holds the mapped weights among others, is given up when asked for.
func ReadSystemMemory() (SystemMemory, error) {
	v, err := mem.VirtualMemory()
	if err != nil {
		return SystemMemory{}, err
	}
	if v.Total == 0 {
		return SystemMemory{}, errors.New("no memory counted")
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
