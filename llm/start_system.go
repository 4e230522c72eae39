//go:build llama_system

package llm

/*
#include "ggml.h"
#include "llama.h"
#include "mtmd-helper.h"

extern void photodescLog(int level, char * text, void * data);

static void set_log(void) {
    ggml_log_set((ggml_log_callback) photodescLog, NULL);
    llama_log_set((ggml_log_callback) photodescLog, NULL);
    mtmd_helper_log_set((ggml_log_callback) photodescLog, NULL); // and mtmd's
}
*/
import "C"

import (
	"fmt"
	"os"
	"sync"

	llamacpp "photodesc/third_party/llama.cpp"
)

// start initialises llama.cpp, once in a process.
var start = sync.OnceFunc(func() {
	// Otherwise a failed assertion forks a debugger to print a backtrace.
	os.Setenv("GGML_NO_BACKTRACE", "1")
	carefulMalloc()
	llamacpp.Load()
	C.set_log()
	C.llama_backend_init()
})

// Backend is a library with one of ggml's compute backends that was found beside the
// program. There is none here: the system's ggml loads its own.
type Backend struct {
	Path    string
	Name    string
	Problem string
	Spare   bool
}

func (b Backend) String() string { return fmt.Sprintf("%s from %s", b.Name, b.Path) }

// Backends is empty.
func Backends() []Backend { return nil }
