package pool

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// Photos that were fetched lie under other names. Those that could not be fetched fail without a worker, and none that was described
// is tried again, because its file may be gone.
func TestFetched(t *testing.T) {
	bubble(t, func(t *testing.T) {
		jobs := slices.Values(slices.Concat(slices.Collect(paths("good", 20)), slices.Collect(paths("lost", 3)), slices.Collect(paths("garbage", 6)), slices.Collect(paths("fine", 10))))
		asked := map[string]int{}
		r := newBubbleRig(t, Config{Workers: 2, MaxInFlight: 4, Fetched: func(path string) (string, *Failure) {
			asked[path]++
			if strings.HasPrefix(path, "lost") {
				return "", &Failure{Kind: KindUnreadable, Message: "no access"}
			}
			return "file of " + path, nil
		}})
		var mu sync.Mutex
		described := map[string]bool{}
		r.onDone = func(res Result) error {
			mu.Lock()
			defer mu.Unlock()
			described[res.Path] = true
			return nil
		}
		r.onEvent = func(e seen) {
			mu.Lock()
			defer mu.Unlock()
			if e.Kind == EventPhotoOut && described[e.Path] {
				t.Errorf("%q is handed out after its result", e.Path)
			}
		}
		r.run(jobs).noError(jobs)
		for path, n := range asked {
			if n != 1 {
				t.Errorf("asked %d times for %q", n, path)
			}
		}
		for path, res := range r.results {
			switch {
			case strings.HasPrefix(path, "lost"):
				if res.Failure == nil || res.Failure.Message != "no access" {
					t.Errorf("%q: %+v", path, res)
				}
			case res.Failure == nil && !strings.Contains(string(res.Data), strconv.Quote("file of "+path)):
				t.Errorf("%q: %s", path, res.Data)
			}
		}
		if n := len(r.failed()); n != 9 {
			t.Errorf("%d failed; log:\n%s", n, r.log())
		}
	})
}
