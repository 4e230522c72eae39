package targets

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"photodesc/tracker"
)

// walk makes that many empty files and has the real program find them all: once
// with nothing described, until it begins, and once with all described, until
// it ends.
func (l *lab) walk() (figure, error) {
	tmp, err := os.MkdirTemp("", "photodesc-walk-")
	if err != nil {
		return figure{}, err
	}
	defer os.RemoveAll(tmp)
	photos, work := filepath.Join(tmp, "photos"), filepath.Join(tmp, "work")
	fmt.Fprintf(l.say, "making %d files in %s\n", l.files, tmp)
	if err := makeTree(l, photos, work); err != nil {
		return figure{}, err
	}
	resume, err := l.timed("-C", work, "run", "--json", "--model", "builtin", photos)
	if err != nil {
		return figure{}, err
	}
	fresh, err := l.timed("-C", filepath.Join(tmp, "fresh"), "run", "--json", "--model", "builtin", photos)
	if err != nil {
		return figure{}, err
	}
	took, peak := max(resume.seconds, fresh.seconds), max(resume.megabytes, fresh.megabytes)
	note := fmt.Sprintf("all described %.1f s %.0f MB, none %.1f s %.0f MB", resume.seconds, resume.megabytes, fresh.seconds, fresh.megabytes)
	return figure{fmt.Sprintf("%.1f s %.0f MB", took, peak), took <= 10 && peak <= 300, note}, nil
}

// makeTree makes the files, a thousand a folder, and a workdir that has them
// all described.
func makeTree(l *lab, photos, work string) error {
	for _, dir := range []string{work, filepath.Join(work, tracker.OutputsName)} {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return err
		}
	}
	progress, err := os.Create(filepath.Join(work, tracker.ProgressName))
	if err != nil {
		return err
	}
	defer progress.Close()
	output, err := os.Create(filepath.Join(work, tracker.OutputsName, "image_analysis_20260101_000000.jsonl"))
	if err != nil {
		return err
	}
	defer output.Close()
	done, lines := bufio.NewWriter(progress), bufio.NewWriter(output)
	results := json.NewEncoder(lines)
	for i := range l.files {
		if l.ctx.Err() != nil {
			return l.ctx.Err()
		}
		dir := fmt.Sprintf("holiday-%04d", i/1000)
		if i%1000 == 0 {
			if err := os.MkdirAll(filepath.Join(photos, dir), 0o777); err != nil {
				return err
			}
		}
		path := fmt.Sprintf("%s/IMG_%07d.jpg", dir, i)
		f, err := os.Create(filepath.Join(photos, path))
		if err != nil {
			return err
		}
		f.Close()
		fmt.Fprintln(done, path)
		if err := results.Encode(tracker.Record{
			Path: path, Status: tracker.OK, Description: "A beach under a blue sky, with people at the edge of the water.",
			Finish: tracker.FinishStop, Model: "builtin", Prompt: "Describe this image in detail.",
			Width: 4000, Height: 3000, Tiles: 5, PromptTokens: 400, Tokens: 64, Attempts: 1, Time: time.Now(),
		}); err != nil {
			return err
		}
	}
	return errors.Join(done.Flush(), lines.Flush())
}

type cost struct{ seconds, megabytes float64 }

// timed runs the program until it says what there is to do; with nothing to do,
// to its end.
func (l *lab) timed(args ...string) (c cost, err error) {
	cmd := exec.CommandContext(l.ctx, l.program, args...)
	var words bytes.Buffer
	cmd.Stderr = &words
	events, err := cmd.StdoutPipe()
	if err != nil {
		return c, err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return c, err
	}
	var start struct {
		Event           string
		Todo, Described int
	}
	line, readErr := bufio.NewReader(events).ReadBytes('\n')
	c.seconds = time.Since(began).Seconds()
	if readErr == nil {
		readErr = json.Unmarshal(line, &start)
	}
	stopped := start.Todo > 0
	if stopped || readErr != nil {
		cmd.Process.Kill() // its workers notice and end too
	}
	err = cmd.Wait()
	if !stopped {
		c.seconds = time.Since(began).Seconds()
	}
	if readErr != nil || start.Event != "start" || start.Todo+start.Described != l.files || (!stopped && err != nil) {
		return c, fmt.Errorf("the run found %d to do and %d described of %d: %w\n%s", start.Todo, start.Described, l.files, errors.Join(readErr, err), words.String())
	}
	c.megabytes = float64(cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss) * 1024 / 1e6 // Linux counts in KiB
	return c, nil
}
