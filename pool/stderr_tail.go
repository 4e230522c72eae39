package pool

import (
	"bytes"
	"slices"
	"strings"
	"sync"
)

const (
	keptLines = 20
	keptWidth = 2000 // bytes of a line
)

// stderrTail receives a worker's standard output and error and keeps the last
// lines, which say why it died. A Go program that crashes prints the cause first
// and then hundreds of lines about goroutines. So the first line that looks like
// a cause is kept as well, with the lines after it.
type stderrTail struct {
	onLine func(line string) // may be nil

	mu         sync.Mutex
	partial    []byte
	tail       []string
	crashLines []string
}

// crashMarkers occur in the lines that programs print when they crash.
var crashMarkers = []string{
	"GGML_ASSERT", "ggml_abort", "panic:", "fatal error:", "terminate called",
	"SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGABRT", "Assertion", "AddressSanitizer",
	"pthread_create failed", "failed to create new OS thread", // too many processes and threads
}

const maxCrashLines = 4

// Write never fails, so that the worker can always print.
func (w *stderrTail) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(p)
	for len(p) > 0 {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			w.extend(p)
			break
		}
		w.extend(p[:i])
		w.endLine()
		p = p[i+1:]
	}
	return n, nil
}

// extend adds to the unfinished line, up to the width that is kept.
func (w *stderrTail) extend(p []byte) {
	if room := keptWidth - len(w.partial); len(p) > room {
		p = p[:room]
	}
	w.partial = append(w.partial, p...)
}

func (w *stderrTail) endLine() {
	line := strings.ToValidUTF8(strings.TrimRight(string(w.partial), "\r \t"), "\uFFFD")
	w.partial = w.partial[:0]
	if line == "" {
		return
	}
	if w.onLine != nil {
		w.onLine(line)
	}
	w.tail = append(w.tail, line)
	if len(w.tail) > keptLines {
		w.tail = append(w.tail[:0], w.tail[1:]...)
	}
	if len(w.crashLines) > 0 && len(w.crashLines) < maxCrashLines || len(w.crashLines) == 0 && isCrashLine(line) {
		w.crashLines = append(w.crashLines, line)
	}
}

func isCrashLine(line string) bool {
	for _, c := range crashMarkers {
		if strings.Contains(line, c) {
			return true
		}
	}
	return false
}

// lines returns the last lines printed, oldest first. If the crash lines are no
// longer among them, they come first.
func (w *stderrTail) lines() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.partial) > 0 {
		w.endLine()
	}
	var all []string
	if len(w.crashLines) > 0 && !contains(w.tail, w.crashLines[0]) {
		all = append(all, w.crashLines...)
	}
	return append(all, w.tail...)
}

// cause returns the line that best explains the death, "" if there is none.
func (w *stderrTail) cause() string {
	all := w.lines()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.crashLines) > 0 {
		return w.crashLines[0]
	}
	for _, line := range slices.Backward(all) {
		if !isInfoLine(line) {
			return line
		}
	}
	return ""
}

// CrashLines returns what a process that died printed last, as Go and C programs
// do: the first line that looks like a cause and what follows it up to the
// registers or a goroutine's stack, four lines at most, or else the last four
// lines. It is empty if nothing but information was printed.
func CrashLines(stderr string) []string {
	w := &stderrTail{}
	w.Write([]byte(stderr))
	lines := w.lines()
	if len(w.crashLines) > 0 {
		stack := slices.IndexFunc(w.crashLines, func(line string) bool {
			return strings.HasPrefix(line, "PC=") || strings.HasPrefix(line, "goroutine ")
		})
		if stack > 0 {
			return w.crashLines[:stack]
		}
		return w.crashLines
	}
	lines = slices.DeleteFunc(lines, isInfoLine)
	return lines[max(0, len(lines)-maxCrashLines):]
}

// isInfoLine is whether a line is marked as information or debugging, such as "I
// model loaded". It cannot be the cause of a death.
func isInfoLine(line string) bool {
	return len(line) > 1 && line[1] == ' ' && (line[0] == 'D' || line[0] == 'I')
}

func contains(lines []string, line string) bool {
	for _, l := range lines {
		if l == line {
			return true
		}
	}
	return false
}
