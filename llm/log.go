package llm

/*
#cgo CPPFLAGS: -I${SRCDIR}/../third_party/llama.cpp
#cgo !llama_system CPPFLAGS: -I${SRCDIR}/../third_party/llama.cpp/upstream/llama/llama.cpp/include
#cgo !llama_system CPPFLAGS: -I${SRCDIR}/../third_party/llama.cpp/upstream/ml/backend/ggml/ggml/include
#cgo !llama_system CPPFLAGS: -I${SRCDIR}/../third_party/llama.cpp/upstream/llama/llama.cpp/tools/mtmd
#cgo llama_system CPPFLAGS: -DPD_LLAMA_SYSTEM
#cgo llama_system pkg-config: llama
#include "ggml.h"
*/
import "C"

import (
	"regexp"
	"strings"
	"sync"
	"unsafe"
)

// Level is a log level of llama.cpp.
type Level int

// The levels that reach a log function.
const (
	Debug Level = iota
	Info
	Warn
	Error
)

var logSink struct {
	sync.Mutex
	f    func(Level, string)
	last Level
	line strings.Builder
}

// SetLog sends the log of llama.cpp, ggml and the vision encoder to f, a line at a
// time; nil drops it, which is the default. f may be called from any thread.
func SetLog(f func(Level, string)) {
	logSink.Lock()
	defer logSink.Unlock()
	logSink.f = f
}

//export photodescLog
func photodescLog(level C.int, text *C.char, _ unsafe.Pointer) {
	s := C.GoString(text)
	logSink.Lock()
	defer logSink.Unlock()
	switch level {
	case C.GGML_LOG_LEVEL_DEBUG:
		logSink.last = Debug
	case C.GGML_LOG_LEVEL_INFO:
		logSink.last = Info
	case C.GGML_LOG_LEVEL_WARN:
		logSink.last = Warn
	case C.GGML_LOG_LEVEL_ERROR:
		logSink.last = Error
	}
	// Level CONT continues the line before, at its level.
	logSink.line.WriteString(s)
	for {
		line, rest, ended := strings.Cut(logSink.line.String(), "\n")
		if !ended {
			return
		}
		logSink.line.Reset()
		logSink.line.WriteString(rest)
		// A line of dots is a progress bar of the loader.
		if line = strings.TrimRight(line, " \r"); logSink.f != nil && strings.Trim(line, ". ") != "" {
			logSink.f(adjusted(logSink.last, line), line)
		}
	}
}

// harmless matches warnings about what is intended here: a BLAS computes only large
// products; slots are smaller than the model's context because photos need no more;
// and Qwen's models need larger pictures only to locate things in them.
var harmless = regexp.MustCompile(`^warmup: |the full capacity of the model will not be utilized|` +
	`Qwen-VL models require|--image-min-tokens|llama\.cpp/issues/16842`)

// adjusted lowers the level of harmless warnings.
func adjusted(level Level, line string) Level {
	if level == Warn && harmless.MatchString(line) {
		return Debug
	}
	return level
}
