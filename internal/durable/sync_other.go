//go:build !darwin

package durable

import "os"

// plainSync returns the error, because [os.File.Sync] is fsync already.
func plainSync(_ *os.File, refused error) error { return refused }
