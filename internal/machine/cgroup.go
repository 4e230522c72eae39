package machine

import (
	"io/fs"
	"math"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/procfs"
)

// cgroup reads memory limits and usage from the control groups of Linux, through
// an fs.FS rooted at /, so that tests can lay out any machine.
type cgroup struct {
	root fs.FS
	dirs []string // of this process, innermost first; v2 and v1 alike
}

// Where distributions mount the hierarchies.
var (
	cgroup2Mounts = []string{"sys/fs/cgroup", "sys/fs/cgroup/unified"}
	cgroup1Mounts = []string{"sys/fs/cgroup/memory"}
)

// noLimit: version 1 says "none" as the largest page-aligned number.
const noLimit = uint64(math.MaxInt64) &^ 0xffff

// ownCgroup never fails: without control groups there is no limit.
func ownCgroup() cgroup {
	var groups []procfs.Cgroup
	if self, err := procfs.Self(); err == nil {
		groups, _ = self.Cgroups()
	}
	return newCgroup(os.DirFS("/"), groups)
}

// newCgroup finds the folders of the groups that a process is in: the unified
// hierarchy's and version 1's memory hierarchy's.
func newCgroup(root fs.FS, groups []procfs.Cgroup) cgroup {
	g := cgroup{root: root}
	for _, group := range groups {
		var mounts []string
		switch {
		case group.HierarchyID == 0 && len(group.Controllers) == 0:
			mounts = cgroup2Mounts
		case slices.Contains(group.Controllers, "memory"):
			mounts = cgroup1Mounts
		}
		for _, mount := range mounts {
			g.dirs = append(g.dirs, parents(mount, group.Path)...)
		}
	}
	return g
}

// parents lists the folders from where up to the mount. In a container its own
// group is often mounted as the root while its path is still the host's. Folders
// that do not exist are skipped when they are read.
func parents(mount, where string) []string {
	var dirs []string
	for where = path.Clean("/" + where); ; where = path.Dir(where) {
		dirs = append(dirs, path.Join(mount, where))
		if where == "/" {
			return dirs
		}
	}
}

// limit is the lowest limit of the group and its parents in bytes, 0 if there is none.
func (g cgroup) limit() uint64 {
	limit, _ := g.tightest()
	return limit
}

// tightest is the lowest limit in bytes and the folder of the group that sets it.
func (g cgroup) tightest() (limit uint64, dir string) {
	for _, d := range g.dirs {
		for _, name := range []string{"memory.max", "memory.limit_in_bytes"} {
			n, ok := g.number(d, name)
			if ok && n < noLimit && (limit == 0 || n < limit) {
				limit, dir = n, d
			}
		}
	}
	return limit, dir
}

// usage is the memory in bytes that the group with the lowest limit uses, less the
// file pages that the kernel would reclaim before it kills a process.
func (g cgroup) usage() uint64 {
	_, dir := g.tightest()
	if dir == "" {
		return 0
	}
	used, ok := g.number(dir, "memory.current")
	if !ok {
		used, _ = g.number(dir, "memory.usage_in_bytes")
	}
	// As MemAvailable does for the machine: a group that is filled by mapped weights
	// and cached file names is not short of memory.
	stat := g.keyed(dir, "memory.stat")
	var cache uint64
	for _, name := range []string{"inactive_file", "active_file", "slab_reclaimable"} {
		n, ok := stat["total_"+name]
		if !ok {
			n = stat[name]
		}
		cache += min(n, used)
	}
	return used - min(used, cache)
}

// oomKills counts the processes that the OOM killer has ended, in this process's
// groups and on the whole machine. A process may be counted more than once.
func (g cgroup) oomKills() uint64 {
	n := g.keyed("proc", "vmstat")["oom_kill"]
	for _, d := range g.dirs {
		n += g.keyed(d, "memory.events")["oom_kill"]
		n += g.keyed(d, "memory.oom_control")["oom_kill"]
	}
	return n
}

func (g cgroup) number(dir, name string) (uint64, bool) {
	b, err := fs.ReadFile(g.root, path.Join(dir, name))
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64)
	return n, err == nil // no limit is written as "max"
}

func (g cgroup) keyed(dir, name string) map[string]uint64 {
	b, err := fs.ReadFile(g.root, path.Join(dir, name))
	if err != nil {
		return nil
	}
	return parseKeyed(string(b))
}

// parseKeyed reads the "name number" lines of memory.stat, memory.events and
// vmstat; other lines are skipped.
func parseKeyed(s string) map[string]uint64 {
	m := map[string]uint64{}
	for line := range strings.Lines(s) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok {
			continue
		}
		if n, err := strconv.ParseUint(strings.TrimSpace(value), 10, 64); err == nil {
			m[name] = n
		}
	}
	return m
}
