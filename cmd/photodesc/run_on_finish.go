package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"

	"photodesc/internal/config"
	"photodesc/internal/ui"
)

// finishVariables tell the command of --on-finish how a run went.
func (r *runner) finishVariables(err error) []string {
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

// onFinish runs the command of --on-finish when the workdir is free for other runs. Its output goes to standard error, as
// standard output may be the run's events. If it fails, that is said and the exit code stays that of the run.
func (r *runner) onFinish(err error) {
	// A run that the command starts has it from the last run's settings: it would start one run after another for ever.
	inside := os.Getenv(config.RunVariablePrefix+"EXIT_CODE") != ""
	if r.flags.OnFinish == "" || inside && !r.config.OnCommandLine("on-finish") {
		return
	}
	c := exec.Command("sh", "-c", r.flags.OnFinish)
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, config.RunVariablePrefix) {
			c.Env = append(c.Env, v)
		}
	}
	c.Env = append(c.Env, r.finishVariables(err)...)
	c.Stdout, c.Stderr = os.Stderr, os.Stderr
	if e := c.Run(); e != nil {
		fmt.Fprintf(os.Stderr, "photodesc: the command of --on-finish failed: %v\n", e)
	}
}
