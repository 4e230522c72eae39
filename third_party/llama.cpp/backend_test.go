//go:build !llama_system

package llamacpp

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// fakeBackend compiles gpu/fake into a library at path.
func fakeBackend(t *testing.T, path, stamp string, flags ...string) {
	t.Helper()
	const ggml = "upstream/ml/backend/ggml/ggml"
	args := []string{"-shared", "-fPIC", "-I" + ggml + "/include", "-I" + ggml + "/src", `-DSTAMP="` + stamp + `"`, "-o", path, "gpu/fake/backend.c"}
	if out, err := exec.Command("gcc", append(args, flags...)...).CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, out)
	}
}

func TestLoadBackend(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("libraries of backends are for Linux")
	}
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	fake := func(name, stamp string, flags ...string) string {
		path := filepath.Join(dir, name)
		fakeBackend(t, path, stamp, flags...)
		return path
	}
	dangling := filepath.Join(dir, "dangling.so")
	if err := os.Symlink("nowhere", dangling); err != nil {
		t.Fatal(err)
	}
	good := fake("good.so", Stamp())
	whole, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ path, want string }{
		{file("empty.so", ""), "it is not a shared library"},
		{file("text.so", "libggml"), "it is not a shared library"},
		{file("half.so", string(whole[:len(whole)/2])), "it is not a shared library"},
		{dir, "it is not a regular file"},
		{dangling, "no such file"},
		{fake("nostamp.so", "", "-DNO_STAMP"), "it was not built by photodesc's `make cuda` or `make vulkan`"},
		{fake("other.so", "llama.cpp 0123abcd, ollama v0.1.0"), `it was built for other sources ("llama.cpp 0123abcd, ollama v0.1.0") than this program ("` + Stamp() + `"); build it again`},
		{fake("long.so", strings.Repeat("x", 300)), "it is damaged"},
		{fake("noinit.so", Stamp(), "-DNO_INIT"), "it holds no backend of ggml's"},
		{fake("noscore.so", Stamp(), "-DNO_SCORE"), "it cannot work on this machine"},
		{fake("fails.so", Stamp(), "-DINIT_FAILS"), "it cannot start; is the GPU's driver installed?"},
		{fake("version.so", Stamp(), "-DOTHER_VERSION"), "its interface has version 1 and ggml's here 2"},
		{fake("nodevices.so", Stamp(), "-DNO_DEVICES"), "it finds no GPU"},
		{fake("missing.so", Stamp(), "-DMISSING"), "undefined symbol: ggml_of_another_age"},
	} {
		b, err := LoadBackend(test.path)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", test.path, err, test.want)
		}
		if b.Name != "" || b.Devices != 0 || b.Path != test.path {
			t.Errorf("%s: %+v", test.path, b)
		}
	}
	// Torn at any place, it is an error and does no harm.
	for i := range 20 {
		if _, err := LoadBackend(file("torn.so", string(whole[:len(whole)*i/20]))); err == nil {
			t.Errorf("%d twentieths of a library were loaded", i)
		}
	}
	if b, err := LoadBackend(good); err != nil || b.Name != "Fake" || b.Devices != 1 {
		t.Errorf("a good one: %+v, %v", b, err)
	}
}
