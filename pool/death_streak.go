package pool

import "time"

// deathStreak counts worker deaths in a row without a described photo, and the
// back-off before the next worker is started.
type deathStreak struct {
	max        int // deaths that end the run
	minBackoff time.Duration
	maxBackoff time.Duration

	deaths       int
	backoffUntil time.Time
}

// add counts a death unless it is excused, and sets the back-off, which doubles
// with each death counted.
func (s *deathStreak) add(excused bool, now time.Time) {
	if !excused {
		s.deaths++
	}
	wait := s.minBackoff
	for range s.deaths - 1 {
		if wait *= 2; wait >= s.maxBackoff {
			wait = s.maxBackoff
			break
		}
	}
	s.backoffUntil = now.Add(wait)
}

// reset ends the streak and the back-off.
func (s *deathStreak) reset() { s.deaths, s.backoffUntil = 0, time.Time{} }

// tooLong is whether there were too many deaths to go on.
func (s *deathStreak) tooLong() bool { return s.deaths >= s.max }

// concurrency is how many photos may be in flight in one lane. It is halved when
// memory runs out and doubled again after enough photos have succeeded.
type concurrency struct {
	limit             int // now
	max               int // Config.MaxInFlight
	successesSinceOOM int
}

// successesToGrow is how many photos must succeed after an out-of-memory kill
// before more of them are put in flight together again.
const successesToGrow = 200

// halve notes that memory ran out. It reports false if the limit was 1 already.
func (c *concurrency) halve() bool {
	if c.limit <= 1 {
		return false
	}
	c.successesSinceOOM = 0
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
