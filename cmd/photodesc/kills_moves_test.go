package main

import (
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"photodesc/tracker"
)

// TestKillsWithMoves kills the supervisor and moves photos between the runs, some of them back to where they were. A third of the photos are copies of
// others. With PHOTODESC_SOAK=1 there are 600 photos and 60 kills. Each picture must be described once, whatever paths it had, and the words must be
// those of the picture.
func TestKillsWithMoves(t *testing.T) {
	photos, kills := 60, 8
	if os.Getenv("PHOTODESC_SOAK") != "" {
		photos, kills = 600, 60
	}
	h := newHarness(t)
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	at := make([]string, photos) // where each is
	for i := range at {
		at[i] = fmt.Sprintf("a/%d.jpg", i)
		h.picture(at[i], i%(photos*2/3))
	}
	moves, within := 0, 0
	shuffle := func() {
		for _, i := range random.Perm(photos)[:photos/3] {
			to := fmt.Sprintf("%c/%d.jpg", 'a'+rune(random.IntN(3)), i)
			if to != at[i] {
				h.move(at[i], to)
				moves++
			}
			at[i] = to
		}
	}
	for killed := range kills {
		cmd := h.command()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		if before := h.lines(); killed%2 == 0 {
			h.wait(before+1+random.IntN(photos/kills), ended)
		} else { // while it looks for photos and notes the moves
			time.Sleep(time.Duration(random.IntN(int(150 * time.Millisecond))))
		}
		_ = cmd.Process.Kill()
		<-ended
		shuffle()
		within += min(h.via(tracker.ViaMoved), 1)
	}
	if code, said := h.run(); code != 0 {
		t.Fatalf("a run to the end: exit code %d\n%s", code, said)
	}
	shuffle()
	if code, said := h.run(); code != 0 || !strings.Contains(said, "0 to do") {
		t.Fatalf("the last run: exit code %d\n%s", code, said)
	}
	h.checkPictures(at, photos*2/3)
	moved, shared := h.via(tracker.ViaMoved), h.via(tracker.ViaDuplicate)
	t.Logf("%d photos, %d kills, %d moves in between, %d noted as moved, %d as copies, after %d kills there were some", photos, kills, moves, moved, shared, within)
	if moved == 0 || shared == 0 {
		t.Error("none was moved after it was described, or none was a copy")
	}
}

// checkPictures expects so many pictures that were described once each, and the photos at these paths to have the words of theirs.
func (h *harness) checkPictures(at []string, pictures int) {
	h.t.Helper()
	described := map[string]string{} // where a model described a picture
	for _, rec := range h.results() {
		if rec.Status != tracker.OK || rec.Via != "" {
			continue
		}
		if before, twice := described[rec.File.Head]; twice {
			h.t.Errorf("the picture of %q was described under %q before", rec.Path, before)
		}
		described[rec.File.Head] = rec.Path
	}
	if len(described) != pictures {
		h.t.Errorf("%d pictures were described, not %d", len(described), pictures)
	}
	words := map[string]string{} // by picture
	newest := map[string]tracker.Record{}
	for photo, err := range tracker.Photos(h.work, tracker.Select{}) {
		if err != nil {
			h.t.Fatal(err)
		}
		newest[photo.Path] = photo.Record
	}
	for i, path := range at {
		_, head, _, err := headOf(filepath.Join(h.photos, path))
		rec := newest[path]
		if err != nil || rec.Status != tracker.OK || rec.File.Head != head {
			h.t.Errorf("photo %d in %q: %v, %s, with the words of %v and not %s", i, path, err, rec.Status, rec.File, head)
		}
		if other, known := words[head]; known && rec.Description != other {
			h.t.Errorf("%q: %q, and a copy of it %q", path, rec.Description, other)
		}
		words[head] = rec.Description
		delete(newest, path)
	}
	for path, rec := range newest {
		if rec.Status == tracker.OK {
			h.t.Errorf("%q counts as described, and nothing is there", path)
		}
	}
}

// picture makes a photo with a picture of its own.
func (h *harness) picture(name string, i int) {
	h.t.Helper()
	path := filepath.Join(h.photos, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		h.t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		h.t.Fatal(err)
	}
	defer f.Close()
	m := image.NewRGBA(image.Rect(0, 0, 32, 24))
	for k := range 16 { // bits of the number as black and white squares
		for p := range 36 {
			m.Set(k%4*8+p%6, k/4*6+p/6, color.Gray{Y: uint8(i>>k&1) * 255})
		}
	}
	if err := jpeg.Encode(f, m, nil); err != nil {
		h.t.Fatal(err)
	}
}

func (h *harness) move(from, to string) {
	h.t.Helper()
	to = filepath.Join(h.photos, to)
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		h.t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(h.photos, from), to); err != nil {
		h.t.Fatal(err)
	}
}

// results are all result lines that are whole.
func (h *harness) results() (all []tracker.Record) {
	h.t.Helper()
	for line := range strings.Lines(h.outputs()) {
		var r tracker.Record
		if !strings.HasSuffix(line, "\n") {
			continue // a run was killed over it
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			h.t.Fatalf("%v: %q", err, line)
		}
		all = append(all, r)
	}
	return all
}

// via is how many lines say that the words came so.
func (h *harness) via(way tracker.Via) (n int) {
	for _, r := range h.results() {
		if r.Via == way {
			n++
		}
	}
	return n
}
