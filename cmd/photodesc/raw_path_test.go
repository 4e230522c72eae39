package main

import (
	"encoding/json"
	"testing"
)

// TestRawPath sends paths through JSON that it would not let pass.
func TestRawPath(t *testing.T) {
	for _, p := range []string{"/photos", "/no \xff text", "/\"quoted\"", "/line\nbreak", "/🎈", "/\\"} {
		text, err := json.Marshal(workerJob{Root: rawPath(p), Links: rawPaths([]string{p})})
		if err != nil {
			t.Fatal(err)
		}
		var job workerJob
		if err := json.Unmarshal(text, &job); err != nil || string(job.Root) != p || string(job.Links[0]) != p {
			t.Errorf("%q became %q, %v", p, job.Root, err)
		}
	}
}
