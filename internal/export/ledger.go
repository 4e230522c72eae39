package export

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"photodesc/internal/durable"
	"photodesc/internal/fsutil"

	"github.com/gofrs/flock"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// LedgerName is the ledger's file in a workdir.
const LedgerName = "exports.db"

// ledgerLayout is the number of the table's form.
const ledgerLayout = 1

const ledgerSchema = `
CREATE TABLE files (
	path BLOB PRIMARY KEY, -- see Entry
	sum BLOB NOT NULL,     -- of what is in it, or is about to be
	before BLOB            -- of what was in it before that, NULL where there was none of ours
) WITHOUT ROWID;
`

// Entry is what the ledger knows of a file.
type Entry struct {
	Key    string // an absolute path, or what [Sidecars] makes of a path
	Sum    Sum    // of what is about to be in it
	Before *Sum   // of what is in it before that, if that is ours: a kill may leave either
}

// Ledger has a digest of each file that was exported, so that nothing else is replaced or removed. Where it is lost, all
// files that were exported before count as somebody else's.
type Ledger struct {
	db   *sql.DB
	path string
}

// OpenLedger opens the ledger of a workdir, or makes an empty one.
func OpenLedger(ctx context.Context, dir string) (*Ledger, error) {
	path, err := filepath.Abs(filepath.Join(dir, LedgerName))
	if err != nil {
		return nil, err
	}
	l, err := openLedger(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("the list of exported files %q cannot be opened: %w\n  is the workdir's disk full or read only? where the list is damaged, remove it: files that were exported before are then left alone", path, err)
	}
	return l, nil
}

func openLedger(ctx context.Context, path string) (_ *Ledger, err error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: path, Err: &fsutil.NotRegularError{Mode: info.Mode()}}
	}
	options := url.Values{"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)"}, "_txlock": {"immediate"}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: options.Encode()}).String())
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = db.Close()
		}
	}()
	db.SetMaxOpenConns(1)
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }()
	var layout int
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&layout); err != nil {
		return nil, err
	}
	switch layout {
	case ledgerLayout:
		return &Ledger{db, path}, nil
	case 0:
		if _, err := tx.ExecContext(ctx, ledgerSchema+fmt.Sprintf("PRAGMA user_version = %d", ledgerLayout)); err != nil {
			return nil, err
		}
		return &Ledger{db, path}, tx.Commit()
	}
	return nil, errors.New("it was made by a newer version of photodesc")
}

// Close closes the ledger.
func (l *Ledger) Close() error { return l.db.Close() }

// Ours is whether a file with that digest is as an export left it.
func (l *Ledger) Ours(ctx context.Context, key string, sum Sum) (bool, error) {
	var n int
	err := l.db.QueryRowContext(ctx, "SELECT count(*) FROM files WHERE path = ? AND (sum = ? OR before = ?)", []byte(key), sum[:], sum[:]).Scan(&n)
	return n > 0, err
}

// Record notes files that are about to be written.
func (l *Ledger) Record(ctx context.Context, entries ...Entry) error {
	return l.change(ctx, "INSERT OR REPLACE INTO files (path, sum, before) VALUES (?, ?, ?)", len(entries), func(put *sql.Stmt, i int) error {
		var before []byte
		if e := entries[i]; e.Before != nil {
			before = e.Before[:]
		}
		_, err := put.ExecContext(ctx, []byte(entries[i].Key), entries[i].Sum[:], before)
		return err
	})
}

// Forget takes entries away.
func (l *Ledger) Forget(ctx context.Context, keys ...string) error {
	return l.change(ctx, "DELETE FROM files WHERE path = ?", len(keys), func(forget *sql.Stmt, i int) error {
		_, err := forget.ExecContext(ctx, []byte(keys[i]))
		return err
	})
}

// change does n things in one transaction.
func (l *Ledger) change(ctx context.Context, text string, n int, do func(*sql.Stmt, int) error) error {
	if n == 0 {
		return nil
	}
	tx, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	stmt, err := tx.PrepareContext(ctx, text)
	if err != nil {
		return err
	}
	for i := range n {
		if err := do(stmt, i); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// keys lists keys that begin so, which is with a byte of zero at the end, in reverse order: at most n of those before another
// key; "" is the end.
func (l *Ledger) keys(ctx context.Context, beginning, before string, n int) (keys []string, err error) {
	end := []byte(before)
	if before == "" {
		end = []byte(beginning)
		end[len(end)-1]++
	}
	rows, err := l.db.QueryContext(ctx, "SELECT path FROM files WHERE path >= ? AND path < ? ORDER BY path DESC LIMIT ?", []byte(beginning), end, n)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var key []byte
		if err := rows.Scan(&key); err != nil {
			return nil, err
		}
		keys = append(keys, string(key))
	}
	return keys, rows.Err()
}

// Lock keeps other exports of the workdir from writing files beside photos, until it is unlocked or the process ends.
func (l *Ledger) Lock() (unlock func(), err error) {
	f := flock.New(l.path+".lock", flock.SetPermissions(0o644))
	locked, err := f.TryLock()
	switch {
	case err != nil && !durable.NoLocks(err):
		return nil, err
	case err == nil && !locked:
		return nil, ErrBusy
	}
	return func() { _ = f.Close() }, nil
}
