package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"photodesc/internal/durable"
	"photodesc/internal/fsutil"
	"photodesc/internal/ui"
)

// nodeUp is what a node that is up on this machine says of itself, in a file of its own that it keeps locked.
type nodeUp struct {
	Host string `json:"host"` // a home folder may be that of several machines
	ui.OwnNode
}

// nodeStatusEvery is how often a node writes it.
const nodeStatusEvery = 2 * time.Second

func nodeStatusFolder() (string, error) {
	dir, err := fsutil.CacheDir("node")
	return filepath.Join(dir, "status"), err
}

// nodeStatusEnd ends the names of status files of nodes on this machine.
func nodeStatusEnd() string { return "@" + url.PathEscape(machineName()) + ".json" }

// tellStatus writes what status shows until the result is called. Without a cache folder status knows nothing of the node.
func tellStatus(n *nodeRun) (stop func()) {
	dir, err := nodeStatusFolder()
	if err != nil || os.MkdirAll(dir, 0o700) != nil {
		return func() {}
	}
	path := filepath.Join(dir, strconv.Itoa(os.Getpid())+nodeStatusEnd())
	lock := flock.New(path + ".lock")
	if held, err := lock.TryLock(); !held || err != nil {
		return func() {}
	}
	quit, done := make(chan struct{}), make(chan struct{})
	write := func() {
		data, err := json.Marshal(nodeUp{machineName(), n.own(time.Now())})
		if err == nil {
			_ = durable.WriteFile(path, data, 0o600)
		}
	}
	go func() {
		defer close(done)
		for {
			write()
			select {
			case <-quit:
				return
			case <-time.After(nodeStatusEvery):
			}
		}
	}()
	return func() {
		close(quit)
		<-done
		_ = os.Remove(path)
		_ = lock.Unlock()
		_ = os.Remove(path + ".lock")
	}
}

// nodesUp are the nodes of this user that are up on this machine.
func nodesUp() (list []nodeUp) {
	dir, err := nodeStatusFolder()
	if err != nil {
		return nil
	}
	files, _ := filepath.Glob(filepath.Join(fsutil.QuoteGlob(dir), "*"+fsutil.QuoteGlob(nodeStatusEnd())))
	for _, path := range files {
		lock := flock.New(path + ".lock")
		if held, err := lock.TryLock(); held && err == nil { // it was killed
			_ = os.Remove(path)
			_ = lock.Unlock()
			_ = os.Remove(path + ".lock")
			continue
		}
		var up nodeUp
		if data, err := fsutil.ReadSmall(path, 64<<10); err == nil && json.Unmarshal(data, &up) == nil && up.Host == machineName() {
			list = append(list, up)
		}
	}
	return list
}

// ownNodes are what they say of themselves.
func ownNodes() (list []ui.OwnNode) {
	for _, up := range nodesUp() {
		list = append(list, up.OwnNode)
	}
	return list
}

// leave tells the run that this node ends, unless it has never joined or the run has ended.
func (n *nodeRun) leave(err error) {
	if name, _ := n.stats.joined(); name == "" || err == nil {
		return
	}
	why := ""
	if !errors.Is(err, errStopped) {
		why, _, _ = strings.Cut(err.Error(), "\n")
	}
	n.link.Leave(why)
}

// own is what the node tells of itself.
func (n *nodeRun) own(now time.Time) ui.OwnNode {
	own := n.stats.own()
	own.PID, own.Run, own.Since, own.Seen = os.Getpid(), n.dial.shown, n.since, now
	return own
}

// nodeBarEvery is how often a node's terminal shows how far it is.
const nodeBarEvery = 250 * time.Millisecond

// showBar shows on the node's terminal what it does, until ctx ends.
func (n *nodeRun) showBar(ctx context.Context) {
	for {
		now := time.Now()
		n.show.Show(n.own(now).Bar(now))
		select {
		case <-ctx.Done():
			return
		case <-time.After(nodeBarEvery):
		}
	}
}

// sayNodes tells of the nodes that are up on this machine.
func sayNodes(w io.Writer) {
	now := time.Now()
	for _, n := range nodesUp() {
		fmt.Fprint(ui.Colors(w), n.Text(now, ui.TerminalWidth(w)))
	}
}
