package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"photodesc/internal/config"
	"photodesc/internal/ui"
	"photodesc/tracker"
)

const (
	backgroundFD = 3 // the pipe to the process in the foreground

	// maxConsole is the size in bytes beyond which the console file is truncated.
	maxConsole = 4 << 20

	// backgroundTimeout is how long the process in the foreground waits for the
	// first photo, so that it can show an error while the model is loaded.
	backgroundTimeout = 15 * time.Second
)

// Messages from the run in the background, one a line.
const (
	wordLocked  = "locked"  // it has the workdir's lock
	wordRunning = "running" // the model is loaded, photos are being described
)

// runInBackground starts this command again without the terminal, and returns when
// the run describes photos or has ended.
func runInBackground(dir string, w io.Writer) error {
	if running, pid, since := tracker.Running(dir); running {
		return lockedError(&tracker.LockedError{Dir: dir, PID: pid, Since: since})
	}
	console, err := openConsole(dir)
	if err != nil {
		return err
	}
	defer console.Close()
	said, _ := console.Seek(0, io.SeekEnd)

	self, err := os.Executable()
	if err != nil {
		return err
	}
	words, theirs, err := os.Pipe()
	if err != nil {
		return err
	}
	defer words.Close()
	cmd := exec.Command(self, os.Args[1:]...)
	cmd.Env = append(os.Environ(), config.BackgroundEnv+"=1")
	cmd.Stdout, cmd.Stderr = console, console
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = cmd.Start()
	theirs.Close()
	if err != nil {
		return err
	}
	if state := waitForWords(words); state != "" {
		sayBackground(w, dir, cmd.Process.Pid, state)
		return nil
	}
	// It has ended: show what it wrote.
	err = cmd.Wait()
	if _, e := console.Seek(said, io.SeekStart); e == nil {
		text, _ := io.ReadAll(console)
		fmt.Fprint(os.Stderr, lastError(string(text)))
	}
	var code *exec.ExitError
	if errors.As(err, &code) {
		return &ui.Exit{Code: max(code.ExitCode(), ui.ExitError)}
	}
	return err
}

// logStart is the beginning of a log line.
var logStart = regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d - ([A-Z]+) - `)

// lastError is the last error of a log, as a command says it; all of the text if
// there is none.
func lastError(log string) string {
	starts := logStart.FindAllStringSubmatchIndex(log, -1)
	if len(starts) == 0 {
		return log
	}
	last := starts[len(starts)-1]
	if log[last[2]:last[3]] != "ERROR" {
		return log
	}
	return "photodesc: " + strings.ReplaceAll(log[last[1]:], "\n    ", "\n")
}

func openConsole(dir string) (*os.File, error) {
	logs := filepath.Join(dir, tracker.LogsName)
	if err := os.MkdirAll(logs, 0o755); err != nil {
		return nil, &tracker.WriteError{Op: "create", Path: logs, Err: err}
	}
	path := filepath.Join(logs, tracker.ConsoleName)
	flags := os.O_CREATE | os.O_RDWR | os.O_APPEND
	if info, err := os.Stat(path); err == nil && info.Size() > maxConsole {
		flags |= os.O_TRUNC
	}
	f, err := os.OpenFile(path, flags, 0o644)
	if err != nil {
		return nil, &tracker.WriteError{Op: "open", Path: path, Err: err}
	}
	return f, nil
}

// waitForWords returns the last message, or "" when the run has ended.
func waitForWords(words *os.File) (state string) {
	lines := make(chan string)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(words); s.Scan(); {
			lines <- s.Text()
		}
	}()
	var patience <-chan time.Time
	for {
		select {
		case word, ok := <-lines:
			if !ok {
				return ""
			}
			if word == wordRunning {
				return word
			}
			state, patience = word, time.After(backgroundTimeout)
		case <-patience:
			return state
		}
	}
}

func sayBackground(w io.Writer, dir string, pid int, state string) {
	if ui.Quiet() {
		return
	}
	does := "describes photos"
	if state != wordRunning {
		does = "is getting ready"
	}
	fmt.Fprintf(w, "The run %s in the background, pid %d. It goes on when this terminal is closed.\n"+
		"    watch it:  %s\n    its log:   %s\n    stop it:   %s\n", does, pid,
		ui.CommandLine(dir, "status", "--watch"), ui.CommandLine(dir, "logs", "-f"), ui.CommandLine(dir, "stop"))
}

// foreground is the pipe to the process in the foreground; nil for other runs.
type foreground struct{ f *os.File }

// findForeground takes the descriptor over, so that no worker inherits it.
func findForeground() *foreground {
	if os.Getenv(config.BackgroundEnv) == "" {
		return nil
	}
	os.Unsetenv(config.BackgroundEnv)
	syscall.CloseOnExec(backgroundFD)
	return &foreground{os.NewFile(backgroundFD, "foreground")}
}

// say sends a message. It is no error if nobody reads it any more.
func (g *foreground) say(word string) {
	if g == nil {
		return
	}
	if _, err := g.f.WriteString(strings.TrimSpace(word) + "\n"); err != nil || word == wordRunning {
		g.f.Close()
	}
}
