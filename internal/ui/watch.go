package ui

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	tea "charm.land/bubbletea/v2"

	"photodesc/tracker"
)

const (
	watchEvery     = time.Second // on a terminal
	watchLineEvery = 10 * time.Second
	watchJSONEvery = 2 * time.Second
)

// WatchStatus shows the workdir's status repeatedly, until it is interrupted. It does
// not change the run.
func WatchStatus(ctx context.Context, w io.Writer, dir string, asJSON bool, own OwnNodes) error {
	// A name that is wrong from the start is not waited for.
	if _, err := Peek(dir); err != nil {
		return err
	}
	if width, _ := terminalSize(w); width > 0 && !asJSON && os.Getenv("TERM") != "dumb" {
		_, err := tea.NewProgram(newDashboard(dir, own), tea.WithContext(ctx), tea.WithOutput(w), tea.WithColorProfile(profile(w))).Run()
		return err
	}
	ctx, cancel := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	every := watchLineEvery
	if asJSON {
		every = watchJSONEvery
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := watchOnce(w, dir, asJSON, own()); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func watchOnce(w io.Writer, dir string, asJSON bool, own []OwnNode) error {
	s, err := Peek(dir)
	now := time.Now()
	switch {
	case err != nil && asJSON:
		return err
	case err != nil:
		first, _, _ := strings.Cut(err.Error(), "\n")
		_, err = fmt.Fprintln(w, now.Format(time.DateTime), first)
	case asJSON:
		err = WriteJSON(w, Machine{s, own})
	default:
		_, err = fmt.Fprintln(w, now.Format(time.DateTime), statusLine(s))
	}
	for _, n := range own {
		if err == nil && !asJSON {
			_, err = fmt.Fprintln(w, now.Format(time.DateTime), n.line(now))
		}
	}
	return err
}

// statusLine is the status on one line.
func statusLine(s tracker.Snapshot) string {
	if s.State == tracker.StateNone {
		return "no run has worked in this folder yet"
	}
	parts := []string{doneText(s.Progress)}
	if s.Running {
		if details := progressDetails(s.Progress); details != "" {
			parts = append(parts, details)
		}
	} else if s.Failed > 0 {
		parts = append(parts, Comma(s.Failed)+" failed")
	}
	state := string(s.State)
	switch {
	case s.State == tracker.StateDied:
		state = "not running, ended without a word"
	case s.State == tracker.StateBroke:
		first, _, _ := strings.Cut(s.Stop.Text, "\n")
		state = "not running, could not go on: " + OneLine(first)
	case s.Running && s.Phase != "":
		state = phaseText(s, time.Now())
	case s.State == tracker.StateStopped && s.Stop != nil && s.Stop.Text != "":
		state += ": " + OneLine(s.Stop.Text)
	}
	return strings.Join(append(parts, state), ", ")
}
