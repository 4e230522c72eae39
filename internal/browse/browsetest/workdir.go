package browsetest

import (
	"bytes"
	"fmt"
	"image/jpeg"
	"os"
	"path/filepath"
	"testing"
	"time"

	"photodesc/tracker"
)

// Workdir is a workdir and its photos.
type Workdir struct{ Dir, Photos string }

// New makes a workdir in which n photos were described, and the photos, see [Scenes]. Every 23rd has failed.
func New(tb testing.TB, n int, scale float64) Workdir {
	tb.Helper()
	top := tb.TempDir()
	w := Workdir{filepath.Join(top, "descriptions"), filepath.Join(top, "Pictures")}
	for _, dir := range []string{w.Dir, w.Photos} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			tb.Fatal(err)
		}
	}
	t, err := tracker.Open(w.Dir, tracker.Options{Root: w.Photos})
	if err != nil {
		tb.Fatal(err)
	}
	t.Live().SetRun("smolvlm-500m", "describe", time.Minute)
	t.Live().SetPhotos(n, 0, 0)
	for i, s := range Scenes(n, scale) {
		taken := time.Date(2024, 9, 20, 19, 5, 0, 0, time.UTC).AddDate(0, 0, -9*i)
		folder := fmt.Sprintf("%d/%s", taken.Year(), []string{"winter", "spring", "summer", "autumn"}[int(taken.Month())%12/3])
		r := tracker.Record{
			Path: fmt.Sprintf("%s/%s-%03d.jpg", folder, s.Name, i), Status: tracker.OK, Description: s.Description, Keywords: s.Keywords,
			Model: "smolvlm-500m", Prompt: "describe", Width: s.Wide, Height: s.High, Tiles: 5, PromptTokens: 402, Tokens: 38, Attempts: 1,
			Taken: taken.Format("2006-01-02T15:04:05"), Camera: "Panasonic DMC-GX80",
			Seconds: tracker.Seconds{Decode: .03, Encode: .61, Prompt: .22, Generate: .71, Total: 1.6}, Time: time.Date(2026, 3, 1, 12, 0, i, 0, time.UTC),
		}
		name := filepath.Join(w.Photos, r.Path)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			tb.Fatal(err)
		}
		var b bytes.Buffer
		if err := jpeg.Encode(&b, s.Draw(), &jpeg.Options{Quality: 88}); err != nil {
			tb.Fatal(err)
		}
		if i%23 == 17 {
			b.Truncate(b.Len() / 3)
			r.Status, r.Description, r.Keywords, r.Tiles, r.Tokens, r.Seconds = tracker.Failed, "", nil, 0, 0, tracker.Seconds{Total: .1}
			r.Error = &tracker.RecordError{Kind: tracker.Unreadable, Message: "it is damaged or cut short: restore it from a backup"}
		}
		if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
			tb.Fatal(err)
		}
		if err := t.Add(r); err != nil {
			tb.Fatal(err)
		}
	}
	t.Live().Stop(tracker.Finished, "")
	if err := t.Close(); err != nil {
		tb.Fatal(err)
	}
	return w
}
