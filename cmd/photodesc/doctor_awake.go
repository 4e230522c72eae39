package main

import (
	"errors"

	"photodesc/internal/awake"
)

// checkAwake keeps the machine awake for a moment.
func checkAwake() (string, error) {
	text, release, err := awake.Hold()
	switch {
	case errors.Is(err, awake.ErrNoService):
		return "", note{err.Error() + "; if it goes to sleep by itself, switch that off during long runs"}
	case err != nil:
		return "", note{err.Error() + "; the machine may go to sleep during a run"}
	}
	release()
	return text, nil
}
