package models

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBuiltin(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	f, err := Find("builtin", "")
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string][]byte{f.Text: builtinText, f.Vision: builtinVision} {
		got, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: not what the program carries (%v)", path, err)
		}
		// A damaged copy is written again.
		if err := os.WriteFile(path, want[:len(want)/2], 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Find("builtin", ""); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(f.Text); !bytes.Equal(got, builtinText) {
		t.Error("a damaged copy in the cache was not mended")
	}
	if n := len(builtinText) + len(builtinVision); n > 6_000_000 {
		t.Errorf("the built-in model is %d bytes; 6 MB is the limit", n)
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	text, vision := write("Photo-Q8.GGUF", "GGUF..."), write("mmproj.gguf", "GGUF...")
	junk, empty := write("junk.gguf", "<html>not found</html>"), write("empty.gguf", "")

	f, err := Find(text, vision)
	if err != nil || f.Name != "Photo-Q8" || f.Text != text || f.Vision != vision {
		t.Errorf("%+v, %v", f, err)
	}
	for _, c := range []struct{ model, mmproj, want string }{
		{"nosuch", "", `"nosuch" is not on this machine`},
		{"smolvlm", vision, "--model FILE.gguf --mmproj FILE"},
		{text, "", "--mmproj FILE"},
		{filepath.Join(dir, "none.gguf"), vision, "there is no model file"},
		{text, filepath.Join(dir, "none.gguf"), "there is no model file"},
		{junk, vision, "is no GGUF model file"},
		{text, empty, "is no GGUF model file"},
		{text, dir, "GGUF"},
	} {
		_, err := Find(c.model, c.mmproj)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q, %q: error %v, want %q in it", c.model, c.mmproj, err, c.want)
		}
	}
}
