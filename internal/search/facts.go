package search

import (
	"database/sql"
	"errors"

	"photodesc/tracker"
)

// updateFacts indexes dates and cameras that were read of old photos since the mark.
func (w *writer) updateFacts(dir, mark string) error {
	now := tracker.FactsMark(dir)
	if now == mark {
		return nil
	}
	all, err := tracker.ReadFacts(dir)
	if err != nil {
		return err
	}
	w.facts = all
	if err := w.begin(); err != nil {
		return err
	}
	var failed error
	all.Paths(func(path string) {
		if failed == nil {
			failed = w.fill(tracker.EncodePath(path))
		}
	})
	w.dirty[tracker.FactsName] = tracker.Position{Mark: now}
	return failed
}

// complete gives an old record what was read of its photo.
func (w *writer) complete(r *tracker.Record) (err error) {
	if w.facts == nil && r.LacksFacts() {
		if w.facts, err = tracker.ReadFacts(w.dir); err != nil {
			return err
		}
	}
	if w.facts != nil {
		w.facts.Fill(r)
	}
	return nil
}

// fill completes what is indexed of an old photo.
func (w *writer) fill(path string) error {
	var p photo
	err := p.scan(w.stmts.known.QueryRowContext(background, path))
	if errors.Is(err, sql.ErrNoRows) || err == nil && (!p.described || p.taken != "" || p.camera != "") {
		return nil
	}
	if err != nil {
		return err
	}
	r := tracker.Record{Status: tracker.OK, Time: p.time, File: p.file}
	if r.Path, err = tracker.DecodePath(path); err != nil {
		return nil
	}
	if w.facts.Fill(&r); r.Taken == "" && r.Camera == "" {
		return nil
	}
	p.taken, p.camera = r.Taken, r.Camera
	if _, err := w.tx.ExecContext(background, "UPDATE texts SET taken = ?, camera = ? WHERE id = ?", p.taken, p.camera, p.id); err != nil {
		return err
	}
	if _, err := w.stmts.unindex.ExecContext(background, p.id); err != nil {
		return err
	}
	return w.index(p)
}
