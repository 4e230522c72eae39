package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"photodesc/internal/ui"
)

// This file stops nodes that are up on this machine.

// stopNodes stops the nodes of this user that have these names or pids, or all of them, and waits until they have ended.
func stopNodes(w io.Writer, named []string, now bool) error {
	list, err := namedNodes(nodesUp(), named)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		fmt.Fprintln(w, "No node of yours is up on this machine.")
		return nil
	}
	for _, n := range list { // all are asked before any is waited for
		sig := syscall.SIGTERM
		if now {
			sig = syscall.SIGQUIT
		}
		if err := syscall.Kill(n.PID, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("cannot stop the node %s: %w", n.shown(), err)
		}
		if now {
			_ = syscall.Kill(n.PID, syscall.SIGCONT) // it may be suspended
		}
		if !ui.Quiet() {
			fmt.Fprintf(w, "Stopping the node %s…\n", n.shown())
		}
	}
	for _, n := range list {
		if on, err := waitNode(w, n, now); err != nil || !on {
			return err
		}
	}
	return nil
}

// shown names a node for a person.
func (n *nodeUp) shown() string {
	if n.Name == "" {
		return fmt.Sprintf("with pid %d", n.PID)
	}
	return fmt.Sprintf("%s (pid %d)", ui.OneLine(n.Name), n.PID)
}

// namedNodes are the nodes with these names or pids; all if there are none of these.
func namedNodes(up []nodeUp, named []string) (list []nodeUp, err error) {
	if len(named) == 0 {
		list = up
	}
	for _, name := range named {
		before := len(list)
		for _, n := range up {
			if n.Name == name || strconv.Itoa(n.PID) == name {
				list = append(list, n)
			}
		}
		if len(list) > before {
			continue
		}
		var have []string
		for _, n := range up {
			have = append(have, n.shown())
		}
		if len(have) == 0 {
			return nil, fmt.Errorf("no node %q is up on this machine, and no other one of yours", name)
		}
		return nil, fmt.Errorf("no node %q is up on this machine\n  these are: %s", name, strings.Join(have, ", "))
	}
	slices.SortFunc(list, func(a, b nodeUp) int { return a.PID - b.PID })
	list = slices.CompactFunc(list, func(a, b nodeUp) bool { return a.PID == b.PID })
	for _, n := range list {
		if n.PID <= 1 { // a signal to 0 would go to our own group
			return nil, fmt.Errorf("a node of yours does not say its pid\n  look with `ps` and end it with `kill`")
		}
	}
	return list, nil
}

// waitNode returns when the node has ended, and kills it if it was to end at once and does not. on is false when the person at the
// terminal waits no longer.
func waitNode(w io.Writer, n nodeUp, now bool) (on bool, err error) {
	impatient := make(chan os.Signal, 1)
	signal.Notify(impatient, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(impatient)
	show := ui.NewProgress(os.Stderr)
	defer show.Plain.Flush()
	defer show.End()
	began := time.Now()
	for line := began.Add(stopLineEvery); ; {
		up := slices.DeleteFunc(nodesUp(), func(o nodeUp) bool { return o.PID != n.PID })
		if len(up) == 0 {
			show.End()
			fmt.Fprintf(w, "The node %s has stopped%s.\n", n.shown(), afterText(time.Since(began)))
			return true, nil
		}
		n = up[0]
		if now && time.Since(began) > stopNowPatience {
			if err := syscall.Kill(n.PID, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				return false, fmt.Errorf("cannot kill the node %s: %w", n.shown(), err)
			}
			show.End()
			fmt.Fprintf(w, "The node %s did not answer and was killed. What it had goes to others.\n", n.shown())
			return true, nil
		}
		text := ui.StoppingNodeText(n.OwnNode, time.Now(), time.Since(began))
		show.Wait(text)
		if at := time.Now(); !show.Terminal() && !ui.Quiet() && at.After(line) {
			fmt.Fprintln(w, text)
			line = at.Add(stopLineEvery)
		}
		select {
		case <-impatient:
			show.End()
			when := "its photos in flight are done"
			if n.Suspended(time.Now()) {
				when = "it goes on"
			}
			fmt.Fprintf(w, "The node %s will stop when %s.\n", n.shown(), when)
			return false, nil
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// afterText is " after 5 seconds", or "" where that is nothing to speak of.
func afterText(took time.Duration) string {
	if took < time.Second {
		return ""
	}
	return " after " + ui.Spell(took)
}

// sayNodesToStop names the nodes that are up on this machine where no run is, with the command that stops them.
func sayNodesToStop(w io.Writer) {
	for _, n := range nodesUp() {
		name := n.Name
		if name == "" || strings.HasPrefix(name, "-") {
			name = strconv.Itoa(n.PID)
		}
		fmt.Fprintf(w, "The node %s is up on this machine:\n    %s\n", n.shown(), ui.CommandLine("", "stop", "--node", name))
	}
}
