package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// Commands of scripts about watching a run.
func init() {
	add := func(name string, f func(*testscript.TestScript, []string)) {
		scriptCommands[name] = func(ts *testscript.TestScript, neg bool, args []string) {
			if neg {
				ts.Fatalf("%s cannot be negated", name)
			}
			f(ts, args)
		}
	}
	// sleep DURATION
	add("sleep", func(ts *testscript.TestScript, args []string) {
		d, err := time.ParseDuration(args[0])
		ts.Check(err)
		time.Sleep(d)
	})
	// interrupt [NAME]: sends ^C to commands in the background.
	add("interrupt", func(ts *testscript.TestScript, args []string) {
		for _, cmd := range ts.BackgroundCmds() {
			ts.Check(cmd.Process.Signal(os.Interrupt))
		}
	})
	// stale WORKDIR: the run has written its state an hour ago.
	add("stale", func(ts *testscript.TestScript, args []string) {
		name := ts.MkAbs(filepath.Join(args[0], "photodesc_state.json"))
		text, err := os.ReadFile(name)
		ts.Check(err)
		old := `"updated": "` + time.Now().Add(-time.Hour).Format(time.RFC3339) + `"`
		text = regexp.MustCompile(`"updated": "[^"]*"`).ReplaceAllLiteral(text, []byte(old))
		ts.Check(os.WriteFile(name, text, 0o644))
	})
	// session WORKDIR: the run leads a session of its own.
	add("session", func(ts *testscript.TestScript, args []string) {
		first, _, _ := strings.Cut(ts.ReadFile(filepath.Join(args[0], "photodesc.pid")), "\n")
		pid, err := strconv.Atoi(first)
		ts.Check(err)
		if sid, _, errno := syscall.Syscall(syscall.SYS_GETSID, uintptr(pid), 0, 0); errno != 0 || int(sid) != pid {
			ts.Fatalf("session of %d is %d (%v)", pid, sid, errno)
		}
	})
	// events FILE KIND...: the file is events of all these kinds, in order.
	add("events", func(ts *testscript.TestScript, args []string) {
		var kinds []string
		for line := range strings.Lines(ts.ReadFile(args[0])) {
			var e struct {
				Event string
				Time  time.Time
			}
			if err := json.Unmarshal([]byte(line), &e); err != nil || e.Time.IsZero() {
				ts.Fatalf("%v in %s", err, line)
			}
			kinds = append(kinds, e.Event)
		}
		n := len(kinds)
		if n < 3 || kinds[0] != "start" || kinds[n-2] != "stop" || kinds[n-1] != "summary" {
			ts.Fatalf("events %v", kinds)
		}
		for _, k := range args[1:] {
			if !slices.Contains(kinds, k) {
				ts.Fatalf("no event %q", k)
			}
		}
	})
	// verifyunit DIR: systemd finds nothing wrong with the units.
	add("verifyunit", func(ts *testscript.TestScript, args []string) {
		units, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), "*.service"))
		ts.Check(err)
		cmd := exec.Command("systemd-analyze", append([]string{"--user", "verify"}, units...)...)
		cmd.Env = append(os.Environ(), "HOME="+ts.Getenv("HOME"), "XDG_RUNTIME_DIR="+ts.Getenv("WORK"))
		out, err := cmd.CombinedOutput()
		ts.Logf("systemd-analyze: %s (%v)", out, err)
		for line := range strings.Lines(string(out)) {
			if strings.Contains(line, "photodesc-") {
				ts.Fatalf("%s", line)
			}
		}
	})
}
