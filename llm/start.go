//go:build !llama_system

package llm

/*
#include "bridge.h"
#include "ggml-backend.h"
#include "ggml-blas.h"
#include "ggml.h"
#include "lifetime.h"
#include "llama.h"
#include "mtmd.h"

extern void photodescLog(int level, char * text, void * data);

static void set_log(void) {
    ggml_log_set((ggml_log_callback) photodescLog, NULL);
    llama_log_set((ggml_log_callback) photodescLog, NULL);
    mtmd_log_set((ggml_log_callback) photodescLog, NULL);
}

static void register_blas(void) {
#if defined(__linux__)
    ggml_backend_register(ggml_backend_blas_reg());
#endif
}
*/
import "C"

import (
	"os"
	"sync"

	"photodesc/llm/kernels"
)

// start initialises llama.cpp, once in a process.
var start = sync.OnceFunc(func() {
	// Otherwise a failed assertion forks a debugger to print a backtrace.
	os.Setenv("GGML_NO_BACKTRACE", "1")
	carefulMalloc()
	C.set_log()
	if kernels.Supported() {
		kernels.Enable()
		C.pd_vision_merge((*[0]byte)(kernels.Merge()))
	} else {
		C.register_blas()
	}
	backends = loadBackends()
	C.pd_hook_devices()
	C.llama_backend_init()
})
