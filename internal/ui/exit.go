// Package ui formats everything that a terminal shows of a run: numbers and times,
// the progress bar, the dashboard, status and summary, log lines, and errors with
// their exit codes.
package ui

import (
	"errors"
	"fmt"
)

// Exit codes; exitCodesHelp is what people read of them.
const (
	ExitOK      = 0
	ExitError   = 1
	ExitUsage   = 2
	ExitFailed  = 3
	ExitStopped = 130
)

// Exit is an error that carries its exit code. An empty message prints nothing.
type Exit struct {
	Code int
	Err  error
	Said bool // the person has read it already
}

func (e *Exit) Error() string {
	if e.Err == nil {
		return ""
	}
	return e.Err.Error()
}

func (e *Exit) Unwrap() error { return e.Err }

// UsageError is an error that ends the program with ExitUsage.
func UsageError(format string, args ...any) error {
	return &Exit{Code: ExitUsage, Err: fmt.Errorf(format, args...)}
}

// ExitCode returns the exit code of the program for an error.
func ExitCode(err error) int {
	var e *Exit
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &e):
		return e.Code
	}
	return ExitError
}
