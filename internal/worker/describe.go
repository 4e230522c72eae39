package worker

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"slices"
	"time"

	"photodesc/internal/fsutil"
	"photodesc/internal/photo"
	"photodesc/internal/photo/vips"
	"photodesc/internal/preview"
	"photodesc/internal/ui"
	"photodesc/llm"
	"photodesc/pool"
	"photodesc/tracker"
)

// maxRetries is how often a photo is asked about again after blank answers: first
// with a repeat penalty, then also in less detail.
const maxRetries = 2

// allBlank is the message of a photo's failure if all answers were blank.
const allBlank = "the model said nothing"

// describe decodes the photo of a job, has the engine answer the prompts, and
// returns an Answer.
func (w *worker) describe(ctx context.Context, j pool.Job) (any, error) {
	began := time.Now()
	var made Answer
	rec := &made.Record
	var decoding time.Duration
	a, err := w.ask(ctx, j, &made, &decoding, llm.Answer{}, nil)
	for err == nil && !made.Known && !w.config.Engine.Exact { // measuring takes every photo alike
		blank := w.config.Ask.blank(a)
		if len(blank) > 0 && rec.Blank < maxRetries {
			rec.Blank++
			a, err = w.ask(ctx, j, &made, &decoding, a, blank)
			continue
		}
		// The description is the answer to the first prompt.
		if slices.Contains(blank, 0) {
			rec.Blank++
			rec.Error = &tracker.RecordError{Kind: tracker.Model, Message: allBlank}
		}
		break
	}
	if err != nil {
		return nil, err
	}
	rec.Status = tracker.OK
	if rec.Error != nil {
		rec.Status = tracker.Failed
	}
	rec.Tiles = a.Tiles
	rec.Seconds = tracker.Seconds{
		Decode:   Round(decoding),
		Encode:   Round(a.Encode),
		Prompt:   Round(a.Prefill),
		Generate: Round(a.Generate),
		Total:    Round(time.Since(began)),
	}
	if !made.Known {
		w.config.Ask.record(rec, a)
	}
	if rec.Status != tracker.OK {
		made.Inside = nil
	}
	return made, nil
}

// ask has the engine answer the prompts about a photo: all of them or, after blank
// answers, only those. The photo is decoded again each time, because keeping its
// pixels until the engine has answered would cost memory for every photo.
func (w *worker) ask(ctx context.Context, j pool.Job, made *Answer, decoding *time.Duration, before llm.Answer, blank []int) (a llm.Answer, err error) {
	rec := &made.Record
	picture, err := w.picture(j, made, decoding)
	if err != nil {
		return a, err
	}
	if !w.needed(ctx, rec) {
		made.Known = true
		return a, nil
	}
	if w.answered.Add(1)%trimInterval == 0 {
		llm.Trim()
		debug.FreeOSMemory()
	}
	if rec.Blank == 0 {
		a, err = w.engine.Describe(ctx, picture)
	} else {
		a, err = w.engine.Retry(ctx, picture, before, blank, rec.Blank == maxRetries)
	}
	if errors.Is(err, llm.ErrBroken) {
		// The photo is probably not the cause. Another process tries it again.
		fmt.Fprintf(os.Stderr, "%s%v\n", LogPrefixes[llm.Error], err)
		os.Exit(ui.ExitError)
	}
	if err != nil {
		return a, err
	}
	return ChangeAnswer(j, a), nil
}

// picture decodes a photo for the engine. It fills in the record's size and adds
// to the time spent decoding.
func (w *worker) picture(j pool.Job, made *Answer, decoding *time.Duration) (llm.Picture, error) {
	began := time.Now()
	img, err := w.decode(j.Name())
	*decoding += time.Since(began)
	var bad *photo.Error
	if errors.As(err, &bad) {
		return llm.Picture{}, kindError{string(bad.Kind), bad.Err, bad.ReadError, fileOf(bad)} // the record says which photo
	}
	if err != nil {
		return llm.Picture{}, err
	}
	rec := &made.Record
	rec.Width, rec.Height = img.OrigWidth, img.OrigHeight
	in, written := w.written(j.Name(), img)
	recordFile(rec, img, written)
	if w.config.Inside {
		made.Inside = in
	}
	if w.config.Thumbnails && made.Thumbnail == nil {
		made.Thumbnail = thumbnail(img)
	}
	rec.Context = w.config.Ask.Context.Tell(w.tellingPath(j.Path), img.Metadata, written)
	return llm.Picture{
		Width: img.Width, Height: img.Height, Pix: img.Pix,
		OrigWidth: img.OrigWidth, OrigHeight: img.OrigHeight,
		Context: rec.Context,
	}, nil
}

// tellingPath is the path of a photo as far as it says something of the photo.
func (w *worker) tellingPath(rel string) string {
	if w.config.Nameless != "" && fsutil.Below(fsutil.Join(string(w.config.Root), rel), string(w.config.Nameless)) {
		return ""
	}
	return rel
}

// maxThumbnail is the largest thumbnail that is answered, in bytes; usual ones have 20,000.
const maxThumbnail = 200_000

// thumbnail makes a small JPEG of a decoded photo for photodesc browse, nil if it cannot.
func thumbnail(img *vips.Image) []byte {
	jpeg, err := img.JPEG(preview.Thumbnail.Longest, preview.Thumbnail.Quality)
	if err != nil || len(jpeg) > maxThumbnail {
		return nil
	}
	return jpeg
}

// recordFile fills in what the file says of itself.
func recordFile(rec *tracker.Record, img *vips.Image, written photo.Written) {
	m := img.Metadata
	rec.File = &tracker.PhotoFile{
		Size: img.Size, ModTime: img.ModTime.UTC(),
		Hash: img.ID.Whole, Head: img.ID.Head, Picture: img.ID.Picture,
	}
	rec.Taken, rec.Camera, rec.Place = m.TakenText(), m.Camera, placeOf(m, written.Place)
}

// placeOf is what a file says of where it was taken, nil if nothing.
func placeOf(m photo.Metadata, names photo.PlaceNames) *tracker.PhotoPlace {
	p := tracker.PhotoPlace{Location: names.Location, City: names.City, State: names.State, Country: names.Country}
	if m.HasPlace {
		p.Latitude, p.Longitude = new(rounded(m.Latitude)), new(rounded(m.Longitude))
	}
	if p == (tracker.PhotoPlace{}) {
		return nil
	}
	return &p
}

// fileOf is the file of a photo that failed, nil where it could not be opened.
func fileOf(bad *photo.Error) *tracker.PhotoFile {
	if bad.ModTime.IsZero() {
		return nil
	}
	return &tracker.PhotoFile{Size: bad.Size, ModTime: bad.ModTime.UTC()}
}

// rounded rounds degrees to a centimetre.
func rounded(degrees float64) float64 { return math.Round(degrees*1e7) / 1e7 }

// decode decodes the photo at a path below the photo folder. It waits for a free
// decoder.
func (w *worker) decode(rel string) (*vips.Image, error) {
	w.decoders <- struct{}{}
	defer func() { <-w.decoders }()
	return vips.Decode(fsutil.Join(string(w.config.Root), rel), vips.Options{
		Longest: w.engine.LongestEdge(), MaxBytes: w.config.MaxBytes,
	})
}
