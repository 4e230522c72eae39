package main

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// underService runs a few photos as a service manager would that listens at
// the given socket.
func underService(t *testing.T, socket string) {
	t.Helper()
	model := tinyModel(t)
	examples, _ := filepath.Abs("../../examples/photos")
	cmd := exec.Command("photodesc", "-C", t.TempDir(), "run", "--threads", "1", "--batch-size", "10", "--cooldown", "3s",
		"--model", filepath.Join(model, "tiny.gguf"), "--mmproj", filepath.Join(model, "mmproj-tiny.gguf"), examples)
	cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+socket, "WATCHDOG_USEC=200000")
	began := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("took %s", time.Since(began).Round(10*time.Millisecond))
}

// TestServiceManager plays systemd: the run says that it is ready, what it is
// doing, that it is alive, and that it stops.
func TestServiceManager(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	heard := make(chan []string)
	go func() {
		var said []string
		buf := make([]byte, 4096)
		for {
			n, err := conn.Read(buf)
			if err != nil {
				heard <- said
				return
			}
			said = append(said, string(buf[:n]))
		}
	}()
	underService(t, socket)
	conn.Close()
	said := <-heard
	all := strings.Join(said, "\n")
	for _, want := range []string{"STATUS=Progress: ", "STATUS=Waiting for the cooldown", "WATCHDOG=1\n", "STOPPING=1"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not said:\n%s", want, all)
		}
	}
	if len(said) == 0 || said[0] != "READY=1" {
		t.Errorf("not ready at first:\n%s", all)
	}
}

// TestServiceManagerWaits has a command of --on-finish wait for signs of life: the service manager would kill a run without.
func TestServiceManagerWaits(t *testing.T) {
	dir := t.TempDir()
	socket, begun, heard := filepath.Join(dir, "notify"), filepath.Join(dir, "begun"), filepath.Join(dir, "heard")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	go func() {
		buf := make([]byte, 4096)
		for alive := 0; ; {
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			if _, err := os.Stat(begun); err == nil && string(buf[:n]) == "WATCHDOG=1" {
				alive++
			}
			if said := string(buf[:n]); alive == 3 || said == "STOPPING=1" {
				_ = os.WriteFile(heard, []byte(said), 0o600)
				return
			}
		}
	}()
	photos := filepath.Join(dir, "photos")
	if err := errors.Join(os.Mkdir(photos, 0o700), os.WriteFile(filepath.Join(photos, "a.jpg"), jpegOf(t, 32, 32), 0o600)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("photodesc", "-C", filepath.Join(dir, "work"), "run", "--model", "builtin", "--keep-awake=false", photos,
		"--on-finish", `>"$BEGUN"; for i in $(seq 600); do [ -e "$HEARD" ] && exit; sleep 0.1; done; echo nothing heard`)
	cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+socket, "WATCHDOG_USEC=200000", "BEGUN="+begun, "HEARD="+heard)
	out, err := cmd.CombinedOutput()
	said, _ := os.ReadFile(heard)
	if err != nil || string(said) != "WATCHDOG=1" {
		t.Errorf("heard %q while the command ran; %v\n%s", said, err, out)
	}
}

// TestDeafServiceManager is one that never listens: the socket fills, and the
// run goes on.
func TestDeafServiceManager(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	underService(t, socket)
}
