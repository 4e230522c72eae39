package main

import (
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// harness is a folder of photos and a workdir for runs of the real program.
type harness struct {
	added        int // photos
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

// add creates photos with the given names, all with a small picture that looks the same.
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
		h.added++
		if err := copyPhoto(first, filepath.Join(h.photos, name), h.added); err != nil {
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

// command returns a run that is not started yet.
func (h *harness) command(flags ...string) *exec.Cmd {
	args := append([]string{"-C", h.work, "run", "--max-tokens", "4", "--keep-awake=false"}, h.model...)
	cmd := exec.Command("photodesc", append(append(args, flags...), h.photos)...)
	cmd.Stderr = &strings.Builder{}
	return cmd
}

// run runs the program to its end and returns the exit code and standard error.
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

// underway is a run that works beside the test.
type underway struct {
	t     testing.TB
	cmd   *exec.Cmd
	log   string // path of a file with its standard error
	ended chan error
}

// start starts a run that command returned.
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

// says waits until standard error has a sentence so many times.
func (u *underway) says(sentence string, times int) {
	u.t.Helper()
	for began := time.Now(); strings.Count(u.said(), sentence) < times; time.Sleep(20 * time.Millisecond) {
		if len(u.ended) > 0 || time.Since(began) > 2*time.Minute {
			u.cmd.Process.Kill()
			u.t.Fatalf("it has not said %q %d times:\n%s", sentence, times, u.said())
		}
	}
}

// end waits until the run ends, which must be without an error.
func (u *underway) end() {
	u.t.Helper()
	if err := <-u.ended; err != nil {
		u.t.Errorf("%v\n%s", err, u.said())
	}
}
