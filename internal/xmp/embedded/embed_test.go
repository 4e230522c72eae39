package embedded

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"photodesc/internal/xmp"
)

// TestEmbed writes into photos and takes it out again.
func TestEmbed(t *testing.T) {
	dir := t.TempDir()
	old := time.Date(2019, 7, 14, 12, 30, 5, 0, time.UTC)
	put := func(name, from string) (path string, data []byte) {
		path = filepath.Join(dir, name)
		data, err := os.ReadFile(filepath.Join("../../../examples/photos", from))
		if err == nil {
			err = os.WriteFile(path, data, 0o640)
		}
		if err != nil {
			t.Fatal(err)
		}
		return path, data
	}
	const jpeg, png = "orange-star-orientation-4.jpg", "blue-ring-alpha.png"
	odd := "-odd\n\xff'.jpg"
	before := map[string][]byte{}
	for name, from := range map[string]string{"b.png": png, odd: jpeg, "theirs.jpg": jpeg, "sidecar.jpg": jpeg, "raw.dng": "green-triangle.tiff", "c.cr2": jpeg, "d.webp": "yellow-star-on-blue.webp"} {
		_, before[name] = put(name, from)
	}
	exiftool(t, "-q", "-overwrite_original", "-XMP-dc:Description=By a person", "-XMP-dc:Subject=Family", filepath.Join(dir, "theirs.jpg"))
	theirs, err := os.ReadFile(filepath.Join(dir, "theirs.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	before["theirs.jpg"] = theirs
	sidecar := `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:description="In the sidecar"/></rdf:RDF></x:xmpmeta>`
	if err := os.WriteFile(filepath.Join(dir, "sidecar.jpg.xmp"), []byte(sidecar), 0o600); err != nil {
		t.Fatal(err)
	}
	for name := range before {
		if err := os.Chtimes(filepath.Join(dir, name), old, old); err != nil {
			t.Fatal(err)
		}
	}
	p, err := xmp.IntoPhotos(context.Background(), dir, xmp.Options{Inside: Read})
	if err != nil {
		t.Fatal(err)
	}
	text := xmp.Text{Description: "By a model", Keywords: []string{"star"}, Model: "m"}
	for name, want := range map[string]xmp.Outcome{"b.png": xmp.Made, odd: xmp.Made, "theirs.jpg": xmp.Changed, "sidecar.jpg": xmp.Made} {
		if got, err := p.Write(name, text); got != want || err != nil {
			t.Errorf("%q: %d, %v, want %d", name, got, err, want)
			continue
		}
		in, err := Read(filepath.Join(dir, name))
		described := name != "theirs.jpg" && name != "sidecar.jpg"
		if err != nil || strings.Contains(string(in.Packet), "By a model") != described || !strings.Contains(string(in.Packet), ">star<") {
			t.Errorf("%q: %v: %s", name, err, in.Packet)
		}
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != 0o640 || !info.ModTime().Equal(old) {
			t.Errorf("%q: %v, changed %v, %v", name, info.Mode(), info.ModTime(), err)
		}
		if got, err := p.Write(name, text); got != xmp.Unchanged || err != nil {
			t.Errorf("%q again: %d, %v", name, got, err)
		}
	}
	for name, want := range map[string]string{"raw.dng": "RAW files are never changed", "c.cr2": "RAW files are never changed", "d.webp": "only JPEG and PNG"} {
		if _, err := p.Write(name, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name := range before {
		if _, err := p.Remove(name); err != nil && filepath.Ext(name) != ".webp" && !strings.Contains(err.Error(), "RAW") {
			t.Errorf("%q: %v", name, err)
		}
		if after, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(after, before[name]) {
			t.Errorf("%q is not as it was: %d bytes, %d before, %v", name, len(after), len(before[name]), err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".photodesc*")); len(left) > 0 {
		t.Error(left)
	}
	// exiftool refuses a damaged photo, which stays as it is.
	cut := filepath.Join(dir, odd)
	if err := os.WriteFile(cut, before[odd][:100], 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := p.Write(odd, text); err == nil {
		t.Errorf("a damaged photo: %d", got)
	}
	if after, _ := os.ReadFile(cut); len(after) != 100 {
		t.Error("a damaged photo was changed")
	}
}
