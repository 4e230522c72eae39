package pool

import "time"

// memoryProjection follows one worker's own memory and projects what its photos
// will add. C code leaks, and a worker is replaced before it outgrows its share.
//
// A photo's growth may show as soon as the photo is handed out or only with its
// answer, and nothing tells which. So growth is attributed pessimistically: all
// of it to the photos answered, while those in flight are still to add theirs.
type memoryProjection struct {
	current    uint64    // bytes
	reportedAt time.Time // when the worker itself last reported them
	loaded     uint64    // bytes at hello
	answers    int       // photos answered

	// The first photos allocate what is allocated once. The state at the end of
	// that warm-up:
	warm        bool   // it is over
	warmBytes   uint64 // memory then
	warmAnswers int    // photos answered then
	warmStarted int    // photos handed out then

	expected *expectedGrowth // shared by all workers of the run
}

// expectedGrowth is what each photo added to the last worker that left.
type expectedGrowth struct {
	perPhoto uint64
	known    bool
}

// hello notes what the worker has before its first photo.
func (m *memoryProjection) hello(bytes uint64) {
	m.current, m.loaded, m.warmBytes = bytes, bytes, bytes
}

// reported notes what the worker says it has; 0 is unknown.
func (m *memoryProjection) reported(bytes uint64, now time.Time) {
	if bytes > 0 {
		m.current, m.reportedAt = bytes, now
	}
}

// sampled notes what the system said at asked, unless the worker has reported a
// newer figure.
func (m *memoryProjection) sampled(bytes uint64, asked time.Time) {
	if bytes == 0 || m.reportedAt.After(asked) {
		return
	}
	m.current = bytes
	if m.loaded == 0 { // the worker does not report its memory
		m.loaded = bytes
	}
}

// answered notes that one more photo was answered while inFlight others are
// still in flight. The warm-up lasts for warmUp answers.
func (m *memoryProjection) answered(inFlight, warmUp int) {
	m.answers++
	if m.warm = m.answers > warmUp; !m.warm {
		m.warmBytes, m.warmAnswers, m.warmStarted = m.current, m.answers, m.answers+inFlight
	}
}

// since is the growth in bytes above base.
func (m *memoryProjection) since(base uint64) uint64 { return m.current - min(m.current, base) }

// maxPerPhoto is the most that a photo can have added on average. All answered
// photos have grown the worker since hello. After the warm-up, the photos handed
// out and answered since then have grown it since then, and the smaller of the
// two averages holds.
func (m *memoryProjection) maxPerPhoto() uint64 {
	if m.answers == 0 {
		return 0
	}
	most := m.since(m.loaded) / uint64(m.answers)
	if m.settled() {
		most = min(most, m.since(m.warmBytes)/uint64(m.answers-m.warmStarted))
	}
	return most
}

// settled is whether so many photos were handed out and answered since the
// warm-up that the temporary memory of those in flight hardly counts.
func (m *memoryProjection) settled() bool {
	return m.warm && m.answers > m.warmStarted+(m.warmStarted-m.warmAnswers)
}

// likelyPerPhoto is what each photo is likely to add. It is 0 during the
// warm-up, because no worker should be replaced for what is allocated once.
func (m *memoryProjection) likelyPerPhoto() uint64 {
	switch {
	case m.settled():
		return m.maxPerPhoto()
	case !m.warm:
		return 0
	}
	likely := m.since(m.warmBytes) / uint64(m.answers-m.warmAnswers)
	if m.expected.known {
		likely = min(likely, m.expected.perPhoto)
	}
	return likely
}

// firstGuess is what a photo may add before any was answered: about its pixels.
const firstGuess = 16 << 20

// nextGrowth is what the next photo may add. The first workers of a run may be
// warming up or leaking, which look the same, so the larger figure is taken.
func (m *memoryProjection) nextGrowth() uint64 {
	switch {
	case m.expected.known && !m.settled():
		return m.expected.perPhoto
	case m.answers == 0:
		return firstGuess
	}
	return m.maxPerPhoto()
}

// projected is what the worker will have when so many more photos have added
// what they are likely to add.
func (m *memoryProjection) projected(photos int) uint64 {
	return m.current + m.likelyPerPhoto()*uint64(photos)
}

// full is whether the worker should be replaced, because it could not take
// another photo even with none in flight.
func (m *memoryProjection) full(share uint64) bool { return share > 0 && m.projected(1) > share }

// fits is whether another photo may join those in flight without the worker
// outgrowing its share. Room for one more is kept, because photos differ.
func (m *memoryProjection) fits(share uint64, inFlight int) bool {
	if inFlight == 0 {
		return !m.full(share)
	}
	return share == 0 || m.current+m.nextGrowth()*uint64(inFlight+2) <= share
}

// overLimit is whether the worker must be killed at once: it is a quarter above
// its share, which is more than the photos in flight explain. If the model alone
// is above the share, the model is the measure, or nothing could be done at all.
func (m *memoryProjection) overLimit(share uint64) bool {
	if share == 0 {
		return false
	}
	limit := max(share, m.loaded)
	return m.current > limit+limit/4
}

// learn makes this worker's growth the expected one for new workers.
func (m *memoryProjection) learn() {
	if m.warm {
		*m.expected = expectedGrowth{m.maxPerPhoto(), true}
	}
}
