package search

import (
	"context"
	"database/sql"
	"fmt"
	"path"
	"strings"
	"time"
)

// Marks around the words found, in [Hit]: characters for private use, which no text of a hit has.
const (
	MarkBegin = "\ue000"
	MarkEnd   = "\ue001"
)

// Options narrow a search.
type Options struct {
	Folder string    // only photos in this folder and below it, relative to the photo folder; "" is all
	Since  time.Time // only photos described then or later; zero is all
	Taken  Days      // only photos taken then
	Limit  int       // hits at most; 0 is all
	Hidden []string  // paths of photos that are not found
	Each   bool      // photos with the same picture and words are found one by one, else as one with its copies
}

// Hit is a photo that was found. The words found stand between [MarkBegin] and [MarkEnd] in the texts that have them.
type Hit struct {
	id          int64
	Path        string // relative to the photo folder, any bytes
	Description string
	Keywords    string // separated by commas
	Answers     string // to further prompts, a line each
	Camera      string
	Place       string // its names; "" is not known
	Taken       string // see [tracker.ParseTaken]; "" is not known
	Model       string
	Language    string    // that its answers were asked for in, BCP-47; "" is none
	Time        time.Time // when it was described
	Corrected   bool      // a person wrote the description or the keywords
	Copies      []string  // paths of other matches with the same picture and words
}

// countedTo is up to where matches are counted: counting all of a common word's takes long.
const countedTo = 10_000

// Find calls found with the photos that match, as the index knows them: see [Index.Update]. The newest matches, 300 of them,
// come first and the best of them before the others; the rest follow, the newest first. It returns how many match, counted up
// to 10,000; more says that there are more than that. A query without a word is [ErrEmpty]. An error of found ends it.
// An index that turns out to be damaged is made anew, unless it has already been found in.
func (x *Index) Find(ctx context.Context, text string, o Options, found func(Hit) error) (matches int, more bool, err error) {
	q, err := parse(text)
	if err != nil {
		return 0, false, err
	}
	begun := false
	matches, more, err = x.find(ctx, q, o, func(h Hit) error {
		begun = true
		return found(h)
	})
	if err == nil || begun || !unusable(err) {
		return matches, more, err
	}
	if err := x.rebuild(ctx); err != nil {
		return 0, false, err
	}
	return x.find(ctx, q, o, found)
}

func (x *Index) find(ctx context.Context, q query, o Options, found func(Hit) error) (matches int, more bool, err error) {
	conn, err := x.db.Conn(ctx)
	if err != nil {
		return 0, false, err
	}
	defer conn.Close()
	// All is read as it is now, also when another process brings the index up to date meanwhile. This is no sql.Tx, because
	// those lock the index for writing.
	if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
		return 0, false, err
	}
	defer func() { _, _ = conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK") }()
	limit := o.Limit
	if limit > 0 {
		limit = max(limit, ranked, countedTo+1)
	}
	ids, err := newest(ctx, conn, q, o, limit)
	if err != nil {
		return 0, false, err
	}
	more = len(ids) > countedTo
	ids, copies, err := folded(ctx, conn, ids, o)
	if err != nil {
		return 0, false, err
	}
	matches = min(len(ids), countedTo)
	left := o.Limit
	for first := true; len(ids) > 0; first = false {
		some := ids[:min(ranked, len(ids))]
		ids = ids[len(some):]
		hits, err := texts(ctx, conn, q, some, first, left)
		if err != nil {
			return matches, more, err
		}
		for _, h := range hits {
			h.Copies = copies[h.id]
			if err := found(h); err != nil {
				return matches, more, err
			}
		}
		if o.Limit > 0 {
			if left -= len(hits); left <= 0 {
				break
			}
		}
	}
	return matches, more, nil
}

// columns are those with words; tags has others.
const columns = "{path description keywords answers camera place}"

// match is the query with the options in FTS5's language.
func (q query) match(o Options) string {
	var all []string
	if q.wanted != "" {
		all = append(all, columns+" : ("+q.wanted+")")
	}
	if folder := cleanFolder(o.Folder); folder != "" || q.wanted == "" {
		all = append(all, "tags : "+folderToken(folder))
	}
	if o.Taken != (Days{}) {
		all = append(all, "("+o.Taken.expression()+")")
	}
	expr := strings.Join(all, " AND ")
	if q.excluded != "" {
		expr = "(" + expr + ") NOT (" + columns + " : (" + q.excluded + "))"
	}
	return expr
}

func cleanFolder(folder string) string {
	return strings.Trim(path.Clean("/"+folder), "/")
}

// newest lists the matches, the newest first, at most limit; 0 is all.
func newest(ctx context.Context, conn *sql.Conn, q query, o Options, limit int) (ids []int64, err error) {
	if limit <= 0 {
		limit = -1
	}
	text, args := "SELECT rowid FROM words WHERE words MATCH ?", []any{q.match(o)}
	if !o.Since.IsZero() {
		since := o.Since.UnixMilli()
		first, last, ordered, err := describedSince(ctx, conn, since)
		if err != nil || first > last {
			return nil, err
		}
		text, args = text+" AND rowid >= ?", append(args, first)
		if !ordered {
			text, args = text+" AND (SELECT time FROM photos WHERE id = words.rowid) >= ?", append(args, since)
		}
	}
	hidden, err := hiddenIDs(ctx, conn, o.Hidden)
	if err != nil {
		return nil, err
	}
	if limit > 0 {
		limit += len(hidden)
	}
	text, args = text+" ORDER BY rowid DESC LIMIT ?", append(args, limit)
	rows, err := conn.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		if !hidden[id] {
			ids = append(ids, id)
		}
	}
	if limit > 0 {
		ids = ids[:min(len(ids), limit-len(hidden))]
	}
	return ids, rows.Err()
}

// describedSince returns the number before which no photo was described at a time or later, and the last number. A photo that
// is described gets a higher number than all before, so latest grows with the numbers. With ordered the photos from first on were
// described at the time or later; else some of them were not.
func describedSince(ctx context.Context, conn *sql.Conn, since int64) (first, last int64, ordered bool, err error) {
	if err := conn.QueryRowContext(ctx, "SELECT coalesce((SELECT min(id) FROM photos), 1), coalesce((SELECT max(id) FROM photos), 0)").Scan(&first, &last); err != nil {
		return 0, 0, false, err
	}
	next, err := conn.PrepareContext(ctx, "SELECT id, latest FROM photos WHERE id >= ? ORDER BY id LIMIT 1")
	if err != nil {
		return 0, 0, false, err
	}
	defer next.Close()
	for end := last + 1; first < end; { // the photo is in first <= id < end, or there is none
		middle := first + (end-first)/2
		var id, latest int64
		if err := next.QueryRowContext(ctx, middle).Scan(&id, &latest); err != nil {
			return 0, 0, false, err
		}
		if latest >= since { // so is that of each number from middle to id
			end = middle
		} else {
			first = id + 1
		}
	}
	unordered := 0
	err = conn.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM photos WHERE time < latest AND id >= ?)", first).Scan(&unordered)
	return first, last, unordered == 0, err
}

// highlighted is a column of pick with marks around the words found.
func highlighted(column int) string {
	return fmt.Sprintf("highlight(pick, %d, char(57344), char(57345))", column)
}
