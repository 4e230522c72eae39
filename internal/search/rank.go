package search

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"photodesc/tracker"
)

// ranked is how many of the newest matches are ranked, and how many texts are read at a time. Ranking all matches of a common
// word among a million descriptions takes more than a second.
const ranked = 300

// pick holds some matches with their texts, to rank them and to mark words in them: the index itself has no texts, and its
// own ranking would count the matches of each word in all descriptions.
const pick = `
CREATE VIRTUAL TABLE IF NOT EXISTS temp.pick USING fts5 (
	path, description, keywords, answers, camera, place, tokenize='porter unicode61 remove_diacritics 2'
);
DELETE FROM temp.pick`

// Weights of the columns: path, description, keywords, answers, camera, place.
const bm25 = "bm25(pick, 1.0, 2.0, 3.0, 1.0, 1.0, 2.0)"

// texts reads the texts of some matches, at most limit where that is not 0: the best first, or the newest.
func texts(ctx context.Context, conn *sql.Conn, q query, ids []int64, best bool, limit int) (hits []Hit, err error) {
	best = best && q.wanted != "" // else there is nothing to rank by
	if limit <= 0 || limit > len(ids) {
		limit = len(ids)
	}
	if !best {
		ids = ids[:limit]
	}
	facts, err := fill(ctx, conn, ids)
	if err != nil {
		return nil, err
	}
	order := "rowid DESC"
	if best {
		order = bm25 + ", " + order
	}
	text, args := fmt.Sprintf("SELECT rowid, %s, %s, %s, %s, %s FROM temp.pick AS pick WHERE pick MATCH ? ORDER BY %s LIMIT ?",
		highlighted(1), highlighted(2), highlighted(3), highlighted(4), highlighted(5), order), []any{columns + " : (" + q.wanted + ")", limit}
	if q.wanted == "" {
		text, args = "SELECT rowid, description, keywords, answers, camera, place FROM temp.pick ORDER BY rowid DESC LIMIT ?", args[1:]
	}
	rows, err := conn.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var h Hit
		if err := rows.Scan(&id, &h.Description, &h.Keywords, &h.Answers, &h.Camera, &h.Place); err != nil {
			return nil, err
		}
		f := facts[id]
		h.id = id
		h.Taken, h.Model, h.Language, h.Time, h.Corrected = f.taken, f.model, f.language, f.time, f.corrected
		for _, s := range []*string{&h.Description, &h.Keywords, &h.Answers, &h.Camera, &h.Place} {
			*s = unsegment(*s)
		}
		if h.Path, err = tracker.DecodePath(f.path); err != nil {
			return nil, err
		}
		hits = append(hits, h)
	}
	return hits, rows.Err()
}

// facts are what a hit has beside its texts.
type facts struct {
	path, taken, model, language string

	time      time.Time
	corrected bool
}

// fill puts the texts into pick. It belongs into a transaction, without which it is slow.
func fill(ctx context.Context, conn *sql.Conn, ids []int64) (map[int64]facts, error) {
	if _, err := conn.ExecContext(ctx, pick); err != nil {
		return nil, err
	}
	get, err := conn.PrepareContext(ctx, "SELECT "+photoColumns+" FROM photos AS p JOIN texts AS t USING (id) LEFT JOIN corrections AS c USING (path) WHERE p.id = ?")
	if err != nil {
		return nil, err
	}
	defer get.Close()
	put, err := conn.PrepareContext(ctx, "INSERT INTO temp.pick (rowid, path, description, keywords, answers, camera, place) VALUES (?, ?, ?, ?, ?, ?, ?)")
	if err != nil {
		return nil, err
	}
	defer put.Close()
	all := make(map[int64]facts, len(ids))
	for _, id := range slices.Backward(ids) { // in growing order: FTS5 writes what it has before it takes a lower number
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var p photo
		err := p.scan(get.QueryRowContext(background, id))
		if errors.Is(err, sql.ErrNoRows) {
			return nil, errInconsistent
		}
		if err != nil {
			return nil, err
		}
		description, keywords, corrected := p.words()
		all[id] = facts{p.path, p.taken, p.model, p.language, p.time, corrected}
		if _, err := put.ExecContext(background, id, segment(p.path), segment(description), segment(keywords), segment(p.answers), segment(p.camera), segment(p.place)); err != nil {
			return nil, err
		}
	}
	return all, nil
}
