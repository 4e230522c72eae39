//go:build !linux

package durabletest

import (
	"fmt"
	"os"
)

// Main is there on Linux alone.
func Main() {
	fmt.Fprintln(os.Stderr, "refuse: system calls are refused on Linux only")
	os.Exit(1)
}
