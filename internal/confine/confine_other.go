//go:build !linux

package confine

import "runtime"

// Apply does nothing here.
func Apply([]string, bool) (protection string, err error) {
	return "none: " + runtime.GOOS + " has no means that photodesc knows", nil
}
