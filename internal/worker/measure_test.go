package worker

import (
	"errors"
	"slices"
	"testing"
)

func TestLastWords(t *testing.T) {
	const dead = "the model could not be loaded: exit status 2"
	for name, c := range map[string]struct{ stderr, want string }{
		"nothing":     {"", dead},
		"its own":     {"I loading\nphotodesc: it has no eyes\n", "it has no eyes"},
		"llama.cpp's": {"E bad magic\nE more\nphotodesc: it cannot be loaded\n", "it cannot be loaded\n  llama.cpp says: bad magic"},
		"segfault": {"I loading\nSIGSEGV: segmentation violation\nPC=0x1 m=0 sigcode=128\nsignal arrived during cgo execution\n\ngoroutine 1 [syscall]:\nframe\nframe\n",
			dead + "\n  its process said last: SIGSEGV: segmentation violation\n    PC=0x1 m=0 sigcode=128\n    signal arrived during cgo execution"},
		"assert": {"I loading\nggml.c:12: GGML_ASSERT(n > 0) failed\n", dead + "\n  its process said last: ggml.c:12: GGML_ASSERT(n > 0) failed"},
		"threads": {"runtime/cgo: pthread_create failed: Resource temporarily unavailable\nSIGABRT: abort\n",
			dead + "\n  its process said last: runtime/cgo: pthread_create failed: Resource temporarily unavailable\n    SIGABRT: abort" +
				"\n  it may have no more threads: raise the limit of processes (`ulimit -u`), or stop others of this user"},
	} {
		if got := LastWords(c.stderr, errors.New("exit status 2")); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
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
