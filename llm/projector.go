package llm

/*
#include <stdlib.h>
#include "bridge.h"
*/
import "C"

import (
	"fmt"
	"unsafe"
)

// projectorOf is the type of projector that a vision file names.
func projectorOf(path string) (string, error) {
	cpath := C.CString(path)
	defer C.free(unsafe.Pointer(cpath))
	var name [64]C.char
	if C.pd_vision_projector(cpath, &name[0], 64) != 0 {
		return "", fmt.Errorf("llama.cpp cannot load the vision file %q; the log says why", path)
	}
	projector := C.GoString(&name[0])
	if projector == "" {
		return "", fmt.Errorf("%q is not a vision file, or does not say its type", path)
	}
	return projector, nil
}
