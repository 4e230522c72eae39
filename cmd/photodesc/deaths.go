package main

import (
	"errors"
	"fmt"
	"strings"

	"photodesc/pool"
)

// explain adds to the pool's error what a person can do about it.
func explain(err error) error {
	var deaths *pool.DeathsError
	if !errors.As(err, &deaths) {
		return err
	}
	var b strings.Builder
	if n := len(deaths.Words); n > 0 {
		b.WriteString("\n  its last words:")
		for _, line := range deaths.Words[max(0, n-3):] {
			fmt.Fprintf(&b, "\n    %s", line)
		}
	}
	b.WriteString("\n  No photo is blamed for it. The model's files, libvips or a driver are probably broken:" +
		"\n  `photodesc doctor` checks this machine; the run's log has more; then run again, it goes on where it stopped")
	return fmt.Errorf("%w%s", err, b.String())
}
