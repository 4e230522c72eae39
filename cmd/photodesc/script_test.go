package main

import (
	"bufio"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"photodesc/internal/durable/durabletest"
	"photodesc/internal/models/gguf/gguftest"
	"photodesc/internal/photo/faultfs"
	"photodesc/internal/worker"
	"photodesc/tracker"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) != "photodesc" {
		// The settings of who runs the tests are none of theirs.
		os.Setenv("XDG_CONFIG_HOME", filepath.Join(os.TempDir(), "photodesc-tests-no-settings"))
	}
	testscript.Main(ownSurroundings{m}, map[string]func(){
		"photodesc": func() {
			if cache := os.Getenv(cacheEnv); cache != "" {
				os.Setenv("XDG_CACHE_HOME", cache)
			}
			worker.WrapHandler, worker.ChangeAnswer = withFaults, blankText
			faultWhileMeasuring()
			shortAckWait()
			version = cmp.Or(os.Getenv(versionEnv), version)
			main()
		},
		// flood WHAT ADDRESS: a node that sends without end.
		"flood": floodMain,
		// refuse CALL=ERRNO,… COMMAND: those system calls of it fail.
		"refuse": durabletest.Main,
	})
}

// versionEnv is the version that a program under test is of.
const versionEnv = "TESTS_VERSION"

// cacheEnv names the cache folder of programs that tests start outside of scripts.
const cacheEnv = "TESTS_CACHE_HOME"

// ownSurroundings keeps the runs of tests out of the list of who runs the tests, and
// has programs get signals that who runs the tests ignores.
type ownSurroundings struct{ *testing.M }

func (m ownSurroundings) Run() int {
	// The program respects a hang-up that it is started to ignore, as by nohup. A signal
	// that is caught here is at its default in a child.
	for _, s := range []os.Signal{syscall.SIGHUP, syscall.SIGINT} {
		if signal.Ignored(s) {
			signal.Notify(make(chan os.Signal, 1), s)
		}
	}
	dir, err := os.MkdirTemp("", "photodesc-tests-cache")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	os.Setenv(cacheEnv, dir)
	return m.M.Run()
}

// TestScripts runs the real program along testdata/script/*.txtar. Beside the
// usual commands there are those of scriptCommands below, and
//
//	$PHOTOS  a copy of the example photos
//	$MODEL   the flags of a small random model
//	$MODELS  the folder of small random models of each kind
//	$TREES   folders with names and libraries that the walk has to know
func TestScripts(t *testing.T) {
	examples, err := filepath.Abs("../../examples/photos")
	if err != nil {
		t.Fatal(err)
	}
	trees, err := filepath.Abs("../../internal/photo/testdata")
	if err != nil {
		t.Fatal(err)
	}
	llamacpp, err := filepath.Abs("../../third_party/llama.cpp")
	if err != nil {
		t.Fatal(err)
	}
	model := tinyModel(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Values[bucketKey{}] = &scriptBucket{}
			env.Setenv("PHOTOS", filepath.Join(env.WorkDir, "photos"))
			env.Setenv("TEXT", filepath.Join(model, "tiny.gguf"))
			env.Setenv("MMPROJ", filepath.Join(model, "mmproj-tiny.gguf"))
			env.Setenv("MODELS", model)
			env.Setenv("LLAMACPP", llamacpp)
			env.Setenv("BIN", filepath.Join(llamacpp, "../../bin"))
			env.Setenv("LLVMPIPE", llvmpipe())
			env.Setenv("TREES", trees)
			env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
			return os.CopyFS(filepath.Join(env.WorkDir, "photos"), os.DirFS(examples))
		},
		Cmds:      scriptCommands,
		Condition: conditions,
	})
}

// copyPhoto copies a JPEG and adds a quantisation table that it does not use, so that copies of different numbers are different
// pictures that look the same.
func copyPhoto(from, to string, n int) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	table := make([]byte, 64)
	for i := range table {
		table[i] = 1 + byte(n>>(i%4*7))&0x7f
	}
	segment := append([]byte{0xff, 0xdb, 0, 2 + 1 + 64, 3}, table...)
	return os.WriteFile(to, slices.Concat(data[:2], segment, data[2:]), 0o666)
}

// tinyModel writes small models with random weights and returns their folder.
func tinyModel(t testing.TB) string {
	dir := t.TempDir()
	if err := gguftest.WriteModels(dir, "-type", "f16"); err != nil {
		t.Fatal(err)
	}
	return dir
}

var scriptCommands = map[string]func(*testscript.TestScript, bool, []string){
	// describe [flags] DIR: photodesc run with the small model.
	"describe": func(ts *testscript.TestScript, neg bool, args []string) {
		all := append([]string{"run", "--model", ts.Getenv("TEXT"), "--mmproj", ts.Getenv("MMPROJ"), "--threads", "1"}, args...)
		err := ts.Exec("photodesc", all...)
		if (err != nil) != neg {
			ts.Fatalf("photodesc %s: %v", strings.Join(all, " "), err)
		}
	},
	// code N COMMAND...: the command must exit with N.
	"code": func(ts *testscript.TestScript, neg bool, args []string) {
		if len(args) > 1 && args[1] == "describe" {
			args = append([]string{args[0], "photodesc", "run", "--model", ts.Getenv("TEXT"), "--mmproj", ts.Getenv("MMPROJ"), "--threads", "1"}, args[2:]...)
		}
		want, err := strconv.Atoi(args[0])
		ts.Check(err)
		got := 0
		if err := ts.Exec(args[1], args[2:]...); err != nil {
			var exitErr *exec.ExitError
			if !asExit(err, &exitErr) {
				ts.Fatalf("%v", err)
			}
			got = exitErr.ExitCode()
		}
		if got != want {
			ts.Fatalf("exit code %d, want %d", got, want)
		}
	},
	// faultfs FAULT SOURCE AT: shows the folder SOURCE at AT through a file system with a fault.
	"faultfs": func(ts *testscript.TestScript, neg bool, args []string) {
		at := ts.MkAbs(args[2])
		ts.Check(os.MkdirAll(at, 0o777))
		unmount, err := faultfs.Mount(faultfs.Fault(args[0]), ts.MkAbs(args[1]), at)
		ts.Check(err)
		ts.Defer(func() { ts.Check(unmount()) })
	},
	// lines N FILE...: the files have N lines together.
	"lines": func(ts *testscript.TestScript, neg bool, args []string) {
		want, err := strconv.Atoi(args[0])
		ts.Check(err)
		got := 0
		for _, f := range globbed(ts, args[1:]) {
			got += strings.Count(ts.ReadFile(f), "\n")
		}
		if got != want {
			ts.Fatalf("%d lines, want %d", got, want)
		}
	},
	// unique FILE: no line is there twice.
	"unique": func(ts *testscript.TestScript, neg bool, args []string) {
		seen := map[string]bool{}
		for line := range strings.Lines(ts.ReadFile(args[0])) {
			if seen[line] {
				ts.Fatalf("%q is there twice", line)
			}
			seen[line] = true
		}
	},
	// copies N DIR: N photos with names of their own. No two are the same picture.
	"copies": func(ts *testscript.TestScript, neg bool, args []string) {
		n, err := strconv.Atoi(args[0])
		ts.Check(err)
		dir := ts.MkAbs(args[1])
		ts.Check(os.MkdirAll(dir, 0o777))
		sources, err := filepath.Glob(filepath.Join(ts.Getenv("PHOTOS"), "*.jpg"))
		ts.Check(err)
		for i := range n {
			ts.Check(copyPhoto(sources[i%len(sources)], filepath.Join(dir, fmt.Sprintf("photo-%04d.jpg", i)), i))
		}
	},
	// await N FILE...: waits until the files have at least N lines together.
	"await": func(ts *testscript.TestScript, neg bool, args []string) {
		want, err := strconv.Atoi(args[0])
		ts.Check(err)
		for end := time.Now().Add(5 * time.Minute); ; time.Sleep(5 * time.Millisecond) {
			got := 0
			for _, name := range args[1:] {
				matches, _ := filepath.Glob(ts.MkAbs(name))
				for _, m := range matches {
					b, _ := os.ReadFile(m)
					got += strings.Count(string(b), "\n")
				}
			}
			if got >= want {
				return
			}
			if time.Now().After(end) {
				ts.Fatalf("only %d lines after five minutes, want %d", got, want)
			}
		}
	},
	// settle WORKDIR: waits until the run there has left figures of its rate behind.
	"settle": func(ts *testscript.TestScript, neg bool, args []string) {
		for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
			s, err := tracker.Peek(ts.MkAbs(args[0]))
			if err == nil && s.RateLastHour > 0 && s.LeftSeconds > 0 {
				return
			}
			if time.Now().After(end) {
				ts.Fatalf("no rate after a minute: %+v, %v", s, err)
			}
		}
	},
	// signal NAME [WORKDIR]: sends a signal to the run of a workdir.
	"signal": func(ts *testscript.TestScript, neg bool, args []string) {
		dir := "."
		if len(args) > 1 {
			dir = args[1]
		}
		pid, err := strconv.Atoi(strings.TrimSpace(strings.SplitN(ts.ReadFile(filepath.Join(dir, "photodesc.pid")), "\n", 2)[0]))
		ts.Check(err)
		signals := map[string]syscall.Signal{
			"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP, "KILL": syscall.SIGKILL,
			"QUIT": syscall.SIGQUIT, "STOP": syscall.SIGSTOP, "CONT": syscall.SIGCONT, "USR1": syscall.SIGUSR1,
		}
		ts.Check(syscall.Kill(pid, signals[args[0]]))
		if args[0] == "STOP" {
			// A script that fails before CONT would wait for the stopped process for ever.
			ts.Defer(func() { syscall.Kill(pid, syscall.SIGCONT) })
			awaitStopped(ts, pid)
		}
	},
	// noworkers: none of this program's workers is alive soon, at the latest within ten seconds.
	"noworkers": func(ts *testscript.TestScript, neg bool, args []string) {
		dir := ts.Getenv("WORK")
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			alive := workersOf(dir)
			if len(alive) == 0 {
				return
			}
			if time.Now().After(end) {
				ts.Fatalf("workers %v are alive", alive)
			}
		}
	},
}

// awaitStopped waits until each thread of a process has stopped: a system call
// under way, such as the renaming of a file, is finished after the signal was sent.
func awaitStopped(ts *testscript.TestScript, pid int) {
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		running := 0
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		ts.Check(err)
		for _, name := range threads {
			stat, err := os.ReadFile(name)
			if _, state, _ := strings.Cut(string(stat), ") "); err == nil && !strings.HasPrefix(state, "T") {
				running++
			}
		}
		switch {
		case running == 0:
			return
		case time.Now().After(end):
			ts.Fatalf("%d threads of process %d have not stopped after a minute", running, pid)
		}
	}
}

// workersOf lists the worker processes whose photos lie below dir.
func workersOf(dir string) (pids []string) {
	self, err := exec.LookPath("photodesc") // a copy of this binary
	if err != nil {
		panic(err)
	}
	procs, _ := filepath.Glob("/proc/[0-9]*")
	for _, p := range procs {
		if exe, _ := os.Readlink(filepath.Join(p, "exe")); exe != self {
			continue
		}
		f, err := os.Open(filepath.Join(p, "environ"))
		if err != nil {
			continue
		}
		s := bufio.NewScanner(f)
		s.Buffer(nil, 1<<20)
		s.Split(bufio.ScanLines)
		for s.Scan() {
			if strings.Contains(s.Text(), worker.ConfigEnv+"=") && strings.Contains(s.Text(), dir) {
				pids = append(pids, filepath.Base(p))
			}
		}
		f.Close()
	}
	return pids
}

func globbed(ts *testscript.TestScript, patterns []string) (files []string) {
	for _, p := range patterns {
		matches, err := filepath.Glob(ts.MkAbs(p))
		ts.Check(err)
		files = append(files, matches...)
	}
	return files
}

func asExit(err error, to **exec.ExitError) bool {
	e, ok := err.(*exec.ExitError)
	if ok {
		*to = e
	}
	return ok
}
