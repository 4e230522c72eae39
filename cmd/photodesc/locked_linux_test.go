package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"photodesc/internal/ui"
	"photodesc/tracker"
)

// TestLocked has somebody who is not root meet a folder and a photo that are
// not for them. Each is one failure, that of the folder with its name; when
// they are unlocked the next run describes what is there.
func TestLocked(t *testing.T) {
	h := newHarness(t)
	open := numbered("photo", 5)
	h.add(append(open, "locked.jpg")...)
	private := filepath.Join(h.photos, "private")
	picture, err := os.ReadFile(filepath.Join(h.photos, open[0]))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(
		// All photos are links to one file: this one is to have rights of its own.
		os.Remove(filepath.Join(h.photos, "locked.jpg")),
		os.WriteFile(filepath.Join(h.photos, "locked.jpg"), picture, 0),
		os.Mkdir(private, 0o700),
		os.WriteFile(filepath.Join(private, "in.jpg"), picture, 0o644),
		os.Chmod(private, 0),
	); err != nil {
		t.Fatal(err)
	}
	const nobody = 65534
	root := os.Geteuid() == 0
	if root {
		program, err := exec.LookPath("photodesc")
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.Chmod(filepath.Dir(program), 0o755), os.Chmod(filepath.Dir(filepath.Dir(program)), 0o755),
			os.Mkdir(h.work, 0o700), os.Chown(h.work, nobody, nobody), os.Chmod(h.photos, 0o755),
			os.Chmod(filepath.Dir(h.photos), 0o755), os.Chmod(filepath.Dir(filepath.Dir(h.photos)), 0o755), os.Chmod(filepath.Dir(h.model[1]), 0o755),
			os.Chmod(h.model[1], 0o644), os.Chmod(h.model[3], 0o644),
			filepath.WalkDir(h.photos, func(path string, d os.DirEntry, err error) error {
				if err != nil || d.IsDir() || d.Name() == "locked.jpg" {
					return err
				}
				return os.Chmod(path, 0o644)
			})); err != nil {
			t.Fatal(err)
		}
	}
	run := func(flags ...string) (code int, said string) {
		t.Helper()
		cmd := h.command(flags...)
		if root {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
			cmd.Env = append(os.Environ(), "HOME="+h.work, "XDG_CACHE_HOME=", "XDG_CONFIG_HOME=", "XDG_RUNTIME_DIR=")
		}
		err := cmd.Run()
		if cmd.ProcessState == nil {
			t.Skipf("not as somebody else: %v", err)
		}
		return cmd.ProcessState.ExitCode(), cmd.Stderr.(*strings.Builder).String()
	}

	if err := os.Chmod(h.photos, 0); err != nil {
		t.Fatal(err)
	}
	code, said := run()
	if code != ui.ExitError || !strings.Contains(said, "mend its permissions, or run as") {
		t.Errorf("the photo folder itself: exit code %d, want %d\n%s", code, ui.ExitError, said)
	}
	if err := os.Chmod(h.photos, 0o755); err != nil {
		t.Fatal(err)
	}
	code, said = run()
	if code != ui.ExitFailed {
		t.Errorf("exit code %d, want %d\n%s", code, ui.ExitFailed, said)
	}
	for _, want := range []string{"private", "permission denied", "Failed: locked.jpg"} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	got := h.tally()
	if got.ok["private/in.jpg"] > 0 || got.failed["locked.jpg"] != 1 || got.kinds["locked.jpg"] != tracker.Unreadable || len(got.ok) != len(open) {
		t.Errorf("described %v, failed %v (%v)", got.ok, got.failed, got.kinds)
	}

	if err := os.Chmod(filepath.Join(h.photos, "locked.jpg"), 0o644); err != nil {
		t.Fatal(err)
	}
	code, said = run("--retry-failed")
	if want := "1 folder could not be read; what is in there is not described"; code != ui.ExitFailed || !strings.Contains(said, want) {
		t.Errorf("with the folder alone: exit code %d, want %d and %q\n%s", code, ui.ExitFailed, want, said)
	}

	if err := os.Chmod(private, 0o755); err != nil {
		t.Fatal(err)
	}
	if code, said = run(); code != ui.ExitOK {
		t.Errorf("with nothing locked: exit code %d\n%s", code, said)
	}
	if got := h.tally(); len(got.ok) != len(open)+2 || got.ok["private/in.jpg"] != 1 || got.ok["locked.jpg"] != 1 {
		t.Errorf("described: %v\n%s", got.ok, said)
	}
}
