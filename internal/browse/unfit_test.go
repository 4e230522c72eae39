package browse

import (
	"testing"
	"time"
)

// A preview that failed is tried again when the photo was changed, and after a while.
func TestUnfit(t *testing.T) {
	now, changed := time.Now(), time.Now().Add(-time.Hour)
	var u unfit
	u.put("a", changed, now, "crashed")
	for _, c := range []struct {
		key      string
		modified time.Time
		later    time.Duration
		known    bool
	}{
		{"a", changed, 0, true}, {"a", changed, unfitFor - 1, true}, {"a", changed, unfitFor, false}, {"a", now, 0, false}, {"b", changed, 0, false},
	} {
		if reason, known := u.get(c.key, c.modified, now.Add(c.later)); known != c.known || known && reason != "crashed" {
			t.Errorf("%+v: %q, %v", c, reason, known)
		}
	}
}
