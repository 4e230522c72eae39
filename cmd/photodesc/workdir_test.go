package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"photodesc/internal/ui"
	"photodesc/tracker"
)

// TestWorkdirOf01 opens a workdir that version 0.1 wrote: three runs, two sets of
// prompts, a photo that failed and one with a line break in its name. Nothing is
// described again and nothing that is written changes.
func TestWorkdirOf01(t *testing.T) {
	dir := t.TempDir()
	work, photos := filepath.Join(dir, "work"), filepath.Join(dir, "photos")
	if err := os.CopyFS(work, os.DirFS("testdata/workdir-0.1")); err != nil {
		t.Fatal(err)
	}
	for name, example := range map[string]string{
		"red-star-cmyk.jpg":                "red-star-cmyk.jpg",
		"sub/green-triangle.tiff":          "green-triangle.tiff",
		"red circle and blue square 🎈.jpg": "red circle and blue square 🎈.jpg",
		"new\nline.heic":                   "orange-square.heic",
		"broken.jpg":                       "red-star-cmyk.jpg", // mended since
	} {
		b, err := os.ReadFile(filepath.Join("../../examples/photos", example))
		to := filepath.Join(photos, name)
		if err := errors.Join(err, os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, b, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	// The workdir belongs to the folder whose path it holds.
	state := filepath.Join(work, tracker.StateName)
	b, err := os.ReadFile(state)
	root, _ := json.Marshal(photos)
	b = bytes.ReplaceAll(b, []byte(`"/photos"`), root)
	if err := errors.Join(err, os.WriteFile(state, b, 0o644)); err != nil {
		t.Fatal(err)
	}
	before := filesIn(t, work)

	photodesc := func(want int, args ...string) string {
		t.Helper()
		cmd := exec.Command("photodesc", append([]string{"-C", work}, args...)...)
		out, err := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != want {
			t.Fatalf("%q: exit code %d, want %d (%v)\n%s", args, code, want, err, out)
		}
		return string(out)
	}
	said := func(text string, wants ...string) {
		t.Helper()
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%q is not said:\n%s", want, text)
			}
		}
	}
	said(photodesc(ui.ExitOK, "status"), "4 / 5 (80.0%)", "finished")
	said(photodesc(ui.ExitOK, "summary"), "4 / 5 (80.0%)", "1 unreadable", "in 3 runs")
	said(photodesc(ui.ExitOK, "summary", "--failed"), "broken.jpg: it is damaged or cut short")
	said(photodesc(ui.ExitOK, "run", "--model", "builtin", "--redo", "never", photos), "1 photo that failed before and changed since: tried again",
		"Found 5 photos: 4 described, 0 failed, 1 to do", "(in all 5 of 5)", "Done: all 5 photos are described")
	said(photodesc(ui.ExitOK, "run", "--model", "builtin", "--redo", "never", "--retry-failed", photos), "Found 5 photos: 5 described, 0 failed, 0 to do")

	after := filesIn(t, work)
	for name, old := range before {
		switch {
		case name == tracker.StateName || name == tracker.LockName:
		case name == tracker.ProgressName:
			if want := old + "broken.jpg\n"; after[name] != want {
				t.Errorf("%s is %q, want %q", name, after[name], want)
			}
		case after[name] != old:
			t.Errorf("%s has changed", name)
		}
	}
}

// filesIn are the contents of a folder's files by their path in it.
func filesIn(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		b, err := io.ReadAll(f)
		name, _ := filepath.Rel(dir, path)
		files[name] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
