package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"photodesc/internal/config"
	"photodesc/internal/ui"
)

// finishVariables tell the command of --on-finish how a run went.
func finishVariables(r *runner, err error) []string {
	reason, _ := stopReason(err)
	s := r.summary()
	list := []string{
		fmt.Sprintf("EXIT_CODE=%d", ui.ExitCode(err)),
		fmt.Sprintf("REASON=%s", reason),
		"WORKDIR=" + absolute(r.dir),
		"FOLDER=" + r.root,
		fmt.Sprintf("SECONDS=%.0f", s.WallSeconds),
		fmt.Sprintf("DESCRIBED=%d", s.Described),
		fmt.Sprintf("FAILED=%d", s.Failed),
	}
	if r.track != nil {
		list = append(list,
			fmt.Sprintf("ALL_DESCRIBED=%d", s.AllDescribed), fmt.Sprintf("ALL_FAILED=%d", s.AllFailed), fmt.Sprintf("TOTAL=%d", s.Total),
			"LOG="+absolute(s.Log))
		if s.Output != "" { // a run that described nothing has none
			list = append(list, "OUTPUT="+absolute(s.Output))
		}
	}
	for i := range list {
		list[i] = config.RunVariablePrefix + list[i]
	}
	return list
}

// finishCommand is the command of --on-finish, "" if there is none. A run that the command starts has it from the last run's
// settings: it would start one run after another for ever.
func finishCommand(r *runner) string {
	inside := os.Getenv(config.RunVariablePrefix+"EXIT_CODE") != ""
	if inside && !r.config.OnCommandLine("on-finish") {
		return ""
	}
	return r.flags.OnFinish
}

// onFinish runs the command of --on-finish when the workdir is free for other runs. Its output goes to standard error, as
// standard output may be the run's events. If it fails, that is said and the exit code stays that of the run.
func (r *runner) onFinish(err error) {
	command := finishCommand(r)
	if command == "" {
		return
	}
	c := exec.Command("sh", "-c", command)
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, config.RunVariablePrefix) {
			c.Env = append(c.Env, v)
		}
	}
	c.Env = append(c.Env, finishVariables(r, err)...)
	c.Stdout, c.Stderr = os.Stderr, os.Stderr
	if e := r.signals.await(c, ui.ExitCode(err)); e != nil {
		fmt.Fprintf(os.Stderr, "photodesc: the command of --on-finish failed: %v\n", e)
	}
}

// await runs a command after the run. A request to stop is passed on to it; a second one ends this process with the exit code given.
func (s *signals) await(c *exec.Cmd, code int) error {
	s.handOver()
	for len(s.stop) > 0 {
		<-s.stop // it was for the run
	}
	if err := c.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	for again := false; ; {
		select {
		case err := <-ended:
			return err
		case sig := <-s.stop:
			switch {
			case sig == syscall.SIGHUP: // the terminal tells the command itself
			case again:
				os.Exit(code)
			default:
				again = true
				_ = c.Process.Signal(sig)
			}
		}
	}
}
