package main

import (
	"errors"
	"fmt"

	"photodesc/pool"
)

// explain adds to the pool's error what a person can do about it.
func explain(err error) error {
	var deaths *pool.DeathsError
	if !errors.As(err, &deaths) {
		return err
	}
	return fmt.Errorf("%w"+
		"\n  no photo is blamed for it: the model's files, libvips or a driver are probably broken"+
		"\n  `photodesc doctor` checks this machine, `photodesc logs` has more; then run again, it goes on where it stopped", err)
}
