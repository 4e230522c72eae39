package browse

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"time"

	"photodesc/internal/fsutil"
	"photodesc/internal/photo"
	"photodesc/internal/preview"
	"photodesc/tracker"
)

// serveThumbnail answers with a small picture of a photo. One from the cache is shown even if the
// disk with the photos is not there.
func (s *server) serveThumbnail(w http.ResponseWriter, r *http.Request) {
	if e := s.photoOf(w, r); e != nil {
		s.servePreview(w, r, e, preview.Thumbnail)
	}
}

// servePicture answers with the photo as the browser can show it: the file itself, if browsers
// show its kind, else a picture that a worker has made of it.
func (s *server) servePicture(w http.ResponseWriter, r *http.Request) {
	e := s.photoOf(w, r)
	if e == nil {
		return
	}
	f, info, err := s.folder.open(e.path)
	if err != nil {
		s.noPicture(w, err)
		return
	}
	defer f.Close()
	head := make([]byte, photo.SniffLen)
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		s.noPicture(w, photo.Reason(err))
		return
	}
	kind, ok := shown[photo.Sniff(head[:n])]
	if !ok || info.Size() > maxShown {
		s.servePreview(w, r, e, preview.Large)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", "inline")
	allowCache(w, fmt.Sprintf("%x-%x", info.ModTime().UnixNano(), info.Size()))
	http.ServeContent(w, r, "", info.ModTime(), f)
}

// allowCache lets the browser keep a picture, but ask each time whether it is still that one: a photo may be replaced.
func allowCache(w http.ResponseWriter, version string) {
	w.Header().Set("Cache-Control", "private, no-cache")
	w.Header().Set("ETag", strconv.Quote(version))
}

func (s *server) servePreview(w http.ResponseWriter, r *http.Request, e *entry, size preview.Size) {
	jpeg, err := s.preview(r.Context(), e.path, size)
	if r.Context().Err() != nil {
		return
	}
	if err != nil {
		s.noPicture(w, err)
		return
	}
	w.Header().Set("Content-Type", "image/jpeg")
	sum := sha256.Sum256(jpeg)
	allowCache(w, hex.EncodeToString(sum[:8]))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(jpeg))
}

func (s *server) noPicture(w http.ResponseWriter, err error) {
	code := http.StatusNotFound
	switch {
	case errors.Is(err, errOutside):
		code = http.StatusForbidden
	case errors.Is(err, errAway), errors.Is(err, errSilent):
		code = http.StatusServiceUnavailable
	}
	http.Error(w, err.Error(), code)
}

// preview returns a preview of a photo, from the cache or made now.
func (s *server) preview(ctx context.Context, path string, size preview.Size) ([]byte, error) {
	key := preview.Key(fsutil.Join(s.folder.root, path), size)
	rel, modified, err := s.folder.stat(path)
	if err != nil {
		if errors.Is(err, errOutside) || errors.Is(err, errNoFile) {
			return nil, err
		}
		if b := s.cache.Get(key, time.Time{}); b != nil {
			return b, nil
		}
		return nil, err
	}
	if b := s.cache.Get(key, modified); b != nil {
		return b, nil
	}
	if reason, known := s.unfit.get(key, modified, time.Now()); known {
		return nil, &preview.PhotoError{Reason: reason}
	}
	b, err := s.o.Previews.Make(ctx, rel, size)
	if bad := (*preview.PhotoError)(nil); errors.As(err, &bad) {
		s.unfit.put(key, modified, time.Now(), bad.Reason)
	}
	if err != nil {
		return nil, err
	}
	if err := s.cache.Put(key, modified, b); err != nil {
		s.cacheFailed.Do(func() {
			s.o.Warn(fmt.Sprintf("previews cannot be kept: %v; they are made anew each time", err))
		})
	}
	return b, nil
}

// placeText is a place for people.
func placeText(p *tracker.PhotoPlace) string {
	latitude, longitude, ok := p.Point()
	if !ok {
		return p.Names()
	}
	side := func(v float64, plus, minus string) string {
		if v < 0 {
			plus = minus
		}
		return strconv.FormatFloat(math.Abs(v), 'f', 5, 64) + "° " + plus
	}
	at := side(latitude, "N", "S") + ", " + side(longitude, "E", "W")
	if names := p.Names(); names != "" {
		return names + " (" + at + ")"
	}
	return at
}
