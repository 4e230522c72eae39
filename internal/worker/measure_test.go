package worker

import (
	"errors"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestFailureText(t *testing.T) {
	const dead = "the model could not be loaded: exit status 2"
	for name, c := range map[string]struct{ stderr, want string }{
		"nothing":     {"", dead},
		"its own":     {"I loading\nphotodesc: it has no vision encoder\n", "it has no vision encoder"},
		"llama.cpp's": {"E bad magic\nE more\nphotodesc: it cannot be loaded\n", "it cannot be loaded\n  llama.cpp says: bad magic"},
		"a hint":      {"I a\n  b\nphotodesc: it is old\n  build it again\n  or not\nI c\n  d\n", "it is old\n  build it again\n  or not"},
		"segfault": {"I loading\nSIGSEGV: segmentation violation\nPC=0x1 m=0 sigcode=128\nsignal arrived during cgo execution\n\ngoroutine 1 [syscall]:\nframe\nframe\n",
			dead + "\n  its process said last: SIGSEGV: segmentation violation"},
		"assert": {"I loading\nggml.c:12: GGML_ASSERT(n > 0) failed\n", dead + "\n  its process said last: ggml.c:12: GGML_ASSERT(n > 0) failed"},
		"threads": {"runtime/cgo: pthread_create failed: Resource temporarily unavailable\nSIGABRT: abort\n",
			dead + "\n  its process said last: runtime/cgo: pthread_create failed: Resource temporarily unavailable\n    SIGABRT: abort" +
				"\n  it may have no more threads: raise the limit of processes (`ulimit -u`), or stop others of this user"},
	} {
		if got := FailureText(c.stderr, errors.New("exit status 2")); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if got := FailureText("", &os.PathError{Op: "fork/exec", Path: "x", Err: syscall.EAGAIN}); !strings.Contains(got, "ulimit -u") {
		t.Error(got)
	}
}

func TestEnvironment(t *testing.T) {
	given := []string{"HOME=/h", "VIPS_INFO=1", "G_MESSAGES_DEBUG=all", "IM_CONCURRENCY=9", "G_=", "GOGC=7", "GGML_X=1", "LANG=C"}
	got := Environment(given)
	if !slices.Equal(got[:4], []string{"HOME=/h", "GOGC=7", "GGML_X=1", "LANG=C"}) || len(got) < 5 {
		t.Errorf("%q", got)
	}
	if given[1] != "VIPS_INFO=1" {
		t.Error("what was given has changed")
	}
}

// TestSlotsInTime keeps photos that wait for all slots twice within 60 % of
// their time-out.
func TestSlotsInTime(t *testing.T) {
	for _, c := range []struct {
		photo, timeout time.Duration
		want           int
	}{
		{0, 5 * time.Minute, 8}, // not known
		{time.Hour, 0, 8},       // no time-out
		{4 * time.Second, 5 * time.Minute, 8},
		{21 * time.Second, 5 * time.Minute, 4}, // 2.2B, 5 tiles, a core of Zen 4
		{21 * time.Second, 10 * time.Minute, 8},
		{2 * time.Minute, 5 * time.Minute, 2},
	} {
		if got := SlotsInTime(c.photo, c.timeout); got != c.want {
			t.Errorf("%v of %v: %d slots, want %d", c.photo, c.timeout, got, c.want)
		}
	}
}

func TestGPUSlots(t *testing.T) {
	const gib, mib = 1 << 30, 1 << 20
	for name, c := range map[string]struct {
		free, model, slot uint64
		want              int
	}{
		"a large GPU":            {78 * gib, 3 * gib, 150 * mib, 32},
		"2.2B on 12 GiB":         {9 * gib, 3 * gib, 150 * mib, 12},
		"2.2B on 8 GiB":          {5 * gib, 3 * gib, 150 * mib, 8},
		"500M on 4 GiB":          {3 * gib, 900 * mib, 32 * mib, 21},
		"less than a model free": {1 * gib, 3 * gib, 150 * mib, 8},
		"nothing known":          {0, 0, 0, 8},
	} {
		if got := gpuSlots(c.free, c.model, c.slot); got != c.want {
			t.Errorf("%s: %d slots, want %d", name, got, c.want)
		}
	}
}
