package browse

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"photodesc/tracker"
)

// photoJSON is what a photo's page shows.
type photoJSON struct {
	ID          string       `json:"id"`
	Name        string       `json:"name"`
	Folder      string       `json:"folder"`
	Path        string       `json:"path"`
	Failed      *failureJSON `json:"failed,omitempty"`
	Description string       `json:"description"`
	Keywords    []string     `json:"keywords"`
	Answers     []answerJSON `json:"answers"`
	Corrected   string       `json:"corrected,omitempty"` // when
	Model       modelWords   `json:"model_words"`         // without the correction
	Width       int          `json:"width"`
	Height      int          `json:"height"`
	Bytes       int64        `json:"bytes,omitempty"`
	Taken       string       `json:"taken,omitempty"`
	Camera      string       `json:"camera,omitempty"`
	Place       string       `json:"place,omitempty"`
	ModelName   string       `json:"model"`
	Prompt      string       `json:"prompt"`
	Time        time.Time    `json:"time"`
	Seconds     float64      `json:"seconds"`
	Tiles       int          `json:"tiles"`
	Tokens      int          `json:"tokens"`
	Attempts    int          `json:"attempts"`
	Missing     string       `json:"missing,omitempty"`  // why there is no picture
	Gone        bool         `json:"gone"`               // not in the photo folder any more
	WordsOf     string       `json:"words_of,omitempty"` // of a duplicate: the photo that was described
	MovedFrom   string       `json:"moved_from,omitempty"`
	Same        []sameJSON   `json:"same"`              // photos with the same picture and words
	SameCount   int          `json:"same_count"`        // of which Same has the first
	Seen        string       `json:"seen"`              // names the words above
	Request     *requestJSON `json:"request,omitempty"` // for another description
}

type failureJSON struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
}

type answerJSON struct {
	Name   string `json:"name"`
	Prompt string `json:"prompt"`
	Text   string `json:"text"`
}

type modelWords struct {
	Description string   `json:"description"`
	Keywords    []string `json:"keywords"`
}

// photoOf finds the photo whose ID is in the address.
func (s *server) photoOf(w http.ResponseWriter, r *http.Request) *entry {
	id, err := parseID(r.PathValue("id"))
	if err == nil {
		if e := s.library.find(id); e != nil {
			return e
		}
	}
	http.Error(w, "there is no such photo", http.StatusNotFound)
	return nil
}

func (s *server) servePhoto(w http.ResponseWriter, r *http.Request) {
	if err := s.refresh(r.Context()); err != nil {
		s.fail(w, err)
		return
	}
	e := s.photoOf(w, r)
	if e == nil {
		return
	}
	p, err := s.library.photo(e)
	if err != nil {
		s.fail(w, err)
		return
	}
	s.writeJSON(w, s.photoJSON(e, &p))
}

func (s *server) photoJSON(e *entry, p *tracker.Photo) photoJSON {
	j := photoJSON{
		ID: e.id.String(), Name: baseName(e.path), Folder: strings.ToValidUTF8(e.folder, "\ufffd"), Path: strings.ToValidUTF8(e.path, "\ufffd"),
		Description: p.Description, Keywords: append([]string{}, p.Keywords...), Answers: []answerJSON{},
		Model: modelWords{p.Description, append([]string{}, p.Keywords...)},
		Width: p.Width, Height: p.Height, Taken: p.Taken, Camera: p.Camera,
		ModelName: p.Record.Model, Prompt: p.Prompt, Time: p.Time, Seconds: p.Seconds.Total, Tiles: p.Tiles, Tokens: p.Tokens, Attempts: p.Attempts,
	}
	if p.Corrected() {
		j.Corrected = p.CorrectedAt.Format(time.RFC3339)
		j.Model = modelWords{p.ModelDescription, append([]string{}, p.ModelKeywords...)}
	}
	if p.Error != nil {
		j.Failed = &failureJSON{string(p.Error.Kind), p.Error.Message}
	}
	if p.File != nil {
		j.Bytes = p.File.Size
		if p.File.Picture != "" {
			j.Same, j.SameCount = s.library.same(e, p.File.Picture)
		}
	}
	j.WordsOf = strings.ToValidUTF8(p.Of, "\ufffd")
	j.Gone, j.MovedFrom = s.library.isGone(e), strings.ToValidUTF8(p.From, "\ufffd")
	if p.Place != nil {
		j.Place = placeText(p.Place)
	}
	for _, name := range slices.Sorted(maps.Keys(p.Answers)) {
		if name == "keywords" && len(p.Keywords) > 0 {
			continue
		}
		a := p.Answers[name]
		j.Answers = append(j.Answers, answerJSON{name, a.Prompt, a.Text})
	}
	if _, _, err := s.folder.stat(e.path); err != nil {
		j.Missing = err.Error()
	}
	j.Seen = seen(p)
	j.Request = s.requestOf(e.path)
	return j
}

// seen names the words of a photo, the model's and a person's, so that a correction of others is noticed.
func seen(p *tracker.Photo) string {
	sum := sha256.Sum256([]byte(mustJSON([]any{p.Description, p.Keywords, p.ModelDescription, p.ModelKeywords})))
	return hex.EncodeToString(sum[:8])
}

// maxCorrection bounds the body of a correction, in bytes.
const maxCorrection = 1 << 20

// correctionJSON is what the page sends. What is null is left to the model.
type correctionJSON struct {
	Description *string   `json:"description"`
	Keywords    *[]string `json:"keywords"`
	Seen        string    `json:"seen"` // photoJSON.Seen of what the person has seen; "" does not matter
}

// errChanged says that the words are not those that the person has seen.
var errChanged = errors.New("the words were changed meanwhile, in another window or by a run")

// serveCorrection keeps what a person says of a photo and answers with the photo.
func (s *server) serveCorrection(w http.ResponseWriter, r *http.Request) {
	// A form of another page cannot send this type without asking first.
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		http.Error(w, "a correction is JSON", http.StatusUnsupportedMediaType)
		return
	}
	e := s.photoOf(w, r)
	if e == nil {
		return
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout))
	var sent correctionJSON
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxCorrection))
	d.DisallowUnknownFields()
	if err := d.Decode(&sent); err != nil {
		http.Error(w, "the correction cannot be read: "+err.Error(), http.StatusBadRequest)
		return
	}
	if sent.Description != nil && strings.TrimSpace(*sent.Description) == "" {
		// An empty one would bring the model's back.
		http.Error(w, "the description is empty: write one, or cancel to keep what was there", http.StatusBadRequest)
		return
	}
	err := s.correct(e.id, sent)
	if errors.Is(err, errChanged) {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	if refused := (*tracker.CorrectionError)(nil); errors.As(err, &refused) {
		http.Error(w, refused.Reason, http.StatusBadRequest)
		return
	}
	if err != nil {
		s.fail(w, err)
		return
	}
	if err := s.library.update(); err != nil {
		s.fail(w, err)
		return
	}
	s.servePhoto(w, r)
}

// correct writes a correction. The error is errChanged if the person has not seen the words that it replaces.
func (s *server) correct(id photoID, sent correctionJSON) error {
	if err := s.library.update(); err != nil {
		return err
	}
	e := s.library.find(id)
	if e == nil {
		return errChanged // forgotten meanwhile
	}
	p, err := s.library.photo(e)
	if err != nil {
		return err
	}
	file := p.File
	if s.o.FileNow != nil {
		file = s.o.FileNow(p)
	}
	record, err := tracker.RecordAt(s.o.Dir, e.file, e.end)
	if err != nil {
		return err
	}
	_, err = tracker.EditCorrection(s.o.Dir, e.path, func(c *tracker.Correction) error {
		if now := c.Apply(record); sent.Seen != "" && sent.Seen != seen(&now) {
			return errChanged
		}
		*c = tracker.Correction{Path: e.path, File: file}
		if file != nil {
			c.Picture = file.Picture
		}
		if sent.Description != nil {
			c.Description = *sent.Description
		}
		if sent.Keywords != nil {
			c.Keywords = append([]string{}, *sent.Keywords...)
		}
		return nil
	})
	return err
}
