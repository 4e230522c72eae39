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

	"photodesc/internal/fsutil"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// LedgerName is the ledger's file in a workdir.
const LedgerName = "exports.db"

// ledgerLayout is the number of the table's form.
const ledgerLayout = 1

const ledgerSchema = `
CREATE TABLE files (
	path BLOB PRIMARY KEY, -- absolute, or relative to the photo folder
	sum BLOB NOT NULL,     -- of what is in it, or is about to be
	before BLOB,           -- of what was in it before that, NULL where there was none of ours
	photo BLOB NOT NULL    -- which it describes, empty for a file of many
) WITHOUT ROWID;
`

// Entry is what the ledger knows of a file.
type Entry struct {
	Path  string
	Sum   Sum
	Photo string // the file's only photo, relative to the photo folder; "" if it has several
}

// Ledger has a digest of each file that was exported, so that nothing else is replaced or removed. Where it is lost, all
// files that were exported before count as somebody else's.
type Ledger struct{ db *sql.DB }

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
		return &Ledger{db}, nil
	case 0:
		if _, err := tx.ExecContext(ctx, ledgerSchema+fmt.Sprintf("PRAGMA user_version = %d", ledgerLayout)); err != nil {
			return nil, err
		}
		return &Ledger{db}, tx.Commit()
	}
	return nil, errors.New("it was made by a newer version of photodesc")
}

// Close closes the ledger.
func (l *Ledger) Close() error { return l.db.Close() }

// Ours is whether a file with that digest is as an export left it.
func (l *Ledger) Ours(ctx context.Context, path string, sum Sum) (bool, error) {
	var n int
	err := l.db.QueryRowContext(ctx, "SELECT count(*) FROM files WHERE path = ? AND (sum = ? OR before = ?)", []byte(path), sum[:], sum[:]).Scan(&n)
	return n > 0, err
}

// Record notes files that are about to be written. What was recorded of them before stays known, because a kill may leave
// either content.
func (l *Ledger) Record(ctx context.Context, entries ...Entry) error {
	tx, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	put, err := tx.PrepareContext(ctx, `INSERT INTO files (path, sum, photo) VALUES (?1, ?2, ?3)
		ON CONFLICT (path) DO UPDATE SET before = CASE WHEN sum = excluded.sum THEN before ELSE sum END, sum = excluded.sum, photo = excluded.photo`)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if _, err := put.ExecContext(ctx, []byte(e.Path), e.Sum[:], []byte(e.Photo)); err != nil {
			return err
		}
	}
	return tx.Commit()
}
