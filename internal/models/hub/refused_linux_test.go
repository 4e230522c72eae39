package hub_test

import (
	"errors"
	"strings"
	"syscall"
	"testing"

	"photodesc/internal/durable/durabletest"
)

// TestSyncRefused fetches to a file system without fsync.
func TestSyncRefused(t *testing.T) {
	s := newScene(t)
	var err error
	durabletest.OnThread(t, map[string]syscall.Errno{"fsync": syscall.ENOTTY}, func() { err = s.fetch() })
	s.arrived(err)
}

// TestSyncFails fetches to a disk that fails.
func TestSyncFails(t *testing.T) {
	s := newScene(t)
	var err error
	durabletest.OnThread(t, map[string]syscall.Errno{"fsync": syscall.EIO}, func() { err = s.fetch() })
	if !errors.Is(err, syscall.EIO) {
		t.Error(err)
	}
}

// TestLockRefused fetches to a file system without locks.
func TestLockRefused(t *testing.T) {
	s := newScene(t)
	var err error
	durabletest.OnThread(t, map[string]syscall.Errno{"flock": syscall.ENOLCK}, func() { err = s.fetch() })
	if !errors.Is(err, syscall.ENOLCK) || !strings.Contains(err.Error(), "PHOTODESC_MODELS") {
		t.Error(err)
	}
}
