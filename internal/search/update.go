package search

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"strings"

	"photodesc/tracker"
)

// perTransaction is how many records are written together: enough to be quick, few enough that little is done twice after a
// kill and that others wait for moments only.
const perTransaction = 20_000

// Update brings the index up to date with the outputs and corrections. progress, which may be nil, hears now and then how
// many records were added. A damaged index and one of other outputs are made anew.
func (x *Index) Update(ctx context.Context, progress func(records int)) error {
	if err := x.lock(ctx); err != nil {
		return err
	}
	defer x.unlock()
	err := x.update(ctx, progress)
	if errors.Is(err, tracker.ErrOutputsChanged) || err != nil && unusable(err) {
		if err := x.anew(ctx); err != nil {
			return err
		}
		err = x.update(ctx, progress)
	}
	return err
}

// UpdateSome brings the index up to date like [Index.Update], with so much at most that others wait for a second or two.
// behind says that there is more to do.
func (x *Index) UpdateSome(ctx context.Context) (behind bool, err error) {
	if err := x.lock(ctx); err != nil {
		return false, err
	}
	defer x.unlock()
	err = x.updateOnce(ctx, nil, true)
	if errors.Is(err, tracker.ErrOutputsChanged) || err != nil && unusable(err) {
		if err := x.anew(ctx); err != nil {
			return false, err
		}
		err = x.updateOnce(ctx, nil, true)
	}
	if errors.Is(err, errBehind) {
		return true, nil
	}
	return false, err
}

// errBehind says that a transaction was written and that there is more to do.
var errBehind = errors.New("there is more to index")

// rebuild makes the index anew.
func (x *Index) rebuild(ctx context.Context) error {
	if err := x.lock(ctx); err != nil {
		return err
	}
	defer x.unlock()
	if err := x.anew(ctx); err != nil {
		return err
	}
	return x.update(ctx, nil)
}

func (x *Index) update(ctx context.Context, progress func(records int)) error {
	return x.updateOnce(ctx, progress, false)
}

// updateOnce brings the index up to date; with some it ends with errBehind after one transaction.
func (x *Index) updateOnce(ctx context.Context, progress func(records int), some bool) error {
	positions, err := x.positions(ctx)
	if err != nil {
		return err
	}
	saved := unreadableOf(positions)
	w := &writer{unreadable: saved, dir: x.dir, db: x.db, ctx: ctx, dirty: map[string]tracker.Position{}, progress: progress, some: some}
	defer w.rollback()
	corrected := positions[tracker.CorrectionsName].Mark
	facts := positions[tracker.FactsName].Mark
	delete(positions, tracker.CorrectionsName)
	delete(positions, tracker.FactsName)
	if err := w.updateFacts(x.dir, facts); err != nil {
		return err
	}
	if err := w.updateCorrections(x.dir, corrected); err != nil {
		return err
	}
	defer func() { x.unreadable = w.unreadable.with(w.bad) }()
	err = tracker.Follow(x.dir, positions, func(file string, r tracker.Record, after tracker.Position) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return w.add(file, r, after)
	}, w.addBad)
	if err != nil {
		return err
	}
	return w.commit()
}

func (x *Index) positions(ctx context.Context) (map[string]tracker.Position, error) {
	rows, err := x.db.QueryContext(ctx, "SELECT name, at, mark FROM files")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[string]tracker.Position{}
	for rows.Next() {
		var name string
		var p tracker.Position
		if err := rows.Scan(&name, &p.Offset, &p.Mark); err != nil {
			return nil, err
		}
		all[name] = p
	}
	return all, rows.Err()
}

// writer adds records in transactions.
type writer struct {
	db       *sql.DB
	ctx      context.Context
	tx       *sql.Tx
	stmts    statements
	latest   int64          // of the newest photo
	corrects bool           // there are corrections
	dir      string         // workdir
	facts    *tracker.Facts // nil before they are needed

	unreadable Unreadable // behind which records were read, so that they are not read again
	bad        []badLine  // behind which none was
	dirty      map[string]tracker.Position
	pending    int
	added      int
	progress   func(int)
	some       bool // one transaction is enough
}

type statements struct {
	find, photo, text, words, renamed, forget, forgetText, unindex, known, correction *sql.Stmt
}

// background is the context of single statements. With one that can be cancelled the driver starts a goroutine for each.
var background = context.Background()

func (w *writer) begin() (err error) {
	if w.tx != nil {
		return nil
	}
	if w.tx, err = w.db.BeginTx(w.ctx, nil); err != nil {
		return err
	}
	for _, s := range []struct {
		stmt **sql.Stmt
		text string
	}{
		{&w.stmts.find, "SELECT id FROM photos WHERE path = ?"},
		{&w.stmts.photo, "INSERT INTO photos (path, time, latest) VALUES (?, ?, ?) ON CONFLICT (path) DO NOTHING"},
		{&w.stmts.text, "INSERT INTO texts (id, described, description, keywords, answers, model, language, camera, place, taken, via, size, mtime, picture, original) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"},
		{&w.stmts.words, "INSERT INTO words (rowid, path, description, keywords, answers, camera, place, tags) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"},
		{&w.stmts.renamed, "UPDATE texts SET original = ? WHERE original = ? AND original != ''"},
		{&w.stmts.forget, "DELETE FROM photos WHERE id = ?"},
		{&w.stmts.forgetText, "DELETE FROM texts WHERE id = ?"},
		{&w.stmts.unindex, "DELETE FROM words WHERE rowid = ?"},
		{&w.stmts.known, "SELECT " + photoColumns + " FROM photos AS p JOIN texts AS t USING (id) LEFT JOIN corrections AS c USING (path) WHERE p.path = ?"},
		{&w.stmts.correction, "SELECT line FROM corrections WHERE path = ?"},
	} {
		if *s.stmt, err = w.tx.PrepareContext(background, s.text); err != nil {
			return err
		}
	}
	if err := w.tx.QueryRowContext(background, "SELECT coalesce((SELECT latest FROM photos ORDER BY id DESC LIMIT 1), 0)").Scan(&w.latest); err != nil {
		return err
	}
	return w.tx.QueryRowContext(background, "SELECT EXISTS (SELECT 1 FROM corrections)").Scan(&w.corrects)
}

// add indexes a described photo; the newest description counts. A failure says nothing that could be searched, and does
// not take an earlier description away.
func (w *writer) add(file string, r tracker.Record, after tracker.Position) error {
	if err := w.begin(); err != nil {
		return err
	}
	w.dirty[file] = after
	w.keepBad(file)
	switch r.Status {
	case tracker.OK:
		if err := w.complete(&r); err != nil {
			return err
		}
		if err := w.replace(photoOf(r)); err != nil {
			return err
		}
		if r.From != "" {
			if _, err := w.stmts.renamed.ExecContext(background, tracker.EncodePath(r.Path), tracker.EncodePath(r.From)); err != nil {
				return err
			}
		}
	case tracker.Forgotten:
		if err := w.remove(tracker.EncodePath(r.Path)); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
	}
	if w.pending++; w.pending < perTransaction {
		return nil
	}
	if err := w.commit(); err != nil || !w.some {
		return err
	}
	return errBehind
}

// replace indexes a photo, and takes out what was indexed of it.
func (w *writer) replace(p photo) error {
	at := p.time.UnixMilli()
	w.latest = max(w.latest, at)
	result, err := w.stmts.photo.ExecContext(background, p.path, at, w.latest)
	if err != nil {
		return err
	}
	if added, err := result.RowsAffected(); err != nil || added == 0 {
		if err != nil {
			return err
		}
		if err := w.remove(p.path); err != nil {
			return err
		}
		if result, err = w.stmts.photo.ExecContext(background, p.path, at, w.latest); err != nil {
			return err
		}
	}
	if p.id, err = result.LastInsertId(); err != nil {
		return err
	}
	size, mtime, picture := p.fileColumns()
	if _, err = w.stmts.text.ExecContext(background, p.id, p.described, p.description, p.keywords, p.answers, p.model, p.language, p.camera, p.place, p.taken, p.via, size, mtime, picture, p.original); err != nil {
		return err
	}
	if w.corrects {
		switch err := w.stmts.correction.QueryRowContext(background, p.path).Scan(&p.correction); {
		case errors.Is(err, sql.ErrNoRows):
		case err != nil:
			return err
		}
	}
	return w.index(p)
}

// index puts the words of a photo that count into the index.
func (w *writer) index(p photo) error {
	description, keywords, _ := p.words()
	_, err := w.stmts.words.ExecContext(background, p.id, segment(p.path), segment(description), segment(keywords), segment(p.answers), segment(p.camera), segment(p.place), tagsOf(p.path, p.taken))
	return err
}

// remove takes a photo out of the index.
func (w *writer) remove(path string) error {
	var id int64
	if err := w.stmts.find.QueryRowContext(background, path).Scan(&id); err != nil {
		return err
	}
	for _, s := range []*sql.Stmt{w.stmts.forget, w.stmts.forgetText, w.stmts.unindex} {
		if _, err := s.ExecContext(background, id); err != nil {
			return err
		}
	}
	return nil
}

// answersText is the text of the further answers, a line each, in the order of their names.
func answersText(r tracker.Record) string {
	if len(r.Answers) == 0 {
		return ""
	}
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(r.Answers)) {
		if name == "keywords" && len(r.Keywords) > 0 {
			continue
		}
		lines = append(lines, r.Answers[name].Text)
	}
	return strings.Join(lines, "\n")
}

func (w *writer) commit() error {
	if w.tx == nil {
		return nil
	}
	for name, p := range w.dirty {
		if _, err := w.tx.ExecContext(background, "INSERT OR REPLACE INTO files (name, at, mark) VALUES (?, ?, ?)", name, p.Offset, p.Mark); err != nil {
			return err
		}
	}
	if err := w.tx.Commit(); err != nil {
		return err
	}
	w.tx = nil
	w.added += w.pending
	w.pending = 0
	clear(w.dirty)
	if w.progress != nil {
		w.progress(w.added)
	}
	return nil
}

func (w *writer) rollback() {
	if w.tx != nil {
		_ = w.tx.Rollback()
	}
}
