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

// cgroup reads memory limits and usage from the control groups of Linux. It uses an
// fs.FS rooted at /, so that tests can provide one.
type cgroup struct {
	root fs.FS
	dirs []string // the groups of this process, innermost first, of v2 and v1
}

// The mount points of the hierarchies on common distributions.
var (
	cgroup2Mounts = []string{"sys/fs/cgroup", "sys/fs/cgroup/unified"}
	cgroup1Mounts = []string{"sys/fs/cgroup/memory"}
)

// noLimit: version 1 gives the largest page-aligned number if there is no limit.
const noLimit = uint64(math.MaxInt64) &^ 0xffff

// ownCgroup returns the groups of this process. Without control groups there is no limit.
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

// parents returns the folders of a group and its parents up to the mount point. In
// a container, the container's group is often mounted as the root, but its path is
// that of the host. Folders that do not exist are skipped when they are read.
func parents(mount, group string) []string {
	var dirs []string
	for group = path.Clean("/" + group); ; group = path.Dir(group) {
		dirs = append(dirs, path.Join(mount, group))
		if group == "/" {
			return dirs
		}
	}
}

// limit returns the lowest limit of the group and its parents in bytes, 0 if there is none.
func (g cgroup) limit() uint64 {
	limit, _ := g.tightest()
	return limit
}

// tightest returns the lowest limit in bytes and the folder of the group that sets it.
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

// usage returns the memory in bytes that the group with the lowest limit uses,
// without the file pages that the kernel reclaims before it kills a process.
func (g cgroup) usage() uint64 {
	_, dir := g.tightest()
	if dir == "" {
		return 0
	}
	used, ok := g.number(dir, "memory.current")
	if !ok {
		used, _ = g.number(dir, "memory.usage_in_bytes")
	}
	// Mapped weights and cached file names can be reclaimed, as in MemAvailable.
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

// oomKills returns the number of processes that the OOM killer has killed in this
// process's groups and on the whole machine. A process may be counted twice.
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

// parseKeyed parses the "name number" lines of memory.stat, memory.events and
// vmstat. It ignores other lines.
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
