package llm

/*
#cgo CPPFLAGS: -I${SRCDIR}/../third_party/llama.cpp -I${SRCDIR}/../third_party/llama.cpp/upstream/llama/llama.cpp/include
#cgo CPPFLAGS: -I${SRCDIR}/../third_party/llama.cpp/upstream/ml/backend/ggml/ggml/include
#cgo CPPFLAGS: -I${SRCDIR}/../third_party/llama.cpp/upstream/llama/llama.cpp/tools/mtmd
#include "ggml.h"
*/
import "C"

import (
	"regexp"
	"strings"
	"sync"
	"unsafe"
)

// Level is a log level of llama.cpp's.
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

// SetLog sends what llama.cpp, ggml and the vision encoder say to f, a line at
// a time; nil drops it. Nothing goes to the terminal by itself.
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
			logSink.f(rightLevel(logSink.last, line), line)
		}
	}
}

// harmless is in warnings that say nothing is wrong: BLAS does only the large
// products and leaves the rest to the CPU; slots are smaller than the model's
// context because photos need no more; and Qwen's models want larger pictures to
// point at things, which nobody asks of them.
var harmless = regexp.MustCompile(`^warmup: |the full capacity of the model will not be utilized|` +
	`Qwen-VL models require|--image-min-tokens|llama\.cpp/issues/16842`)

// rightLevel lowers such warnings.
func rightLevel(level Level, line string) Level {
	if level == Warn && harmless.MatchString(line) {
		return Debug
	}
	return level
}
