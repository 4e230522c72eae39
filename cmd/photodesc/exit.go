package main

import (
	"errors"
	"fmt"
)

// Exit codes; exitCodesHelp is what people read of them.
const (
	exitOK      = 0
	exitError   = 1
	exitUsage   = 2
	exitFailed  = 3
	exitStopped = 130
)

// exit is an error that carries its exit code. An empty message prints nothing.
type exit struct {
	code int
	err  error
	said bool // the person has read it already
}

func (e *exit) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

func usageError(format string, args ...any) error {
	return &exit{code: exitUsage, err: fmt.Errorf(format, args...)}
}

// exitCode is what the program ends with for an error.
func exitCode(err error) int {
	var e *exit
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &e):
		return e.code
	}
	return exitError
}
