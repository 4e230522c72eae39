package awake

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestCaffeinate has a script in caffeinate's place, which writes down what it
// was asked and then waits, as caffeinate does.
func TestCaffeinate(t *testing.T) {
	dir := t.TempDir()
	asked := filepath.Join(dir, "asked")
	script := "#!/bin/sh\necho \"$$ $*\" >" + asked + ".new\nmv " + asked + ".new " + asked + "\nexec sleep 60\n"
	if err := os.WriteFile(filepath.Join(dir, "caffeinate"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	how, release, err := caffeinate()
	if err != nil || !strings.Contains(how, "caffeinate") {
		t.Fatalf("%q, %v", how, err)
	}
	var pid int
	var args string
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		if b, err := os.ReadFile(asked); err == nil {
			first, rest, _ := strings.Cut(strings.TrimSpace(string(b)), " ")
			if _, err := fmt.Sscan(first, &pid); err != nil {
				t.Fatal(err)
			}
			args = rest
			break
		}
		if time.Since(began) > 10*time.Second {
			t.Fatal("it was not started")
		}
	}
	if want := fmt.Sprintf("-i -w %d", os.Getpid()); args != want {
		t.Errorf("asked with %q, want %q", args, want)
	}
	if p, _ := os.FindProcess(pid); p.Signal(syscall.Signal(0)) != nil {
		t.Error("it has ended while sleep is held off")
	}
	release()
	if p, _ := os.FindProcess(pid); p.Signal(syscall.Signal(0)) == nil {
		t.Error("it goes on after the release")
	}
}

func TestNoCaffeinate(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, _, err := caffeinate(); !errors.Is(err, ErrNoService) {
		t.Errorf("%v, want %v", err, ErrNoService)
	}
}
