package tracker

import "maps"

// Tally is what is known of one run beside the numbers of photos, which are in
// [Progress].
type Tally struct {
	Errors  map[Kind]int // failures by kind
	Seconds Gauge        // of a described photo, from file to description
	Tokens  int          // generated, for all prompts
}

func (t *Tally) add(r *Record) {
	if r.Status == OK {
		t.Tokens += r.Tokens
		for _, a := range r.Answers {
			t.Tokens += a.Tokens
		}
		t.Seconds.sample(r.Seconds.Total)
		return
	}
	if t.Errors == nil {
		t.Errors = map[Kind]int{}
	}
	t.Errors[r.Error.Kind]++
}

// Tally returns what this run has done so far, rounded.
func (t *Tracker) Tally() Tally {
	t.mu.Lock()
	defer t.mu.Unlock()
	tally := t.tally
	tally.Errors, tally.Seconds = maps.Clone(tally.Errors), tally.Seconds.rounded(3)
	return tally
}
