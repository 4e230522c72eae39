package pool

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Each kind of death is classified. The faulty photo fails after two attempts, and
// no other photo does, with eight photos in flight.
func TestDeaths(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		photo, mood string
		death       DeathKind
		failed      string
		words       string // in the log
	}{
		{"segv", "", DeathSegfault, "crash", "SIGSEGV"},
		{"abort", "", DeathAbort, "crash", "GGML_ASSERT(n > 0) failed"},
		{"panic", "", DeathAbort, "crash", "handler lost its head"},
		{"exit3", "", DeathExit, "crash", "exited with status 3: cannot go on"},
		{"exit0", "", DeathExit, "crash", "exited with status 0, without a word"},
		{"kill9", "", DeathKilled, "crash", "killed from outside"},
		{"hang", "", DeathTimeout, "timeout", "no answer within 1m0s"},
		{"stop", "", DeathSilence, "crash", "gave no sign of life for 30s"},
		{"garbage", "", DeathProtocol, "crash", "unreadable line"},
		{"wrongid", "", DeathProtocol, "crash", "answered job 99999, which it does not have"},
		{"giant", "", DeathProtocol, "crash", "broke the protocol"},
		{"twice", "", DeathProtocol, "", "which it does not have"},
	} {
		timed := test.death == DeathTimeout || test.death == DeathSilence
		t.Run(test.photo, func(t *testing.T) {
			bubbleIf(t, timed, func(t *testing.T, newRig func(Config) *rig) {
				jobs := mixed(40, test.photo)
				cfg := Config{MaxInFlight: 8, Command: fakeCommand(test.mood, delayEnv+"=1ms")}
				if timed {
					cfg.Timeout = time.Minute
				}
				r := newRig(cfg).run(jobs).noError(jobs)
				var want []string
				if test.failed != "" {
					want = []string{test.photo + " " + test.failed}
				}
				if got := r.failed(); !slices.Equal(got, want) {
					t.Errorf("failed: %v, want %v; log:\n%s", got, want, r.log())
				}
				deaths := 0
				for kind, n := range r.stats.Deaths {
					deaths += n
					if kind != test.death {
						t.Errorf("%d deaths of %s", n, kind)
					}
				}
				if deaths < 1 || deaths > 4 {
					t.Errorf("%d deaths; log:\n%s", deaths, r.log())
				}
				if !strings.Contains(r.log(), test.words) {
					t.Errorf("the log lacks %q:\n%s", test.words, r.log())
				}
			})
		})
	}
}

func TestOnlyFaultyPhotosFail(t *testing.T) {
	t.Parallel()
	jobs := mixed(150, "segv1", "abort2", "exit3", "once-segv4", "garbage5", "exit07")
	r := newRig(t, Config{Workers: 2, MaxInFlight: 8, BatchSize: 40, Prestart: true}).run(jobs).noError(jobs)
	want := []string{"abort2 crash", "exit07 crash", "exit3 crash", "garbage5 crash", "segv1 crash"}
	if got := r.failed(); !slices.Equal(got, want) {
		t.Errorf("failed: %v, want %v; log:\n%s", got, want, r.log())
	}
}

// Many faulty photos one after the other, as from one damaged card, do not count as
// a broken model.
func TestManyCrashesInARow(t *testing.T) {
	t.Parallel()
	for _, workers := range []int{1, 2, 3} {
		t.Run(fmt.Sprintf("%d workers", workers), func(t *testing.T) {
			t.Parallel()
			jobs := slices.Values(slices.Concat(slices.Collect(paths("good", 20)), slices.Collect(paths("exit3-", 18)), slices.Collect(paths("fine", 40))))
			r := newRig(t, Config{Workers: workers, MaxInFlight: 8, BatchSize: 50}).run(jobs).noError(jobs)
			if n := len(r.failed()); n != 18 {
				t.Errorf("%d failed; log:\n%s", n, r.log())
			}
		})
	}
}

// Nor do many photos that use up the memory.
func TestManyMemoryDeathsInARow(t *testing.T) {
	t.Parallel()
	jobs := slices.Values(slices.Concat(slices.Collect(paths("good", 20)), slices.Collect(paths("kill9-", 8)), slices.Collect(paths("fine", 60))))
	r := newRig(t, Config{MaxInFlight: 8}).run(jobs).noError(jobs)
	if n := len(r.failed()); n != 8 {
		t.Errorf("%d failed; log:\n%s", n, r.log())
	}
}

// If one cause kills all workers at once, the run goes on.
func TestAllWorkersKilledAtOnce(t *testing.T) {
	t.Parallel()
	jobs := slices.Values(slices.Concat(slices.Collect(paths("once-kill9-", 12)), slices.Collect(paths("good", 100))))
	r := newRig(t, Config{Workers: 12}).run(jobs).noError(jobs)
	if n := len(r.failed()); n != 0 {
		t.Errorf("%d failed; log:\n%s", n, r.log())
	}
}

// If a model has been loaded before, a worker that cannot load it does not end the
// run.
func TestOneLoadFails(t *testing.T) {
	t.Parallel()
	jobs := paths("good", 100)
	r := newRig(t, Config{BatchSize: 10, Command: func(n int) *exec.Cmd {
		if n == 5 {
			return fakeCommand("fatal")(n)
		}
		return fakeCommand("")(n)
	}}).run(jobs).noError(jobs)
	if r.stats.Deaths[DeathStart] != 1 || !strings.Contains(r.log(), "could not load") {
		t.Errorf("deaths %v; log:\n%s", r.stats.Deaths, r.log())
	}
}

// Workers are killed also where the system cannot wait for a process without
// reaping it.
func TestKillWithoutWaiting(t *testing.T) {
	t.Parallel()
	jobs := slices.Values([]string{"good1", "garbage", "good2"})
	r := newRig(t, Config{launch: func(cmd *exec.Cmd, onLine func(string)) (*proc, error) {
		return spawn(cmd, func(int) bool { return false }, onLine)
	}}).run(jobs).noError(jobs)
	if got := r.failed(); !slices.Equal(got, []string{"garbage crash"}) {
		t.Errorf("failed: %v; log:\n%s", got, r.log())
	}
}

func TestTenDeathsEndTheRun(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, mood, photo string
		kind              DeathKind
	}{
		{"on photos", "", "segv", DeathSegfault},
		{"on start", "dead", "good", DeathExit},
		{"no hello", "silent", "good", DeathSilence},
		{"other version", "old", "good", DeathProtocol},
		{"babble", "babble", "good", DeathProtocol},
		{"hello twice", "hellotwice", "good", DeathProtocol},
		{"no such program", "", "good", DeathStart},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubbleIf(t, test.kind == DeathSilence, func(t *testing.T, newRig func(Config) *rig) {
				cfg := Config{Command: fakeCommand(test.mood), Version: "1", MaxInFlight: 4}
				if test.kind == DeathStart {
					cfg.Command = func(int) *exec.Cmd { return exec.Command("/nowhere/photodesc") }
				}
				r := newRig(cfg).run(paths(test.photo, 100))
				var deaths *DeathsError
				if !errors.As(r.err, &deaths) || deaths.Deaths != 10 || deaths.Kind != test.kind {
					t.Errorf("run: %v (%+v); log:\n%s", r.err, r.stats, r.log())
				}
				if len(r.results) != 0 {
					t.Errorf("photos are blamed for a broken model: %v", r.failed())
				}
			})
		})
	}
}

// A model that was never tried and kills all its workers ends the run early. No photo is charged, however few
// there are.
func TestUntestedModel(t *testing.T) {
	t.Parallel()
	names := func(name string, n int) []string { return slices.Collect(paths(name, n)) }
	for _, test := range []struct {
		name, mood string
		photos     []string
		kind       DeathKind
		deaths     int
		failed     []string // photos
	}{
		{"on start", "dead", names("good", 20), DeathExit, 3, nil},
		{"on every photo", "", names("segv", 20), DeathSegfault, 3, nil},
		{"on the only photo", "", names("segv", 1), DeathSegfault, 2, nil},
		{"on the first photo only", "", append(names("segv", 1), names("good", 5)...), "", 2, []string{"segv0 crash"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, Config{Command: fakeCommand(test.mood), Version: "1", MaxInFlight: 4, Untested: true}).run(slices.Values(test.photos))
			var deaths *DeathsError
			if errors.As(r.err, &deaths) != (test.kind != "") || deaths != nil && (!deaths.Untested || deaths.Deaths != test.deaths || deaths.Kind != test.kind) {
				t.Errorf("run: %v (%+v); log:\n%s", r.err, r.stats, r.log())
			}
			if got := r.failed(); !slices.Equal(got, test.failed) {
				t.Errorf("failed: %v, want %v", got, test.failed)
			}
		})
	}
}

// Deaths about memory end a run with an untested model no sooner than others, and neither do crashes once it works.
func TestUntestedStreak(t *testing.T) {
	now := time.Now()
	s := deathStreak{max: 10, fewer: 3, unproven: true}
	for range 9 {
		s.add(death{kind: DeathOOM}, false, now)
	}
	if s.tooLong() {
		t.Error("deaths about memory count as crashes")
	}
	s.reset()
	for range 3 {
		s.add(death{kind: DeathAbort, detail: "abort"}, false, now)
	}
	if !s.tooLong() || !strings.Contains(s.err().Error(), "3 workers in a row died") {
		t.Errorf("three crashes do not end the run: %v", s.err())
	}
	s.described()
	for range 3 {
		s.add(death{kind: DeathAbort}, false, now)
	}
	if s.tooLong() {
		t.Error("a model that has described a photo is not trusted")
	}
}

// If all photos crash, but too few deaths show that the model is broken, the photos
// fail.
func TestOnlyPhotoCrashes(t *testing.T) {
	t.Parallel()
	jobs := paths("segv", 1)
	r := newRig(t, Config{}).run(jobs).noError(jobs)
	if got := r.failed(); !slices.Equal(got, []string{"segv0 crash"}) || r.stats.Deaths[DeathSegfault] != 2 {
		t.Errorf("failed: %v, deaths %v", got, r.stats.Deaths)
	}
}

// A photo fails by out-of-memory kills only after three of them while it was alone.
func TestOOMKill(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		photo  string
		failed []string
	}{
		{"once-kill9", nil},
		{"kill9", []string{"kill9 memory"}},
	} {
		t.Run(test.photo, func(t *testing.T) {
			t.Parallel()
			var kills uint64
			jobs := mixed(60, test.photo)
			cfg := Config{Workers: 2, MaxInFlight: 8}
			cfg.samplers.OOMKills = func() uint64 { kills++; return kills } // the loop's goroutine
			r := newRig(t, cfg).run(jobs).noError(jobs)
			if got := r.failed(); !slices.Equal(got, test.failed) {
				t.Errorf("failed: %v; log:\n%s", got, r.log())
			}
			want := 1
			if test.failed != nil {
				want = 4 // with others in flight, then three times alone
			}
			if n := r.stats.Deaths[DeathOOM]; n < want-1 || n > want {
				t.Errorf("%d OOM kills", n)
			}
			// The photo may by chance have been alone the first time.
			shared := strings.Contains(r.log(), " photos in flight will be tried again")
			if r.retried < 1 || shared && !strings.Contains(r.log(), "at most 4 photos at once for now") {
				t.Errorf("retried %d; log:\n%s", r.retried, r.log())
			}
		})
	}
}

func TestClassify(t *testing.T) {
	for _, test := range []struct {
		script string
		ooms   uint64
		kind   DeathKind
		detail string
	}{
		{"kill -SEGV $$", 0, DeathSegfault, "segmentation fault, without a word"},
		{"echo 'x: GGML_ASSERT(a) failed'; kill -ABRT $$", 0, DeathAbort, "aborted (aborted): x: GGML_ASSERT(a) failed"},
		{"echo \"terminate called after throwing an instance of 'std::bad_alloc'\"; kill -ABRT $$", 0, DeathOOM, "was refused memory"},
		{"kill -KILL $$", 1, DeathOOM, "killed by the system because memory ran out"},
		{"kill -KILL $$", 0, DeathKilled, "killed from outside"},
		{"kill -USR1 $$", 0, DeathSignal, "ended by signal user defined signal 1"},
		{"echo bye; exit 7", 0, DeathExit, "exited with status 7: bye"},
		{"exit 0", 0, DeathExit, "exited with status 0"},
		{"echo 'SIGABRT: abort'; for i in $(seq 100); do echo goroutine $i; done; exit 2", 0, DeathAbort, "SIGABRT: abort"},
		{"echo 'fatal error: unexpected signal'; echo '[signal SIGSEGV: segmentation violation'; seq 100; exit 2", 0, DeathSegfault, "fatal error: unexpected signal"},
		{"echo 'fatal error: runtime: out of memory'; seq 100; exit 2", 0, DeathOOM, "out of memory"},
		{"echo usage; exit 2", 0, DeathExit, "exited with status 2: usage"},
	} {
		w := &stderrTail{}
		cmd := exec.Command("sh", "-c", test.script)
		cmd.Stdout, cmd.Stderr = w, w
		d := classify(cmd.Run(), w, test.ooms)
		if d.kind != test.kind || !strings.Contains(d.detail, test.detail) {
			t.Errorf("%s: %+v", test.script, d)
		}
	}
}

func TestStderrTail(t *testing.T) {
	w := &stderrTail{}
	fmt.Fprint(w, "one\r\n\ntwo\nGGML_ASSERT(x) failed\nbecause\n")
	for i := range 100 {
		fmt.Fprintf(w, "frame %d\n", i)
	}
	fmt.Fprint(w, strings.Repeat("\xff", 5000))
	lines := w.lines()
	if lines[0] != "GGML_ASSERT(x) failed" || lines[1] != "because" || len(lines) != keptLines+maxCrashLines {
		t.Errorf("%d lines: %q", len(lines), lines)
	}
	if w.cause() != "GGML_ASSERT(x) failed" {
		t.Errorf("cause %q", w.cause())
	}
}

func TestCrashLines(t *testing.T) {
	for said, want := range map[string][]string{
		"":                            nil,
		"I loading\nD more\n":         nil,
		"I loading\na\nb\nc\nd\ne\nf": {"c", "d", "e", "f"},
		"I loading\nW odd\nE wrong\n": {"W odd", "E wrong"},
		"I a\nSIGSEGV: segmentation violation\nPC=1\n\ngoroutine 1\nframe\nframe\n": {"SIGSEGV: segmentation violation"},
		"OpenBLAS blas_thread_init: pthread_create failed for thread 1 of 2: Resource temporarily unavailable\nOpenBLAS blas_thread_init: RLIMIT_NPROC 10 current, 10 max\n": {
			"OpenBLAS blas_thread_init: pthread_create failed for thread 1 of 2: Resource temporarily unavailable", "OpenBLAS blas_thread_init: RLIMIT_NPROC 10 current, 10 max"},
	} {
		if got := CrashLines(said); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", said, got, want)
		}
	}
}

// If the supervisor is killed, its workers end within a second: by the kernel's
// signal or, where there is none, because their input is closed.
func TestSupervisorKilled(t *testing.T) {
	t.Parallel()
	for _, mood := range []string{"", "orphan"} {
		t.Run("mood="+mood, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), roleEnv+"=supervisor", moodEnv+"="+mood)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			var pids []int
			busy := 0
			for s := bufio.NewScanner(out); busy < 4 && s.Scan(); {
				var pid int
				if _, err := fmt.Sscanf(s.Text(), "ready %d", &pid); err == nil {
					pids = append(pids, pid)
				} else {
					busy++
				}
			}
			if len(pids) != 2 {
				t.Errorf("workers %v", pids)
			}
			cmd.Process.Kill()
			killed := time.Now()
			cmd.Wait()
			for _, pid := range pids {
				for !exited(pid) {
					if time.Since(killed) > 10*time.Second {
						syscall.Kill(pid, syscall.SIGKILL)
						t.Fatalf("worker %d lives on", pid)
					}
					time.Sleep(time.Millisecond)
				}
			}
			t.Logf("%d workers gone after %v", len(pids), time.Since(killed))
		})
	}
}

// exited is whether a process has ended, reaped or not.
func exited(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return true
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return os.IsNotExist(err)
	}
	_, after, _ := strings.Cut(string(b), ") ")
	return strings.HasPrefix(after, "Z")
}

// Workers ignore the terminal's ^C, a hang-up and a service manager's SIGTERM, which
// the supervisor handles.
func TestWorkerIgnoresSignals(t *testing.T) {
	t.Parallel()
	jobs := paths("good", 20)
	r := newRig(t, Config{MaxInFlight: 2, Command: fakeCommand("", delayEnv+"=5ms")})
	r.onEvent = func(e seen) {
		if e.Kind == EventWorkerReady {
			for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGHUP, syscall.SIGTERM} {
				syscall.Kill(e.PID, s)
			}
			if pgid, err := syscall.Getpgid(e.PID); err != nil || pgid != e.PID {
				t.Errorf("group %d of worker %d: %v", pgid, e.PID, err)
			}
		}
	}
	r.run(jobs).noError(jobs)
	if len(r.stats.Deaths) != 0 {
		t.Errorf("deaths: %v", r.stats.Deaths)
	}
}

// Photos that were in flight beside a slow one are tried again without quarantine.
func TestTimeoutKeepsOtherPhotos(t *testing.T) {
	bubble(t, func(t *testing.T) {
		jobs := mixed(60, "hang")
		r := newBubbleRig(t, Config{MaxInFlight: 4, Timeout: time.Minute, Command: fakeCommand("", delayEnv+"=5s")})
		var mu sync.Mutex
		attempts := map[string]int{}
		r.onEvent = func(e seen) {
			mu.Lock()
			defer mu.Unlock()
			if e.Kind == EventPhotoOut {
				attempts[e.Path] = max(attempts[e.Path], e.Attempt)
			}
		}
		r.run(jobs).noError(jobs)
		if r.results["hang"].Failure == nil || r.results["hang"].Attempts != 2 || r.stats.Deaths[DeathTimeout] != 2 {
			t.Errorf("%+v; deaths %v; log:\n%s", r.results["hang"], r.stats.Deaths, r.log())
		}
		for path, n := range attempts {
			if n > 2 {
				t.Errorf("%q had %d attempts", path, n)
			}
		}
	})
}
