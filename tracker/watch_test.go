package tracker

import (
	"fmt"
	"testing"
	"time"
)

// TestTally counts one run, and keeps its last failures apart from the many
// photos after them.
func TestTally(t *testing.T) {
	dir := t.TempDir()
	tr := open(t, dir, Options{})
	add(t, tr, failedRecord("bad.jpg", Crash))
	add(t, tr, failedRecord("worse.jpg", Timeout))
	for i := range 3 * maxRecent {
		add(t, tr, okRecord(fmt.Sprintf("%d.jpg", i)))
	}
	tally := tr.Tally()
	p := tr.Live().Progress()
	if p.RunCompleted != 3*maxRecent || p.RunFailed != 2 || tally.Errors[Crash] != 1 || tally.Errors[Timeout] != 1 ||
		tally.Seconds.Samples != p.RunCompleted || p.RunSuccess() != float64(p.RunCompleted)/float64(p.RunCompleted+2) {
		t.Errorf("%+v %+v", tally, p)
	}
	tr.Live().SetArgs([]string{"run", "--seed=3", "/photos"})
	closeTracker(t, tr)
	s, err := Peek(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Recent) != maxRecent || len(s.Failures) != 2 || s.Failures[1].Path != "worse.jpg" || len(s.Args) != 3 {
		t.Errorf("%d recent, failures %v, args %q", len(s.Recent), s.Failures, s.Args)
	}

	tr = open(t, dir, Options{})
	if p := tr.Live().Progress(); p.RunCompleted+p.RunFailed != 0 || p.Completed != 3*maxRecent {
		t.Errorf("a new run begins with %+v", p)
	}
	closeTracker(t, tr)
}

// TestState is the one word for each way in which a workdir can stand.
func TestState(t *testing.T) {
	dir := t.TempDir()
	is := func(want State) {
		t.Helper()
		if s, err := Peek(dir); err != nil || s.State != want {
			t.Errorf("%s, want %s (%v)", s.State, want, err)
		}
	}
	is(StateNone)
	tr := open(t, dir, Options{})
	live := tr.Live()
	live.SetPhotos(2, 0, 0)
	live.flush()
	is(StateRunning)
	live.SetWaiting("memory", true)
	add(t, tr, okRecord("a.jpg"))
	live.flush()
	is(StateWaiting) // a photo that was in flight does not end the wait
	live.SetPhase("")
	live.flush()
	is(StateRunning)
	live.Stop(Stopped, "")
	closeTracker(t, tr)
	is(StateStopped)

	tr = open(t, dir, Options{})
	tr.Live().Stop(Finished, "") // with one photo left, as by --limit
	closeTracker(t, tr)
	is(StateStopped)

	tr = open(t, dir, Options{})
	tr.Live().Stop(Broke, "the disk is full")
	closeTracker(t, tr)
	is(StateBroke)

	tr = open(t, dir, Options{})
	add(t, tr, okRecord("b.jpg"))
	tr.Live().Stop(Finished, "")
	closeTracker(t, tr)
	is(StateFinished)

	s, err := readState(dir)
	if err != nil {
		t.Fatal(err)
	}
	s.Stop = nil
	if err := s.write(dir); err != nil {
		t.Fatal(err)
	}
	is(StateDied)
}

// TestMeterTens keeps the last ten minutes in pieces of ten seconds.
func TestMeterTens(t *testing.T) {
	var m meter
	m.Run.handedOut(1, 0)
	for range 1000 {
		m.advance(5 * time.Second)
		m.add(1)
	}
	if len(m.TenSeconds) != meterTenSeconds+1 || len(m.Minutes) != meterMinutes+1 {
		t.Fatalf("%d tens, %d minutes", len(m.TenSeconds), len(m.Minutes))
	}
	for i, n := range m.TenSeconds[:meterTenSeconds] {
		if n != 2 {
			t.Fatalf("%d photos in piece %d", n, i)
		}
	}
	m.advance(time.Hour)
	if last := m.TenSeconds[meterTenSeconds]; last != 0 || m.Photos != 1000 {
		t.Fatal(last, m.Photos)
	}
}
