// Package vips decodes photos to upright sRGB pixels with libvips.
//
// It is one of the packages that contain C. Call Startup once, then Decode from any
// number of goroutines, and Shutdown at the end if the process continues.
package vips

/*
#cgo CPPFLAGS: -I${SRCDIR}
#cgo pkg-config: vips libtiff-4
#cgo LDFLAGS: -lm
#include <vips/vips.h>
#include "startup.h"
*/
import "C"

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"sync"
)

// StartupOptions are options of Startup. The zero value is the safe one.
type StartupOptions struct {
	// Untrusted enables the loaders that libvips marks as unsafe for untrusted
	// files, among them those of JPEG XL, JPEG 2000 and ImageMagick.
	Untrusted bool
}

// state is global, because libvips can start only once in a process.
var state struct {
	sync.Mutex
	phase     phase
	untrusted bool
}

type phase int

const (
	unstarted phase = iota
	running
	stopped
)

// Startup starts libvips without its cache, with one thread a photo, and with
// untrusted loaders blocked unless opts enables them. It removes the environment
// variables of libvips and GLib (VIPS_*, IM_*, G_*), which therefore have no effect.
// Further calls with the same options do nothing. Call it before giving up rights,
// because it loads libvips' modules.
func Startup(opts StartupOptions) error {
	state.Lock()
	defer state.Unlock()
	switch {
	case state.phase == stopped:
		return errors.New("libvips has been shut down and cannot start again in one process")
	case state.phase == running && state.untrusted != opts.Untrusted:
		return errors.New("libvips has been started with other options")
	case state.phase == running:
		return nil
	}
	untrusted := C.int(0)
	if opts.Untrusted {
		untrusted = 1
	}
	if C.pd_startup(untrusted) != 0 {
		return fmt.Errorf("cannot start libvips: %s", cmp.Or(errorText(C.GoString(C.vips_error_buffer())), "it gives no reason"))
	}
	state.phase, state.untrusted = running, opts.Untrusted
	return nil
}

// Shutdown ends libvips; no Decode may run or be called afterwards. A process
// that exits need not call it.
func Shutdown() {
	state.Lock()
	defer state.Unlock()
	if state.phase == running {
		C.vips_shutdown()
		state.phase = stopped
	}
}

// started reports whether untrusted loaders are enabled. It returns an error if
// libvips is not running.
func started() (untrusted bool, err error) {
	state.Lock()
	defer state.Unlock()
	if state.phase != running {
		return false, errors.New("libvips is not running: call vips.Startup first")
	}
	return state.untrusted, nil
}

// Version returns the version of libvips that this process uses, such as "8.14.1".
// It does not need Startup.
func Version() string {
	return fmt.Sprintf("%d.%d.%d", C.vips_version(0), C.vips_version(1), C.vips_version(2))
}

// Memory returns what libvips has allocated: the bytes of pixels and buffers, and
// the number of allocations. Without a leak, both are the same after each decode.
func Memory() (bytes int64, allocations int) {
	return int64(C.vips_tracked_get_mem()), int(C.vips_tracked_get_allocs())
}

// errorText returns libvips' error buffer as one line, without repetitions and, if
// other lines remain, without noise. It is empty if the buffer is.
func errorText(buffer string) string {
	var lines, noise []string
	seen := make(map[string]bool)
	for line := range strings.Lines(buffer) {
		line = strings.TrimSpace(strings.ToValidUTF8(line, "?"))
		switch {
		case line == "" || seen[line]:
		case isNoise(line):
			noise = append(noise, line)
		default:
			lines = append(lines, line)
		}
		seen[line] = true
	}
	if len(lines) == 0 {
		lines = noise
	}
	const maxLines = 3 // the first lines have the cause, later ones its consequences
	return strings.Join(lines[:min(len(lines), maxLines)], "; ")
}

// isNoise reports whether libvips writes a line about intact files, too: libheif
// tries to seek to the end of a box and continues if it cannot.
func isNoise(line string) bool {
	return strings.HasPrefix(line, "source: bad seek to ")
}
