package main

import (
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"photodesc/tracker"
)

const (
	// maxWatchLog is the size in bytes beyond which a run with --watch begins another log.
	maxWatchLog = 16 << 20
	// keptWatchLogs is how many logs it leaves besides that; older ones of its own it removes.
	keptWatchLogs = 4
)

// logFile is the file that a run logs to. A run that never ends begins another one now and then.
type logFile struct {
	mu   sync.Mutex
	f    *os.File
	name string
	size int64
	old  []string // of this run, the oldest first
}

func openLog(name string) (*logFile, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	return &logFile{f: f, name: name}, nil
}

func (l *logFile) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.size += int64(len(b))
	return l.f.Write(b)
}

func (l *logFile) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.f.Close()
}

// rotate begins another log if this one is larger than most. If that cannot be done the run goes on with the one that there is.
func (l *logFile) rotate(dir string, now time.Time, most int64) (name string, rotated bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.size <= most {
		return "", false
	}
	if name = tracker.LogPath(dir, now); name == l.name {
		return "", false
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return "", false
	}
	_ = l.f.Close()
	l.old = append(l.old, l.name)
	l.f, l.name, l.size = f, name, 0
	for len(l.old) > keptWatchLogs {
		_ = os.Remove(l.old[0])
		l.old = l.old[1:]
	}
	return name, true
}

// logName is where the run logs to now.
func logName(r *runner) string {
	if r.logFile == nil {
		return tracker.LogPath(r.dir, r.started)
	}
	r.logFile.mu.Lock()
	defer r.logFile.mu.Unlock()
	return r.logFile.name
}

// rotateLogs keeps the logs of a run that never ends from growing without end: its own and, in the background or as a service of
// launchd, the console's.
func rotateLogs(r *runner) {
	if name, rotated := r.logFile.rotate(r.dir, time.Now(), maxWatchLog); rotated {
		r.track.Live().SetLog(name)
		r.detail.Info("The log before was full: " + filepath.Base(r.logFile.old[len(r.logFile.old)-1]))
	}
	console, err := os.Stat(filepath.Join(r.dir, tracker.LogsName, tracker.ConsoleName))
	if err != nil || console.Size() <= maxConsole {
		return
	}
	mine, err := os.Stderr.Stat()
	// Only with O_APPEND does the next line begin at the new end.
	if err != nil || !os.SameFile(console, mine) || !appends(os.Stderr) {
		return
	}
	_ = os.Stderr.Truncate(0)
}

func appends(f *os.File) bool {
	flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, f.Fd(), syscall.F_GETFL, 0)
	return errno == 0 && flags&syscall.O_APPEND != 0
}
