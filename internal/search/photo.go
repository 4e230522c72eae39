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
	camera      string
	taken       string
	file        *tracker.PhotoFile
	correction  string // a line; "" is none
}

func photoOf(r tracker.Record) photo {
	return photo{
		path: tracker.EncodePath(r.Path), time: r.Time, described: r.Status == tracker.OK,
		description: r.Description, keywords: joined(r.Keywords), answers: answersText(r),
		model: r.Model, camera: r.Camera, taken: r.Taken, file: r.File,
	}
}

// keywordSeparator is between keywords.
const keywordSeparator = ", "

func joined(keywords []string) string { return strings.Join(keywords, keywordSeparator) }

// fileColumns are size and time of change as the index has them.
func (p *photo) fileColumns() (size, mtime any) {
	if p.file == nil {
		return nil, nil
	}
	return p.file.Size, p.file.ModTime.UnixNano()
}

// photoColumns are what [photo.scan] reads, of photos p, texts t and corrections c.
const photoColumns = "p.id, p.path, p.time, t.described, t.description, t.keywords, t.answers, t.model, t.camera, t.taken, t.size, t.mtime, coalesce(c.line, '')"

func (p *photo) scan(row interface{ Scan(...any) error }) error {
	var at int64
	var size, mtime sql.NullInt64
	err := row.Scan(&p.id, &p.path, &at, &p.described, &p.description, &p.keywords, &p.answers, &p.model, &p.camera, &p.taken, &size, &mtime, &p.correction)
	p.time, p.file = time.UnixMilli(at), nil
	if size.Valid {
		p.file = &tracker.PhotoFile{Size: size.Int64, ModTime: time.Unix(0, mtime.Int64)}
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
	r := tracker.Record{Path: c.Path, Time: p.time, File: p.file, Description: p.description}
	if p.keywords != "" {
		r.Keywords = strings.Split(p.keywords, keywordSeparator)
	}
	if !p.described {
		r.Time = c.Time
	}
	merged := c.Apply(r)
	return merged.Description, joined(merged.Keywords), merged.Corrected()
}
