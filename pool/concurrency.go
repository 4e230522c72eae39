package pool

import "time"

// concurrency is how many photos may be in flight in one lane. It is halved when
// memory runs out and doubled again after enough photos have succeeded.
type concurrency struct {
	limit             int // now
	max               int // Config.MaxInFlight
	successesSinceOOM int

	described int           // photos
	took      time.Duration // by all of them together
	timeout   time.Duration // of a photo
	lowered   time.Time     // the last time that the limit was lowered because of a time-out

	starting bool          // no photo has been described: limit is Config.FirstInFlight
	within   time.Duration // the first photo's time with which limit becomes max; 0 is any
}

// newConcurrency starts with Config.FirstInFlight.
func newConcurrency(cfg *Config) *concurrency {
	c := &concurrency{limit: cfg.MaxInFlight, max: cfg.MaxInFlight, within: cfg.Timeout / timeoutShare, timeout: cfg.Timeout}
	if cfg.FirstInFlight > 0 && cfg.FirstInFlight < c.max {
		c.limit, c.starting = cfg.FirstInFlight, true
	}
	return c
}

// timeoutShare is the part of a photo's time-out that the first photos may take,
// if more are to be in flight together. A photo waits for all that began with it,
// and one that is handed out ahead for those before it, too.
const timeoutShare = 10

// succeededIn counts a described photo's time. It ends the start with the first photo that was described: slow ones
// would come near the time-out, and take long to finish when the run is stopped.
func (c *concurrency) succeededIn(took time.Duration) {
	c.described, c.took = c.described+1, c.took+took
	if !c.starting {
		return
	}
	if c.starting = false; c.within > 0 && took > c.within {
		c.max = c.limit
	}
	c.limit = c.max
}

// timedOut halves the limit for good if too many photos in flight together may be
// why one that began at the given time took too long: most others took long as
// well, or none has been described yet. It reports whether the limit is lower now.
func (c *concurrency) timedOut(began, now time.Time) bool {
	fast := c.described > 0 && c.took < time.Duration(c.described)*c.timeout/4
	if fast || began.Before(c.lowered) || !c.halve() {
		return false
	}
	c.max, c.lowered = c.limit, now
	return true
}

// successesToGrow is how many photos must succeed after an out-of-memory kill
// before more of them are put in flight together again.
const successesToGrow = 200

// halve notes that memory ran out. It reports false if the limit was 1 already.
func (c *concurrency) halve() bool {
	if c.limit <= 1 {
		return false
	}
	c.successesSinceOOM, c.starting = 0, false
	c.limit /= 2
	return true
}

// succeeded counts a described photo and reports whether the limit grew.
func (c *concurrency) succeeded() bool {
	c.successesSinceOOM++
	if c.limit >= c.max || c.successesSinceOOM < successesToGrow {
		return false
	}
	c.successesSinceOOM = 0
	c.limit = min(2*c.limit, c.max)
	return true
}
