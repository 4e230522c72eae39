package pool

import (
	"encoding/json"
	"sync"
	"testing"
)

// A worker that asks is told whether the photo is needed, also after it was told to leave, and nothing is learned of the model from one
// that is not.
func TestNeeded(t *testing.T) {
	t.Parallel()
	jobs := mixed(40, "known-a", "known-b", "known-last")
	var mu sync.Mutex
	asked := map[string]string{}
	r := newRig(t, Config{Workers: 2, MaxInFlight: 4, BatchSize: 7, Prestart: true, Needed: func(path string, data json.RawMessage) bool {
		mu.Lock()
		defer mu.Unlock()
		var said string
		_ = json.Unmarshal(data, &said)
		asked[path] = said
		return path == "known-b"
	}}).run(jobs).noError(jobs)
	for path, want := range map[string]string{"known-a": `{"needed":false}`, "known-b": `{"needed":true}`, "known-last": `{"needed":false}`} {
		if got := string(r.results[path].Data); got != want || asked[path] != path {
			t.Errorf("%s: %s, asked %q", path, got, asked[path])
		}
	}
	unneeded := 0
	for _, e := range r.events {
		if e.Kind == EventAnswer && e.Unneeded {
			unneeded++
		}
	}
	if unneeded != 2 {
		t.Errorf("%d answers were not needed, want 2", unneeded)
	}
}

// Nobody decides: all are needed.
func TestNeededByDefault(t *testing.T) {
	t.Parallel()
	jobs := mixed(2, "known")
	r := newRig(t, Config{}).run(jobs).noError(jobs)
	if got := string(r.results["known"].Data); got != `{"needed":true}` {
		t.Error(got)
	}
}

func TestStrangeQuestion(t *testing.T) {
	t.Parallel()
	jobs := mixed(3, "once-strange")
	r := newRig(t, Config{}).run(jobs).noError(jobs)
	if r.stats.Deaths[DeathProtocol] == 0 {
		t.Errorf("%+v", r.stats)
	}
}
