package watch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/fsnotify/fsnotify"

	"photodesc/internal/wording"
)

// notifier is a Waker by inotify.
type notifier struct {
	watcher *fsnotify.Watcher
	c       chan struct{}
	lost    atomic.Bool
	matters func(name string) bool
	most    int // watches that it takes
	say     func(text string)
	said    bool // that not all folders are watched

	mu      sync.Mutex
	folders *Folders
	watched map[string]string // path relative to the root, by the whole path
}

// Notify returns a Waker and what releases it, nil and why there is none. say is told, once, if only some of the folders are watched.
func Notify(matters func(name string) bool, say func(text string)) (w Waker, release func(), err error) {
	watcher, err := fsnotify.NewWatcher()
	if errors.Is(err, syscall.EMFILE) {
		err = errors.New("the user's limit of inotify instances is reached (fs.inotify.max_user_instances)")
	}
	if err != nil {
		return nil, nil, err
	}
	n := &notifier{watcher: watcher, c: make(chan struct{}, 1), matters: matters, most: mostWatches(), say: say, watched: map[string]string{}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		n.listen()
	}()
	return n, func() {
		_ = watcher.Close()
		<-done
	}, nil
}

// mostWatches is half of what the user may have, so that other programs still get some.
func mostWatches() int {
	b, err := os.ReadFile("/proc/sys/fs/inotify/max_user_watches")
	most, e := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || e != nil {
		return 4096
	}
	return most / 2
}

func (n *notifier) C() <-chan struct{} { return n.c }

func (n *notifier) Lost() bool { return n.lost.Swap(false) }

// Sync watches the folders that are known and no others. It holds no lock while it asks the watcher, which may wait for listen.
func (n *notifier) Sync(folders *Folders) {
	here := make(map[string]string, folders.Len())
	folders.Each(func(rel string) bool {
		here[folders.full(rel)] = rel
		return true
	})
	watched := make(map[string]bool, len(here))
	for _, path := range n.watcher.WatchList() { // without those whose folders were removed or unmounted
		if _, is := here[path]; is {
			watched[path] = true
		} else {
			_ = n.watcher.Remove(path) // it may have ended meanwhile
		}
	}
	n.mu.Lock()
	n.folders, n.watched = folders, here // more than are watched do no harm
	n.mu.Unlock()
	count := len(watched)
	for path := range here {
		// fsnotify takes a last element of three dots for all that is below.
		if watched[path] || filepath.Base(path) == "..." || filepath.Clean(path) != path {
			continue
		}
		err := error(syscall.ENOSPC)
		if count < n.most {
			err = n.watcher.Add(path)
		}
		switch {
		case err == nil:
			count++
		case errors.Is(err, syscall.ENOSPC):
			if !n.said {
				n.said = true
				n.say(fmt.Sprintf("The system notifies of changes in %s of %s only: more watches than half of fs.inotify.max_user_watches are left to other programs. The other folders are looked at from time to time, as all are",
					strconv.Itoa(count), wording.Count(len(here), "folder")))
			}
			return
		}
	}
}

// listen passes on what is notified of photos and folders.
func (n *notifier) listen() {
	for {
		select {
		case e, ok := <-n.watcher.Events:
			if !ok {
				return
			}
			if e.Op != fsnotify.Chmod && n.changed(e) {
				n.wake()
			}
		case _, ok := <-n.watcher.Errors: // some were lost
			if !ok {
				return
			}
			n.lost.Store(true)
			n.wake()
		}
	}
}

func (n *notifier) wake() {
	select {
	case n.c <- struct{}{}:
	default:
	}
}

// changed notes in which folder something was changed. It is false if that can make no difference.
func (n *notifier) changed(e fsnotify.Event) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	rel, known := n.watched[filepath.Dir(e.Name)]
	_, folder := n.watched[e.Name]
	if folder && e.Has(fsnotify.Remove|fsnotify.Rename) {
		delete(n.watched, e.Name)
	}
	if !known {
		return folder
	}
	if !folder && !n.matters(filepath.Base(e.Name)) {
		info, err := os.Lstat(e.Name)
		if err != nil || !info.IsDir() && info.Mode()&fs.ModeSymlink == 0 {
			return false
		}
	}
	n.folders.Dirty(rel)
	return true
}
