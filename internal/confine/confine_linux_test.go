package confine

import (
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/elastic/go-seccomp-bpf"
	"github.com/landlock-lsm/go-landlock/landlock/syscall"
)

// attempts is what the confined process tells of what it tried.
type attempts struct {
	Protection string
	Err        string
	Tried      map[string]string // by name; empty where it worked
}

const confinedEnv = "CONFINE_TEST" // the folder that may be read

func TestMain(m *testing.M) {
	if dir := os.Getenv(confinedEnv); dir != "" {
		confined(dir)
		return
	}
	os.Exit(m.Run())
}

// confined has threads from before and after the confinement try what they may not.
func confined(dir string) {
	var a attempts
	go_, tried := make(chan bool), make(chan map[string]string)
	for range 3 {
		go func() {
			runtime.LockOSThread()
			<-go_
			tried <- try(dir)
		}()
	}
	if os.Getenv("CONFINE_WITHOUT") != "" {
		// A kernel that knows no Landlock.
		err := seccomp.LoadFilter(seccomp.Filter{NoNewPrivs: true, Flag: seccomp.FilterFlagTSync, Policy: seccomp.Policy{
			DefaultAction: seccomp.ActionAllow,
			Syscalls:      []seccomp.SyscallGroup{{Names: []string{"landlock_create_ruleset"}, Action: seccomp.ActionErrno}},
		}})
		if err != nil {
			panic(err)
		}
	}
	deviceNodes = []string{"/dev/zer*"} // there on machines without a GPU, too
	protection, err := Apply([]string{dir}, os.Getenv("CONFINE_GPU") != "")
	a.Protection = protection
	if err != nil {
		a.Err = err.Error()
	}
	close(go_)
	a.Tried = try(dir)
	for range 3 {
		for name, result := range <-tried {
			if result == "" || a.Tried[name] == "" { // one success counts
				a.Tried[name] = result
			}
		}
	}
	json.NewEncoder(os.Stdout).Encode(a)
}

func try(dir string) map[string]string {
	results := map[string]string{}
	note := func(name string, err error) {
		results[name] = ""
		if err != nil {
			results[name] = err.Error()
		}
	}
	_, err := os.ReadFile(filepath.Join(dir, "photo"))
	note("read", err)
	_, err = os.ReadDir(dir)
	note("list", err)
	_, err = os.ReadFile(filepath.Join(dir, "..", "secret"))
	note("read outside", err)
	_, err = os.ReadFile("/etc/passwd")
	note("read passwd", err)
	note("write", os.WriteFile(filepath.Join(dir, "new"), nil, 0o600))
	note("write over", os.WriteFile(filepath.Join(dir, "photo"), nil, 0o600))
	note("remove", os.Remove(filepath.Join(dir, "photo")))
	note("write outside", os.WriteFile(filepath.Join(dir, "..", "new"), nil, 0o600))
	conn, err := net.Dial("tcp", os.Getenv("CONFINE_PORT"))
	if err == nil {
		conn.Close()
	}
	note("connect", err)
	_, err = net.Listen("tcp", "127.0.0.1:0")
	note("listen", err)
	_, err = net.Dial("udp", os.Getenv("CONFINE_PORT"))
	note("udp", err)
	_, err = os.StartProcess("/bin/true", []string{"true"}, &os.ProcAttr{})
	note("start a program", err)
	device, err := os.OpenFile("/dev/zero", os.O_RDWR, 0)
	device.Close()
	note("open a device", err)
	return results
}

// confine runs a process that confines itself and tells what it can still do.
func confine(t *testing.T, env ...string) attempts {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	top := t.TempDir()
	dir := filepath.Join(top, "photos")
	for _, err := range []error{os.Mkdir(dir, 0o700), os.WriteFile(filepath.Join(dir, "photo"), []byte("p"), 0o600), os.WriteFile(filepath.Join(top, "secret"), []byte("s"), 0o600)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), confinedEnv+"="+dir, "CONFINE_PORT="+listener.Addr().String()), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var a attempts
	if err := json.Unmarshal(out, &a); err != nil {
		t.Fatal(err)
	}
	t.Log(a.Protection)
	if len(a.Tried) != 13 {
		t.Errorf("%d attempts", len(a.Tried))
	}
	return a
}

func TestApply(t *testing.T) {
	if version, err := syscall.LandlockGetABIVersion(); err != nil || version < 1 {
		t.Skip("this kernel has no Landlock")
	}
	a := confine(t)
	if a.Err != "" || !strings.Contains(a.Protection, "no writing") {
		t.Errorf("protection %q, error %q", a.Protection, a.Err)
	}
	for name, result := range a.Tried {
		if may := name == "read" || name == "list"; may != (result == "") {
			t.Errorf("%s: %q", name, result)
		} else {
			t.Logf("%s: %s", name, result)
		}
	}
}

// TestGPU: the devices are open to a worker that uses a GPU, and no more.
func TestGPU(t *testing.T) {
	if version, err := syscall.LandlockGetABIVersion(); err != nil || version < 1 {
		t.Skip("this kernel has no Landlock")
	}
	a := confine(t, "CONFINE_GPU=1")
	if a.Err != "" || !strings.Contains(a.Protection, "use the GPU") || !strings.Contains(a.Protection, "no writing to files") {
		t.Errorf("protection %q, error %q", a.Protection, a.Err)
	}
	for name, result := range a.Tried {
		if may := name == "read" || name == "list" || name == "open a device"; may != (result == "") {
			t.Errorf("%s: %q", name, result)
		}
	}
}

// TestNoLandlock is of a kernel without: what is left holds, and is not said to be more.
func TestNoLandlock(t *testing.T) {
	a := confine(t, "CONFINE_WITHOUT=1")
	if a.Err != "" || !strings.Contains(a.Protection, "no Landlock") || strings.Contains(a.Protection, "no writing") {
		t.Errorf("protection %q, error %q", a.Protection, a.Err)
	}
	for name, result := range a.Tried {
		switch name {
		case "connect", "listen", "udp", "start a program":
			if result == "" {
				t.Errorf("%s worked", name)
			}
		case "read outside":
			if result != "" {
				t.Errorf("%s: %s: the test tests nothing", name, result)
			}
		}
	}
}
