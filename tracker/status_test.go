package tracker

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestPeek(t *testing.T) {
	dir := t.TempDir()
	if s, err := Peek(dir); err != nil || s.HasRun || s.Running || s.Died {
		t.Fatalf("%+v, %v", s, err)
	}
	if _, err := Peek(filepath.Join(dir, "nowhere")); !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}

	tr := open(t, dir, Options{Root: "/photos"})
	live := tr.Live()
	live.SetRun("smolvlm", "Describe.", time.Minute)
	live.SetPhotos(100, 0, 0)
	if n := live.BatchStarted(); n != 1 {
		t.Error(n)
	}
	live.WorkerStarted()
	live.WorkerRestarted("crash", "signal 11")
	live.Sample(Sample{SupervisorBytes: 10, WorkerBytes: 20, CPUPercent: 50})
	live.Sample(Sample{SupervisorBytes: 10, WorkerBytes: 40, CPUPercent: 100})
	write(t, "x", LogPath(dir, testTime))
	write(t, "x", LogPath(dir, testTime.Add(time.Hour)))
	add(t, tr, okRecord("a.jpg"), failedRecord("b.jpg", Timeout), okRecord("c.jpg"))
	live.flush()
	s, err := Peek(dir)
	if err != nil || !s.Running || s.PID != os.Getpid() || s.Stalled || s.Died || s.Stop != nil {
		t.Fatalf("%+v, %v", s, err)
	}
	if s.Completed != 2 || s.Failed != 1 || s.Total != 100 || s.Remaining != 97 || !s.TotalKnown {
		t.Errorf("%+v", s)
	}
	if s.Model != "smolvlm" || s.Batch != 1 || s.Root != "/photos" || s.Log != "logs/photodesc_20251123_153022.log" {
		t.Errorf("%+v", s)
	}
	last := s.LastPhoto()
	if last == nil || last.Path != "c.jpg" || !strings.HasPrefix(last.Text, "A brown dog") || len(s.Recent) != 3 || s.Recent[1].Kind != Timeout {
		t.Errorf("%+v", s.Recent)
	}
	mem := Gauge{Min: 30, Mean: 40, Max: 50, Last: 50, Samples: 2}
	if c := s.Counters; c.Runs != 1 || c.Batches != 1 || c.Workers != 1 || c.Restarts["crash"] != 1 || c.Memory != mem {
		t.Errorf("%+v", c)
	}
	// A photo counted after the state was written shows all the same.
	add(t, tr, okRecord("d.jpg"))
	if s, _ := Peek(dir); s.Completed != 3 {
		t.Errorf("%d completed", s.Completed)
	}
	live.Stop(Stopped, "asked to")
	live.Stop(Broke, "too late")
	closeTracker(t, tr)
	s, _ = Peek(dir)
	if s.Running || s.Died || s.Stop == nil || s.Stop.Reason != Stopped || s.Stop.Text != "asked to" {
		t.Errorf("%+v", s.Stop)
	}

	// Without its state it knows less and is right.
	os.Remove(filepath.Join(dir, StateName))
	if s, err := Peek(dir); err != nil || s.Completed != 3 || s.Failed != 1 || s.TotalKnown || s.Total != 4 {
		t.Errorf("%+v, %v", s, err)
	}
	write(t, "{damaged", dir, StateName)
	if s, err := Peek(dir); err != nil || s.Completed != 3 || s.Failed != 1 {
		t.Errorf("%+v, %v", s, err)
	}
	tr = open(t, dir, Options{Root: "/elsewhere"})
	if !strings.Contains(notes(tr), StateName) {
		t.Error(notes(tr))
	}
}

// TestStopping shows that a run is stopping until it has ended, whatever else it says.
func TestStopping(t *testing.T) {
	dir := t.TempDir()
	tr := open(t, dir, Options{Root: "/photos"})
	live := tr.Live()
	live.SetPhotos(100, 0, 0)
	live.SetInFlight(4, 1)
	live.SetPhase("looking for photos: 1,000 so far")
	began := live.s.Since
	live.SetPhase("looking for photos: 2,000 so far")
	if live.s.Since != began {
		t.Error("news of a phase begin another one")
	}
	live.s.Meter.Run.Photos, live.s.Meter.Run.Seconds = 50, 100
	live.Stopping()
	live.SetPhase("")
	live.SetPhase("loading model")
	live.SetWaiting("memory to free up", true)
	add(t, tr, okRecord("a.jpg"))
	live.flush()
	s, err := Peek(dir)
	if err != nil || s.State != StateRunning || s.Phase != StoppingPhase || s.PhaseSince.IsZero() || s.Waiting || s.InFlight != 4 || s.LeftSeconds != 0 {
		t.Errorf("%+v, %v", s, err)
	}
	closeTracker(t, tr)
	if s, err = Peek(dir); err != nil || s.State != StateStopped || s.Phase != "" || s.InFlight != 0 {
		t.Errorf("%+v, %v", s, err)
	}
	tr = open(t, dir, Options{Root: "/photos"})
	defer closeTracker(t, tr)
	if s, err = Peek(dir); err != nil || s.Phase != "starting" {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestGoneRetrying does not count photos as failed that were to be tried again and are gone.
func TestGoneRetrying(t *testing.T) {
	dir := t.TempDir()
	tr := open(t, dir, Options{Root: "/photos"})
	add(t, tr, okRecord("a.jpg"), failedRecord("gone.jpg", Unreadable), failedRecord("b.jpg", Unreadable), failedRecord("c.jpg", Unreadable))
	closeTracker(t, tr)
	tr = open(t, dir, Options{Root: "/photos", RetryFailed: true})
	if !tr.Retrying("gone.jpg") || tr.Retrying("a.jpg") {
		t.Error("wrong photos are up for another try")
	}
	tr.Live().SetPhotos(2, 0, 0)
	tr.Live().SetGoneRetrying(1)
	add(t, tr, okRecord("b.jpg"))
	closeTracker(t, tr)
	if s, err := Peek(dir); err != nil || s.Completed != 2 || s.Failed != 1 || s.Total != 3 {
		t.Errorf("%+v, %v", s.Progress, err)
	}
	// Another run has other ones.
	tr = open(t, dir, Options{Root: "/photos"})
	tr.Live().SetPhotos(0, 0, 0)
	closeTracker(t, tr)
	if s, err := Peek(dir); err != nil || s.Failed != 2 {
		t.Errorf("%+v, %v", s.Progress, err)
	}
}

func TestStalled(t *testing.T) {
	now := testTime
	for _, c := range []struct {
		name          string
		updated, idle time.Duration // before now; at that time
		waiting       bool
		want          bool
	}{
		{"busy", time.Second, 0, false, false},
		{"slow photo", 10 * time.Second, 200 * time.Second, false, false},
		{"silent", 10 * time.Second, 295 * time.Second, false, true},
		{"waiting on purpose", 10 * time.Second, time.Hour, true, false},
		{"no heartbeat", 10 * time.Minute, 0, false, true},
		{"waiting without a heartbeat", 10 * time.Minute, 0, true, true},
		{"just woken after a night", 200 * time.Second, 100 * time.Second, false, false},
	} {
		s := state{Timeout: 300, Updated: now.Add(-c.updated), Idle: c.idle.Seconds(), Waiting: c.waiting}
		if got := s.stalled(now); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// TestRateIgnoresNights runs twice with a night between.
func TestRateIgnoresNights(t *testing.T) {
	dir := memDir(t)
	now := testTime
	clock := func() time.Time { return now }
	for run := range 2 {
		tr := open(t, dir, Options{now: clock})
		close(tr.live.quit) // this test moves the clock, so nobody else may look at it
		<-tr.live.done
		tr.live.quit = make(chan struct{})
		tr.Live().SetPhotos(240-90*run, 0, 0)
		now = now.Add(5 * time.Minute) // until the model is loaded
		tr.Live().SetInFlight(1, 0)
		for i := range 90 {
			now = now.Add(20 * time.Second) // 180 an hour
			add(t, tr, okRecord(millionPath(run*100+i)))
		}
		closeTracker(t, tr)
		now = now.Add(10 * time.Hour)
	}
	s, err := peek(dir, now)
	if err != nil || s.RateOverall < 179 || s.RateOverall > 181 || s.RateLastHour < 175 || s.RateLastHour > 185 {
		t.Fatalf("%+v, %v", s, err)
	}
	if left := s.LeftSeconds; left < 1150 || left > 1250 {
		t.Error(left)
	}
	if len(s.PerMinute) != meterMinutes+1 || s.UpSeconds != 4200 {
		t.Error(s.PerMinute, s.UpSeconds)
	}
}

func TestMeter(t *testing.T) {
	var m meter
	m.advance(time.Hour)
	if m.overall() != 0 || m.recent() != 0 {
		t.Error("a rate from nothing")
	}
	m.Run.handedOut(1, 0)
	for range 120 { // two hours of 10 a minute
		m.add(10)
		m.advance(time.Minute)
	}
	for range 60 { // one of 1 a minute
		m.add(1)
		m.advance(time.Minute)
	}
	if got := m.recent(); got != 60 {
		t.Error(got)
	}
	if got := m.overall(); got != 420 {
		t.Error(got)
	}
	m.advance(1000 * time.Hour)
	if m.recent() != 0 || len(m.Minutes) != meterMinutes+1 {
		t.Error(m)
	}
}

func TestSummarize(t *testing.T) {
	dir := t.TempDir()
	if s, err := Summarize(dir); err != nil || s.OK != 0 || s.SuccessRate != 0 {
		t.Fatalf("%+v, %v", s, err)
	}
	tr := open(t, dir, Options{})
	for i := range 20 {
		r := okRecord(millionPath(i))
		r.Seconds.Total = float64(i + 1)
		r.Description = strings.Repeat("word ", i+1)
		if i == 4 {
			r.Attempts = 2
		}
		if i == 5 || i == 6 {
			r.Blank = i - 4
		}
		if i == 7 {
			r.Answers = map[string]RecordAnswer{"short": {Text: "x y", Tokens: 40}, "scene": {Tokens: 2}}
		}
		add(t, tr, r)
	}
	slow := failedRecord("slow", Timeout)
	slow.Seconds.Total = 300
	often := failedRecord("often", Timeout)
	often.Attempts = 9
	silent := failedRecord("silent", Model)
	silent.Blank = 3
	add(t, tr, silent)
	silent.Path = "later ok"
	add(t, tr, silent)
	add(t, tr, failedRecord("a", Timeout), slow, failedRecord("b", Timeout), often, failedRecord("c", Crash), failedRecord("later ok", Crash), okRecord("later ok"))
	closeTracker(t, tr)
	s, err := Summarize(dir)
	if err != nil {
		t.Fatal(err)
	}
	if s.OK != 21 || s.Failed != 6 || s.Retried != 1 || s.SuccessRate < 0.77 || s.SuccessRate > 0.78 || s.Damaged != 0 {
		t.Errorf("%+v", s)
	}
	if s.AskedAgain != 2 || s.SaidNothing != 1 {
		t.Errorf("asked again %d, said nothing %d", s.AskedAgain, s.SaidNothing)
	}
	if total := s.Seconds.Total; total.Min != 1 || total.Max != 20 || total.Median != 10 || total.P95 != 19 || total.Count != 21 {
		t.Errorf("%+v", total)
	}
	if s.Words.Min != 1 || s.Words.Median != 11 || s.TokensPerSecond != 33 || s.Tokens.Max != 64 {
		t.Errorf("%+v, %v", s.Words, s.TokensPerSecond)
	}
	if len(s.Errors) != 3 || s.Errors[0].Kind != Timeout || s.Errors[0].Count != 4 || s.Errors[1].Count != 1 {
		t.Fatalf("%+v", s.Errors)
	}
	if w := s.Errors[0].Worst; len(w) != 3 || w[0].Path != "often" || w[1].Path != "slow" || w[2].Path != "a" {
		t.Errorf("%+v", w)
	}
	if s.Finish[FinishStop] != 21 || s.Models["smolvlm"] != 21 || len(s.Files) != 3 || s.Files[1].Lines != 29 {
		t.Errorf("%+v %+v %+v", s.Finish, s.Models, s.Files)
	}
	failed, err := ListFailed(dir)
	if err != nil || len(failed) != 6 || failed[0].Path != "a" || failed[0].Kind != Timeout {
		t.Errorf("%+v, %v", failed, err)
	}
}

func TestCountWords(t *testing.T) {
	for raw, want := range map[string]int{
		`""`: 0, `"a"`: 1, `" a  b "`: 2, `"a\nb\tc"`: 3, `"a \"b\" c."`: 3, `"\\n"`: 1, `"\n"`: 0,
	} {
		if got := countWords([]byte(raw)); got != want {
			t.Errorf("%s: %d, want %d", raw, got, want)
		}
	}
}

func FuzzState(f *testing.F) {
	dir := f.TempDir()
	tr := open(f, dir, Options{Root: "/p"})
	add(f, tr, okRecord("a"), failedRecord("b", Crash))
	closeTracker(f, tr)
	f.Add(read(f, dir, StateName))
	f.Add([]byte(`{"version":1,"meter":{"up_seconds":1e300,"minute":-5,"minutes":[1,-2],"run":{"working":true,"seconds":-1,"answers":-3,"took":1e308,"warm":{"photos":9}}},"counters":{"memory_bytes":{"samples":-1}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := parseState(data)
		if err != nil {
			return
		}
		s.Meter.advance(90 * time.Second)
		s.Meter.add(1)
		if r := s.Meter.recent(); r < 0 || s.Meter.overall() < 0 || len(s.Meter.Minutes) > meterMinutes+1 {
			t.Fatalf("%v %+v", r, s.Meter)
		}
		s.stalled(testTime)
		s.Counters.Memory.sample(1)
		s.Counters.restart("crash")
		if p := s.progress(); p.LeftSeconds < 0 || p.Remaining < 0 || p.RateLastHour < 0 || !isFinite(p.RateLastHour, p.LeftSeconds, p.RateRun) {
			t.Fatalf("%+v", p)
		}
		if s.Total < 0 || s.Done < 0 || len(s.Recent) > maxRecent {
			t.Fatalf("%+v", s)
		}
	})
}
