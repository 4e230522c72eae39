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
	why, what := "the model's files, libvips or a driver are probably broken", "`photodesc doctor` checks this machine"
	if deaths.Untested {
		why, what = "llama.cpp probably cannot run this model, which photodesc does not know", "take one of `photodesc models`, or a newer llama.cpp"
	}
	switch deaths.Kind {
	case pool.DeathMemory:
		why, what = "the memory budget is probably too small for this model", "give more with --memory, or take a smaller model"
	case pool.DeathOOM:
		why, what = "the machine's memory is probably too small for this model", "end what else takes memory, or take a smaller model"
	case pool.DeathTimeout:
		why, what = "the time for a photo is probably too short for this machine", "give more with --timeout, or take a smaller model or --detail low"
	}
	return fmt.Errorf("%w"+
		"\n  no photo is marked as failed: %s"+
		"\n  %s; `photodesc logs` has more; then run again, it goes on where it stopped", err, why, what)
}
