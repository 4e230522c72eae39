package targets

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"photodesc/internal/bench"
)

// The rows of a machine that is in use: a run alone and beside others, in turns.

// measured is what one run has described, and when.
type measured struct {
	photos      int
	ready, last time.Time // its first worker's hello, its last photo
}

func (m measured) perHour() float64 { return float64(m.photos) / m.last.Sub(m.ready).Hours() }

// together is several runs as one.
func together(runs []measured) (all measured) {
	for i, m := range runs {
		all.photos += m.photos
		if i == 0 || m.ready.Before(all.ready) {
			all.ready = m.ready
		}
		if m.last.After(all.last) {
			all.last = m.last
		}
	}
	return all
}

// describe has the program describe a folder, as it comes.
func (l *lab) describe(photos, detail string) (measured, error) {
	work, err := os.MkdirTemp("", "photodesc-work-")
	if err != nil {
		return measured{}, err
	}
	defer os.RemoveAll(work)
	cmd := exec.CommandContext(l.ctx, l.program, "-C", work, "run", "--no-config", "--json", "--model", l.text(), "--mmproj", l.vision(l.shape.reference),
		"--detail", detail, "--max-tokens", strconv.Itoa(l.tokens), "--exact-tokens", "--timeout", "30m", photos)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	var words bytes.Buffer
	cmd.Stderr = &words
	out, err := cmd.Output()
	if err != nil {
		return measured{}, fmt.Errorf("photodesc run: %w\n%s", err, &words)
	}
	return readEvents(out)
}

// readEvents reads what `run --json` prints.
func readEvents(out []byte) (m measured, err error) {
	for line := range bytes.Lines(out) {
		var e struct {
			Event, Action, Status string
			Time                  time.Time
		}
		if err := json.Unmarshal(line, &e); err != nil {
			return m, fmt.Errorf("the run's events cannot be read: %w", err)
		}
		switch {
		case e.Event == "worker" && e.Action == "ready" && m.ready.IsZero():
			m.ready = e.Time
		case e.Event == "photo" && e.Status != "ok":
			return m, errors.New("a photo could not be described")
		case e.Event == "photo":
			m.photos++
			m.last = e.Time
		}
	}
	if m.photos == 0 || !m.last.After(m.ready) {
		return m, errors.New("the run described no photo")
	}
	return m, nil
}

// loop keeps one core busy until its parent is gone.
const loop = `while kill -0 $PPID 2>/dev/null; do i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; done`

// occupy starts so many busy loops. They end with stop.
func occupy(loops, nice int) (stop func(), err error) {
	var all []*exec.Cmd
	stop = func() {
		for _, cmd := range all {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	}
	for range loops {
		cmd := exec.Command("nice", "-n", strconv.Itoa(nice), "sh", "-c", loop)
		if err := cmd.Start(); err != nil {
			stop()
			return nil, err
		}
		all = append(all, cmd)
	}
	return stop, nil
}

// beside measures runs alone and with others, in turns, and returns the median of
// their ratios. Each run has the same photos.
func (l *lab) beside(photos, width, height int, detail string, others func(describe func() (measured, error)) (measured, error)) (ratio float64, note string, err error) {
	dir, err := os.MkdirTemp("", "photodesc-photos-")
	if err != nil {
		return 0, "", err
	}
	defer os.RemoveAll(dir)
	if _, err := bench.WritePhotos(dir, 1, photos, width, height); err != nil {
		return 0, "", err
	}
	describe := func() (measured, error) { return l.describe(dir, detail) }
	var ratios []float64
	var notes []string
	for range l.rounds {
		quiet, err := describe()
		if err != nil {
			return 0, "", err
		}
		with, err := others(describe)
		if err != nil {
			return 0, "", err
		}
		ratios = append(ratios, with.perHour()/quiet.perHour())
		notes = append(notes, fmt.Sprintf("%.0f of %.0f", with.perHour(), quiet.perHour()))
		fmt.Fprintf(l.say, "photos an hour: %s\n", notes[len(notes)-1])
	}
	return bench.Median(ratios), strings.Join(notes, ", ") + " photos an hour", nil
}

// besideLoops is beside so many busy loops.
func (l *lab) besideLoops(loops, nice, photos, width, height int, detail string) (float64, string, error) {
	return l.beside(photos, width, height, detail, func(describe func() (measured, error)) (measured, error) {
		stop, err := occupy(loops, nice)
		if err != nil {
			return measured{}, err
		}
		defer stop()
		return describe()
	})
}

func atLeast(x, want float64, note string) figure {
	return figure{fmt.Sprintf("%.0f%%", 100*x), x >= want, note}
}

func (l *lab) busy() (figure, error) {
	x, note, err := l.besideLoops(2, 0, l.photos, 512, 384, "low")
	return atLeast(x, 0.45, note), err
}

// busy5 has half of the photos: they take four times as long.
func (l *lab) busy5() (figure, error) {
	x, note, err := l.besideLoops(2, 0, max(l.photos/2, 1), 1024, 768, strconv.Itoa(l.shape.fiveTiles))
	return atLeast(x, 0.45, note), err
}

func (l *lab) niced() (figure, error) {
	x, note, err := l.besideLoops(runtime.NumCPU(), 19, l.photos, 512, 384, "low")
	return atLeast(x, 0.75, note), err
}

func (l *lab) pair() (figure, error) {
	x, note, err := l.beside(l.photos, 512, 384, "low", func(describe func() (measured, error)) (measured, error) {
		var runs [2]measured
		var errs [2]error
		var all sync.WaitGroup
		for i := range runs {
			all.Go(func() { runs[i], errs[i] = describe() })
		}
		all.Wait()
		return together(runs[:]), errors.Join(errs[:]...)
	})
	return atLeast(x, 0.9, note), err
}
