package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"

	"photodesc/internal/cluster/clustertest"
	"photodesc/internal/ui"
)

// ownServer is a NATS server in operator mode that wants certificates of those who connect.
func ownServer(t *testing.T, op *clustertest.Operator, ca *clustertest.Authority) (url string) {
	t.Helper()
	o := op.Options
	o.Port, o.StoreDir = -1, t.TempDir()
	o.TLSConfig, o.TLSVerify, o.TLSTimeout = ca.ServerTLS("localhost", time.Now().AddDate(1, 0, 0), true), true, 20
	s := clustertest.Start(t, o)
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	return "tls://" + s.Addr().String()
}

// ownNode returns a node for a server of one's own that is not started yet.
func (h *harness) ownNode(name string, args ...string) *exec.Cmd {
	cmd := h.node(name)
	cmd.Args = append(cmd.Args[:len(cmd.Args)-2], args...)
	return cmd
}

// runID waits for the ID that a run prints.
func (u *underway) runID() string {
	u.t.Helper()
	u.says(" --run ", 1)
	_, id, _ := strings.Cut(u.said(), " --run ")
	return strings.Fields(id)[0]
}

// TestServeOwnSecured: two runs share a server that wants credentials and certificates, and do not meet. Flags and a context say who
// connects. What is wrong ends run and node with a sentence.
func TestServeOwnSecured(t *testing.T) {
	config := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", config)
	ca, op := clustertest.NewAuthority(t, "ca"), clustertest.NewOperator(t)
	url := ownServer(t, op, ca)
	cert, key := ca.Issue("machine", time.Now().AddDate(1, 0, 0))
	runCreds, nodeCreds := op.Creds("run", clustertest.RunPermissions, time.Time{}), op.Creds("node", clustertest.NodePermissions, time.Time{})
	bare := op.Creds("bare", jwt.Permissions{Pub: jwt.Permission{Allow: jwt.StringList{"nothing"}}}, time.Time{})
	old := op.Creds("old", clustertest.NodePermissions, time.Now().Add(-time.Hour))
	if err := os.MkdirAll(filepath.Join(config, "nats/context"), 0o700); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(config, "nats/context/farm.json"), fmt.Appendf(nil, `{"url":%q,"creds":%q,"ca":%q,"cert":%q,"key":%q}`, url, nodeCreds, ca.File, cert, key))
	tls := []string{"--nats-ca", ca.File, "--nats-cert", cert, "--nats-key", key}

	gate := filepath.Join(t.TempDir(), "gate")
	t.Setenv(gateEnv, gate)
	var runs []*harness
	var working []*underway
	for i := range 2 {
		h := newHarness(t)
		h.add(numbered(fmt.Sprint("gated-", i), 6)...)
		run := h.start(h.command(append([]string{"--no-local", "--workers", "1", "--nats", url, "--nats-creds", runCreds}, tls...)...))
		args := []string{"--nats-context", "farm", "--run", run.runID()}
		if i == 1 {
			args = append([]string{url, "--nats-creds", nodeCreds, "--run", run.runID()}, tls...)
		}
		node := h.start(h.ownNode(fmt.Sprint("node-", i), args...))
		run.says(fmt.Sprintf("Node node-%d joins", i), 1)
		runs, working = append(runs, h), append(working, run, node)
	}

	h, other := runs[0], runs[0].ownNode("old", "--nats-context", "farm", "--run", working[0].runID())
	other.Env = append(other.Env, versionEnv+"=0.0.1")
	for _, c := range []struct {
		cmd  *exec.Cmd
		want []string
	}{
		{h.ownNode("x", url, "--nats-creds", old, "--run", "0123456789ab", "--nats-ca", ca.File, "--nats-cert", cert, "--nats-key", key), []string{"does not accept the credentials in", "old.creds"}},
		{h.ownNode("x", url, "--nats-creds", nodeCreds, "--run", "0123456789ab"), []string{"signed by none that this machine trusts", "--nats-ca FILE"}},
		{h.ownNode("x", url, "--nats-creds", "nowhere.creds", "--run", "0123456789ab", "--nats-ca", ca.File), []string{"nowhere.creds", "no such file"}},
		{h.ownNode("x", "--nats-context", "nowhere", "--run", "0123456789ab"), []string{"the NATS context \"nowhere\" cannot be used"}},
		{other, []string{"the run does not take this node: it is version \"0.0.1\", this run is ", "install the same version on both machines"}},
	} {
		said, err := c.cmd.CombinedOutput()
		if code := c.cmd.ProcessState.ExitCode(); err == nil || code != ui.ExitError {
			t.Errorf("%q: exit code %d", c.cmd.Args, code)
		}
		for _, want := range c.want {
			if !bytes.Contains(said, []byte(want)) {
				t.Errorf("%q: it has not said %q:\n%s", c.cmd.Args, want, said)
			}
		}
	}
	// A user who may do nothing is told what it lacks, and goes on when that is mended.
	denied := h.start(h.ownNode("denied", append([]string{url, "--nats-creds", bare, "--run", "0123456789ab"}, tls...)...))
	denied.says(`Publish to "photodesc.0123456789ab.ask.`, 1)
	_ = denied.cmd.Process.Signal(os.Interrupt)
	<-denied.ended

	writeFile(t, gate, nil)
	for _, u := range working {
		u.end()
	}
	for i, h := range runs {
		h.tally().check(t, numbered(fmt.Sprint("gated-", i), 6), nil)
		if by := h.byNode(); by[fmt.Sprint("node-", i)] != 6 {
			t.Errorf("run %d: described by %v", i, by)
		}
	}
}

// TestDocsPermissions: what docs/cluster.md says that runs and nodes need is what they are tested with.
func TestDocsPermissions(t *testing.T) {
	text, err := os.ReadFile("../../docs/cluster.md")
	if err != nil {
		t.Fatal(err)
	}
	row := func(who string, p jwt.Permissions) string {
		return fmt.Sprintf("| %s | `%s` | `%s` |\n", who, strings.Join(p.Pub.Allow, "`, `"), strings.Join(p.Sub.Allow, "`, `"))
	}
	for _, want := range []string{row("run", clustertest.RunPermissions), row("node", clustertest.NodePermissions)} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("docs/cluster.md has no %q", want)
		}
	}
}
