package cluster

import (
	"slices"
	"time"
)

// ledger holds which photos have no result yet, and who has each of them. It decides what becomes of an answer. It is not safe for
// concurrent use and never looks at the clock.
//
// A failure may be the machine's fault. It is kept back until a second machine has failed on the photo, too, or no other is there.
type ledger struct {
	photos []string
	next   int // of photos
	left   int // photos without a result

	again  []*entry          // to be handed out before others
	queued int               // photos in the queue or with nodes
	out    map[string]*entry // handed out, by path
	early  map[string]bool   // with a result before they were handed out
}

// entry is a photo that was handed out.
type entry struct {
	path     string
	place    place
	rounds   int       // how often it was published
	lost     int       // how often no machine had it any more
	at       time.Time // when it was published last
	opinions []opinion
}

// place is where a photo is.
type place int

const (
	atNobody place = iota // in again
	inQueue               // published; a node may have it
	atLocal               // with a worker of this machine
)

// opinion is a failure that is kept back.
type opinion struct {
	machine string
	answer  Answer
	doubted bool // the machine has not shown that it can describe: only other machines count
}

// maxLost is how often a photo may be lost, after maxDeliver deliveries each time, before it counts as one that ends nodes.
const maxLost = 4

func newLedger(photos []string) *ledger {
	return &ledger{photos: photos, left: len(photos), out: map[string]*entry{}, early: map[string]bool{}}
}

// take returns a photo that the machine may try, nil if there is none now.
func (l *ledger) take(machine string, to place) *entry {
	for i, e := range l.again {
		if e.triedBy(machine) {
			continue
		}
		l.again = slices.Delete(l.again, i, i+1)
		return l.handOut(e, to)
	}
	for l.next < len(l.photos) {
		path := l.photos[l.next]
		l.next++
		if l.early[path] {
			delete(l.early, path)
			continue
		}
		return l.handOut(&entry{path: path}, to)
	}
	return nil
}

// takeForNodes is take for whichever node comes first. Nodes that have tried the photo leave it to others.
func (l *ledger) takeForNodes() *entry { return l.take("", inQueue) }

func (l *ledger) handOut(e *entry, to place) *entry {
	l.move(e, to)
	if to == inQueue {
		e.rounds++
	}
	l.out[e.path] = e
	return e
}

func (l *ledger) move(e *entry, to place) {
	if e.place == inQueue {
		l.queued--
	}
	if e.place = to; to == inQueue {
		l.queued++
	}
}

// takeOver notes that a photo of the queue is now with this machine. It is false where there is nothing to do about it any more.
func (l *ledger) takeOver(path, machine string) bool {
	e := l.out[path]
	if e == nil || e.place != inQueue || e.triedBy(machine) {
		return false
	}
	l.move(e, atLocal)
	return true
}

func (e *entry) triedBy(machine string) bool {
	return slices.ContainsFunc(e.opinions, func(o opinion) bool { return o.machine == machine })
}

func (e *entry) tried() (machines []string) {
	for _, o := range e.opinions {
		machines = append(machines, o.machine)
	}
	return machines
}

// counting is how many machines have failed on the photo whose word counts.
func (e *entry) counting() (n int) {
	for _, o := range e.opinions {
		if !o.doubted {
			n++
		}
	}
	return n
}

// verdict is what becomes of an answer.
type verdict struct {
	record  bool     // it goes on record
	late    bool     // the photo has its result already
	against []string // machines that failed on the photo, which was described by another
}

// asksOthers reports whether a photo waits for another machine than those that have failed on it.
func (l *ledger) asksOthers() bool {
	for _, e := range l.out {
		if len(e.opinions) > 0 {
			return true
		}
	}
	return false
}

// answer takes the answer of a machine. others tells whether a machine is there that is none of the given and may be asked.
func (l *ledger) answer(path, machine string, a Answer, others func(without []string) bool) verdict {
	e := l.out[path]
	if e == nil {
		if e = l.notYetOut(path); e == nil {
			return verdict{late: true}
		}
	}
	if a.Failure == nil {
		against := slices.DeleteFunc(e.tried(), func(m string) bool { return m == machine })
		l.resolve(e)
		return verdict{record: true, against: against}
	}
	if !e.triedBy(machine) {
		e.opinions = append(e.opinions, opinion{machine: machine, answer: a})
	}
	if e.counting() > 1 || !others(e.tried()) {
		l.resolve(e)
		return verdict{record: true}
	}
	l.requeue(e)
	return verdict{}
}

// doubt takes a failure that is not to go on record now. The photo goes to another machine, if there is one.
func (l *ledger) doubt(path, machine string, a Answer, others func(without []string) bool) {
	e := l.out[path]
	if e == nil {
		return
	}
	if tried := append(e.tried(), machine); !e.triedBy(machine) && others(tried) {
		e.opinions = append(e.opinions, opinion{machine, a, true})
	}
	l.requeue(e)
}

// notYetOut is for an answer about a photo that this coordinator has not handed out, as of a job from before a restart.
func (l *ledger) notYetOut(path string) *entry {
	if l.early[path] || !slices.Contains(l.photos[l.next:], path) {
		return nil
	}
	e := &entry{path: path}
	l.move(e, inQueue)
	l.out[path] = e
	l.early[path] = true
	return e
}

func (l *ledger) resolve(e *entry) {
	if e.place == atNobody {
		l.again = slices.DeleteFunc(l.again, func(o *entry) bool { return o == e })
	}
	l.move(e, atNobody)
	delete(l.out, e.path)
	l.left--
}

// requeue has a photo handed out again.
func (l *ledger) requeue(e *entry) {
	if e.place != atNobody {
		l.move(e, atNobody)
		l.again = append(l.again, e)
	}
}

// back has a photo handed out again that a machine has returned without an answer.
func (l *ledger) back(path string, from place) {
	if e := l.out[path]; e != nil && e.place == from {
		l.requeue(e)
	}
}

// lose does so with all photos of the queue, which no machine has any more.
func (l *ledger) lose() int {
	for _, e := range l.out {
		if e.place == inQueue {
			e.lost++
		}
	}
	return l.backAll(inQueue)
}

// backAll does so with all photos of a place.
func (l *ledger) backAll(from place) (n int) {
	for _, e := range l.out {
		if e.place == from {
			l.requeue(e)
			n++
		}
	}
	return n
}

// forget drops the opinions of a machine that is not trusted any more. Its photos are tried by others.
func (l *ledger) forget(machine string) {
	for _, e := range l.out {
		e.opinions = slices.DeleteFunc(e.opinions, func(o opinion) bool { return o.machine == machine })
	}
}

// settled is a photo that has its result without a further answer.
type settled struct {
	path    string
	machine string
	answer  Answer
}

// settle returns photos that wait for a second machine when there is none any more, and those that were published too often.
func (l *ledger) settle(others func(without []string) bool) (list []settled) {
	for _, e := range slices.Clone(l.again) {
		switch {
		case len(e.opinions) > 0 && e.counting() == 0 && !others(e.tried()):
			e.opinions = nil // whether these machines can describe turns out when they try again
		case len(e.opinions) > 0 && !others(e.tried()):
			o := e.opinions[slices.IndexFunc(e.opinions, func(o opinion) bool { return !o.doubted })]
			list = append(list, settled{e.path, o.machine, o.answer})
			l.resolve(e)
		case e.lost >= maxLost:
			list = append(list, settled{e.path, "", Answer{Attempts: e.lost, Failure: &Failure{
				Kind: "crash", Message: "every machine that was given it went away without an answer",
			}}})
			l.resolve(e)
		}
	}
	return list
}

// waiting is whether there are photos to be handed out.
func (l *ledger) waiting() bool { return l.next < len(l.photos) || len(l.again) > 0 }
