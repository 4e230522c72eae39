//go:build !linux && !darwin

package machine

// OnBattery returns false: this system is not asked for its power.
func OnBattery() bool { return false }
