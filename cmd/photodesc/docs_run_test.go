package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// notRun are the commands of the pages that a test cannot run: they are parsed.
var notRun = []struct{ prefix, why string }{
	{"photodesc -C ~/from-bucket run ", "it needs a storage, as bucket.txtar has"},
	{"photodesc models pull ", "it fetches a model"},
	{"photodesc run --watch ", "it does not end"},
	{"photodesc bench ", "it takes minutes, and a server beside it"},
}

// endless are those that go on until they are interrupted.
var endless = regexp.MustCompile(` status --watch$| logs -f$| browse( |$)`)

// TestDocsCommands types the pages' commands into a shell, in the order in which
// they stand there, in a home with photos of its own and the built-in model.
func TestDocsCommands(t *testing.T) {
	for _, page := range userDocs {
		t.Run(filepath.Base(page), func(t *testing.T) {
			t.Parallel()
			r := newReader(t)
			if page != "README.md" {
				r.types("photodesc -C ~/descriptions run ~/Pictures --prompt describe --prompt short --prompt keywords")
				r.in = filepath.Join(r.home, "descriptions")
			}
			for n, l := range shellLines(t, page) {
				if page != "README.md" && strings.Contains(l.text, "photodesc run ") {
					// Each is an example of its own, and a workdir keeps to its question.
					l.text = strings.Replace(l.text, "photodesc ", fmt.Sprintf("photodesc -C ~/example-%d ", n), 1)
				}
				if err := r.do(l.text); err != nil {
					t.Errorf("%s:%d: %s\n%v", l.page, l.line, l.text, err)
				}
			}
			r.settle()
		})
	}
}

// reader is somebody at a shell.
type reader struct {
	t        *testing.T
	home, in string
}

func newReader(t *testing.T) *reader {
	home := t.TempDir()
	for name, example := range map[string]string{
		"beach.jpg":                              "album/sunset-over-the-sea.jpg",
		"Pictures/beach.jpg":                     "album/sunset-over-the-sea.jpg",
		"Pictures/dog-on-the-beach.jpg":          "yellow-circle-orientation-6.jpg",
		"Pictures/screenshot.png":                "blue-ring-alpha.png",
		"Pictures/Screenshots/1.png":             "blue-ring-alpha.png",
		"Pictures/2024/summer/green-hills.jpg":   "album/green-hills-under-a-blue-sky.jpg",
		"Pictures/2024/snow.heic":                "orange-square.heic",
		"Archive/1999/red-star-of-a-printer.jpg": "red-star-cmyk.jpg",
	} {
		b, err := os.ReadFile(filepath.Join("../../examples/photos", example))
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(home, name), b)
	}
	writeFile(t, filepath.Join(home, "descriptions/words.txt"), []byte("dog\nbeach\nsquare\n"))
	writeFile(t, filepath.Join(home, "descriptions/question.txt"), []byte("What is this?\n"))
	return &reader{t: t, home: home, in: home}
}

func writeFile(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

var (
	modelName = regexp.MustCompile(`--model \S+`)
	overSSH   = regexp.MustCompile(`^ssh (?:-t )?\w+ `)
	aRun      = regexp.MustCompile(`\brun\b`)
)

// do does what a line of a page says, or as much of it as can be done here.
func (r *reader) do(line string) error {
	if strings.HasPrefix(line, "make ") || strings.HasPrefix(line, "sudo make ") {
		return nil // TestDocsTargets
	}
	for _, not := range notRun {
		if strings.HasPrefix(line, not.prefix) {
			r.t.Logf("not run, because %s: %s", not.why, line)
			return r.parse(line)
		}
	}
	line = modelName.ReplaceAllString(line, "--model builtin")
	if rest := overSSH.ReplaceAllString(line, ""); rest != line {
		line = "cd; " + rest // on the other machine
	}
	if endless.MatchString(line) {
		return r.watches(line)
	}
	if aRun.MatchString(line) {
		r.settle()
	}
	return r.types(line)
}

// command is a line in a shell of this reader's.
func (r *reader) command(ctx context.Context, line string) *exec.Cmd {
	c := exec.CommandContext(ctx, "sh", "-c", line)
	c.Dir = r.in
	c.Env = []string{"HOME=" + r.home, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir(), "PHOTODESC_MODEL=builtin"}
	return c
}

// types runs a line to its end and stays in the folder to which it goes.
func (r *reader) types(line string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	where := filepath.Join(r.home, ".where")
	out, err := r.command(ctx, fmt.Sprintf("%s\ncode=$?; pwd >%s; exit $code", line, where)).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	if !strings.HasPrefix(line, "cd; ") {
		b, err := os.ReadFile(where)
		if err != nil {
			return err
		}
		r.in = strings.TrimSpace(string(b))
	}
	return nil
}

// watches interrupts a line when it has said something.
func (r *reader) watches(line string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	c := r.command(ctx, strings.Replace(line, "photodesc", "exec photodesc", 1))
	out, err := c.StdoutPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	if n, err := out.Read(make([]byte, 1)); n == 0 {
		return fmt.Errorf("it says nothing: %w, %w", err, c.Wait())
	}
	if err := c.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	err = c.Wait()
	if s := c.ProcessState.Sys().(syscall.WaitStatus); ctx.Err() != nil || s.Exited() && s.ExitStatus() != 0 {
		return fmt.Errorf("after an interrupt: %w", err)
	}
	return nil
}

// parse has the shell take the line's words apart and the program its flags.
func (r *reader) parse(line string) error {
	out, err := r.command(context.Background(), `photodesc() { printf '%s\0' "$@"; }`+"\n"+line).Output()
	if err != nil {
		return err
	}
	return parses(strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"), true)
}

// settle waits for runs in the background.
func (r *reader) settle() {
	r.t.Helper()
	dirs, _ := filepath.Glob(filepath.Join(r.home, "*", "photodesc.pid"))
	for _, file := range dirs {
		for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
			out, err := r.command(context.Background(), "photodesc -C "+filepath.Dir(file)+" status --json").Output()
			var status struct{ Running bool }
			if err != nil || json.Unmarshal(out, &status) != nil {
				r.t.Fatalf("status --json: %v\n%s", err, out)
			}
			if !status.Running {
				break
			}
			if time.Now().After(end) {
				r.t.Fatalf("the run in %s does not end", filepath.Dir(file))
			}
		}
	}
}
