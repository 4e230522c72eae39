//go:build !darwin

package durable

import "os"

// plainSync has nothing else to try: [os.File.Sync] is fsync.
func plainSync(_ *os.File, refused error) error { return refused }
