package worker

import (
	"encoding/json"
	"testing"

	"photodesc/internal/storage"
)

// TestRawPath sends paths through JSON that it would not let pass.
func TestRawPath(t *testing.T) {
	for _, p := range []string{"/photos", "/no \xff text", "/\"quoted\"", "/line\nbreak", "/🎈", "/\\"} {
		text, err := json.Marshal(Job{Root: storage.RawPath(p), Links: storage.RawPaths([]string{p})})
		if err != nil {
			t.Fatal(err)
		}
		var job Job
		if err := json.Unmarshal(text, &job); err != nil || string(job.Root) != p || string(job.Links[0]) != p {
			t.Errorf("%q became %q, %v", p, job.Root, err)
		}
	}
}
