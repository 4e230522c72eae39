package main

import (
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"photodesc/internal/ui"
	"photodesc/internal/worker"
	"photodesc/llm"
	"photodesc/pool"
	"photodesc/tracker"
)

// The fault harness: the real program with the real llama.cpp, whose workers
// do wrong on photos with certain names, while its supervisor is killed again
// and again. A name says what happens: "segv-0017.jpg".
//
// The faults are in the program under test only, which is this test binary
// under another name (see TestMain); what is shipped knows nothing of them.

// faults by the first word of a photo's name.
var faults = map[string]func(pool.Job){
	"segv":   func(pool.Job) { forbiddenPage()[0] = 1 },
	"abort":  func(pool.Job) { syscall.Kill(os.Getpid(), syscall.SIGABRT); select {} },
	"panic":  func(pool.Job) { go panic("a fault"); select {} },
	"killed": func(pool.Job) { syscall.Kill(os.Getpid(), syscall.SIGKILL); select {} },
	"exit":   func(pool.Job) { os.Exit(0) },
	"hang":   func(pool.Job) { select {} },
	"babble": func(pool.Job) { say("{\"result\":\n") },
	"lie":    func(j pool.Job) { say(fmt.Sprintf("{\"result\":{\"id\":%d,\"data\":{}}}\n", j.ID+1_000_000)) },
	"leak":   func(pool.Job) { leak(10e6) },
	"gobble": func(j pool.Job) {
		if j.Attempt == 1 {
			leak(2e9)
		}
	},
	// Only the first time: whoever was in flight with it must come through too.
	"once": func(j pool.Job) {
		if j.Attempt == 1 {
			syscall.Kill(os.Getpid(), syscall.SIGABRT)
			select {}
		}
	},
}

// forbiddenPage is memory that may not be touched.
func forbiddenPage() []byte {
	b, err := syscall.Mmap(-1, 0, os.Getpagesize(), syscall.PROT_NONE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		panic(err)
	}
	return b
}

func say(line string) { os.NewFile(4, "reports").WriteString(line) }

var (
	leakMu sync.Mutex
	leaked [][]byte
)

func leak(n int) {
	b := make([]byte, n)
	for i := 0; i < n; i += 4096 {
		b[i] = 1
	}
	leakMu.Lock()
	leaked = append(leaked, b)
	leakMu.Unlock()
}

// faulty has a photo's name decide.
func faulty(h worker.Handler) worker.Handler {
	return func(ctx context.Context, j pool.Job) (any, error) {
		kind, _, _ := strings.Cut(filepath.Base(j.Path), "-")
		if kind == "escape" {
			return escape(j)
		}
		if f := faults[kind]; f != nil {
			f(j)
		}
		return h(ctx, j)
	}
}

// saysNothing has a photo's name decide how many answers are blank:
// "blank-2-0001.jpg" is answered at the third try. The engine has done its work,
// retries included; only its text is taken away.
func saysNothing(j pool.Job, a llm.Answer) llm.Answer {
	var n int
	if _, err := fmt.Sscanf(filepath.Base(j.Path), "blank-%d-", &n); err != nil {
		return a
	}
	blankMu.Lock()
	defer blankMu.Unlock()
	if blankAnswers[j.ID]++; blankAnswers[j.ID] <= n {
		a.Text = "..."
	}
	return a
}

var (
	blankMu      sync.Mutex
	blankAnswers = map[uint64]int{} // by job
)

// dieMeasuring is a variable that has the process that measures the model die.
const dieMeasuring = "PHOTODESC_TEST_DIE_MEASURING"

func faultWhileMeasuring() {
	if os.Getenv(dieMeasuring) != "" && strings.Contains(os.Getenv(worker.JobEnv), `"Measure":true`) {
		forbiddenPage()[0] = 1
	}
}

// harness is a folder of photos, a workdir and the program.
type harness struct {
	t            testing.TB
	photos, work string
	model        []string
}

func newHarness(t testing.TB) *harness {
	t.Helper()
	model := tinyModel(t)
	dir := t.TempDir()
	return &harness{t: t, photos: filepath.Join(dir, "photos"), work: filepath.Join(dir, "work"),
		model: []string{"--model", filepath.Join(model, "tiny.gguf"), "--mmproj", filepath.Join(model, "mmproj-tiny.gguf"), "--threads", "1"}}
}

// add makes photos of the given names, all of one small picture.
func (h *harness) add(names ...string) {
	h.t.Helper()
	if err := os.MkdirAll(h.photos, 0o700); err != nil {
		h.t.Fatal(err)
	}
	first := filepath.Join(h.photos, ".picture")
	if _, err := os.Stat(first); err != nil {
		f, err := os.Create(first)
		if err != nil {
			h.t.Fatal(err)
		}
		if err := jpeg.Encode(f, image.NewRGBA(image.Rect(0, 0, 32, 24)), nil); err != nil {
			h.t.Fatal(err)
		}
		f.Close()
	}
	for _, name := range names {
		if err := os.Link(first, filepath.Join(h.photos, name)); err != nil {
			h.t.Fatal(err)
		}
	}
}

func numbered(kind string, n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("%s-%04d.jpg", kind, i))
	}
	return names
}

// command is a run that has not yet begun.
func (h *harness) command(flags ...string) *exec.Cmd {
	args := append([]string{"-C", h.work, "run", "--max-tokens", "4", "--keep-awake=false"}, h.model...)
	cmd := exec.Command("photodesc", append(append(args, flags...), h.photos)...)
	cmd.Stderr = &strings.Builder{}
	return cmd
}

// run runs to the end and returns the exit code and what was said.
func (h *harness) run(flags ...string) (code int, said string) {
	h.t.Helper()
	cmd := h.command(flags...)
	err := cmd.Run()
	said = cmd.Stderr.(*strings.Builder).String()
	if cmd.ProcessState == nil {
		h.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), said
}

// underway is a run that works while the test goes on.
type underway struct {
	t     testing.TB
	cmd   *exec.Cmd
	log   string // a file with what it says
	ended chan error
}

// start starts a run that a command was made for.
func (h *harness) start(cmd *exec.Cmd) *underway {
	h.t.Helper()
	u := &underway{t: h.t, cmd: cmd, log: filepath.Join(h.t.TempDir(), "stderr"), ended: make(chan error, 1)}
	out, err := os.Create(u.log)
	if err != nil {
		h.t.Fatal(err)
	}
	cmd.Stderr = out
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	go func() {
		u.ended <- cmd.Wait()
		out.Close()
	}()
	return u
}

func (u *underway) said() string {
	b, err := os.ReadFile(u.log)
	if err != nil {
		u.t.Error(err)
	}
	return string(b)
}

// says waits until a sentence was said so many times.
func (u *underway) says(sentence string, times int) {
	u.t.Helper()
	for began := time.Now(); strings.Count(u.said(), sentence) < times; time.Sleep(20 * time.Millisecond) {
		if len(u.ended) > 0 || time.Since(began) > 30*time.Second {
			u.cmd.Process.Kill()
			u.t.Fatalf("it has not said %q %d times:\n%s", sentence, times, u.said())
		}
	}
}

// end waits for an end without an error.
func (u *underway) end() {
	u.t.Helper()
	if err := <-u.ended; err != nil {
		u.t.Errorf("%v\n%s", err, u.said())
	}
}

// tally is all that a workdir's files say.
type tally struct {
	ok, failed map[string]int // lines by path
	kinds      map[string]tracker.Kind
	progress   []string
	torn       int
}

func (h *harness) tally() tally {
	h.t.Helper()
	t := tally{ok: map[string]int{}, failed: map[string]int{}, kinds: map[string]tracker.Kind{}}
	files, _ := filepath.Glob(filepath.Join(h.work, tracker.OutputsName, "*.jsonl"))
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			h.t.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			var rec tracker.Record
			if !strings.HasSuffix(line, "\n") || json.Unmarshal([]byte(line), &rec) != nil || rec.Path == "" {
				t.torn++
				continue
			}
			if rec.Path, err = tracker.DecodePath(rec.Path); err != nil {
				t.torn++
			}
			if rec.Status == tracker.OK {
				t.ok[rec.Path]++
			} else {
				t.failed[rec.Path]++
				t.kinds[rec.Path] = rec.Error.Kind
			}
		}
	}
	b, err := os.ReadFile(filepath.Join(h.work, tracker.ProgressName))
	if err != nil {
		h.t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		path, err := tracker.DecodePath(strings.TrimSuffix(line, "\n"))
		if !strings.HasSuffix(line, "\n") || err != nil {
			t.torn++
		}
		t.progress = append(t.progress, path)
	}
	return t
}

// check compares with what must be there: an ok line for each photo that can be described,
// a failed line of the right kind for each failing one, nothing twice or torn.
func (t tally) check(tb testing.TB, described []string, failing map[string]tracker.Kind) {
	tb.Helper()
	if t.torn > 0 {
		tb.Errorf("%d torn lines", t.torn)
	}
	bad := 0
	complain := func(format string, args ...any) {
		if bad++; bad <= 10 {
			tb.Errorf(format, args...)
		}
	}
	for _, p := range described {
		if t.ok[p] != 1 || t.failed[p] != 0 {
			complain("%s: %d ok and %d failed lines (%s), want 1 and 0", p, t.ok[p], t.failed[p], t.kinds[p])
		}
	}
	for p, kind := range failing {
		if t.ok[p] != 0 || t.failed[p] != 1 || t.kinds[p] != kind {
			complain("%s: %d ok and %d failed lines (%s), want 0 and 1 (%s)", p, t.ok[p], t.failed[p], t.kinds[p], kind)
		}
	}
	if n := len(t.ok) + len(t.failed); n != len(described)+len(failing) {
		complain("lines for %d photos, want %d", n, len(described)+len(failing))
	}
	slices.Sort(t.progress)
	if want := slices.Sorted(maps.Keys(t.ok)); !slices.Equal(t.progress, want) {
		complain("%d progress lines for %d described photos, or not the same", len(t.progress), len(want))
	}
}

// TestFaults has workers die in every way, once, and looks at who is blamed.
func TestFaults(t *testing.T) {
	h := newHarness(t)
	described := numbered("photo", 120)
	described = append(described, numbered("once", 2)...)
	failing := map[string]tracker.Kind{}
	for kind, want := range map[string]tracker.Kind{
		"segv": tracker.Crash, "abort": tracker.Crash, "panic": tracker.Crash, "killed": tracker.Crash,
		"exit": tracker.Crash, "babble": tracker.Crash, "lie": tracker.Crash, "hang": tracker.Timeout,
	} {
		failing[kind+"-0000.jpg"] = want
	}
	h.add(described...)
	h.add(slices.Collect(maps.Keys(failing))...)
	began := time.Now()
	code, said := h.run("--timeout", "3s", "--batch-size", "50")
	if code != ui.ExitFailed {
		t.Errorf("exit code %d, want %d", code, ui.ExitFailed)
	}
	h.tally().check(t, described, failing)
	if t.Failed() {
		t.Log(said)
	}
	for _, want := range []string{"died (segfault)", "died (abort)", "died (killed)", "died (exit)", "died (protocol)", "died (timeout)"} {
		if !strings.Contains(said, want) {
			t.Errorf("the log does not say %q", want)
		}
	}
	t.Logf("%d photos, %d of them deadly, in %.1f s", len(described)+len(failing), len(failing), time.Since(began).Seconds())
}

// TestNothingWorks has every photo kill its worker: the model is broken then,
// and no photo is to be blamed.
func TestNothingWorks(t *testing.T) {
	if os.Getenv("PHOTODESC_SOAK") == "" {
		t.Skip("part of make soak: it waits longer and longer between its ten attempts")
	}
	h := newHarness(t)
	h.add(numbered("abort", 30)...)
	code, said := h.run()
	if code != ui.ExitError {
		t.Errorf("exit code %d, want %d\n%s", code, ui.ExitError, said)
	}
	for _, want := range []string{"10 workers in a row died without describing one photo", "SIGABRT", "photodesc doctor"} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q:\n%s", want, said)
		}
	}
	if h.lines() > 0 || len(h.outputs()) > 0 {
		t.Error("photos were described or blamed")
	}
	_, said, _ = strings.Cut(said, "ERROR")
	t.Log(said)
}

// TestOnlyBadLeft leaves nothing to do but photos that kill their workers. That
// others were described, in this run or before, shows that it is their fault.
func TestOnlyBadLeft(t *testing.T) {
	h := newHarness(t)
	described, failing := numbered("photo", 4), map[string]tracker.Kind{}
	h.add(described...)
	if code, said := h.run(); code != ui.ExitOK {
		t.Fatalf("exit code %d\n%s", code, said)
	}
	for _, name := range append(numbered("segv", 6), numbered("abort", 2)...) {
		failing[name] = tracker.Crash
	}
	h.add(slices.Collect(maps.Keys(failing))...)
	if code, said := h.run(); code != ui.ExitFailed {
		t.Errorf("exit code %d, want %d\n%s", code, ui.ExitFailed, said)
	}
	h.tally().check(t, described, failing)
}

// outputs is all that was written about photos.
func (h *harness) outputs() string {
	var all strings.Builder
	files, _ := filepath.Glob(filepath.Join(h.work, tracker.OutputsName, "*.jsonl"))
	for _, f := range files {
		b, _ := os.ReadFile(f)
		all.Write(b)
	}
	return all.String()
}

// TestKills kills the supervisor again and again. PHOTODESC_SOAK=1, as `make
// soak` sets it, makes it 2,000 photos and at least 100 kills.
func TestKills(t *testing.T) {
	photos, kills := 300, 10
	if os.Getenv("PHOTODESC_SOAK") != "" {
		photos, kills = 2000, 100
	}
	h := newHarness(t)
	described := append(numbered("photo", photos-photos/50), numbered("once", photos/100)...)
	failing := map[string]tracker.Kind{}
	for i := range photos / 100 {
		kind := []string{"segv", "abort", "exit", "lie"}[i%4]
		failing[fmt.Sprintf("%s-%04d.jpg", kind, i)] = tracker.Crash
	}
	h.add(described...)
	h.add(slices.Collect(maps.Keys(failing))...)
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	began := time.Now()
	done, left, slowest, within, busy := 0, len(described), time.Duration(0), 0, 0
	for killed := 0; ; {
		cmd := h.command("--batch-size", "40", "--timeout", "20s")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		if killed == kills {
			<-ended
			if code := cmd.ProcessState.ExitCode(); code != ui.ExitFailed {
				t.Errorf("the last run: exit code %d\n%s", code, cmd.Stderr)
			}
			break
		}
		// So long that about the right share of the photos is done by then.
		share := left / (kills - killed + 1)
		h.wait(done+min(random.IntN(2*share+1), max(left-1, 0)), ended)
		time.Sleep(time.Duration(random.IntN(int(20 * time.Millisecond))))
		if len(workersOf(h.photos)) > 0 {
			busy++
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatalf("ended before it was killed: %v\n%s", err, cmd.Stderr)
		}
		<-ended
		killed++
		dead := time.Now()
		for len(workersOf(h.photos)) > 0 {
			if time.Since(dead) > time.Second {
				t.Fatal("workers are alive a second after the supervisor's death")
			}
			time.Sleep(5 * time.Millisecond)
		}
		slowest = max(slowest, time.Since(dead))
		if now := h.lines(); now > done {
			within++
			left -= now - done
			done = now
		}
	}
	result := h.tally()
	result.check(t, described, failing)
	if busy < kills/2 {
		t.Errorf("workers were alive at %d of %d kills only", busy, kills)
	}
	twice := 0
	for _, n := range result.ok {
		if n > 1 {
			twice++
		}
	}
	t.Logf("%d photos, %d kills of the supervisor (%d of them with workers alive, %d after some photos of their run were done): "+
		"%d described, %d failed as they should, %d twice, %d lines torn; workers gone within %d ms; %.0f s",
		photos, kills, busy, within, len(result.ok), len(result.failed), twice, result.torn, slowest.Milliseconds(), time.Since(began).Seconds())
}

// lines is the number of lines in the progress file.
func (h *harness) lines() int {
	b, _ := os.ReadFile(filepath.Join(h.work, tracker.ProgressName))
	return strings.Count(string(b), "\n")
}

// wait waits for n lines, not for ever.
func (h *harness) wait(n int, ended chan error) {
	for limit := time.Now().Add(5 * time.Second); h.lines() < n && time.Now().Before(limit) && len(ended) == 0; {
		time.Sleep(2 * time.Millisecond)
	}
}
