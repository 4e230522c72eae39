package browse

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"photodesc/internal/search"
	"photodesc/tracker"
)

// limits are how many photos a search shows, and among how many matches it looks for those that fit the filters.
type limits struct{ shown, filtered int }

var defaultLimits = limits{shown: 10_000, filtered: 200_000}

// listHead precedes the photos of a list.
type listHead struct {
	Photos  int  `json:"photos"`
	More    bool `json:"more"`    // there are more matches than are shown
	Version int  `json:"version"` // of the library
}

// serveList answers with the photos of a view: the length of the head in four bytes, the head in
// JSON, then for each photo, little-endian, the ID (8 bytes), a thousandth of width by height (2),
// the month since the year 0 (2) and flags (1: failed, corrected).
func (s *server) serveList(w http.ResponseWriter, r *http.Request) {
	if err := s.refresh(r.Context()); err != nil {
		s.fail(w, err)
		return
	}
	head := listHead{Version: s.library.current()}
	found, more, err := s.viewed(r.Context(), r.URL.Query())
	var wrong *viewError
	switch {
	case errors.As(err, &wrong):
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	case r.Context().Err() != nil:
		return // a newer search follows
	case err != nil:
		s.fail(w, err)
		return
	}
	head.Photos, head.More = len(found), more
	b, err := json.Marshal(head)
	if err != nil {
		s.fail(w, err)
		return
	}
	body := make([]byte, 0, 4+len(b)+13*len(found))
	body = append(binary.LittleEndian.AppendUint32(body, uint32(len(b))), b...)
	for _, e := range found {
		body = binary.LittleEndian.AppendUint64(body, uint64(e.id))
		body = binary.LittleEndian.AppendUint16(body, e.shape())
		t := time.Unix(e.date(), 0).UTC()
		month := 0
		if e.taken != 0 {
			month = t.Year()*12 + int(t.Month()) - 1
		}
		body = binary.LittleEndian.AppendUint16(body, uint16(min(max(month, 0), 65535)))
		flags := byte(0)
		if e.failed {
			flags |= 1
		}
		if e.corrected {
			flags |= 2
		}
		body = append(body, flags)
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = w.Write(body)
}

// viewError is a view that cannot be shown.
type viewError struct{ err error }

func (e *viewError) Error() string { return e.err.Error() }

// viewed are the photos of a view, given by the parameters of the page's address. With more there are others that are not shown.
func (s *server) viewed(ctx context.Context, q url.Values) (found []*entry, more bool, err error) {
	v, err := parseView(q)
	if err != nil {
		return nil, false, &viewError{err}
	}
	var paths []string
	if text := liveQuery(q.Get("q")); text != "" {
		limit := s.limits.shown
		if v.narrows() {
			limit = s.limits.filtered
		}
		paths, more, err = s.search(ctx, text, v, limit)
		switch {
		case errors.Is(err, search.ErrEmpty):
			paths = nil
		case err != nil:
			return nil, false, fmt.Errorf("the search failed: %w", err)
		case paths == nil:
			paths = []string{}
		}
	}
	found = s.library.list(v, paths)
	if paths != nil && len(found) > s.limits.shown {
		found, more = found[:s.limits.shown], true
	}
	return found, more, nil
}

// shape is a thousandth of width by height; a square where it is not known.
func (e *entry) shape() uint16 {
	if e.width <= 0 || e.height <= 0 {
		return 1000
	}
	return uint16(min(max(int64(e.width)*1000/int64(e.height), 1), 65535))
}

func parseView(q url.Values) (v view, err error) {
	v = view{folder: strings.Trim(q.Get("folder"), "/"), keyword: q.Get("keyword"), failed: q.Has("failed"), corrected: q.Has("corrected"), copies: q.Has("copies"), gone: q.Has("gone"), order: q.Get("order")}
	if v.folder != "" {
		if v.folder, err = tracker.DecodePath(v.folder); err != nil {
			return v, fmt.Errorf("the folder's name is %w", err)
		}
	}
	if from := q.Get("from"); from != "" {
		t, err := time.Parse(time.DateOnly, from)
		if err != nil {
			return v, fmt.Errorf("%q is not a date", from)
		}
		v.from = t.Unix()
	}
	if to := q.Get("to"); to != "" {
		t, err := time.Parse(time.DateOnly, to)
		if err != nil {
			return v, fmt.Errorf("%q is not a date", to)
		}
		v.to = t.AddDate(0, 0, 1).Unix() // that day included
	}
	return v, nil
}

// liveQuery is what a person has typed so far, as a query: the last word may not be complete.
func liveQuery(text string) string {
	text = strings.TrimLeftFunc(text, unicode.IsSpace)
	runes := []rune(text)
	if len(runes) == 0 || strings.Count(text, `"`)%2 == 1 {
		return text
	}
	if last := runes[len(runes)-1]; unicode.IsLetter(last) || unicode.IsNumber(last) {
		if !strings.HasSuffix(text, " OR") {
			return text + "*"
		}
	}
	return text
}

// search asks the index, which is brought up to date before. An index that was removed or
// replaced meanwhile is opened again.
func (s *server) search(ctx context.Context, text string, v view, limit int) (paths []string, more bool, err error) {
	o := search.Options{Folder: v.folder, Limit: limit, Each: v.narrows()}
	if !v.gone {
		o.Hidden = s.library.hidden()
	}
	s.index.Lock()
	defer s.index.Unlock()
	for try := 0; ; try++ {
		if s.index.x == nil {
			if s.index.x, err = search.Open(ctx, s.o.Dir); err != nil {
				return nil, false, err
			}
		}
		if err = s.index.x.Update(ctx, nil); err == nil {
			paths, more, err = s.index.x.RankedPaths(ctx, text, o)
		}
		if err == nil || errors.Is(err, search.ErrEmpty) || ctx.Err() != nil || try > 0 {
			return paths, more, err
		}
		_ = s.index.x.Close()
		s.index.x = nil
	}
}

// maxTexts is how many photos' texts are asked for at once, at most.
const maxTexts = 300

// shortText is what the grid shows and tells of a photo.
type shortText struct {
	Name string `json:"name"`
	Text string `json:"text"` // the beginning of the description, or why it failed
}

// serveTexts answers with the texts of photos by their IDs.
func (s *server) serveTexts(w http.ResponseWriter, r *http.Request) {
	ids := strings.Split(r.URL.Query().Get("ids"), ",")
	if len(ids) > maxTexts {
		http.Error(w, "too many photos at once", http.StatusBadRequest)
		return
	}
	all := map[string]shortText{}
	for _, text := range ids {
		id, err := parseID(text)
		if err != nil {
			continue
		}
		e := s.library.find(id)
		if e == nil {
			continue
		}
		p, err := s.library.photo(e)
		if err != nil {
			continue // the outputs were changed: the next list has other photos
		}
		all[text] = shortText{Name: baseName(e.path), Text: begin(words(&p), 300)}
	}
	s.writeJSON(w, all)
}

// words is what is said of a photo in a line.
func words(p *tracker.Photo) string {
	if !p.HasWords() && p.Error != nil {
		return string(p.Error.Kind) + ": " + p.Error.Message
	}
	return p.Description
}

// begin is the beginning of a text, at most so many characters.
func begin(s string, most int) string {
	runes := 0
	for i := range s {
		if runes++; runes > most {
			return strings.TrimRightFunc(s[:i], func(c rune) bool { return !unicode.IsSpace(c) }) + "…"
		}
	}
	return s
}

// baseName is the name of a file, for people.
func baseName(path string) string {
	_, name := parent(path)
	return strings.ToValidUTF8(name, "\ufffd")
}
