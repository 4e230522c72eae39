package main

import (
	"encoding/xml"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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

// TestDeafServiceManager is one that never listens: the socket fills, and the
// run goes on.
func TestDeafServiceManager(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	underService(t, socket)
}

// TestLaunchAgent writes the agent of macOS, on any system.
func TestLaunchAgent(t *testing.T) {
	s := &service{
		name: "photodesc-work-12345678", dir: "/Users/me/my <work>", binary: "/usr/local/bin/photodesc",
		args: []string{"-C", "/Users/me/my <work>", "run", "--prompt=What's & why \"?", "/Users/me/Pictures"},
		env:  []string{"XDG_CACHE_HOME=/Volumes/big/cache"}, stopTime: stopTime(5 * time.Minute),
	}
	text := s.launchAgent()
	var words []string
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if c, ok := token.(xml.CharData); ok && strings.TrimSpace(string(c)) != "" {
			words = append(words, string(c))
		}
	}
	want := []string{
		"Label", s.name, "ProgramArguments", s.binary, "-C", s.dir, "run", "--prompt=What's & why \"?", "/Users/me/Pictures",
		"EnvironmentVariables", "XDG_CACHE_HOME", "/Volumes/big/cache", "WorkingDirectory", s.dir, "RunAtLoad", "KeepAlive", "Crashed",
		"ThrottleInterval", "120", "ExitTimeOut", "360", "Nice", "10",
		"StandardOutPath", s.dir + "/logs/console.log", "StandardErrorPath", s.dir + "/logs/console.log",
	}
	if !slices.Equal(words, want) {
		t.Errorf("%q\nwant\n%q", words, want)
	}
}

// TestSystemdCommand holds words to what systemd makes of them.
func TestSystemdCommand(t *testing.T) {
	got := systemdCommand([]string{"/opt/my tools/photodesc", "-C", "/a b", "--prompt=100% \"$HOME\"\n\\", "", "plain"})
	const want = `"/opt/my tools/photodesc" -C "/a b" "--prompt=100%% \"$$HOME\"\x0a\\" "" plain`
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// TestServiceName is a file's name, and each workdir's own.
func TestServiceName(t *testing.T) {
	seen := map[string]bool{}
	for _, dir := range []string{"/", "/a", "/b/a", "/my photos/ö ü", "/" + strings.Repeat("long", 50)} {
		name := serviceName(dir)
		if seen[name] || len(name) > 64 || strings.ContainsAny(name, "/ .\\") || !strings.HasPrefix(name, "photodesc-") {
			t.Errorf("%q: %q", dir, name)
		}
		seen[name] = true
	}
}
