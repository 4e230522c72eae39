package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"photodesc/internal/ui"
	"photodesc/tracker"
)

func stopCommand(g *global) *cobra.Command {
	var now, node bool
	none := exactly(0, "no argument")
	c := &cobra.Command{
		Use:   "stop [flags] [--node [NAME…]]",
		Short: "Ask the run to stop; what is in flight is finished and kept",
		Long:  stopHelp,
		Args: func(c *cobra.Command, args []string) error {
			if node {
				return nil
			}
			return none(c, args)
		},
		ValidArgsFunction:     cobra.NoFileCompletions,
		DisableFlagsInUseLine: true,
		RunE: func(c *cobra.Command, args []string) error {
			if node {
				if c.Flags().Changed("workdir") {
					return ui.UsageError("--node is about nodes on this machine, -C about a run")
				}
				return stopNodes(c.OutOrStdout(), args, now)
			}
			if info, err := os.Stat(g.dir); err != nil {
				return ui.WorkdirError(g.dir, err)
			} else if !info.IsDir() {
				return ui.WorkdirError(g.dir, syscall.ENOTDIR)
			}
			running, pid := runningPID(g.dir)
			if !running {
				fmt.Fprintln(c.OutOrStdout(), "No run is working here.")
				sayUpElsewhere(c.OutOrStdout(), g.dir, "stop")
				sayNodesToStop(c.OutOrStdout())
				return nil
			}
			if pid <= 0 { // a signal to 0 would go to our own group
				return noPID(g.dir)
			}
			sig := syscall.SIGTERM
			if now {
				sig = syscall.SIGQUIT
			}
			if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("cannot stop the run (pid %d): %w", pid, err)
			}
			if !ui.Quiet() {
				fmt.Fprintf(c.OutOrStdout(), "Stopping the run (pid %d)…\n", pid)
			}
			if now {
				_ = syscall.Kill(pid, syscall.SIGCONT) // it may be suspended
				return waitKilled(c.OutOrStdout(), g.dir, pid)
			}
			return waitStopped(c.OutOrStdout(), g.dir, pid)
		},
	}
	c.Flags().BoolVar(&now, "now", false, "kill the workers; photos in flight are described again by the next run")
	c.Flags().BoolVar(&node, "node", false, "stop nodes that are up on this machine, by name or pid; all of yours unless named")
	return c
}

// noPID is the error for a run whose pid file does not say its pid. What the
// state file says may be of an earlier run, so a person decides.
func noPID(dir string) error {
	text := "a run is just starting or ending here and has not said its pid; try again"
	if s, err := ui.Peek(dir); err == nil && s.PID > 0 {
		text += fmt.Sprintf("\n  if it is suspended or hangs, it may be pid %d: look with `ps -p %d` before you end that", s.PID, s.PID)
	}
	return errors.New(text)
}

// runningPID waits a moment for a run that is just starting to say its pid.
func runningPID(dir string) (running bool, pid int) {
	for end := time.Now().Add(2 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		running, pid, _ = tracker.Running(dir)
		if !running || pid > 0 || time.Now().After(end) {
			return running, pid
		}
	}
}

// stopNowPatience is how long a run may take to end after `stop --now`; it takes
// killPatience of pool's, and a little, when its disk hangs.
const stopNowPatience = 15 * time.Second

// waitKilled kills a run that does not end by itself. Its workers end with it, and
// what it was writing the next run repairs.
func waitKilled(w io.Writer, dir string, pid int) error {
	began := time.Now()
	for end := began.Add(stopNowPatience); !ended(dir, pid); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("cannot kill the run (pid %d): %w", pid, err)
			}
			fmt.Fprintln(w, "It did not answer and was killed. Run again to go on.")
			return nil
		}
	}
	sayStopped(w, dir, time.Since(began))
	return nil
}

// ended is whether the run of that pid has let go of its workdir.
func ended(dir string, pid int) bool {
	running, now, _ := tracker.Running(dir)
	return !running || now > 0 && now != pid
}

// stopLineEvery is how often a line says that a run is still stopping, where no
// terminal shows it all the time.
const stopLineEvery = 10 * time.Second

// waitStopped returns when the run has ended, or when the person loses patience.
func waitStopped(w io.Writer, dir string, pid int) error {
	impatient := make(chan os.Signal, 1)
	signal.Notify(impatient, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(impatient)
	show := ui.NewProgress(os.Stderr)
	clearLine := func() { // before other text comes, on another stream
		show.End()
		show.Plain.Flush()
	}
	began := time.Now()
	line := began.Add(stopLineEvery)
	for {
		if ended(dir, pid) {
			clearLine()
			sayStopped(w, dir, time.Since(began))
			return nil
		}
		if s, err := ui.Peek(dir); err == nil {
			text := ui.StoppingText(s, time.Since(began))
			show.Wait(text)
			if now := time.Now(); !show.Terminal() && !ui.Quiet() && now.After(line) {
				fmt.Fprintln(w, text)
				line = now.Add(stopLineEvery)
			}
		}
		select {
		case <-impatient:
			clearLine()
			fmt.Fprintln(w, "The run will stop when its photos in flight are done.")
			return nil
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// sayStopped says how far the run came that has ended.
func sayStopped(w io.Writer, dir string, took time.Duration) {
	progress := ""
	if s, err := ui.Peek(dir); err == nil {
		progress = ": " + ui.ProgressText(s)
	}
	fmt.Fprintf(w, "Stopped%s%s. Run again to go on.\n", afterText(took), progress)
}
