//go:build !linux

package pool

func clearDeathSignal() {}
