package machine

import (
	"io/fs"
	"math"
	"os"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/procfs"
)

// CPUs is how many processors this process may keep busy: the machine's, those
// that it is bound to, or the quota of its control group rounded up, whichever is
// least, and at least 1. Go's runtime looks at these for GOMAXPROCS, which a person
// may set, but counts no quota below 2.
func CPUs() int {
	n := runtime.GOMAXPROCS(0)
	if os.Getenv("GOMAXPROCS") != "" {
		return n
	}
	var groups []procfs.Cgroup
	if self, err := procfs.Self(); err == nil {
		groups, _ = self.Cgroups()
	}
	if quota := cpuQuota(os.DirFS("/"), groups); quota > 0 {
		n = min(n, max(1, int(math.Ceil(quota))))
	}
	return n
}

// cpuQuota is the least quota of the groups that a process is in and of those
// above them, in processors; 0 if there is none.
func cpuQuota(root fs.FS, groups []procfs.Cgroup) (least float64) {
	note := func(quota, period string) {
		q, err1 := strconv.ParseFloat(quota, 64)
		p, err2 := strconv.ParseFloat(period, 64)
		if err1 == nil && err2 == nil && q > 0 && p > 0 && (least == 0 || q/p < least) {
			least = q / p
		}
	}
	read := func(dir, name string) string {
		b, _ := fs.ReadFile(root, path.Join(dir, name)) // many folders have none
		return strings.TrimSpace(string(b))
	}
	for _, group := range groups {
		switch {
		case group.HierarchyID == 0 && len(group.Controllers) == 0:
			for _, mount := range cgroup2Mounts {
				for _, dir := range parents(mount, group.Path) {
					if quota, period, found := strings.Cut(read(dir, "cpu.max"), " "); found {
						note(quota, period)
					}
				}
			}
		case slices.Contains(group.Controllers, "cpu"):
			for _, mount := range []string{"sys/fs/cgroup/cpu", "sys/fs/cgroup/cpu,cpuacct"} {
				for _, dir := range parents(mount, group.Path) {
					note(read(dir, "cpu.cfs_quota_us"), read(dir, "cpu.cfs_period_us"))
				}
			}
		}
	}
	return least
}
