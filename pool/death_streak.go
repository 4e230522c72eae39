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
