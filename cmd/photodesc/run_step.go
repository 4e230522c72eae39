package main

import (
	"os"
	"sync"
	"time"

	"github.com/dustin/go-humanize"

	"photodesc/internal/models"
	"photodesc/internal/ui"
)

const (
	// stepLineEvery is when the second log line of a step comes, and how long after it
	// the third. As the step goes on they come less often, up to stepLineMost.
	stepLineEvery = 10 * time.Second
	stepLineMost  = 5 * time.Minute
)

// step is something that a run does before it describes photos and that may take long. The
// log gets a line at once and further ones while it lasts, so that whoever reads it
// knows that the run is alive.
type step struct {
	say   func(line string)
	text  string
	began time.Time
	once  sync.Once // closes quit
	quit  chan struct{}
	done  chan struct{}

	mu   sync.Mutex
	news string
}

// startStep begins a step. It lasts until end is called.
func startStep(say func(line string), text string) *step {
	s := &step{say: say, text: text, began: time.Now(), quit: make(chan struct{}), done: make(chan struct{})}
	say(text)
	go s.repeat()
	return s
}

// at sets the news of the step ("12,000 so far").
func (s *step) at(news string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.news = news
}

// end ends the step, once. No line comes afterwards. A nil step is none.
func (s *step) end() {
	if s == nil {
		return
	}
	s.once.Do(func() { close(s.quit) })
	<-s.done
}

func (s *step) repeat() {
	defer close(s.done)
	for {
		timer := time.NewTimer(min(max(time.Since(s.began)/2, stepLineEvery), stepLineMost))
		select {
		case <-s.quit:
			timer.Stop()
			return
		case <-timer.C:
		}
		s.mu.Lock()
		news := s.news
		s.mu.Unlock()
		if news != "" {
			news += ", "
		}
		s.say(s.text + ": " + news + "for " + ui.Spell(time.Since(s.began)) + " now")
	}
}

// startStep begins a step of the run. On a terminal the bar shows it, so the lines go to
// the log file alone.
func (r *runner) startStep(text string) *step {
	return startStep(func(line string) {
		r.folds.flush()
		r.detail.Info(line)
	}, text)
}

// modelBytes is the size of the model's files, 0 if it is not known.
func modelBytes(m models.Wanted) (sum uint64) {
	for _, name := range []string{m.Text, m.Vision} {
		info, err := os.Stat(name)
		if err != nil {
			return 0
		}
		sum += uint64(info.Size())
	}
	return sum
}

// modelSize is the same for a log line, "" if it is not known.
func modelSize(m models.Wanted) string {
	if sum := modelBytes(m); sum > 0 {
		return " (" + humanize.Bytes(sum) + ")"
	}
	return ""
}
