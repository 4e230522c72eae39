// Package vips turns a photo's path into upright sRGB pixels, with libvips.
//
// It is one of the packages that hold C. Call Startup once, Decode from as many
// goroutines as wanted, and Shutdown at the end if the process goes on.
package vips

/*
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

// StartupOptions changes what Startup does. The zero value is the safe one.
type StartupOptions struct {
	// Untrusted lets libvips use the loaders that its makers do not hold safe
	// against hostile files, among them JPEG XL, JPEG 2000 and ImageMagick's.
	Untrusted bool
}

// state is the process's: libvips starts once and cannot start again.
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

// Startup starts libvips: without its cache, with one thread a photo, and with
// untrusted loaders blocked unless asked for. Variables of the environment that
// are libvips' or GLib's (VIPS_*, IM_*, G_*) have no effect and are removed.
// Further calls with the same options do nothing. It loads libvips' modules, so
// call it before giving up rights.
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
		return fmt.Errorf("libvips does not start: %s", cmp.Or(errorText(C.GoString(C.vips_error_buffer())), "it gives no reason"))
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

// started returns whether untrusted loaders are allowed, or why nothing can be decoded.
func started() (untrusted bool, err error) {
	state.Lock()
	defer state.Unlock()
	if state.phase != running {
		return false, errors.New("libvips is not running: call vips.Startup first")
	}
	return state.untrusted, nil
}

// Version is that of the libvips this process runs with, such as "8.14.1".
// It does not need Startup.
func Version() string {
	return fmt.Sprintf("%d.%d.%d", C.vips_version(0), C.vips_version(1), C.vips_version(2))
}

// Memory is what libvips holds at the moment: bytes of pixels and buffers, and
// the number of allocations. Between decodes both should stand still.
func Memory() (bytes int64, allocations int) {
	return int64(C.vips_tracked_get_mem()), int(C.vips_tracked_get_allocs())
}

// errorText makes one line of libvips' error buffer: its lines without doubles
// and, if they are not all, without noise. It is empty if the buffer is.
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
	const most = 3 // the first lines say why, the rest what failed because of it
	return strings.Join(lines[:min(len(lines), most)], "; ")
}

// isNoise knows what libvips writes about good files, too: libheif tries
// whether it can seek to where a box should end, and may do without.
func isNoise(line string) bool {
	return strings.HasPrefix(line, "source: bad seek to ")
}
