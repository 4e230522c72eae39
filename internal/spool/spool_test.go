package spool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func open100(t *testing.T, parent string) *Spool {
	t.Helper()
	s, err := Open(parent, Options{MaxBytes: 100, retry: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func bytesOf(n int) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, strings.Repeat("x", n))
		return err
	}
}

func names(t *testing.T, s *Spool) (all []string) {
	t.Helper()
	for _, dir := range []string{filesName, partsName} {
		entries, err := os.ReadDir(filepath.Join(s.dir, dir))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			all = append(all, dir+"/"+e.Name())
		}
	}
	return all
}

func TestAdd(t *testing.T) {
	parent := filepath.Join(t.TempDir(), "a [b]*", "spool")
	s := open100(t, parent)
	when := time.Date(2020, 1, 2, 3, 4, 5, 678e6, time.UTC)
	for path, want := range map[string]string{
		"a/b.jpg": ".jpg", "": "", "x.": ".", "../../etc/passwd": "", "a.b/c": "", "..": ".", "\xff.\xff": "",
		"n\newline.a\nb": "", "x.CR2": ".CR2", "x." + strings.Repeat("a", 300): "",
	} {
		f, err := s.Add(t.Context(), path, 3, when, bytesOf(3))
		if err != nil {
			t.Fatalf("%q: %v", path, err)
		}
		info, err := os.Stat(f.Path())
		if err != nil || info.Size() != 3 || !info.ModTime().Equal(when) || info.Mode().Perm() != 0o600 {
			t.Errorf("%q: %v, %v", path, info, err)
		}
		if got := strings.TrimLeft(f.Name(), "0123456789"); got != want {
			t.Errorf("%q is called %q", path, f.Name())
		}
		f.Remove()
		f.Remove()
	}
	if left := names(t, s); len(left) > 0 || s.Used() != 0 {
		t.Errorf("left: %q, %d bytes", left, s.Used())
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(parent); !os.IsNotExist(err) {
		t.Errorf("the folder is left: %v", err)
	}
	if _, err := s.Add(t.Context(), "a.jpg", 1, when, bytesOf(1)); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestAddFails(t *testing.T) {
	s := open100(t, t.TempDir())
	broken := errors.New("the connection broke")
	for name, c := range map[string]struct {
		size int64
		copy func(io.Writer) error
		want error
	}{
		"too few":    {5, bytesOf(4), ErrSize},
		"too many":   {5, bytesOf(6), ErrSize},
		"hidden":     {5, func(w io.Writer) error { _ = bytesOf(6)(w); return nil }, ErrSize},
		"cut":        {5, func(w io.Writer) error { _ = bytesOf(2)(w); return broken }, broken},
		"seen early": {5, func(w io.Writer) error { bytesOf(5)(w); return fmt.Errorf("files: %q", names(t, s)) }, nil},
	} {
		_, err := s.Add(t.Context(), "a.jpg", c.size, time.Now(), c.copy)
		if c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if c.want == nil && (err == nil || strings.Contains(err.Error(), filesName+"/")) {
			t.Errorf("%s: a file appears before it is whole: %v", name, err)
		}
	}
	var large *TooLargeError
	if _, err := s.Add(t.Context(), "a.jpg", 101, time.Now(), bytesOf(101)); !errors.As(err, &large) {
		t.Error(err)
	}
	if left := names(t, s); len(left) > 0 || s.Used() != 0 {
		t.Errorf("left: %q, %d bytes", left, s.Used())
	}
}

func TestBound(t *testing.T) {
	s := open100(t, t.TempDir())
	var most int64
	var mu sync.Mutex
	ready := make(chan *File)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for i := range 40 {
				f, err := s.Add(t.Context(), "a.jpg", int64(1+i*2), time.Now(), bytesOf(1+i*2))
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				most = max(most, s.Used())
				mu.Unlock()
				ready <- f
			}
		})
	}
	go func() { wait.Wait(); close(ready) }()
	for f := range ready {
		f.Remove()
	}
	if most > 100 || most < 80 {
		t.Errorf("at most %d bytes", most)
	}
	if s.Used() != 0 {
		t.Errorf("%d bytes are left", s.Used())
	}
}

func TestAddStops(t *testing.T) {
	s := open100(t, t.TempDir())
	if _, err := s.Add(t.Context(), "a.jpg", 100, time.Now(), bytesOf(100)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	for range 2 {
		go func() {
			_, err := s.Add(ctx, "b.jpg", 1, time.Now(), bytesOf(1))
			ended <- err
		}()
	}
	cancel()
	for range 2 {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}

// TestOwner is what TestDeadOwner kills.
func TestOwner(t *testing.T) {
	parent := os.Getenv("SPOOL_OWNER")
	if parent == "" {
		t.Skip("run by TestDeadOwner")
	}
	s := open100(t, parent)
	if _, err := s.Add(t.Context(), "a.jpg", 5, time.Now(), bytesOf(5)); err != nil {
		t.Fatal(err)
	}
	_, _ = s.Add(t.Context(), "b.jpg", 5, time.Now(), func(w io.Writer) error {
		_ = bytesOf(2)(w)
		fmt.Println("owner is at work")
		time.Sleep(time.Hour) // with select {} the runtime would see a deadlock
		return nil
	})
}

func TestDeadOwner(t *testing.T) {
	parent := t.TempDir()
	c := exec.Command(os.Args[0], "-test.run=^TestOwner$")
	c.Env = append(os.Environ(), "SPOOL_OWNER="+parent)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	said := make([]byte, 200)
	if n, err := out.Read(said); !strings.Contains(string(said[:n]), "at work") {
		t.Fatalf("%s: %v", said[:n], err)
	}
	folders := func() int {
		all, err := os.ReadDir(parent)
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	open100(t, parent)
	if n := folders(); n != 2 {
		t.Errorf("beside a living owner: %d folders", n)
	}
	_ = c.Process.Kill()
	_ = c.Wait()
	open100(t, parent)
	if n := folders(); n != 2 {
		t.Errorf("after the owner was killed: %d folders", n)
	}
}
