package machine

import (
	"testing"
	"testing/fstest"

	"github.com/prometheus/procfs"
)

func TestCPUQuota(t *testing.T) {
	v2 := []procfs.Cgroup{{HierarchyID: 0, Path: "/a/b"}}
	v1 := []procfs.Cgroup{{HierarchyID: 4, Controllers: []string{"cpu", "cpuacct"}, Path: "/a"}, {HierarchyID: 0, Path: "/"}}
	for _, test := range []struct {
		name   string
		groups []procfs.Cgroup
		files  map[string]string
		want   float64
	}{
		{"none", v2, nil, 0},
		{"no limit", v2, map[string]string{"sys/fs/cgroup/a/b/cpu.max": "max 100000\n"}, 0},
		{"a container with 1.5", v2, map[string]string{"sys/fs/cgroup/cpu.max": "150000 100000\n"}, 1.5},
		{"the least on the way up", v2, map[string]string{"sys/fs/cgroup/a/b/cpu.max": "400000 100000", "sys/fs/cgroup/a/cpu.max": "50000 100000"}, 0.5},
		{"version 1", v1, map[string]string{"sys/fs/cgroup/cpu/a/cpu.cfs_quota_us": "25000", "sys/fs/cgroup/cpu/a/cpu.cfs_period_us": "10000"}, 2.5},
		{"version 1, no limit", v1, map[string]string{"sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us": "-1", "sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us": "100000"}, 0},
		{"nonsense", v2, map[string]string{"sys/fs/cgroup/cpu.max": "1 0", "sys/fs/cgroup/a/cpu.max": "x"}, 0},
	} {
		root := fstest.MapFS{}
		for name, text := range test.files {
			root[name] = &fstest.MapFile{Data: []byte(text)}
		}
		if got := cpuQuota(root, test.groups); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}
