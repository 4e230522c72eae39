//go:build !llama_system

package llm

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"photodesc/internal/models/gguf/gguftest"
)

// TestFreedMemory runs what opens and closes engines in a process whose C
// library overwrites all memory that is freed. ggml's scheduler once read its
// backends after they were gone, which goes well by luck.
func TestFreedMemory(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run", "^(TestOpenAndClose|TestNoContext|TestNoEncoder)$", "-test.v")
	// What a thread keeps of its own freed memory, glibc does not overwrite.
	cmd.Env = append(os.Environ(), "MALLOC_PERTURB_=77", "GLIBC_TUNABLES=glibc.malloc.tcache_count=0", "PHOTODESC_TEST_MODELS="+tiny)
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Count(string(out), "--- PASS: ") != 3 {
		t.Fatalf("%v\n%s", err, out)
	}
}

func TestOpenAndClose(t *testing.T) {
	for _, name := range []string{"tiny", gguftest.Others[0]} {
		e := openOther(t, name, nil)
		if _, err := e.Describe(t.Context(), scene(1, 40, 30)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		e.Close()
	}
}

// A context that does not fit into memory is given up when half of it is there.
func TestNoContext(t *testing.T) {
	if os.Getenv("PHOTODESC_TEST_MODELS") == "" {
		t.Skip("limits the memory of the process: TestFreedMemory runs it in one of its own")
	}
	m, err := loadText(filepath.Join(tiny, "tiny.gguf"), false)
	if err != nil {
		t.Fatal(err)
	}
	defer m.close()
	var log bytes.Buffer
	SetLog(func(_ Level, line string) { log.WriteString(line + "\n") })
	defer SetLog(nil)
	var usual syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_AS, &usual); err != nil {
		t.Fatal(err)
	}
	status, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var pages uint64
	for _, c := range status[:bytes.IndexByte(status, ' ')] {
		pages = 10*pages + uint64(c-'0')
	}
	limit := usual
	limit.Cur = pages*uint64(os.Getpagesize()) + 256<<20
	if err := syscall.Setrlimit(syscall.RLIMIT_AS, &limit); err != nil {
		t.Fatal(err)
	}
	// The KV cache fits, what a step of so many tokens needs does not.
	c, err := newContext(m, 2, 8192, 1, 16384)
	if e := syscall.Setrlimit(syscall.RLIMIT_AS, &usual); e != nil {
		t.Fatal(e)
	}
	if err == nil {
		c.close()
		t.Fatal("there was memory for the context")
	}
	if !strings.Contains(log.String(), "compute") {
		t.Errorf("it was given up for another reason:\n%s", log.String())
	}
}

// A vision file without one of its tensors is given up after the encoder has
// its scheduler.
func TestNoEncoder(t *testing.T) {
	for _, name := range []string{"tiny", gguftest.Others[0]} {
		b, err := os.ReadFile(filepath.Join(tiny, "mmproj-"+name+".gguf"))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "mmproj.gguf")
		if err := os.WriteFile(path, bytes.Replace(b, []byte("v.blk.0.ffn_down.weight"), []byte("v.blk.0.ffn_dawn.weight"), 1), 0o600); err != nil {
			t.Fatal(err)
		}
		opt := tinyOptions()
		opt.Model, opt.Vision = filepath.Join(tiny, name+".gguf"), path
		if e, err := Open(opt); err == nil {
			e.Close()
			t.Errorf("%s: an encoder without one of its tensors was opened", name)
		}
	}
}
