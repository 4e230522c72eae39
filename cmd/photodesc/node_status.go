package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/gofrs/flock"

	"photodesc/internal/cluster"
	"photodesc/internal/durable"
	"photodesc/internal/fsutil"
	"photodesc/internal/ui"
	"photodesc/internal/wording"
)

// nodeUp is what a node that is up on this machine says of itself, in a file of its own that it keeps locked.
type nodeUp struct {
	PID   int          `json:"pid"`
	Name  string       `json:"name"` // by which the run knows it
	Run   string       `json:"run"`  // address, without the token
	Model string       `json:"model"`
	Since time.Time    `json:"since"`
	Seen  time.Time    `json:"seen"` // when this was written
	Beat  cluster.Beat `json:"beat"`
}

// nodeStatusEvery is how often a node writes it.
const nodeStatusEvery = 2 * time.Second

func nodeStatusFolder() (string, error) {
	dir, err := fsutil.CacheDir("node")
	return filepath.Join(dir, "status"), err
}

// tellStatus writes what status shows until the result is called. Without a cache folder status knows nothing of the node.
func tellStatus(n *nodeRun) (stop func()) {
	dir, err := nodeStatusFolder()
	if err != nil || os.MkdirAll(dir, 0o700) != nil {
		return func() {}
	}
	path := filepath.Join(dir, strconv.Itoa(os.Getpid())+".json")
	lock := flock.New(path + ".lock")
	if held, err := lock.TryLock(); !held || err != nil {
		return func() {}
	}
	since, quit, done := time.Now(), make(chan struct{}), make(chan struct{})
	write := func() {
		name, model := n.stats.joined()
		data, err := json.Marshal(nodeUp{os.Getpid(), name, n.dial.shown, model, since, time.Now(), n.stats.beat()})
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
	files, _ := filepath.Glob(filepath.Join(fsutil.QuoteGlob(dir), "*.json"))
	for _, path := range files {
		lock := flock.New(path + ".lock")
		if held, err := lock.TryLock(); held && err == nil { // it was killed
			_ = os.Remove(path)
			_ = lock.Unlock()
			_ = os.Remove(path + ".lock")
			continue
		}
		var up nodeUp
		if data, err := fsutil.ReadSmall(path, 64<<10); err == nil && json.Unmarshal(data, &up) == nil {
			list = append(list, up)
		}
	}
	return list
}

// sayNodes tells of the nodes that are up on this machine.
func sayNodes(w io.Writer) {
	for _, n := range nodesUp() {
		what := "waits for " + n.Run
		if n.Name != "" {
			what = fmt.Sprintf("works for %s as %s, model %s", n.Run, ui.OneLine(n.Name), ui.OneLine(n.Model))
		}
		fmt.Fprintf(w, "A node on this machine (pid %d) %s: %s in flight, %s described, %s failed\n",
			n.PID, what, wording.Count(n.Beat.InFlight, "photo"), ui.Comma(n.Beat.Described), ui.Comma(n.Beat.Failed))
		if n.Beat.Phase != "" {
			fmt.Fprintf(w, "    %s\n", ui.OneLine(n.Beat.Phase))
		}
		if n.Beat.Unfit != "" {
			fmt.Fprintf(w, "    it gets no photos: %s\n", ui.OneLine(n.Beat.Unfit))
		}
	}
}
