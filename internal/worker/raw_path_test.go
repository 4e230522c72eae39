package worker

import (
	"encoding/json"
	"testing"

	"photodesc/internal/storage"
)

// TestRawPath sends paths through JSON that it would not let pass.
func TestRawPath(t *testing.T) {
	for _, p := range []string{"/photos", "/no \xff text", "/\"quoted\"", "/line\nbreak", "/🎈", "/\\"} {
		text, err := json.Marshal(Config{Root: storage.RawPath(p), Links: storage.RawPaths([]string{p})})
		if err != nil {
			t.Fatal(err)
		}
		var config Config
		if err := json.Unmarshal(text, &config); err != nil || string(config.Root) != p || string(config.Links[0]) != p {
			t.Errorf("%q became %q, %v", p, config.Root, err)
		}
	}
}
