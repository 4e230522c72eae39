//go:build llama_system

// Package kernels has no kernels in a program that links the system's llama.cpp: ggml's own do the work.
package kernels

import (
	"errors"
	"os"
	"sync"
)

// Check returns an error if PHOTODESC_KERNELS asks for kernels.
func Check() error {
	if value := os.Getenv("PHOTODESC_KERNELS"); value != "" && value != "0" {
		return errors.New("PHOTODESC_KERNELS is set, and this program links a llama.cpp that has kernels of its own\n  it may be 0 or unset")
	}
	return nil
}

// Name is empty: there are no kernels.
func Name() string { return "" }

// Supported reports whether there are kernels for this CPU.
func Supported() bool { return false }

// Work is the purpose of a computation.
type Work bool

// The kinds of work.
const (
	Prompts    Work = false // pictures and prompts
	NextTokens Work = true  // the next token of each slot
)

var computing sync.Mutex

// Compute runs f, which computes through ggml. Calls run one after another, also
// those of different engines.
func Compute(_ Work, f func()) {
	computing.Lock()
	defer computing.Unlock()
	f()
}
