package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"photodesc/internal/cluster"
	"photodesc/internal/cluster/clustertest"
	"photodesc/internal/ui"
	"photodesc/tracker"
)

// ackWaitEnv is the time without a mark of progress after which a job goes to another node, in programs under test.
const ackWaitEnv = "TESTS_ACK_WAIT"

// shortAckWait sets it.
func shortAckWait() {
	if d, err := time.ParseDuration(os.Getenv(ackWaitEnv)); err == nil {
		shareAckWait = d
	}
}

// address is the file with the address of the run.
func (h *harness) address() string { return filepath.Join(h.work, cluster.FolderName, addressName) }

// node returns a node that is not started yet.
func (h *harness) node(name string, flags ...string) *exec.Cmd {
	args := append([]string{"node", "--no-proof", "--workers", "1", "--parallel", "2", "--keep-awake=false", "--name", name, "--address-file", h.address()}, flags...)
	cmd := exec.Command("photodesc", args...)
	cmd.Env = append(os.Environ(), cacheEnv+"="+h.cache(name))
	return cmd
}

// serve starts a run that nodes may join, and waits until they can.
func (h *harness) serve(flags ...string) *underway {
	h.t.Helper()
	before, _ := os.Stat(h.address())
	u := h.start(h.command(append([]string{"--serve", "--workers", "1", "--parallel", "2"}, flags...)...))
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		if now, err := os.Stat(h.address()); err == nil && !(before != nil && os.SameFile(before, now) && before.ModTime().Equal(now.ModTime())) {
			return u
		}
		if len(u.ended) > 0 || time.Since(began) > 2*time.Minute {
			u.cmd.Process.Kill()
			h.t.Fatalf("the run is not served:\n%s", u.said())
		}
	}
}

// byNode counts described photos by machine.
func (h *harness) byNode() map[string]int {
	by := map[string]int{}
	for line := range strings.Lines(h.outputs()) {
		var rec tracker.Record
		if json.Unmarshal([]byte(line), &rec) == nil {
			by[rec.Node]++
		}
	}
	return by
}

// TestServe: a node without the photos and without the model describes what the run hands out.
func TestServe(t *testing.T) {
	t.Setenv(ackWaitEnv, "3s")
	h := newHarness(t)
	photos := append(numbered("photo", 30), "odd \"name\"\n-\xff.jpg", "-rf.jpg", strings.Repeat("x", 251)+".jpg")
	h.add(photos...)
	h.add("segv-1.jpg")
	gate := filepath.Join(t.TempDir(), "gate")
	t.Setenv(gateEnv, gate)
	photos = append(photos, "gated-1.jpg")
	h.add("gated-1.jpg")
	run := h.serve("--no-local")
	byVariable := h.node("desk")
	address, err := os.ReadFile(h.address())
	if err != nil {
		t.Fatal(err)
	}
	byVariable.Args = byVariable.Args[:len(byVariable.Args)-2] // without --address-file
	byVariable.Env = append(byVariable.Env, nodeEnv+"="+strings.TrimSpace(string(address)))
	node := h.start(byVariable)
	run.says("Node desk joins", 1)
	node.says("is ready", 1)
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) { // the state is written once a second
		if s, err := tracker.Peek(h.work); err == nil && s.Running && !s.TakesRequests("") {
			break
		} else if time.Now().After(end) {
			t.Fatalf("a run that describes nothing here takes requests up: %+v, %v", s, err)
		}
	}
	status := exec.Command("photodesc", "-C", t.TempDir(), "status")
	status.Env = node.cmd.Env
	if out, err := status.Output(); err != nil || !strings.Contains(string(out), "A node is up on this machine (pid ") {
		t.Errorf("%v: %s", err, out)
	}
	status = exec.Command("photodesc", "-C", t.TempDir(), "status", "--json")
	status.Env = node.cmd.Env
	if out, err := status.Output(); err != nil || !strings.Contains(string(out), `"own_nodes":[{"pid":`) {
		t.Errorf("%v: %s", err, out)
	}
	writeFile(t, gate, nil)
	code := 0
	if err := <-run.ended; err != nil {
		code = run.cmd.ProcessState.ExitCode()
	}
	if code != ui.ExitFailed {
		t.Errorf("exit code %d\n%s", code, run.said())
	}
	node.end()
	h.tally().check(t, photos, map[string]tracker.Kind{"segv-1.jpg": tracker.Crash})
	if by := h.byNode(); by["desk"] != len(photos)+1 {
		t.Errorf("described by %v", by)
	}
	for _, said := range []string{"Fetching the model from the run", "Done: all photos of the run"} {
		if !strings.Contains(node.said(), said) {
			t.Errorf("the node has not said %q:\n%s", said, node.said())
		}
	}
	s, err := tracker.Peek(h.work)
	if err != nil || len(s.Nodes) != 1 || s.Nodes[0].Name != "desk" || s.Nodes[0].Described != len(photos) || s.Nodes[0].Failed != 1 {
		t.Errorf("%+v, %v", s.Nodes, err)
	}
	var shown strings.Builder
	ui.WriteStatus(&shown, s, time.Now(), 0)
	if !strings.Contains(shown.String(), "desk: ") {
		t.Error(shown.String())
	}
	// What was fetched is gone, and the token is for its owner alone.
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(h.work), "cache/*/photodesc/node/spool/*")); len(left) > 0 {
		t.Errorf("in the spool: %q", left)
	}
	for _, name := range []string{h.address(), filepath.Join(h.work, cluster.FolderName, "identity.json")} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v", name, err)
		}
	}
	a, err := cluster.ParseAddress(string(address))
	if err != nil {
		t.Fatal(err)
	}
	logs, _ := filepath.Glob(filepath.Join(h.work, tracker.LogsName, "*"))
	for _, name := range append(logs, filepath.Join(h.work, tracker.StateName)) {
		if b, err := os.ReadFile(name); err != nil || strings.Contains(string(b), a.Token) {
			t.Errorf("%s has the token, or %v", name, err)
		}
	}
}

// TestServeOwn shares a run over a NATS server of one's own, which is killed meanwhile.
func TestServeOwn(t *testing.T) {
	t.Setenv(ackWaitEnv, "2s")
	store := t.TempDir()
	start := func(port int) *server.Server {
		return clustertest.Start(t, server.Options{Port: port, StoreDir: store})
	}
	s := start(-1)
	url, port := s.ClientURL(), s.Addr().(*net.TCPAddr).Port
	h := newHarness(t)
	gate := filepath.Join(t.TempDir(), "gate")
	t.Setenv(gateEnv, gate)
	photos := append(numbered("photo", 30), numbered("gated", 3)...)
	h.add(photos...)
	shared := h.command("--nats", url, "--no-local", "--json")
	var events bytes.Buffer
	shared.Stdout = &events
	run := h.start(shared)
	run.says("Other machines join with: photodesc node "+url+" --run ", 1)
	_, id, _ := strings.Cut(run.said(), " --run ")
	cmd := h.node("desk")
	cmd.Args = append(cmd.Args[:len(cmd.Args)-2], url, "--run", strings.Fields(id)[0])
	node := h.start(cmd)
	run.says("Node desk joins", 1)
	node.says("is ready", 1)
	s.Shutdown()
	s.WaitForShutdown()
	node.says("The run cannot be reached, trying on", 1)
	writeFile(t, gate, nil)
	s = start(port)
	defer s.Shutdown()
	run.end()
	node.end()
	h.tally().check(t, photos, nil)
	for _, want := range []string{`"action":"joined","node":"desk"`, `"nodes":[{"name":"desk","described":33,`} {
		if !strings.Contains(events.String(), want) {
			t.Errorf("no event has %s", want)
		}
	}
	if !strings.Contains(run.said(), "Nodes:         desk: 33 described") {
		t.Errorf("the summary does not name the node:\n%s", run.said())
	}
}

// TestServeKills kills nodes and the run, with its server, at random moments. With PHOTODESC_SOAK=1 there are 5,000 photos.
func TestServeKills(t *testing.T) {
	photos, kills, names := 150, 4, []string{"desk", "laptop"}
	if os.Getenv("PHOTODESC_SOAK") != "" {
		photos, kills, names = 5000, 60, []string{"desk", "laptop", "rack-1", "rack-2"}
	}
	t.Setenv(ackWaitEnv, "2s")
	h := newHarness(t)
	all := numbered("photo", photos)
	h.add(all...)
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	began := time.Now()
	flags := []string{"--no-local"}
	run := h.serve(flags...)
	nodes := map[string]*underway{}
	for _, name := range names {
		nodes[name] = h.start(h.node(name))
	}
	killed := map[string]int{}
	for k := range kills {
		h.wait((k+1)*photos/(kills+1)-random.IntN(photos/(kills+1)), run.ended)
		if len(run.ended) > 0 {
			break
		}
		if k%2 == 0 {
			_ = run.cmd.Process.Kill()
			<-run.ended
			killed["run"]++
			if photos > 1000 { // with a machine of its own every other time
				flags = [][]string{{"--no-local"}, {}}[killed["run"]%2]
			}
			run = h.serve(flags...)
			continue
		}
		name := names[random.IntN(len(names))]
		_ = nodes[name].cmd.Process.Kill()
		<-nodes[name].ended
		killed["nodes"]++
		nodes[name] = h.start(h.node(name))
	}
	run.end()
	for name, u := range nodes {
		select {
		case err := <-u.ended:
			if err != nil {
				t.Errorf("%s: %v\n%s", name, err, u.said())
			}
		case <-time.After(3 * time.Second): // it has come when the run was over, and waits for another
			_ = u.cmd.Process.Signal(os.Interrupt)
			<-u.ended
			if code := u.cmd.ProcessState.ExitCode(); code != ui.ExitStopped {
				t.Errorf("%s: exit code %d\n%s", name, code, u.said())
			}
		}
	}
	result := h.tally()
	result.check(t, all, nil)
	twice := 0
	for _, n := range result.ok {
		if n > 1 {
			twice++
		}
	}
	by := h.byNode()
	for name := range by { // a node that was killed has its name again
		if !slices.Contains(append(names, machineName()), name) {
			t.Errorf("a machine is called %q", name)
		}
	}
	if len(by) < 2 {
		t.Errorf("described by %v\n%s", by, run.said())
		for _, u := range nodes {
			t.Log(u.said())
		}
	}
	t.Logf("%d photos, %d kills of the run and its server, %d of nodes: %d described, %d lost, %d failed, %d twice, %d lines torn; by machine %v; %.0f s",
		photos, killed["run"], killed["nodes"], len(result.ok), photos-len(result.ok), len(result.failed), twice, result.torn, by, time.Since(began).Seconds())
}

// TestServeCut cuts the network of a node in a network namespace of its own, and heals it. With PHOTODESC_SOAK=1 that lasts for minutes, so
// that all connections are given up.
func TestServeCut(t *testing.T) {
	ip, err := exec.LookPath("ip")
	if err != nil || os.Geteuid() != 0 {
		t.Skip("a network namespace needs root and the program ip")
	}
	space := fmt.Sprintf("photodesc-%d", os.Getpid())
	here, there := fmt.Sprintf("pd%dh", os.Getpid()%100000), fmt.Sprintf("pd%dn", os.Getpid()%100000)
	do := func(args ...string) {
		t.Helper()
		if out, err := exec.Command(ip, args...).CombinedOutput(); err != nil {
			t.Skipf("no network namespaces here: ip %s: %v, %s", strings.Join(args, " "), err, out)
		}
	}
	do("netns", "add", space)
	t.Cleanup(func() { _ = exec.Command(ip, "netns", "del", space).Run() })
	do("link", "add", here, "type", "veth", "peer", "name", there)
	t.Cleanup(func() { _ = exec.Command(ip, "link", "del", here).Run() })
	do("link", "set", there, "netns", space)
	do("addr", "add", "10.213.77.1/30", "dev", here)
	do("link", "set", here, "up")
	do("netns", "exec", space, ip, "addr", "add", "10.213.77.2/30", "dev", there)
	do("netns", "exec", space, ip, "link", "set", there, "up")

	var lasts time.Duration
	if os.Getenv("PHOTODESC_SOAK") != "" {
		lasts = 4 * time.Minute
	} else {
		t.Setenv(ackWaitEnv, "2s")
	}
	h := newHarness(t)
	gate, late := filepath.Join(t.TempDir(), "gate"), filepath.Join(t.TempDir(), "late")
	t.Setenv(gateEnv, gate)
	t.Setenv(lateEnv, late)
	photos := append(numbered("gated", 8), numbered("photo", 20)...)
	if lasts > 0 { // which hold the run open until the node is back
		photos = append(photos, "late-0001.jpg")
	}
	h.add(photos...)
	run := h.serve("--no-local", "--serve-addr", "10.213.77.1:0")
	cmd := h.node("far")
	program, err := exec.LookPath("photodesc")
	if err != nil {
		t.Fatal(err)
	}
	cmd.Path, cmd.Args = ip, slices.Concat([]string{"ip", "netns", "exec", space, program}, cmd.Args[1:])
	far := h.start(cmd)
	run.says("Node far joins", 1)
	far.says("is ready", 1)
	began := time.Now()
	do("link", "set", here, "down") // it has photos in flight, which wait at the gate
	run.says("Node far has said nothing", 1)
	near := h.start(h.node("near"))
	run.says("Node near joins", 1)
	writeFile(t, gate, nil)
	h.wait(len(photos)/2, run.ended)
	time.Sleep(lasts - time.Since(began))
	do("link", "set", here, "up")
	if lasts > 0 {
		run.says("Node far is back", 1)
		h.until("far answers late", func(n tracker.Node) bool { return n.Name == "far" && n.Late > 0 })
	}
	writeFile(t, late, nil)
	run.end()
	near.end()
	select {
	case <-far.ended:
	case <-time.After(3 * time.Second): // the run has ended while it could not be reached
		_ = far.cmd.Process.Signal(os.Interrupt)
		<-far.ended
	}
	h.tally().check(t, photos, nil)
	if by := h.byNode(); by["near"] == 0 {
		t.Errorf("described by %v", by)
	}
	t.Logf("cut for %s: %d photos, each with one result", time.Since(began).Round(time.Second), len(photos))
}
