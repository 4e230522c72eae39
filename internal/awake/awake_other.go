//go:build !linux && !darwin

package awake

func hold() (string, func(), error) { return "", nil, ErrNoService }
