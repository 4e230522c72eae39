package worker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"time"

	"photodesc/internal/fsutil"
	"photodesc/internal/photo"
	"photodesc/internal/photo/vips"
	"photodesc/internal/ui"
	"photodesc/llm"
	"photodesc/pool"
	"photodesc/tracker"
)

// retries is how often a photo is asked about again when the model says
// nothing: with a repeat penalty, and then in less detail, too.
const retries = 2

// saidNothing is the message of a photo's failure when all tries were blank.
const saidNothing = "the model said nothing"

// describe is the way of one photo through the worker: path to pixels to words.
func (w *worker) describe(ctx context.Context, j pool.Job) (any, error) {
	began := time.Now()
	var rec tracker.Record
	var decoding time.Duration
	a, err := w.ask(ctx, j, &rec, &decoding, llm.Answer{}, nil)
	for err == nil && !w.job.Engine.Exact { // measuring takes every photo alike
		blank := w.job.Ask.blank(a)
		if len(blank) > 0 && rec.Blank < retries {
			rec.Blank++
			a, err = w.ask(ctx, j, &rec, &decoding, a, blank)
			continue
		}
		// The description is the answer to the first prompt.
		if slices.Contains(blank, 0) {
			rec.Blank++
			rec.Error = &tracker.RecordError{Kind: tracker.Model, Message: saidNothing}
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
	w.job.Ask.record(&rec, a)
	return rec, nil
}

// ask has the engine answer for a photo: all prompts at first, and after blank
// answers those that were answered so. The pixels are decoded anew each time:
// holding them until the engine has answered would cost every photo memory.
func (w *worker) ask(ctx context.Context, j pool.Job, rec *tracker.Record, decoding *time.Duration, before llm.Answer, blank []int) (a llm.Answer, err error) {
	picture, err := w.picture(j, rec, decoding)
	if err != nil {
		return a, err
	}
	if w.answered.Add(1)%tidyEvery == 0 {
		llm.Trim()
		debug.FreeOSMemory()
	}
	if rec.Blank == 0 {
		a, err = w.engine.Describe(ctx, picture)
	} else {
		a, err = w.engine.Retry(ctx, picture, before, blank, rec.Blank == retries)
	}
	if errors.Is(err, llm.ErrBroken) {
		// No fault of this photo's, most likely: let another process try it.
		fmt.Fprintf(os.Stderr, "%s%v\n", LogPrefixes[llm.Error], err)
		os.Exit(ui.ExitError)
	}
	if err != nil {
		return a, err
	}
	return Answered(j, a), nil
}

// picture decodes a photo for the engine. It fills in the record's size and adds
// to the time spent decoding.
func (w *worker) picture(j pool.Job, rec *tracker.Record, decoding *time.Duration) (llm.Picture, error) {
	began := time.Now()
	img, err := w.decode(j.Path)
	*decoding += time.Since(began)
	var bad *photo.Error
	if errors.As(err, &bad) {
		return llm.Picture{}, kindError{string(bad.Kind), bad.Err, bad.ReadError} // the record says which photo
	}
	if err != nil {
		return llm.Picture{}, err
	}
	rec.Width, rec.Height = img.OrigWidth, img.OrigHeight
	return llm.Picture{
		Width: img.Width, Height: img.Height, Pix: img.Pix,
		OrigWidth: img.OrigWidth, OrigHeight: img.OrigHeight,
		Context: w.job.Ask.context(j.Path, img.Metadata),
	}, nil
}

// decode turns a path into pixels, so many at once as there are decoders.
func (w *worker) decode(rel string) (*vips.Image, error) {
	w.decoders <- struct{}{}
	defer func() { <-w.decoders }()
	return vips.Decode(fsutil.Join(string(w.job.Root), rel), vips.Options{
		Longest: w.engine.LongestEdge(), MaxBytes: w.job.MaxBytes,
	})
}
