//go:build !linux

package faultfs

import "errors"

// ErrUnavailable is why nothing can be mounted on this machine.
var ErrUnavailable = errors.New("FUSE is used on Linux only")

// Mount returns ErrUnavailable.
func Mount(fault Fault, source, at string) (unmount func() error, err error) {
	return nil, ErrUnavailable
}
