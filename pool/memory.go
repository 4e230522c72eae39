package pool

import "time"

// memoryTrack follows one worker's own memory and says what its photos will make
// of it. C code leaks, and a worker is replaced before it has leaked its share.
//
// What a photo leaves behind may be there as soon as it is handed out, or only
// with its answer, and nothing tells which. So all that was left is put down to
// the photos answered, and those in flight are still to leave theirs.
type memoryTrack struct {
	now        uint64
	reportedAt time.Time // when the worker itself last said it
	loaded     uint64    // at hello
	answers    int

	warm    bool   // all that is allocated once is allocated; it was when there were
	warmMem uint64 // so many bytes,
	warmAt  int    // photos answered
	warmOut int    // and handed out

	expected *expectedGrowth
}

// expectedGrowth is what each photo left behind in the last worker that left.
type expectedGrowth struct {
	perPhoto uint64
	known    bool
}

// loadedWith notes what the worker has before its first photo.
func (m *memoryTrack) loadedWith(mem uint64) {
	m.now, m.loaded, m.warmMem = mem, mem, mem
}

// reported notes what the worker says it has; 0 is that it does not know.
func (m *memoryTrack) reported(mem uint64, now time.Time) {
	if mem > 0 {
		m.now, m.reportedAt = mem, now
	}
}

// sampled notes what the system said at asked, unless the worker has said more since.
func (m *memoryTrack) sampled(mem uint64, asked time.Time) {
	if mem == 0 || m.reportedAt.After(asked) {
		return
	}
	m.now = mem
	if m.loaded == 0 {
		m.loaded = mem // of a worker that does not know what it has
	}
}

// answered notes that one more photo was answered while so many others are still
// in flight. What comes after warmUp answers is not allocated once.
func (m *memoryTrack) answered(inFlight, warmUp int) {
	m.answers++
	if m.warm = m.answers > warmUp; !m.warm {
		m.warmMem, m.warmAt, m.warmOut = m.now, m.answers, m.answers+inFlight
	}
}

// rate is the most that a photo can have left behind on average: at least those
// answered have done it since hello, and at least those handed out after the
// warm-up and answered have done it since then.
func (m *memoryTrack) rate() uint64 {
	if m.answers == 0 {
		return 0
	}
	most := (m.now - min(m.now, m.loaded)) / uint64(m.answers)
	if m.warmedUp() {
		most = min(most, (m.now-min(m.now, m.warmMem))/uint64(m.answers-m.warmOut))
	}
	return most
}

// warmedUp is whether enough photos were handed out and answered since the
// warm-up to make what those in flight have for a while look small.
func (m *memoryTrack) warmedUp() bool {
	return m.warm && m.answers > m.warmOut+(m.warmOut-m.warmAt)
}

// leak is what each photo is likely to leave behind, nothing while it may be the
// warm-up: what is allocated once must not have a worker replaced.
func (m *memoryTrack) leak() uint64 {
	switch {
	case m.warmedUp():
		return m.rate()
	case !m.warm:
		return 0
	}
	likely := (m.now - min(m.now, m.warmMem)) / uint64(m.answers-m.warmAt)
	if m.expected.known {
		likely = min(likely, m.expected.perPhoto)
	}
	return likely
}

// firstGuess is what a photo may leave behind for all that is known before one
// was answered: about its pixels.
const firstGuess = 16 << 20

// expectedGrowth is what the next photo may leave behind. A run's first workers may be
// warming up or leaking, and are taken at their worst.
func (m *memoryTrack) expectedGrowth() uint64 {
	switch {
	case m.expected.known && !m.warmedUp():
		return m.expected.perPhoto
	case m.answers == 0:
		return firstGuess
	}
	return m.rate()
}

// full is whether the worker should be replaced: with nothing in flight it
// could not take another photo.
func (m *memoryTrack) full(share uint64) bool { return share > 0 && m.now+m.leak() > share }

// fits is whether another photo may join those in flight: when each of them
// leaves behind what the ones before did, the worker stays within its share. One
// more is allowed for, because photos differ.
func (m *memoryTrack) fits(share uint64, inFlight int) bool {
	if inFlight == 0 {
		return !m.full(share)
	}
	return share == 0 || m.projected(inFlight+2) <= share
}

// projected is what the worker will have when so many photos have left theirs.
func (m *memoryTrack) projected(photos int) uint64 { return m.now + m.expectedGrowth()*uint64(photos) }

// overLimit is whether the worker must go at once. A quarter above the share is
// more than photos in flight explain, and the rest of the machine is next. A
// model that alone is over its share is measured by itself: it must be allowed
// to do some work, or nothing is ever done.
func (m *memoryTrack) overLimit(share uint64) bool {
	if share == 0 {
		return false
	}
	limit := max(share, m.loaded)
	return m.now > limit+limit/4
}
