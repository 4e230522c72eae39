package search

import (
	"database/sql"
	"strings"
	"time"

	"photodesc/tracker"
)

// photo is a row of the index: a photo as the model and its file have it, with its correction.
type photo struct {
	id          int64
	path        string // as in the outputs
	time        time.Time
	described   bool
	description string
	keywords    string // with commas between them
	answers     string
	model       string
	language    string
	camera      string
	place       string // its names
	taken       string
	via         tracker.Via
	file        *tracker.PhotoFile
	original    string // as in the outputs; "": the words are its own
	correction  string // a line; "" is none
}

func photoOf(r tracker.Record) photo {
	original := ""
	if r.Of != "" {
		original = tracker.EncodePath(r.Of)
	}
	return photo{
		original: original,
		path:     tracker.EncodePath(r.Path), time: r.Time, described: r.Status == tracker.OK,
		description: r.Description, keywords: joined(r.Keywords), answers: answersText(r),
		model: r.Model, language: r.Language, camera: r.Camera, place: r.Place.Names(), taken: r.Taken, via: r.Via, file: r.File,
	}
}

// keywordSeparator is between keywords.
const keywordSeparator = ", "

func joined(keywords []string) string { return strings.Join(keywords, keywordSeparator) }

// fileColumns are size, time of change and hash of the picture as the index has them.
func (p *photo) fileColumns() (size, mtime any, picture string) {
	if p.file == nil {
		return nil, nil, ""
	}
	return p.file.Size, p.file.ModTime.UnixNano(), p.file.Picture
}

// photoColumns are what [photo.scan] reads, of photos p, texts t and corrections c.
const photoColumns = "p.id, p.path, p.time, t.described, t.description, t.keywords, t.answers, t.model, t.language, t.camera, t.place, t.taken, t.via, t.size, t.mtime, t.picture, coalesce(c.line, '')"

func (p *photo) scan(row interface{ Scan(...any) error }) error {
	var at int64
	var size, mtime sql.NullInt64
	var picture string
	err := row.Scan(&p.id, &p.path, &at, &p.described, &p.description, &p.keywords, &p.answers, &p.model, &p.language, &p.camera, &p.place, &p.taken, &p.via, &size, &mtime, &picture, &p.correction)
	p.time, p.file = time.UnixMilli(at), nil
	if size.Valid {
		p.file = &tracker.PhotoFile{Size: size.Int64, ModTime: time.Unix(0, mtime.Int64), Picture: picture}
	}
	return err
}

// words are the description and the keywords that count, and whether a person wrote them.
func (p *photo) words() (description, keywords string, corrected bool) {
	if p.correction == "" {
		return p.description, p.keywords, false
	}
	c, err := tracker.ParseCorrection([]byte(p.correction))
	if err != nil {
		return p.description, p.keywords, false
	}
	r := tracker.Record{Path: c.Path, Time: p.time, Via: p.via, File: p.file, Description: p.description}
	if p.keywords != "" {
		r.Keywords = strings.Split(p.keywords, keywordSeparator)
	}
	if !p.described {
		r.Time = c.Time
	}
	merged := c.Apply(r)
	return merged.Description, joined(merged.Keywords), merged.Corrected()
}
