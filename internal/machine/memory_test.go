package machine

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/prometheus/procfs"
)

func TestParseMemory(t *testing.T) {
	const machine = 10 << 30
	for _, test := range []struct {
		s    string
		want uint64
		bad  bool
	}{
		{"", 0, false},
		{"60%", 6 << 30, false},
		{" 100 % ", 10 << 30, false},
		{"0.5%", machine / 200, false},
		{"6GiB", 6 << 30, false},
		{"600 MiB", 600 << 20, false},
		{"1.5gib", 3 << 29, false},
		{"2GB", 2e9, false},
		{"500000000", 5e8, false},
		{"0", 0, true},
		{"60", 0, true},
		{"512KiB", 0, true},
		{"0%", 0, true},
		{"101%", 0, true},
		{"-5%", 0, true},
		{"NaN%", 0, true},
		{"lots", 0, true},
		{"6 elephants", 0, true},
		{"-6GiB", 0, true},
	} {
		n, err := ParseMemory(test.s, machine)
		if (err != nil) != test.bad || n != test.want {
			t.Errorf("%q: %d, %v", test.s, n, err)
		}
	}
}

func FuzzParseMemory(f *testing.F) {
	for _, s := range []string{"60%", "6GiB", "1e400GB", "9999999999999999999", "%", "１２%"} {
		f.Add(s, uint64(1<<34))
	}
	f.Fuzz(func(t *testing.T, s string, machine uint64) {
		n, err := ParseMemory(s, machine>>1)
		if err == nil && strings.HasSuffix(strings.TrimSpace(s), "%") && n > machine>>1+1024 {
			t.Errorf("%q of %d is %d", s, machine>>1, n)
		}
	})
}

func file(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }

func TestCgroup(t *testing.T) {
	for _, test := range []struct {
		name         string
		groups       []procfs.Cgroup
		fs           fstest.MapFS
		limit, usage uint64
		kills        uint64
	}{
		{"none", nil, fstest.MapFS{}, 0, 0, 0},
		{"v2, the parent is tighter", []procfs.Cgroup{{Path: "/user.slice/app.scope"}}, fstest.MapFS{
			"sys/fs/cgroup/user.slice/app.scope/memory.max": file("max\n"),
			"sys/fs/cgroup/user.slice/memory.max":           file("1000\n"),
			"sys/fs/cgroup/user.slice/memory.current":       file("900\n"),
			"sys/fs/cgroup/user.slice/memory.stat":          file("anon 5\ninactive_file 100\nactive_file 150\nslab_reclaimable 50\n"),
			"sys/fs/cgroup/user.slice/memory.events":        file("low 0\noom 3\noom_kill 2\n"),
			"proc/vmstat":                                   file("nr_free_pages 12\noom_kill 5\n"),
		}, 1000, 600, 7},
		{"v2 in a container", []procfs.Cgroup{{Path: "/"}}, fstest.MapFS{
			"sys/fs/cgroup/memory.max":     file("4096\n"),
			"sys/fs/cgroup/memory.current": file("100\n"),
		}, 4096, 100, 0},
		{"v1, the host's path in a container", []procfs.Cgroup{
			{HierarchyID: 9, Controllers: []string{"name=systemd"}, Path: "/"},
			{HierarchyID: 4, Controllers: []string{"cpu", "memory"}, Path: "/docker/abc"},
			{Path: "/"},
		}, fstest.MapFS{
			"sys/fs/cgroup/memory/memory.limit_in_bytes": file("5000\n"),
			"sys/fs/cgroup/memory/memory.usage_in_bytes": file("800\n"),
			"sys/fs/cgroup/memory/memory.stat":           file("inactive_file 1\ntotal_inactive_file 120\nactive_file 2\ntotal_active_file 80\n"),
			"sys/fs/cgroup/memory/memory.oom_control":    file("oom_kill_disable 0\nunder_oom 0\noom_kill 1\n"),
		}, 5000, 600, 1},
		{"v1 without a limit", []procfs.Cgroup{{HierarchyID: 4, Controllers: []string{"memory"}, Path: "/"}}, fstest.MapFS{
			"sys/fs/cgroup/memory/memory.limit_in_bytes": file("9223372036854771712\n"),
		}, 0, 0, 0},
	} {
		g := newCgroup(test.fs, test.groups)
		if g.limit() != test.limit || g.usage() != test.usage || g.oomKills() != test.kills {
			t.Errorf("%s: limit %d, usage %d, kills %d", test.name, g.limit(), g.usage(), g.oomKills())
		}
	}
}

func FuzzCgroup(f *testing.F) {
	f.Add("/a/../../b", "max", "inactive_file 3\n")
	f.Add("", "12", "\n \n a b c")
	f.Add("docker/abc:/x", "-1", "total_inactive_file 99999999999999999999")
	f.Fuzz(func(t *testing.T, path, limit, stat string) {
		g := newCgroup(fstest.MapFS{
			"sys/fs/cgroup/memory.max":     file(limit),
			"sys/fs/cgroup/memory.current": file(limit),
			"sys/fs/cgroup/memory.stat":    file(stat),
		}, []procfs.Cgroup{{Path: path}})
		if l := g.limit(); g.usage() > l {
			t.Errorf("usage %d of %d", g.usage(), l)
		}
		g.oomKills()
	})
}

// TestProcessMemory checks that the memory of a process grows by what it allocates.
func TestProcessMemory(t *testing.T) {
	cmd := exec.Command("sleep", "10")
	if err := cmd.Start(); err != nil {
		t.Skip(err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	if n, err := ProcessMemory(cmd.Process.Pid); err != nil || n == 0 || n > 64<<20 {
		t.Errorf("sleep has %d bytes: %v", n, err)
	}
	if _, err := ProcessMemory(1 << 30); err == nil {
		t.Error("a process that does not exist has memory")
	}
	before := OwnMemory()
	if before == 0 {
		t.Skip("not measured from inside here")
	}
	block := make([]byte, 64<<20)
	for i := range block {
		block[i] = 1
	}
	if grown := int64(OwnMemory()) - int64(before); grown < 32<<20 {
		t.Errorf("64 MiB more are %d bytes more", grown)
	}
	_ = block[0]
}

func TestOwnCgroup(t *testing.T) {
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil || !strings.Contains(string(text), ":memory:/") && !strings.HasPrefix(string(text), "0::/") {
		t.Skipf("no control group for memory: %q, %v", text, err)
	}
	if len(ownCgroup().dirs) == 0 {
		t.Errorf("no folder for %q", text)
	}
}
