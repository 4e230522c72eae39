package tracker

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// treeSum is a digest of all files in a folder and when they were changed.
func treeSum(t *testing.T, dir string) string {
	t.Helper()
	h := sha256.New()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprintln(h, path, info.Size(), info.ModTime(), info.Mode())
		if !d.IsDir() {
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			h.Write(b)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// TestView looks at a workdir with torn ends and missing lines, in which a run
// works, and changes nothing.
func TestView(t *testing.T) {
	dir := t.TempDir()
	tr := open(t, dir, Options{Root: "/photos"})
	add(t, tr, okRecord("a"), okRecord("b"), failedRecord("c", Crash))
	closeTracker(t, tr)
	progress, output := filepath.Join(dir, ProgressName), filepath.Join(dir, OutputsName)
	write(t, "a\nhalf a li", progress) // b's line is missing, the last is torn
	files, err := os.ReadDir(output)
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	before := treeSum(t, dir)
	check := func() {
		t.Helper()
		v, err := View(dir, Options{Root: "/photos"})
		if err != nil {
			t.Fatal(err)
		}
		if _, failed := v.Failed("c"); !v.Done("a") || !v.Done("b") || !failed || v.Done("c") || v.Done("half a li") {
			t.Errorf("%+v", v.Counts())
		}
		if c := v.Counts(); c.Done != 2 || c.Failed != 1 {
			t.Errorf("%+v", c)
		}
	}
	check()
	if after := treeSum(t, dir); after != before {
		t.Error("the workdir has changed")
	}
	v, err := View(dir, Options{Root: "/photos", RetryFailed: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, failed := v.Failed("c"); failed || v.Counts().Retrying != 1 {
		t.Errorf("%+v", v.Counts())
	}
	if _, err := View(dir, Options{Root: "/elsewhere"}); err == nil {
		t.Error("a view of another folder's workdir")
	}

	running := open(t, dir, Options{Root: "/photos"})
	defer running.Close()
	check()
}

// TestViewOfNothing finds an absent workdir empty, and leaves it absent.
func TestViewOfNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "none")
	v, err := View(dir, Options{Root: "/photos"})
	if err != nil {
		t.Fatal(err)
	}
	if c := v.Counts(); c != (Counts{}) || v.Done("a") {
		t.Errorf("%+v", c)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Error("it has been made", err)
	}
}
