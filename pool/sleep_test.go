package pool

import (
	"encoding/json"
	"testing"
	"time"
)

// TestSleepText tells sleep from a run that was halted.
func TestSleepText(t *testing.T) {
	for _, c := range []struct {
		wall, monotonic time.Duration
		want            string
	}{
		{8*time.Hour + time.Second, time.Second, "The machine was asleep for 8h0m0s, or its clock was set; the run goes on"},
		{8 * time.Hour, 8 * time.Hour, ""}, // halted
		{time.Second, time.Second, ""},
		{-time.Hour, time.Second, ""}, // the clock was set back
		{9 * time.Second, time.Second, ""},
	} {
		if got := sleepText(c.wall, c.monotonic); got != c.want {
			t.Errorf("%v and %v: %q", c.wall, c.monotonic, got)
		}
	}
}

// TestAnswerAfterPause hears of an answer before anything else after the process was halted.
func TestAnswerAfterPause(t *testing.T) {
	r := newRun(Config{Workers: 1}.withDefaults())
	began := time.Now()
	b := newBatch(1, 0, began)
	w := r.workers.add(r.workers.lanes[0], b, &r.budget.expected, began)
	w.state = ready
	for id := range uint64(2) {
		w.attempts[id] = &attempt{id: id, photo: &photo{path: "a"}, batch: b, began: began}
	}
	r.lastLoop, w.lane.progress.since = began, began
	woke := began.Add(time.Hour)
	r.handle(evReport{w, report{Result: &answer{ID: 0, Data: json.RawMessage("1")}}}, woke)
	r.catchUp(woke.Add(time.Millisecond))
	if each, since := photoTime(r.workers.lanes), w.lane.progress.since; each > 10*time.Second || since.After(woke) {
		t.Errorf("a photo takes %v, and the last answer came %v after it was heard of", each, since.Sub(woke))
	}
}
