//go:build llama_system

package llamacpp

import (
	"strings"
	"testing"
)

// The versions must be the same to the letter: structures change between any two.
func TestSameVersion(t *testing.T) {
	for _, test := range []struct {
		library, built string
		same           bool
	}{
		{"0.7.0", "0.7.0", true},
		{"0.7.1", "0.7.0", false},
		{"0.8.0", "0.7.0", false},
		{"0.7.0-dev", "0.7.0", false},
		{"0.7.0", "0.7.0-dev", false},
		{"", "0.7.0", false},
	} {
		err := sameVersion(test.library, test.built)
		if (err == nil) != test.same || err != nil && !strings.Contains(err.Error(), "make build LLAMA=system") {
			t.Errorf("library %q, built for %q: %v", test.library, test.built, err)
		}
	}
	if err := Check(); err != nil {
		t.Error(err)
	}
}
