package xmp

import "testing"

func TestOfCamera(t *testing.T) {
	for text, want := range map[string]bool{
		"OLYMPUS DIGITAL CAMERA         ": true, "SAMSUNG": true, "cof": true, "hdr_oznor": true, "<KENOX S760  / Samsung S760>": true,
		"A dog": false, "Grandmother's Olympus digital camera": false, "<3 the sea>": false, "normal": false,
	} {
		if OfCamera(text) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}
