package browsetest

import (
	"bufio"
	"bytes"
	"fmt"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"photodesc/tracker"
)

var someWords = strings.Fields("a the dog beach sunset red car on in of street people mountain lake snow tree sky blue green grass child smiling table cake birthday window cat sofa river bridge night city light flower garden old wooden boat harbour")

// Many makes a workdir with the results of n photos, described by 60 words drawn at random. Only the
// first of them in the order of their paths, at most withFiles, are in the photo folder.
func Many(tb testing.TB, n, withFiles int) Workdir {
	tb.Helper()
	top := tb.TempDir()
	w := Workdir{filepath.Join(top, "descriptions"), filepath.Join(top, "Pictures")}
	if err := os.MkdirAll(w.Photos, 0o755); err != nil {
		tb.Fatal(err)
	}
	t, err := tracker.Open(w.Dir, tracker.Options{Root: w.Photos})
	if err != nil {
		tb.Fatal(err)
	}
	t.Live().Stop(tracker.Stopped, "")
	if err := t.Close(); err != nil {
		tb.Fatal(err)
	}
	f, err := os.Create(filepath.Join(w.Dir, tracker.OutputsName, "image_analysis_20260101_120000.jsonl"))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	out := bufio.NewWriter(f)
	r := rand.New(rand.NewPCG(1, 2))
	words := make([]string, 60)
	for i := range n {
		for j := range words {
			words[j] = someWords[r.IntN(len(someWords))]
		}
		width, height := 4000, 3000
		if i%3 == 0 {
			width, height = height, width
		}
		line, err := tracker.Record{
			Path: manyPath(i), Status: tracker.OK, Settings: "6e5c4f1cdfc6",
			Description: strings.Join(words, " "), Keywords: words[1:9], Model: "smolvlm-500m", Width: width, Height: height, Tiles: 5,
			Prompt: "describe", PromptTokens: 400, Tokens: 64, Attempts: 1, Finish: tracker.FinishStop,
			Seconds: tracker.Seconds{Decode: .05, Encode: .4, Prompt: .2, Generate: .6, Total: 1.25}, Time: time.Unix(int64(1_700_000_000+i), 0),
		}.Line()
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := out.Write(line); err != nil {
			tb.Fatal(err)
		}
	}
	if err := out.Flush(); err != nil {
		tb.Fatal(err)
	}
	first := filepath.Join(w.Photos, ".picture")
	var b bytes.Buffer
	if err := jpeg.Encode(&b, Scenes(1, 1)[0].Draw(), nil); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(first, b.Bytes(), 0o644); err != nil {
		tb.Fatal(err)
	}
	for i := range min(n, withFiles) {
		name := filepath.Join(w.Photos, manyPath(i))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.Link(first, name); err != nil {
			tb.Fatal(err)
		}
	}
	return w
}

// manyPath is in the order of the numbers, a thousand photos a folder.
func manyPath(i int) string { return fmt.Sprintf("%04d/IMG_%07d.jpg", i/1000, i) }
