package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// step is a part of the check. Its error is reported and the next step runs.
type step struct {
	name    string
	timeout time.Duration // at most; the time limit of the whole check may end it earlier
	run     func(*checker, context.Context) error
}

var steps = []step{
	{"machine", 20 * time.Second, (*checker).machine},
	{"library", 6 * time.Minute, (*checker).library},
	{"models", time.Minute, (*checker).models},
	{"doctor", time.Minute, (*checker).doctor},
	{"words", 2 * time.Minute, (*checker).words},
	{"bench", 90 * time.Second, (*checker).bench},
	{"trials", 5 * time.Minute, (*checker).trials}, // uses the remaining time
}

func stepNames() string {
	var names []string
	for _, s := range steps {
		names = append(names, s.name)
	}
	return strings.Join(names, " ")
}

func chooseSteps(names []string) (chosen []step, err error) {
	if len(names) == 0 {
		return steps, nil
	}
	for _, name := range names {
		i := slices.IndexFunc(steps, func(s step) bool { return s.name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no step %q; the steps are %s", name, stepNames())
		}
		chosen = append(chosen, steps[i])
	}
	return chosen, nil
}

// checker is one run of the check.
type checker struct {
	dir, out string // the unpacked archive; the folder for results
	arch     string
	quick    bool
	until    time.Time // the end of the last step
	report   io.Writer
	work     string // temporary folder for workdirs, photos and models
}

func (c *checker) check(ctx context.Context, chosen []step) error {
	if err := os.MkdirAll(c.out, 0o777); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(c.out, "report.txt"))
	if err != nil {
		return err
	}
	defer f.Close()
	c.report = io.MultiWriter(os.Stdout, f)
	if c.work, err = os.MkdirTemp("", "photodesc-gpucheck-"); err != nil {
		return err
	}
	defer os.RemoveAll(c.work)

	ctx, cancel := context.WithDeadline(ctx, c.until)
	defer cancel()
	began := time.Now()
	var failed []string
	for _, s := range chosen {
		if ctx.Err() != nil {
			c.say("\n== %s: not done, the time is up", s.name)
			failed = append(failed, s.name)
			continue
		}
		c.say("\n== %s, %.0f s after the start", s.name, time.Since(began).Seconds())
		stepBegan := time.Now()
		limited, cancel := context.WithTimeout(ctx, s.timeout)
		err := s.run(c, limited)
		cancel()
		took := time.Since(stepBegan).Seconds()
		if err != nil {
			failed = append(failed, s.name)
			c.say("-- %s FAILED after %.1f s: %v", s.name, took, err)
			continue
		}
		c.say("-- %s took %.1f s", s.name, took)
	}
	if len(failed) > 0 {
		return fmt.Errorf("failed or not done: %s", strings.Join(failed, ", "))
	}
	return nil
}

func (c *checker) say(format string, args ...any) { fmt.Fprintf(c.report, format+"\n", args...) }

// command prepares a program of the archive. It uses the libraries packed with it, and puts its caches into c.work.
func (c *checker) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(c.dir, "bin", name), args...)
	libs := filepath.Join(c.dir, "lib")
	if others := os.Getenv("LD_LIBRARY_PATH"); others != "" {
		libs = others + ":" + libs // the driver's first
	}
	cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+libs, "XDG_CACHE_HOME="+filepath.Join(c.work, "cache"))
	endGroup(cmd)
	return cmd
}

// endGroup makes the end of its context end a command and all processes that it started: first by an interrupt, as Ctrl-C
// does, and 5 s later by SIGKILL.
func endGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error {
		pid := cmd.Process.Pid
		time.AfterFunc(5*time.Second, func() { syscall.Kill(-pid, syscall.SIGKILL) })
		return syscall.Kill(-pid, syscall.SIGINT)
	}
	cmd.WaitDelay = 10 * time.Second
}

// output runs a command and returns its standard output and standard error together.
func output(ctx context.Context, cmd *exec.Cmd) (string, error) {
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		err = errors.Join(errors.New("the time is up"), ctx.Err())
	}
	return strings.TrimRight(string(out), "\n"), err
}

// indent writes a program's output into the report.
func (c *checker) indent(text string) {
	for line := range strings.Lines(text) {
		c.say("    %s", strings.TrimRight(line, "\n"))
	}
}
