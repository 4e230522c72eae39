package pool

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// A source that goes on only when each photo has its result gets those failures, too, that wait for a success.
func TestReleaseIdle(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newBubbleRig(t, Config{ReleaseIdle: time.Second})
		failed := make(chan struct{})
		var once sync.Once
		r.onDone = func(res Result) error {
			if strings.HasPrefix(res.Path, "garbage") {
				once.Do(func() { close(failed) })
			}
			return nil
		}
		jobs := func(yield func(string) bool) {
			if !yield("garbage0") {
				return
			}
			<-failed
			yield("good0")
		}
		r.run(jobs)
		if f := r.results["garbage0"].Failure; f == nil || f.Kind != KindCrash || r.results["good0"].Failure != nil {
			t.Errorf("%+v", r.results)
		}
	})
}
