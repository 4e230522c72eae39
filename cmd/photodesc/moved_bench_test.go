package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"photodesc/tracker"
)

// BenchmarkMovedRun is a run of which all photos were moved, 100,000 JPEGs that differ. The time is that of the whole run; most photos are larger, of
// which as much is read.
func BenchmarkMovedRun(b *testing.B) {
	const photos = 100_000
	var small bytes.Buffer
	if err := jpeg.Encode(&small, image.NewRGBA(image.Rect(0, 0, 32, 24)), nil); err != nil {
		b.Fatal(err)
	}
	h := newHarness(b)
	var records []tracker.Record
	for i := range photos {
		rel := fmt.Sprintf("a/%03d/%d.jpg", i%1000, i)
		path := filepath.Join(h.photos, rel)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			b.Fatal(err)
		}
		comment := binary.BigEndian.AppendUint32([]byte("\xff\xfe\x00\x06"), uint32(i)) // after the start of the picture
		data := append(append(append([]byte{}, small.Bytes()[:2]...), comment...), small.Bytes()[2:]...)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			b.Fatal(err)
		}
		file, err := fileAt(path)
		if err != nil {
			b.Fatal(err)
		}
		records = append(records, tracker.Record{Path: rel, Status: tracker.OK, Description: "A dog runs along a beach.", Model: "tiny", File: file, Attempts: 1, Time: time.Now()})
	}
	tr, err := tracker.Open(h.work, tracker.Options{Root: h.photos})
	if err != nil {
		b.Fatal(err)
	}
	if err := tr.AddBatch(records); err != nil {
		b.Fatal(err)
	}
	if err := tr.Close(); err != nil {
		b.Fatal(err)
	}
	from := "a"
	for b.Loop() {
		to := from + "a"
		h.move(from, to)
		from = to
		cmd := h.command("--redo", "never")
		if err := cmd.Run(); err != nil {
			b.Fatalf("%v\n%s", err, cmd.Stderr)
		}
		if said := cmd.Stderr.(*strings.Builder).String(); !strings.Contains(said, "100,000 photos moved or renamed") || !strings.Contains(said, "0 to do") {
			b.Fatal(said)
		}
		b.ReportMetric((cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(), "cpu-s/run")
	}
}
