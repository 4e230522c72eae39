package search

import (
	"database/sql"
	"errors"

	"photodesc/tracker"
)

// updateCorrections indexes the corrections that were made, changed or taken back since the mark.
func (w *writer) updateCorrections(dir, mark string) error {
	now, err := tracker.CorrectionsMark(dir)
	if err != nil || now == mark {
		return err
	}
	all, err := tracker.ReadCorrections(dir)
	if err != nil {
		return err
	}
	if err := w.begin(); err != nil {
		return err
	}
	before, err := w.indexedCorrections()
	if err != nil {
		return err
	}
	w.corrects = w.corrects || all.Len() > 0
	for c := range all.All() {
		line, err := c.Line()
		if err != nil {
			return err
		}
		path := tracker.EncodePath(c.Path)
		was := before[path]
		delete(before, path)
		if was == string(line) {
			continue
		}
		if _, err := w.tx.ExecContext(background, "INSERT OR REPLACE INTO corrections (path, line) VALUES (?, ?)", path, string(line)); err != nil {
			return err
		}
		if err := w.reindex(path, &c); err != nil {
			return err
		}
	}
	for path := range before { // taken back
		if _, err := w.tx.ExecContext(background, "DELETE FROM corrections WHERE path = ?", path); err != nil {
			return err
		}
		if err := w.reindex(path, nil); err != nil {
			return err
		}
	}
	w.dirty[tracker.CorrectionsName] = tracker.Position{Mark: now}
	return nil
}

func (w *writer) indexedCorrections() (map[string]string, error) {
	rows, err := w.tx.QueryContext(background, "SELECT path, line FROM corrections")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[string]string{}
	for rows.Next() {
		var path, line string
		if err := rows.Scan(&path, &line); err != nil {
			return nil, err
		}
		all[path] = line
	}
	return all, rows.Err()
}

// reindex has the index search for the words of a photo that now count. A photo that was never described is searched by the
// words of its correction, as long as it has one.
func (w *writer) reindex(path string, c *tracker.Correction) error {
	var p photo
	err := p.scan(w.stmts.known.QueryRowContext(background, path))
	switch {
	case errors.Is(err, sql.ErrNoRows) && c == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return w.replace(photo{path: path, time: c.Time, file: c.File})
	case err != nil:
		return err
	case !p.described && c == nil:
		return w.remove(path)
	}
	if _, err := w.stmts.unindex.ExecContext(background, p.id); err != nil {
		return err
	}
	return w.index(p)
}
