package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"photodesc/internal/ui"
)

// TestBrokenEngine gives the encoder weights that are no numbers, as a driver
// gone mad would. The run ends before any photo is touched or blamed.
func TestBrokenEngine(t *testing.T) {
	h := newHarness(t)
	h.add(numbered("photo", 1)...)
	mmproj := h.model[3]
	b, err := os.ReadFile(mmproj)
	if err != nil {
		t.Fatal(err)
	}
	end := len(b) - 4096 // the last tensor's
	copy(b[end:], bytes.Repeat([]byte{0xff}, 4096))
	h.model[3] = filepath.Join(t.TempDir(), "mmproj-broken.gguf")
	if err := os.WriteFile(h.model[3], b, 0o600); err != nil {
		t.Fatal(err)
	}
	code, said := h.run()
	if code != ui.ExitError {
		t.Errorf("exit code %d, want %d\n%s", code, ui.ExitError, said)
	}
	if want := "ERROR - the engine is broken: the encoder returned values that are not finite"; strings.Count(said, want) != 1 {
		t.Errorf("it does not say %q once:\n%s", want, said)
	}
	if h.lines() > 0 || len(h.outputs()) > 0 {
		t.Error("photos were described or blamed")
	}
}
