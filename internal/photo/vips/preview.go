package vips

/*
#include <glib.h>
#include "preview.h"
*/
import "C"

import (
	"fmt"
	"runtime"
	"unsafe"
)

// JPEG returns the picture as a JPEG with quality 1 to 100, shrunk so that no edge is
// longer than longest pixels. A smaller picture keeps its size.
func (img *Image) JPEG(longest, quality int) ([]byte, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(&img.Pix[0])
	var out unsafe.Pointer
	var size C.size_t
	var reason [256]C.char
	gate.RLock()
	failed := C.pd_preview(unsafe.Pointer(&img.Pix[0]), C.int(img.Width), C.int(img.Height), C.int(longest), C.int(quality), &out, &size, &reason[0])
	gate.RUnlock()
	if failed != 0 {
		return nil, fmt.Errorf("cannot write a preview: %s", errorText(C.GoString(&reason[0])))
	}
	defer C.g_free(C.gpointer(out))
	return C.GoBytes(out, C.int(size)), nil
}
