package export

import (
	"context"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func ledger(t *testing.T, dir string) *Ledger {
	t.Helper()
	l, err := OpenLedger(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func write(t *testing.T, l *Ledger, path, text string, force bool) error {
	t.Helper()
	f, err := Create(context.Background(), l, path, force)
	if err != nil {
		return err
	}
	if _, err := f.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return f.Commit(context.Background())
}

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestFileReplacesOnlyOurs(t *testing.T) {
	dir := t.TempDir()
	l := ledger(t, t.TempDir())
	var not *NotOursError
	for name, text := range map[string]string{"a.csv": "theirs", strings.Repeat("n", 251) + ".csv": "theirs", "empty": ""} {
		path := filepath.Join(dir, name)
		if err := write(t, l, path, "ours", false); err != nil {
			t.Fatal(err)
		}
		if err := write(t, l, path, "ours again", false); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := write(t, l, path, "ours", false); !errors.As(err, &not) || content(t, path) != text {
			t.Errorf("%v, and the file has %q", err, content(t, path))
		}
		if err := write(t, l, path, "forced", true); err != nil || content(t, path) != "forced" {
			t.Errorf("%v, and the file has %q", err, content(t, path))
		}
		if err := write(t, ledger(t, t.TempDir()), path, "another workdir's", false); !errors.As(err, &not) {
			t.Error(err)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 3 {
		t.Errorf("%v, %v", left, err)
	}
}

// Somebody writes the file while the export does.
func TestFileChangedMeanwhile(t *testing.T) {
	l, path := ledger(t, t.TempDir()), filepath.Join(t.TempDir(), "a.csv")
	for range 2 { // there is none, and there is one of ours
		f, err := Create(context.Background(), l, path, false)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("a person's"), 0o600); err != nil {
			t.Fatal(err)
		}
		var not *NotOursError
		if err := f.Commit(context.Background()); !errors.As(err, &not) || content(t, path) != "a person's" {
			t.Errorf("%v, and the file has %q", err, content(t, path))
		}
		if err := write(t, l, path, "ours", true); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFileTwoAtOnce(t *testing.T) {
	l, path := ledger(t, t.TempDir()), filepath.Join(t.TempDir(), "a.csv")
	f, err := Create(context.Background(), l, path, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Create(context.Background(), l, path, false); !errors.Is(err, ErrBusy) {
		t.Errorf("%v, want that another export writes it", err)
	}
	f.Discard()
	// What a killed export leaves is used again.
	sum := SumOf([]byte("a.csv"))
	part := filepath.Join(filepath.Dir(path), ".photodesc-"+hex.EncodeToString(sum[:8])+".part")
	if err := os.WriteFile(part, []byte("half a file, and longer than what is written now"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := write(t, l, path, "whole", false); err != nil || content(t, path) != "whole" {
		t.Errorf("%v, %q", err, content(t, path))
	}
	if _, err := os.Stat(part); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the half file is still there")
	}
}

func TestFilePlaces(t *testing.T) {
	dir := t.TempDir()
	l := ledger(t, t.TempDir())
	if err := write(t, l, dir, "x", true); err == nil {
		t.Error("a folder was replaced")
	}
	if err := write(t, l, filepath.Join(dir, "no", "a.csv"), "x", true); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "real"), nil, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := write(t, l, filepath.Join(dir, "link"), "x", true); err != nil || content(t, filepath.Join(dir, "real")) != "x" {
		t.Errorf("%v: %q", err, content(t, filepath.Join(dir, "real")))
	}
	info, err := os.Stat(filepath.Join(dir, "real"))
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestLedgerDamaged(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, LedgerName), []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenLedger(context.Background(), dir); err == nil || !strings.Contains(err.Error(), "remove it") {
		t.Error(err)
	}
}
