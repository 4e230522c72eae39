package pool

import "time"

// deathStreak counts worker deaths in a row without a described photo, and the
// back-off before the next worker is started.
type deathStreak struct {
	max        int // deaths that end the run
	fewer      int // deaths, but for those about memory, that end it if unproven
	minBackoff time.Duration
	maxBackoff time.Duration

	deaths       int
	crashes      int // of them, those not about memory
	last         death
	backoffUntil time.Time

	// unproven is whether nobody knows that the model works: Config.Untested, until a photo is described.
	unproven bool
}

// add counts a death unless it is excused, and sets the back-off, which doubles
// with each death counted.
func (s *deathStreak) add(d death, excused bool, now time.Time) {
	s.last = d
	if !excused {
		s.deaths++
		if !d.isMemory() {
			s.crashes++
		}
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
func (s *deathStreak) reset() { s.deaths, s.crashes, s.backoffUntil = 0, 0, time.Time{} }

// described ends the streak: the model works.
func (s *deathStreak) described() {
	s.reset()
	s.unproven = false
}

// tooLong is whether there were too many deaths to go on.
func (s *deathStreak) tooLong() bool { return s.deaths >= s.max || s.unproven && s.crashes >= s.fewer }

// err is what the run ends with because of the streak.
func (s *deathStreak) err() error {
	return &DeathsError{Deaths: max(s.deaths, 1), Kind: s.last.kind, Detail: s.last.detail, Untested: s.unproven}
}
