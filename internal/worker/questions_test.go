package worker

import (
	"testing"

	"photodesc/internal/photo"
)

// TestContext is what the model is told of a photo, of its path the name only.
func TestContext(t *testing.T) {
	told := Questions{Context: true}.context("album/beach.jpg", photo.Metadata{HasPlace: true, Latitude: 1})
	if want := "Known of this image: at 1.0000° N, 0.0000° E; file name \"beach.jpg\".\n"; told != want {
		t.Errorf("told %q, want %q", told, want)
	}
}
