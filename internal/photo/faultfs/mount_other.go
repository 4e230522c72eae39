//go:build !linux

package faultfs

import "errors"

// ErrUnavailable means that this machine cannot mount FUSE file systems.
var ErrUnavailable = errors.New("FUSE file systems are mounted on Linux only")

// Mount returns ErrUnavailable.
func Mount(fault Fault, source, at string) (unmount func() error, err error) {
	return nil, ErrUnavailable
}
