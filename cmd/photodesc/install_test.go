package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestInstallWithoutGo: after make build, sudo make install needs neither Go, which sudo's PATH seldom has, nor make man.
func TestInstallWithoutGo(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	program, err := exec.LookPath("photodesc")
	if err != nil {
		t.Fatal(err)
	}
	dir, prefix := t.TempDir(), filepath.Join(t.TempDir(), "a prefix")
	for _, name := range []string{"Makefile", "LICENSE", "NOTICES.md", "go.mod"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(readDoc(t, name)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	makeTarget := func(target string) (string, error) {
		c := exec.Command("make", target, "PREFIX="+prefix)
		c.Dir = dir
		c.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + dir}
		out, err := c.CombinedOutput()
		return string(out), err
	}
	if _, err := os.Stat("/usr/bin/go"); err != nil {
		if out, err := makeTarget("install"); err == nil || !strings.Contains(out, "Without sudo") || !strings.Contains(out, "    make build\n") {
			t.Errorf("before anything is built: %v\n%s", err, out)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(program, filepath.Join(dir, "bin", "photodesc")); err != nil {
		t.Fatal(err)
	}
	out, err := makeTarget("install")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	page, err := os.ReadFile(filepath.Join(prefix, "share/man/man1/photodesc-run.1"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range string(page) {
		if r == '…' { // groff warns of it where the locale is C
			t.Error("a man page has an ellipsis of one character")
			break
		}
	}
	if out, err := exec.Command(filepath.Join(prefix, "bin/photodesc"), "--version").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := makeTarget("uninstall"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	err = filepath.WalkDir(prefix, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			t.Errorf("make uninstall leaves %s", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
