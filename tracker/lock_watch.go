package tracker

import (
	"time"
)

// This file notices when somebody removes or replaces the files that keep other
// runs out, while the run works.

// watchEvery is how often the files of the lock are looked at.
const watchEvery = time.Second

// watch checks the lock until the tracker is closed. If the lock is lost, it ends
// the run.
func (t *Tracker) watch() {
	defer close(t.watched)
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-t.unwatch:
			return
		case <-tick.C:
		}
		note, err := t.lock.tend()
		if note != "" {
			t.notes.add(Warn, LockName, 0, "%s", note)
		}
		if err != nil {
			t.mu.Lock()
			t.setBroken(err)
			t.mu.Unlock()
			return
		}
	}
}

// setBroken says that nothing can be written any more. The first error counts.
// t.mu is held.
func (t *Tracker) setBroken(err error) {
	if t.broken == nil {
		t.broken = err
		close(t.brokenCh)
	}
}

// Broken is closed when nothing can be written any more; Err says why. A run
// that waits and has nothing to add learns of it here.
func (t *Tracker) Broken() <-chan struct{} { return t.brokenCh }

// check is nil while no other run can have begun in the workdir.
func (l *lock) check() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.intact()
}

// intact is check with l.mu held.
func (l *lock) intact() error {
	if p := presenceOf(l.progress); p == removed || p == replaced {
		return &WriteError{Op: "go on with", Path: l.progress.Path(), Err: errReplaced}
	}
	if presenceOf(l.pid) != replaced {
		return nil
	}
	pid, since, foreign := l.holder()
	if !foreign {
		return nil
	}
	return &WriteError{Op: "go on in", Path: l.dir, Err: &LockedError{Dir: l.dir, PID: pid, Since: since}}
}

// holder says who holds the pid file that is there now, and whether this is
// another run. Some file systems give one file two identities, so its content
// is compared as well.
func (l *lock) holder() (pid int, since time.Time, foreign bool) {
	if !locked(l.pid.Path()) {
		return 0, time.Time{}, false
	}
	text, err := readPidFile(l.pid.Path())
	if err != nil || text == l.text {
		return 0, time.Time{}, false
	}
	pid, since = parseLock(text)
	return pid, since, pid > 0
}

// tend writes the pid file again if it was removed, emptied or replaced, and
// returns a note about it. The error says that the lock is lost.
func (l *lock) tend() (note string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.intact(); err != nil {
		return "", err
	}
	switch presenceOf(l.pid) {
	case present:
		if text, err := readPidFile(l.pid.Path()); err != nil || text == l.text || l.write() != nil {
			return "", nil
		}
		return "it was changed while the run works, and is written again", nil
	case removed, replaced:
		if checkRegular(l.pid.Path()) != nil {
			return "", nil // the progress file keeps others out
		}
		again := newFlock(l.pid.Path())
		if held, err := again.TryLock(); !held || err != nil {
			return "", nil // the next look tells who holds it
		}
		_ = l.pid.Unlock()
		l.pid = again
		if err := l.write(); err != nil {
			return "", nil
		}
		return "it was removed while the run works, and is written again; the other lock still keeps a second run out", nil
	}
	return "", nil
}

// foreign is whether another run works in the workdir.
func (l *lock) foreign() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if presenceOf(l.progress) == replaced && locked(l.progress.Path()) {
		return true
	}
	_, _, foreign := l.holder()
	return presenceOf(l.pid) == replaced && foreign
}
