package watch

import (
	"context"
	"errors"
	"time"
)

// Options are how a folder is watched.
type Options struct {
	Root   string
	Rescan time.Duration // between two looks at the folders
	Settle time.Duration // how long a file must not have changed

	// Matters tells by its name whether a file may be a photo.
	Matters func(name string) bool
	// Paused is why no look is to be taken now, such as "mains power"; "" for go on. It may be nil.
	Paused func() string
	// Tell is called when what Wait waits for changes: a reason of Paused, why the folder is not available, or "" for new photos.
	Tell func(State)

	FS    FS    // nil: the system's
	Clock Clock // zero: the system's
	Wake  Waker // nil: none
}

// State is what a watch waits for.
type State struct {
	Paused string // a reason of Options.Paused
	Away   string // why the photo folder is not available
}

// Waker tells that something was changed below the folder, as the operating system notifies it.
type Waker interface {
	// C receives when something was.
	C() <-chan struct{}
	// Lost is whether there were notifications, since it was called last, that are not known one by one.
	Lost() bool
	// Sync has the folders watched that are known now. Those in which something is changed are Dirty from then on.
	Sync(folders *Folders)
}

const (
	// fullInterval is how often a walk is due at least.
	fullInterval = time.Hour
	// gather is how long after a notification a look is taken: files come by the dozen.
	gather = 500 * time.Millisecond
	// pollAway is how often it is looked whether a folder is back, or a pause over.
	pollAway = 5 * time.Second
	// restFactor is how many times as long as a look took must pass until the next.
	restFactor = 9
	// leastPause is how long there is no look after another, whatever seems to be due.
	leastPause = 100 * time.Millisecond
	// hangTimeout is after how long a look that has not returned is taken for a server that does not answer.
	hangTimeout = 30 * time.Second
)

// Watch waits until a walk is due. It is for one goroutine.
type Watch struct {
	Folders *Folders
	Rest    *Rest
	Places  *Places

	opt   Options
	state State

	fullDue   time.Duration
	nextLook  time.Duration
	notBefore time.Duration
	walkBegan time.Duration
	looking   chan look // a look that has not returned
	gaveUp    bool      // the last walk
	lost      bool      // notifications, since the last walk
}

// look is what a look has found.
type look struct {
	away    error
	changed bool
	took    time.Duration
}

// New returns a watch that has seen nothing yet.
func New(opt Options) *Watch {
	if opt.FS == nil {
		opt.FS = OS{}
	}
	if opt.Clock.Wall == nil {
		opt.Clock = SystemClock()
	}
	if opt.Paused == nil {
		opt.Paused = func() string { return "" }
	}
	if opt.Tell == nil {
		opt.Tell = func(State) {}
	}
	return &Watch{
		Folders: NewFolders(opt.Root, opt.FS, opt.Clock, opt.Matters), Rest: NewRest(opt.Settle, opt.Clock),
		Places: NewPlaces(opt.Root, opt.FS), opt: opt,
	}
}

// Begin is called before each walk.
func (w *Watch) Begin() {
	w.walkBegan, w.gaveUp, w.lost = w.opt.Clock.Elapsed(), false, false
	w.Folders.Begin()
	w.Rest.Begin()
}

// End is called after each walk. An incomplete one, because something could not be read, forgets nothing.
func (w *Watch) End(complete bool) {
	w.Folders.End(complete)
	w.Rest.End(complete)
	now := w.opt.Clock.Elapsed()
	w.fullDue = now + min(fullInterval, 60*w.opt.Rescan)
	w.rested(now, now-w.walkBegan)
	if w.opt.Wake != nil {
		w.opt.Wake.Sync(w.Folders)
	}
}

// Again has another walk come after the usual interval, where one was given up because the folder is not available.
func (w *Watch) Again(why error) {
	w.gaveUp = true
	w.rested(w.opt.Clock.Elapsed(), 0)
	w.tell(State{Away: why.Error()})
}

func (w *Watch) rested(now, took time.Duration) {
	w.notBefore, w.nextLook = now+max(restFactor*took, leastPause), now+w.opt.Rescan
}

// Wait returns when a walk is due, with true when ask has received instead, or with ctx's error. It returns at once when ctx ends, even
// if the disk does not answer.
func (w *Watch) Wait(ctx context.Context, ask <-chan struct{}) (asked bool, err error) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		now := w.opt.Clock.Elapsed()
		next := w.next()
		if why := w.opt.Paused(); why != "" {
			w.tell(State{Paused: why})
			next = now + pollAway
		} else if w.state.Paused != "" {
			w.tell(State{})
		}
		if w.state.Paused == "" && now >= next {
			found, err := w.take(ctx)
			if err != nil {
				return false, err
			}
			if found.away == nil && (found.changed || w.opt.Clock.Elapsed() >= w.fullDue) {
				w.tell(State{})
				return false, nil
			}
			continue
		}
		timer.Reset(max(next-now, time.Millisecond))
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-ask:
			return true, nil
		case <-timer.C:
		case <-w.wake():
			w.nextLook = min(w.nextLook, w.opt.Clock.Elapsed()+gather)
			w.lost = w.opt.Wake.Lost() || w.lost
		}
	}
}

// wake is the channel of notifications, nil while they can change nothing.
func (w *Watch) wake() <-chan struct{} {
	if w.opt.Wake == nil || w.state != (State{}) {
		return nil
	}
	return w.opt.Wake.C()
}

// next is when the next look is due.
func (w *Watch) next() time.Duration {
	at := min(w.nextLook, w.fullDue)
	if due, ok := w.Rest.Due(); ok {
		at = min(at, due)
	}
	if due, ok := w.Folders.Due(); ok {
		at = min(at, due)
	}
	return max(at, w.notBefore)
}

// take takes a look, on a goroutine of its own, because a disk or server may not answer. There is never more than one.
func (w *Watch) take(ctx context.Context) (look, error) {
	if w.looking == nil {
		w.looking = make(chan look, 1)
		go func(found chan<- look) { found <- w.look(ctx) }(w.looking)
	}
	late := time.NewTimer(hangTimeout)
	defer late.Stop()
	for {
		select {
		case <-ctx.Done():
			return look{}, ctx.Err()
		case <-late.C:
			w.tell(State{Away: "it does not answer"})
		case found := <-w.looking:
			w.looking = nil
			now := w.opt.Clock.Elapsed()
			w.rested(now, found.took)
			if found.away != nil {
				w.tell(State{Away: found.away.Error()})
				w.nextLook = now + min(pollAway, w.opt.Rescan)
				w.notBefore = max(w.notBefore, w.nextLook)
			} else {
				found.changed = found.changed || w.gaveUp || w.lost || w.state.Away != ""
				w.tell(State{})
			}
			return found, nil
		}
	}
}

// errNothing is why a folder is not available in which there should be photos.
var errNothing = errors.New("there is nothing in it")

// look looks at the places, the files that wait and the folders.
func (w *Watch) look(ctx context.Context) look {
	began := w.opt.Clock.Elapsed()
	away := w.Places.Away()[w.opt.Root]
	if away == nil && w.gaveUp && !w.Places.Known(w.opt.Root) {
		away = errNothing
	}
	found := look{away: away}
	if away == nil {
		rested := w.Rest.AnyRested(ctx, w.opt.FS, w.opt.Root)
		found.changed = w.Folders.Changed(ctx) || rested
	}
	found.took = w.opt.Clock.Elapsed() - began
	return found
}

// tell tells of a state that is not the one before.
func (w *Watch) tell(s State) {
	if s != w.state {
		w.state = s
		w.opt.Tell(s)
	}
}
