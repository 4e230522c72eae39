package tracker

import (
	"math"
	"time"
)

// Progress is how far the photos of a workdir are, in all runs. The bar, the log,
// events, status, the dashboard and the summary of a run take their counts, rates
// and times from here. The slots in use are not part of it; see [Sample].
type Progress struct {
	Completed  int  `json:"completed"` // described, still in the folder, and not up for another description
	Failed     int  `json:"failed"`    // those not counted that are no longer in the folder
	Gone       int  `json:"gone"`      // described, and no longer in the folder; not in Total
	Total      int  `json:"total"`     // at least Completed + Failed
	TotalKnown bool `json:"total_known"`
	Remaining  int  `json:"remaining"`
	Later      int  `json:"later,omitempty"` // of Remaining, left to later runs by --limit

	// Duplicates are those of Completed that have the words of another photo, which has the same picture. They took no
	// describing and are in no rate.
	Duplicates    int `json:"duplicates,omitempty"`
	RunDuplicates int `json:"run_duplicates,omitempty"` // of these, in the last run; they are not in RunCompleted

	Batch        int `json:"batch"`         // number of the newest batch; it goes on from run to run
	InFlight     int `json:"in_flight"`     // photos handed to workers and not answered
	RunCompleted int `json:"run_completed"` // described by the last run
	RunFailed    int `json:"run_failed"`    // failed in the last run

	// RateLastHour is the rate of the last run over its last hour at most, in
	// photos an hour of describing. It is 0 while there are too few photos for it.
	RateLastHour float64 `json:"rate_last_hour"`
	RateRun      float64 `json:"rate_run"`     // of the last run, in photos an hour of describing
	RateOverall  float64 `json:"rate_overall"` // the same of all runs
	RunSeconds   float64 `json:"run_seconds"`  // of describing, in the last run
	UpSeconds    float64 `json:"up_seconds"`   // in which runs were up, loading and waiting included
	LeftSeconds  float64 `json:"left_seconds"` // until the run is done; 0 if not known, or if it stops before
}

// Percent is how much of all is described, from 0 to 100.
func (p *Progress) Percent() float64 {
	if p.Total <= 0 {
		return 0
	}
	return 100 * float64(p.Completed) / float64(p.Total)
}

// RunSuccess is the part of the last run's photos that was described, from 0 to 1.
func (p *Progress) RunSuccess() float64 {
	all := p.RunCompleted + p.RunFailed
	if all == 0 {
		return 0
	}
	return float64(p.RunCompleted) / float64(all)
}

// Left is LeftSeconds as a duration.
func (p *Progress) Left() time.Duration { return time.Duration(p.LeftSeconds * float64(time.Second)) }

// progress computes the numbers that are shown from the state.
func (s *state) progress() Progress {
	p := Progress{
		Completed: max(0, s.Done-s.GoneDone), Gone: min(s.GoneDone, s.Done), Failed: max(0, s.Failed-s.Gone), TotalKnown: s.Total > 0,
		Batch: s.Batch, InFlight: s.Meter.Run.InFlight, RunCompleted: s.RunDone, RunFailed: s.RunFailed,
		Duplicates: max(0, s.Shared-s.GoneShared), RunDuplicates: s.RunShared,
		RateLastHour: round(s.Meter.recent(), 1), RateOverall: round(s.Meter.overall(), 1),
		RateRun:    round(perHour(float64(s.Meter.Run.Photos), s.Meter.Run.Seconds), 1),
		RunSeconds: round(s.Meter.Run.Seconds, 1), UpSeconds: round(s.Meter.Up, 1),
	}
	p.Total = max(s.Total, p.Completed+p.Failed)
	p.Remaining = p.Total - p.Completed - p.Failed
	p.Later = min(s.Later, p.Remaining)
	if s.Phase != StoppingPhase {
		p.LeftSeconds = round(s.Meter.secondsLeft(p.Remaining-p.Later), 0)
	}
	return p
}

// Progress returns the numbers as they are now.
func (l *Live) Progress() Progress {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tick()
	return l.s.progress()
}

// SetPhotos records what a walk has found: the photos that this run is to describe,
// those left to later runs, and those that failed before and are no longer in the
// folder. With the described and the failed ones they are the total. It is better
// than the number of files, because described photos may have been deleted since.
func (l *Live) SetPhotos(todo, later, gone int) {
	l.change(func(s *state) {
		s.Gone, s.Later, s.GoneRetrying = min(gone, s.Failed), later, 0
		s.Total = s.Done - s.GoneDone + s.Failed - s.Gone + todo + later
	})
}

// SetGone records how many of the described photos are not in the photo folder any more, and how many of these have the words of another;
// they are in no other number. It comes before SetPhotos.
func (l *Live) SetGone(described, shared int) {
	l.change(func(s *state) { s.GoneDone, s.GoneShared = min(described, s.Done), min(shared, s.Shared) })
}

// SetGoneRetrying records how many of the photos that are up for another try are no
// longer in the folder. They do not count as failed after the run.
func (l *Live) SetGoneRetrying(photos int) {
	l.change(func(s *state) { s.GoneRetrying = photos })
}

// SetInFlight records how many photos the workers have, and the sum of the seconds
// since they were handed out. The clock of the run's rate starts with the
// first one. It is no sign of progress.
func (l *Live) SetInFlight(photos int, ages float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tick()
	l.between = l.between && photos == 0
	l.s.Meter.Run.handedOut(photos, ages)
}

// Answered records how long a worker took for a photo, from hand-out to answer, in
// seconds. The rate needs it; the photo itself is counted by [Tracker.Add].
func (l *Live) Answered(seconds float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.s.Meter.Run.answered(seconds)
}

// round rounds to a number of decimals.
func round(v float64, decimals int) float64 {
	unit := math.Pow(10, float64(decimals))
	return math.Round(v*unit) / unit
}
