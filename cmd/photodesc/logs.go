package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"photodesc/tracker"
)

const logsHelp = `Prints the log of the newest run in the workdir. With -f it shows the last lines
and then goes on as they come, also in the log of the next run, until it is
interrupted. Old logs can be deleted at any time: nothing else is lost.`

func logsCommand(g *global) *cobra.Command {
	var follow, path bool
	var lines int
	c := &cobra.Command{
		Use:   "logs",
		Short: "Show the newest log, and follow it with -f",
		Long:  logsHelp,
		Args:  exactly(0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error {
			if _, err := os.Stat(g.dir); err != nil {
				return workdirError(g.dir, err)
			}
			if lines < -1 {
				return usageError("--lines must not be negative")
			}
			if follow && !path {
				if lines < 0 {
					lines = 10
				}
				return followLogs(c.Context(), c.OutOrStdout(), g.dir, lines)
			}
			name := tracker.NewestLog(g.dir)
			if name == "" {
				return fmt.Errorf("there is no log in %q\n  a run writes one: %s", filepath.Join(g.dir, tracker.LogsName), commandLine(g.dir, "run", "DIR"))
			}
			if name = filepath.Join(g.dir, name); path {
				_, err := fmt.Fprintln(c.OutOrStdout(), name)
				return err
			}
			return printLog(c.OutOrStdout(), name, lines)
		},
	}
	c.Flags().BoolVarP(&follow, "follow", "f", false, "go on as lines come")
	c.Flags().IntVarP(&lines, "lines", "n", -1, "only the last `N` lines; all of them, or 10 with -f")
	c.Flags().BoolVar(&path, "path", false, "print where the log is, not what it says")
	return c
}

func printLog(w io.Writer, name string, lines int) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := seekLines(f, lines); err != nil {
		return err
	}
	_, err = io.Copy(w, f)
	return err
}

// seekLines moves f to where its last n lines begin; all of them if n is
// negative.
func seekLines(f *os.File, n int) error {
	if n < 0 {
		return nil
	}
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	buf := make([]byte, 32<<10)
	for pos := end; pos > 0; {
		size := min(pos, int64(len(buf)))
		pos -= size
		if _, err := f.ReadAt(buf[:size], pos); err != nil {
			return err
		}
		for i := size - 1; i >= 0; i-- {
			// The newline at the very end ends a line and begins none.
			if buf[i] != '\n' || pos+i == end-1 {
				continue
			}
			if n--; n <= 0 {
				_, err := f.Seek(pos+i+1, io.SeekStart)
				return err
			}
		}
	}
	if n > 0 {
		_, err = f.Seek(0, io.SeekStart)
	}
	return err
}

// logPoll is how often a followed log is looked at.
const logPoll = 250 * time.Millisecond

// followLogs shows the newest log as it grows, and the next when there is one.
func followLogs(ctx context.Context, w io.Writer, dir string, lines int) error {
	ctx, cancel := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	t := logTail{w: w, dir: dir}
	defer t.close()
	for {
		if err := t.look(lines); err != nil {
			return err
		}
		if t.name != "" || !t.told {
			t.tell()
		}
		lines = -1 // of the logs that come, everything
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(logPoll):
		}
	}
}

// logTail reads on in the newest log of a workdir.
type logTail struct {
	w    io.Writer
	dir  string
	name string // of the log that is read, "" before the first
	f    *os.File
	told bool // that there is none yet
}

// look passes on what is new. A log that was deleted or cut short is no error.
func (t *logTail) look(lines int) error {
	newest := tracker.NewestLog(t.dir)
	if t.f != nil {
		if err := t.readOn(); err != nil {
			return err
		}
	}
	if newest == "" || newest == t.name {
		return nil
	}
	f, err := os.Open(filepath.Join(t.dir, newest))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if t.f != nil {
		fmt.Fprintf(t.w, "\n==> %s <==\n", filepath.Join(t.dir, newest))
	}
	t.close()
	t.f, t.name = f, newest
	if err := seekLines(f, lines); err != nil {
		return err
	}
	return t.readOn()
}

func (t *logTail) readOn() error {
	pos, err := t.f.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	if info, err := t.f.Stat(); err == nil && info.Size() < pos {
		_, _ = t.f.Seek(0, io.SeekStart)
	}
	var new bytes.Buffer
	if _, err := io.Copy(&new, t.f); err != nil {
		return err
	}
	_, err = t.w.Write(new.Bytes())
	return err
}

func (t *logTail) tell() {
	if t.name == "" && !t.told {
		fmt.Fprintln(os.Stderr, "There is no log yet; waiting for a run.")
	}
	t.told = true
}

func (t *logTail) close() {
	if t.f != nil {
		t.f.Close()
	}
}
