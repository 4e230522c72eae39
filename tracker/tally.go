package tracker

import "maps"

// Tally is what one run has done, for its last words.
type Tally struct {
	OK      int          `json:"ok"`
	Failed  int          `json:"failed"`
	Errors  map[Kind]int `json:"errors,omitempty"`
	Seconds Gauge        `json:"seconds"` // a described photo, from file to words
	Tokens  int          `json:"tokens"`  // generated
}

// SuccessRate is the part of the photos that was described, from 0 to 1.
func (t Tally) SuccessRate() float64 {
	if t.OK+t.Failed == 0 {
		return 0
	}
	return float64(t.OK) / float64(t.OK+t.Failed)
}

func (t *Tally) add(r *Record) {
	if r.Status == OK {
		t.OK++
		t.Tokens += r.Tokens
		for _, a := range r.Answers {
			t.Tokens += a.Tokens
		}
		t.Seconds.sample(r.Seconds.Total)
		return
	}
	t.Failed++
	if t.Errors == nil {
		t.Errors = map[Kind]int{}
	}
	t.Errors[r.Error.Kind]++
}

// Tally returns what this run has done so far.
func (t *Tracker) Tally() Tally {
	t.mu.Lock()
	defer t.mu.Unlock()
	tally := t.tally
	tally.Errors = maps.Clone(tally.Errors)
	return tally
}
