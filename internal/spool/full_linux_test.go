package spool

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestDiskFull fills a file system of 1 MiB with another program's file, takes that away, and expects the photo to come.
func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skip("mounting needs root: ", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	other := dir + "/other"
	if err := os.WriteFile(other, make([]byte, 900<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var said []string
	full := make(chan bool, 10)
	s, err := Open(dir+"/spool", Options{MaxBytes: 1 << 30, retry: time.Millisecond, Waiting: func(why string) {
		mu.Lock()
		defer mu.Unlock()
		said = append(said, why)
		full <- why != ""
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	go func() {
		<-full
		_ = os.Remove(other)
	}()
	copies := 0
	f, err := s.Add(t.Context(), "a.jpg", 500<<10, time.Now(), func(w io.Writer) error {
		copies++
		_, err := w.Write(make([]byte, 500<<10))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(f.Path()); err != nil || info.Size() != 500<<10 {
		t.Error(info, err)
	}
	if copies != 1 {
		t.Errorf("fetched %d times: the room was not taken before", copies)
	}
	mu.Lock()
	defer mu.Unlock()
	if want := []string{"the disk is full: " + s.dir, ""}; !slices.Equal(said, want) {
		t.Errorf("said %q", said)
	}
}

// TestSpare keeps room on the disk for others, as for the results, unless the spool holds nothing else.
func TestSpare(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=70m"); err != nil {
		t.Skip("mounting needs root: ", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	var said []string
	s, err := Open(dir, Options{MaxBytes: 1 << 30, Waiting: func(why string) { said = append(said, why) }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const large = 10 << 20
	f, err := s.Add(t.Context(), "a.jpg", 100, time.Now(), bytesOf(100))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.Add(ctx, "b.jpg", large, time.Now(), bytesOf(large)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("beside another file: %v", err)
	}
	f.Remove()
	if _, err := s.Add(t.Context(), "b.jpg", large, time.Now(), bytesOf(large)); err != nil {
		t.Errorf("alone: %v", err)
	}
	if len(said) > 0 {
		t.Errorf("said %q", said)
	}
}
