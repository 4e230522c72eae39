package wording

import "testing"

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0 photos", 1: "1 photo", 1200: "1,200 photos"} {
		if got := Count(n, "photo"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := Count(2, "batch"); got != "2 batches" {
		t.Errorf("%q", got)
	}
}

func TestNearest(t *testing.T) {
	names := []string{"smolvlm", "smolvlm-256m", "smolvlm-500m"}
	for name, want := range map[string]string{"smolvlm-50m": "smolvlm-500m", "smolvml": "smolvlm", "qwen": ""} {
		if got := Nearest(name, names, 3); got != want {
			t.Errorf("%q is nearest to %q, want %q", name, got, want)
		}
	}
	if got := Nearest("a", nil, 3); got != "" {
		t.Errorf("%q of none", got)
	}
}

func TestLastLines(t *testing.T) {
	if got := LastLines("a\nb\nc\n", 2); got != "b\nc" {
		t.Errorf("%q", got)
	}
	if got := LastLines("a", 2); got != "a" {
		t.Errorf("%q", got)
	}
}
