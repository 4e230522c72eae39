package main

import (
	"sync"
	"time"
)

// lostPatience is how long a connection may be away before that is said: runs that end close theirs, and most come back at once.
const lostPatience = 2 * time.Second

// lostNotice says that a connection is lost once it has been for a moment.
type lostNotice struct {
	mu    sync.Mutex
	timer *time.Timer // nil while there is a connection
	said  bool
}

// lost notes that the connection is lost. say is called after a moment unless it is back by then.
func (l *lostNotice) lost(say func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timer != nil {
		return
	}
	var mine *time.Timer
	mine = time.AfterFunc(lostPatience, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.timer == mine {
			l.said = true
			say()
		}
	})
	l.timer = mine
}

// back notes that there is a connection, or that none is needed any more. It returns whether it was said to be lost.
func (l *lostNotice) back() (said bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timer != nil {
		l.timer.Stop()
	}
	said, l.said, l.timer = l.said, false, nil
	return said
}
