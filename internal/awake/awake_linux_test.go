package awake

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// bus starts a private bus and has this process find it as the system's.
func bus(t *testing.T) {
	t.Helper()
	daemon, err := exec.LookPath("dbus-daemon")
	if err != nil {
		t.Skip("dbus-daemon is not installed")
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "bus.conf")
	text := `<busconfig><type>session</type><listen>unix:path=` + filepath.Join(dir, "bus") + `</listen>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(daemon, "--nofork", "--nopidfile", "--print-address", "--config-file", config)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", strings.TrimSpace(address))
}

// logind plays the service: it hands out the end of a pipe, and who has it
// closes it to let go.
type logind struct {
	mu     sync.Mutex
	calls  [][4]string
	refuse int // so many calls
	held   *os.File
}

func (l *logind) Inhibit(what, who, why, mode string) (dbus.UnixFD, *dbus.Error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls = append(l.calls, [4]string{what, who, why, mode})
	if len(l.calls) <= l.refuse {
		return 0, dbus.NewError("org.freedesktop.DBus.Error.AccessDenied", []any{"not you"})
	}
	r, w, err := os.Pipe()
	if err != nil {
		return 0, dbus.MakeFailedError(err)
	}
	l.held = r
	// The message carries a copy; ours is closed once it has been sent.
	fd := dbus.UnixFD(w.Fd())
	time.AfterFunc(300*time.Millisecond, func() { w.Close() })
	return fd, nil
}

func (l *logind) asked() [][4]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.calls
}

func serve(t *testing.T, l *logind) {
	t.Helper()
	bus(t)
	conn, err := dbus.ConnectSystemBus()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.Export(l, "/org/freedesktop/login1", "org.freedesktop.login1.Manager"); err != nil {
		t.Fatal(err)
	}
	if reply, err := conn.RequestName("org.freedesktop.login1", 0); err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		t.Fatal(reply, err)
	}
}

// closed is whether the other end of the lock is closed within d.
func (l *logind) closed(d time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held.SetReadDeadline(time.Now().Add(d))
	_, err := l.held.Read(make([]byte, 1))
	return !errors.Is(err, os.ErrDeadlineExceeded)
}

func TestHold(t *testing.T) {
	l := &logind{}
	serve(t, l)
	text, release, err := Hold()
	if err != nil {
		t.Fatal(err)
	}
	if want := [4]string{"sleep:idle:handle-lid-switch", "photodesc", "describing photos", "block"}; len(l.asked()) != 1 || l.asked()[0] != want {
		t.Errorf("asked for %q, want %q", l.asked(), want)
	}
	if !strings.Contains(text, "the lid") {
		t.Error(text)
	}
	if l.closed(600 * time.Millisecond) {
		t.Error("let go at once")
	}
	release()
	if !l.closed(5 * time.Second) {
		t.Error("not let go at the end")
	}
}

func TestHoldLess(t *testing.T) {
	l := &logind{refuse: 1}
	serve(t, l)
	text, release, err := Hold()
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if len(l.asked()) != 2 || l.asked()[1][0] != "sleep:idle" || !strings.Contains(text, "not the lid") {
		t.Errorf("%q: %q", text, l.asked())
	}
}

func TestRefused(t *testing.T) {
	serve(t, &logind{refuse: 10})
	if _, _, err := Hold(); err == nil || errors.Is(err, ErrNoService) || !strings.Contains(err.Error(), "not you") {
		t.Error(err)
	}
}

func TestNoLogind(t *testing.T) {
	bus(t)
	if _, _, err := Hold(); !errors.Is(err, ErrNoService) {
		t.Error(err)
	}
}

func TestNoBus(t *testing.T) {
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path="+filepath.Join(t.TempDir(), "none"))
	if _, _, err := Hold(); !errors.Is(err, ErrNoService) {
		t.Error(err)
	}
}
