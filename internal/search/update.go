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
const perTransaction = 5000

// Update brings the index up to date with the outputs. progress, which may be nil, hears now and then how many records were
// added. A damaged index and one of other outputs are made anew.
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
	positions, err := x.positions(ctx)
	if err != nil {
		return err
	}
	x.unreadable = Unreadable{}
	w := &writer{db: x.db, ctx: ctx, dirty: map[string]tracker.Position{}, progress: progress}
	defer w.rollback()
	err = tracker.Follow(x.dir, positions, func(file string, r tracker.Record, after tracker.Position) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return w.add(file, r, after)
	}, x.unreadable.add)
	if err != nil {
		return err
	}
	return w.commit()
}

// Unreadable is about lines of the outputs that cannot be read, so that their photos are not found.
type Unreadable struct {
	Lines int
	File  string // of the first, below the workdir
	At    int64  // where the first begins in its file, in bytes
	Err   error  // why the first cannot be read
}

func (u *Unreadable) add(file string, at int64, err error) {
	if u.Lines == 0 {
		u.File, u.At, u.Err = file, at, err
	}
	u.Lines++
}

// Unreadable returns which lines the last [Index.Update] passed over. Once a record was read behind them, a later one does
// not read them again.
func (x *Index) Unreadable() Unreadable { return x.unreadable }

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
	find     *sql.Stmt
	forget   *sql.Stmt
	unindex  *sql.Stmt
	photo    *sql.Stmt
	words    *sql.Stmt
	dirty    map[string]tracker.Position
	pending  int
	added    int
	progress func(int)
}

func (w *writer) begin() (err error) {
	if w.tx, err = w.db.BeginTx(w.ctx, nil); err != nil {
		return err
	}
	for _, s := range []struct {
		stmt **sql.Stmt
		text string
	}{
		{&w.find, "SELECT id FROM photos WHERE path = ?"},
		{&w.forget, "DELETE FROM photos WHERE id = ?"},
		{&w.unindex, "DELETE FROM words WHERE rowid = ?"},
		{&w.photo, "INSERT INTO photos (path, description, keywords, answers, model, time) VALUES (?, ?, ?, ?, ?, ?)"},
		{&w.words, "INSERT INTO words (rowid, path, description, keywords, answers, folders) VALUES (?, ?, ?, ?, ?, ?)"},
	} {
		if *s.stmt, err = w.tx.PrepareContext(w.ctx, s.text); err != nil {
			return err
		}
	}
	return nil
}

// add indexes a described photo; the newest description counts. A failure says nothing that could be searched, and does
// not take an earlier description away.
func (w *writer) add(file string, r tracker.Record, after tracker.Position) error {
	if w.tx == nil {
		if err := w.begin(); err != nil {
			return err
		}
	}
	w.dirty[file] = after
	if r.Status == tracker.OK {
		if err := w.replace(r); err != nil {
			return err
		}
	}
	if w.pending++; w.pending >= perTransaction {
		return w.commit()
	}
	return nil
}

func (w *writer) replace(r tracker.Record) error {
	path := tracker.EncodePath(r.Path)
	var id int64
	switch err := w.find.QueryRowContext(w.ctx, path).Scan(&id); {
	case err == nil:
		if _, err := w.forget.ExecContext(w.ctx, id); err != nil {
			return err
		}
		if _, err := w.unindex.ExecContext(w.ctx, id); err != nil {
			return err
		}
	case !errors.Is(err, sql.ErrNoRows):
		return err
	}
	keywords, answers := strings.Join(r.Keywords, ", "), answersText(r)
	result, err := w.photo.ExecContext(w.ctx, path, r.Description, keywords, answers, r.Model, r.Time.Unix())
	if err != nil {
		return err
	}
	if id, err = result.LastInsertId(); err != nil {
		return err
	}
	_, err = w.words.ExecContext(w.ctx, id, segment(path), segment(r.Description), segment(keywords), segment(answers), folderTokens(path))
	return err
}

// answersText is the text of the further answers, a line each, in the order of their names.
func answersText(r tracker.Record) string {
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
		if _, err := w.tx.ExecContext(w.ctx, "INSERT OR REPLACE INTO files (name, at, mark) VALUES (?, ?, ?)", name, p.Offset, p.Mark); err != nil {
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
