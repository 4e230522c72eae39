package search

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
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
	path, description, keywords, answers, tokenize='porter unicode61 remove_diacritics 2'
);
CREATE TEMP TABLE IF NOT EXISTS facts (id INTEGER PRIMARY KEY, path TEXT, model TEXT, time INTEGER);
DELETE FROM temp.pick;
DELETE FROM temp.facts`

// Weights of the columns: path, description, keywords, answers.
const bm25 = "bm25(pick, 1.0, 2.0, 3.0, 1.0)"

// texts reads the texts of some matches, at most limit where that is not 0: the best first, or the newest.
func texts(ctx context.Context, conn *sql.Conn, q query, ids []int64, best bool, limit int) (hits []Hit, err error) {
	best = best && q.wanted != "" // else there is nothing to rank by
	if limit <= 0 || limit > len(ids) {
		limit = len(ids)
	}
	if !best {
		ids = ids[:limit]
	}
	if err := fill(ctx, conn, ids); err != nil {
		return nil, err
	}
	order := "pick.rowid DESC"
	if best {
		order = bm25 + ", " + order
	}
	text, args := fmt.Sprintf("SELECT f.path, %s, %s, %s, f.model, f.time FROM temp.pick AS pick JOIN temp.facts AS f ON f.id = pick.rowid WHERE pick MATCH ? ORDER BY %s LIMIT ?",
		highlighted(1), highlighted(2), highlighted(3), order), []any{columns + " : (" + q.wanted + ")", limit}
	if q.wanted == "" {
		text, args = "SELECT f.path, description, keywords, answers, f.model, f.time FROM temp.pick AS pick JOIN temp.facts AS f ON f.id = pick.rowid ORDER BY pick.rowid DESC LIMIT ?", args[1:]
	}
	rows, err := conn.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var h Hit
		var at int64
		if err := rows.Scan(&h.Path, &h.Description, &h.Keywords, &h.Answers, &h.Model, &at); err != nil {
			return nil, err
		}
		h.Time = time.Unix(at, 0)
		for _, s := range []*string{&h.Description, &h.Keywords, &h.Answers} {
			*s = unsegment(*s)
		}
		if h.Path, err = tracker.DecodePath(h.Path); err != nil {
			return nil, err
		}
		hits = append(hits, h)
	}
	return hits, rows.Err()
}

// fill puts the texts into pick. It belongs into a transaction, without which it is slow.
func fill(ctx context.Context, conn *sql.Conn, ids []int64) error {
	if _, err := conn.ExecContext(ctx, pick); err != nil {
		return err
	}
	var get, put, fact *sql.Stmt
	for _, s := range []struct {
		stmt **sql.Stmt
		text string
	}{
		{&get, "SELECT path, description, keywords, answers, model, time FROM photos WHERE id = ?"},
		{&put, "INSERT INTO temp.pick (rowid, path, description, keywords, answers) VALUES (?, ?, ?, ?, ?)"},
		{&fact, "INSERT INTO temp.facts (id, path, model, time) VALUES (?, ?, ?, ?)"},
	} {
		stmt, err := conn.PrepareContext(ctx, s.text)
		if err != nil {
			return err
		}
		defer stmt.Close()
		*s.stmt = stmt
	}
	for _, id := range ids {
		var path, description, keywords, answers, model string
		var at int64
		err := get.QueryRowContext(ctx, id).Scan(&path, &description, &keywords, &answers, &model, &at)
		if errors.Is(err, sql.ErrNoRows) {
			return errInconsistent
		}
		if err != nil {
			return err
		}
		if _, err := put.ExecContext(ctx, id, segment(path), segment(description), segment(keywords), segment(answers)); err != nil {
			return err
		}
		if _, err := fact.ExecContext(ctx, id, path, model, at); err != nil {
			return err
		}
	}
	return nil
}
