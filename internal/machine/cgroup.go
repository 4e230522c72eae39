package machine

import (
	"bufio"
	"io/fs"
	"math"
	"os"
	"path"
	"strconv"
	"strings"
)

// cgroup finds what the control groups of Linux say about memory. It reads
// through an fs.FS rooted at /, so that tests can lay out any machine.
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

func ownCgroup() cgroup { return newCgroup(os.DirFS("/")) }

// newCgroup never fails: without control groups there is simply no limit.
func newCgroup(root fs.FS) cgroup {
	g := cgroup{root: root}
	b, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return g
	}
	v2, v1 := parseCgroups(string(b))
	if v2 != "" {
		for _, m := range cgroup2Mounts {
			g.dirs = append(g.dirs, upwards(m, v2)...)
		}
	}
	if v1 != "" {
		for _, m := range cgroup1Mounts {
			g.dirs = append(g.dirs, upwards(m, v1)...)
		}
	}
	return g
}

// parseCgroups reads /proc/self/cgroup: the process's path in the unified
// hierarchy and in version 1's memory hierarchy, "" where it has none.
func parseCgroups(s string) (v2, v1 string) {
	sc := bufio.NewScanner(strings.NewReader(s))
	for sc.Scan() {
		id, rest, _ := strings.Cut(sc.Text(), ":")
		controllers, where, ok := strings.Cut(rest, ":")
		if !ok || !strings.HasPrefix(where, "/") {
			continue
		}
		if id == "0" && controllers == "" {
			v2 = path.Clean(where)
			continue
		}
		for c := range strings.SplitSeq(controllers, ",") {
			if c == "memory" {
				v1 = path.Clean(where)
			}
		}
	}
	return v2, v1
}

// upwards lists the folders from where up to the mount. A container often sees
// its own group mounted as the root while its path still names the host's; the
// folders that do not exist are then skipped by whoever reads.
func upwards(mount, where string) []string {
	var dirs []string
	for where = path.Clean("/" + where); ; where = path.Dir(where) {
		dirs = append(dirs, path.Join(mount, where))
		if where == "/" {
			return dirs
		}
	}
}

// limit is the tightest limit on the way up, 0 when there is none.
func (g cgroup) limit() uint64 {
	limit, _ := g.tightest()
	return limit
}

// tightest is the tightest limit and the folder that sets it.
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

// usage is what the tightest group uses, less the file pages that it would
// give up before anything is killed.
func (g cgroup) usage() uint64 {
	_, dir := g.tightest()
	if dir == "" {
		return 0
	}
	used, ok := g.number(dir, "memory.current")
	if !ok {
		used, _ = g.number(dir, "memory.usage_in_bytes")
	}
	// What it gives up when it must, as MemAvailable counts for the machine: a
	// group whose limit is full of mapped weights and of names read is not short.
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

// oomKills counts the processes that the OOM killer has taken, in this
// process's groups and on the whole machine. Only its growth means anything.
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
	return n, err == nil // "max" is no number, and no limit
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
