package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"photodesc/internal/cluster"
	"photodesc/internal/models"
	"photodesc/internal/models/hub/hubtest"
	"photodesc/pool"
	"photodesc/tracker"
)

// brokenEnv has the workers of a program under test fail: "all", or "photos" without the known picture.
const brokenEnv = "TESTS_BROKEN"

// broken is whether a photo fails by it.
func broken(path string) bool {
	how := os.Getenv(brokenEnv)
	return how == "all" || how == "photos" && path != proofName
}

// lateEnv names the file for which photos called late- wait.
const lateEnv = "TESTS_LATE"

func init() {
	faults["late"] = func(pool.Job) { awaitFile(os.Getenv(lateEnv)) }
}

// tree is a process and all its descendants.
func tree(pid int) (pids []int) {
	children := map[int][]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		b, _ := os.ReadFile(path)
		_, rest, ok := strings.Cut(string(b), ") ")
		fields := strings.Fields(rest)
		if !ok || len(fields) < 2 {
			continue
		}
		parent, _ := strconv.Atoi(fields[1])
		child, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		children[parent] = append(children[parent], child)
	}
	pids = []int{pid}
	for i := 0; i < len(pids); i++ {
		pids = append(pids, children[pids[i]]...)
	}
	return pids
}

// asleep stops a program and its workers, as a machine that sleeps does, until the result is called.
func (u *underway) asleep() (wake func()) {
	pids := tree(u.cmd.Process.Pid)
	for _, pid := range pids {
		_ = syscall.Kill(pid, syscall.SIGSTOP)
	}
	return func() {
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGCONT)
		}
	}
}

// until waits until what is seen of the run's nodes is as wanted.
func (h *harness) until(what string, wanted func(tracker.Node) bool) {
	h.t.Helper()
	for end := time.Now().Add(4 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		s, err := tracker.Peek(h.work)
		if err == nil && slices.ContainsFunc(s.Nodes, wanted) {
			return
		}
		if time.Now().After(end) {
			h.t.Fatalf("%s: %+v, %v", what, s.Nodes, err)
		}
	}
}

// TestServeAsleep: a node that sleeps for longer than its photos are waited for, and then answers for them, and a run that sleeps.
// With PHOTODESC_SOAK=1 they do so for longer than any connection lives.
func TestServeAsleep(t *testing.T) {
	sleeps := 3 * time.Second
	if os.Getenv("PHOTODESC_SOAK") != "" {
		sleeps = 3 * time.Minute
	} else {
		t.Setenv(ackWaitEnv, "1s")
	}
	h := newHarness(t)
	dir := t.TempDir()
	t.Setenv(lateEnv, filepath.Join(dir, "late"))
	photos := append(numbered("gated", 10), "late-0001.jpg")
	h.add(photos...)
	run := h.serve("--no-local")
	laptop := h.node("laptop")
	laptop.Env = append(laptop.Env, gateEnv+"="+filepath.Join(dir, "gate"))
	sleeper := h.start(laptop)
	h.until("laptop has photos", func(n tracker.Node) bool { return n.Name == "laptop" && n.InFlight >= 2 })
	wake := sleeper.asleep()
	defer wake()
	began := time.Now()
	run.says("Node laptop has said nothing", 1)
	desk := h.node("desk")
	desk.Env = append(desk.Env, gateEnv+"="+dir) // which is there
	worker := h.start(desk)
	h.wait(10, run.ended)
	for time.Since(began) < sleeps {
		time.Sleep(50 * time.Millisecond)
	}
	writeFile(t, filepath.Join(dir, "gate"), nil)
	wake()
	h.until("laptop answers late", func(n tracker.Node) bool { return n.Name == "laptop" && n.Late >= 2 })
	run.says("Node laptop is back", 1)

	wake = run.asleep()
	defer wake()
	time.Sleep(sleeps)
	wake()
	writeFile(t, filepath.Join(dir, "late"), nil)
	run.end()
	worker.end()
	sleeper.end()
	h.tally().check(t, photos, nil)
	t.Logf("asleep for %s each: %d photos, each with one result, by machine %v", sleeps, len(photos), h.byNode())
}

// TestServeBroken: nodes that fail everything are paused and named, whether they see so themselves or not, and no photo is blamed.
func TestServeBroken(t *testing.T) {
	t.Setenv(ackWaitEnv, "3s")
	h := newHarness(t)
	gate := filepath.Join(t.TempDir(), "gate")
	t.Setenv(gateEnv, gate)
	photos := numbered("gated", 30)
	h.add(photos...)
	run := h.serve("--no-local")
	nodes := []*underway{h.start(h.node("desk"))}
	for name, how := range map[string]string{"blind": "all", "half": "photos"} {
		cmd := h.node(name)
		cmd.Env = append(cmd.Env, brokenEnv+"="+how)
		nodes = append(nodes, h.start(cmd))
	}
	run.says("Node blind gets no more photos: it cannot describe a known picture", 1)
	for h.nodeUp("half").Failed < 5 { // it has described the known picture, so its word counts at first
		time.Sleep(20 * time.Millisecond)
	}
	writeFile(t, gate, nil)
	run.says("Node half gets no more photos: it failed on ", 1)
	run.end()
	for _, n := range nodes {
		n.end()
	}
	h.tally().check(t, photos, nil)
	if by := h.byNode(); by["desk"] != len(photos) || len(by) != 1 {
		t.Errorf("described by %v", by)
	}
}

// cache is the cache folder of a node.
func (h *harness) cache(node string) string {
	return filepath.Join(filepath.Dir(h.work), "cache", node)
}

// nodeUp is what a node's own status says.
func (h *harness) nodeUp(name string) (up nodeUp) {
	files, _ := filepath.Glob(filepath.Join(h.cache(name), "photodesc/node/status/*.json"))
	for _, path := range files {
		if data, err := os.ReadFile(path); err == nil {
			_ = json.Unmarshal(data, &up)
		}
	}
	return up
}

// TestServeFull: a node whose disk is full waits and says so; no photo fails by it or is lost.
func TestServeFull(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounting a small disk needs root")
	}
	h := newHarness(t)
	disk := filepath.Join(h.cache("desk"), "photodesc/node/spool")
	if err := os.MkdirAll(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	// The spool leaves 64 MiB free for as long as other photos are in it.
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=96m"); err != nil {
		t.Skipf("no small disk: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	gate := filepath.Join(t.TempDir(), "gate")
	t.Setenv(gateEnv, gate)
	photos := append(numbered("gated", 4), numbered("photo", 20)...)
	h.add(photos...)
	for i, name := range photos { // the later ones do not fit into the room of all that are described before
		f, err := os.OpenFile(filepath.Join(h.photos, name), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(make([]byte, min(i/4, 1)<<20)); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	run := h.serve("--no-local")
	node := h.start(h.node("desk"))
	h.until("desk has photos", func(n tracker.Node) bool { return n.InFlight >= 2 })
	ballast, err := os.Create(filepath.Join(disk, "ballast"))
	if err != nil {
		t.Fatal(err)
	}
	defer ballast.Close()
	for _, err := ballast.Write(make([]byte, 1<<20)); err == nil; _, err = ballast.Write(make([]byte, 1<<20)) {
	}
	seen, filled, block := make(chan bool), make(chan bool), make([]byte, 4096)
	go func() { // photos that are described leave room behind
		defer close(filled)
		for {
			select {
			case <-seen:
				return
			case <-time.After(time.Millisecond):
			}
			for {
				if _, err := ballast.Write(block); err != nil {
					break
				}
			}
		}
	}()
	writeFile(t, gate, nil)
	node.says("No photo can be fetched until there is room: the disk is full", 1)
	h.until("the run says so", func(n tracker.Node) bool {
		return strings.Contains(n.Phase, "waiting for room: the disk is full") && n.Paused == ""
	})
	close(seen)
	<-filled
	if err := ballast.Truncate(0); err != nil {
		t.Fatal(err)
	}
	run.end()
	node.end()
	if !strings.Contains(node.said(), "Photos can be fetched again") {
		t.Error(node.said())
	}
	h.tally().check(t, photos, nil)
}

// TestServeModelFromHub: a node fetches a missing model from the hub when asked to, and from the run where the hub has other files.
func TestServeModelFromHub(t *testing.T) {
	h := newHarness(t)
	hub := hubtest.Start()
	t.Cleanup(hub.Close)
	entry := models.Catalogue[slices.IndexFunc(models.Catalogue, func(e models.Entry) bool { return e.Repo != "" })]
	own := h.model
	for path, name := range map[string]string{own[1]: entry.Text.File, own[3]: entry.Vision.File} {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		hub.Put(entry.Repo, name, b)
	}
	t.Setenv("HF_ENDPOINT", hub.URL)
	t.Setenv("HF_HOME", t.TempDir())
	t.Setenv("PHOTODESC_MODELS", t.TempDir())
	h.model = []string{"--model", entry.Name, "--threads", "1"}
	gate := filepath.Join(t.TempDir(), "gate")
	t.Setenv(gateEnv, gate)
	photos := numbered("gated", 6)
	h.add(photos...)
	run := h.serve("--no-local")
	fetched := len(hub.Seen("store", "GET"))
	start := func(name string) *underway {
		cmd := h.node(name, "--model-from-hub")
		cmd.Env = append(cmd.Env, "PHOTODESC_MODELS="+t.TempDir())
		u := h.start(cmd)
		u.says("is ready", 1)
		return u
	}
	same := start("same")
	if n := len(hub.Seen("store", "GET")) - fetched; n != 2 || strings.Contains(same.said(), "from the run") {
		t.Errorf("%d files from the hub\n%s", n, same.said())
	}
	b, err := os.ReadFile(own[1])
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-1] ^= 1 // of a weight
	hub.Put(entry.Repo, entry.Text.File, b)
	other := start("other")
	for _, said := range []string{"The model of this name on the hub has other files than the run's", "Fetching the model from the run"} {
		if !strings.Contains(other.said(), said) {
			t.Errorf("it has not said %q:\n%s", said, other.said())
		}
	}
	hub.Close()
	away := start("away")
	if !strings.Contains(away.said(), "The model is fetched from the run: model "+entry.Name) {
		t.Error(away.said())
	}
	writeFile(t, gate, nil)
	run.end()
	for _, u := range []*underway{same, other, away} {
		u.end()
	}
	h.tally().check(t, photos, nil)
}

// floodMain is a node that floods a run: it joins and then sends without end what its first argument says, until it is put out.
func floodMain() {
	a, err := cluster.ParseAddress(os.Args[2])
	if err != nil {
		panic(err)
	}
	secret := cluster.RandomSecret()
	id, prefix := cluster.NodeID(secret), "photodesc."+cluster.RunOf(a.Token)+"."
	nc, err := nats.Connect("nats://"+a.Host, nats.Secure(cluster.PinnedTLS(a.Fingerprint)), nats.UserInfo(secret, a.Token), nats.CustomInboxPrefix("_INBOX_"+id), nats.NoReconnect())
	if err != nil {
		panic(err)
	}
	hello := fmt.Sprintf(`{"protocol":1,"version":%q,"name":"evil-%s","cores":1}`, version, os.Args[1])
	if _, err := nc.Request(prefix+"ask."+id+".hello", []byte(hello), 20*time.Second); err != nil {
		panic(err)
	}
	subject, data := map[string]func() (string, []byte){
		"beats":   func() (string, []byte) { return prefix + "ask." + id + ".beat", []byte(`{"slots":1}`) },
		"results": func() (string, []byte) { return prefix + "result." + id, make([]byte, 1000) },
		"chunks":  func() (string, []byte) { return prefix + "ask." + id + ".model", []byte(`{"file":0,"offset":0}`) },
		"large":   func() (string, []byte) { return prefix + "result." + id, make([]byte, 1000<<10) },
	}[os.Args[1]]()
	inbox, sent := nc.NewInbox(), 0
	_, _ = nc.Subscribe(inbox, func(*nats.Msg) {})
	began := time.Now()
	for nc.IsConnected() {
		if nc.PublishRequest(subject, inbox, data) == nil {
			sent++
		}
	}
	fmt.Printf("%d messages in %.1f s\n", sent, time.Since(began).Seconds())
}

// TestServeFlood: nodes that flood a run are put out and named, and an honest one describes all photos meanwhile.
func TestServeFlood(t *testing.T) {
	h := newHarness(t)
	gate := filepath.Join(t.TempDir(), "gate")
	t.Setenv(gateEnv, gate)
	photos := numbered("gated", 20)
	h.add(photos...)
	run := h.serve("--no-local")
	node := h.start(h.node("desk"))
	h.until("desk has photos", func(n tracker.Node) bool { return n.InFlight >= 2 })
	address, err := os.ReadFile(h.address())
	if err != nil {
		t.Fatal(err)
	}
	cpu := func() time.Duration { return cpuOf(run.cmd.Process.Pid) }
	for _, what := range []string{"beats", "results", "chunks", "large"} {
		before := cpu()
		said, err := exec.Command("flood", what, strings.TrimSpace(string(address))).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v, %s", what, err, said)
		}
		run.says("Node evil-"+what+" gets no more photos: ", 1)
		t.Logf("%s: %s, %s of CPU in the run", what, strings.TrimSpace(string(said)), cpu()-before)
	}
	writeFile(t, gate, nil)
	run.end()
	node.end()
	h.tally().check(t, photos, nil)
}

// cpuOf is the CPU time of a process.
func cpuOf(pid int) time.Duration {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := strings.Cut(string(b), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}
