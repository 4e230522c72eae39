package search

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	_ "modernc.org/sqlite" // the driver "sqlite", FTS5 included

	"photodesc/internal/fsutil"
)

// IndexName is the index's file in a workdir.
const IndexName = "search.db"

// layout is the number of the tables' form. An index of another layout is made anew.
const layout = 6

// The texts are indexed without being kept a second time: texts has them. What is looked up for many matches is in photos,
// whose rows are short. An index of prefixes of one letter is the one without which queries are slow; those of longer ones
// take as long to make as all else.
const schema = `
CREATE TABLE files (name TEXT PRIMARY KEY, at INTEGER NOT NULL, mark TEXT NOT NULL);
CREATE TABLE photos (
	id INTEGER PRIMARY KEY,      -- grows in the order in which photos were described
	path TEXT NOT NULL UNIQUE,   -- as in the outputs
	time INTEGER NOT NULL,       -- when it was described, in Unix milliseconds
	latest INTEGER NOT NULL      -- the latest time of this photo and all before it
);
CREATE INDEX photos_unordered ON photos (id) WHERE time < latest; -- described while a clock was wrong
CREATE TABLE texts (             -- as the model and the file have them
	id INTEGER PRIMARY KEY,      -- of photos
	described INTEGER NOT NULL,  -- 0: only a correction has words
	description TEXT NOT NULL, keywords TEXT NOT NULL, answers TEXT NOT NULL,
	model TEXT NOT NULL, language TEXT NOT NULL, camera TEXT NOT NULL, place TEXT NOT NULL, taken TEXT NOT NULL,
	via TEXT NOT NULL,           -- how the words came to the path
	size INTEGER, mtime INTEGER, -- of the file, in bytes and nanoseconds
	picture TEXT NOT NULL,       -- hash of the picture; '': not known
	original TEXT NOT NULL       -- path of the photo with the same picture whose words these are, as in the outputs; '': they are its own
);
CREATE INDEX texts_duplicates ON texts (original) WHERE original != '';
CREATE TABLE corrections (path TEXT PRIMARY KEY, line TEXT NOT NULL);
CREATE VIRTUAL TABLE words USING fts5 (
	path, description, keywords, answers, camera, place,
	tags,                        -- see tagsOf
	content='', contentless_delete=1, tokenize='porter unicode61 remove_diacritics 2', prefix='1'
);
INSERT INTO words (words, rank) VALUES ('hashsize', 16777216); -- bytes; the default of a MiB makes many small parts
INSERT INTO words (words, rank) VALUES ('automerge', 16);      -- merging parts took a third of the time of making the index
INSERT INTO words (words, rank) VALUES ('crisismerge', 64);
`

// Index is an open index. One process at a time makes it or brings it up to date; others wait.
type Index struct {
	dir      string // workdir
	path     string // of the database, absolute
	db       *sql.DB
	updating *flock.Flock // nil when it is not held

	unreadable Unreadable
}

// Open opens the index of a workdir, or makes an empty one where there is none that can be used. Where the workdir may not be
// written, the index lies in the user's cache folder. The index is locked until [Index.Update] or [Index.Close] ends.
func Open(ctx context.Context, dir string) (_ *Index, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(dir); err != nil {
		return nil, err
	}
	x := &Index{dir: dir, path: filepath.Join(dir, IndexName)}
	defer func() {
		if err != nil {
			x.unlock()
		}
	}()
	if err = x.lock(ctx); err != nil {
		return nil, err
	}
	if err = x.open(ctx); err == nil {
		return x, nil
	}
	if readOnly(err) {
		x.unlock()
		if x.path, err = cachedPath(dir); err != nil {
			return nil, fmt.Errorf("there is no place for the search index, in the workdir nor in the cache folder: %w\n  make one of them writable, or name another cache folder with XDG_CACHE_HOME", err)
		}
		if err = x.lock(ctx); err != nil {
			return nil, err
		}
		if err = x.open(ctx); err == nil {
			return x, nil
		}
	}
	if !unusable(err) {
		return nil, fmt.Errorf("the search index %q cannot be opened: %w\n  is the disk full? the index may be removed at any time", x.path, err)
	}
	if err = x.remove(); err != nil {
		return nil, fmt.Errorf("the search index is damaged and cannot be removed: %w", err)
	}
	if err = x.open(ctx); err != nil {
		return nil, fmt.Errorf("the search index cannot be made: %w\n  is the workdir's disk full, or read only?", err)
	}
	return x, nil
}

// errLayout says that an index was made by another version.
var errLayout = errors.New("of another layout")

// cachedPath is where the index of a workdir lies that may not be written. Its folder is made.
func cachedPath(dir string) (string, error) {
	folder, err := fsutil.CacheDir("search")
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(dir))
	return filepath.Join(folder, hex.EncodeToString(sum[:12])+".db"), os.MkdirAll(folder, 0o700)
}

func (x *Index) open(ctx context.Context) (err error) {
	if info, err := os.Lstat(x.path); err == nil && !info.Mode().IsRegular() {
		return &fs.PathError{Op: "open", Path: x.path, Err: errors.New("it is not a file")}
	}
	options := url.Values{"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(NORMAL)", "cache_size(-65536)", "temp_store(MEMORY)"}, "_txlock": {"immediate"}}
	x.db, err = sql.Open("sqlite", (&url.URL{Scheme: "file", Path: x.path, RawQuery: options.Encode()}).String())
	if err != nil {
		return err
	}
	x.db.SetMaxOpenConns(1) // the table of candidates belongs to a connection
	defer func() {
		if err != nil {
			_ = x.db.Close()
		}
	}()
	var have, tables int
	if err := x.db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have); err != nil {
		return err
	}
	if err := x.db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil {
		return err
	}
	if have == 0 && tables == 0 {
		_, err = x.db.ExecContext(ctx, "BEGIN IMMEDIATE;"+schema+fmt.Sprintf("PRAGMA user_version = %d; COMMIT", layout))
		return err
	}
	if have != layout {
		return errLayout
	}
	return nil
}

// Close closes the index.
func (x *Index) Close() error {
	x.unlock()
	return x.db.Close()
}

// lock waits until no other process makes the index or brings it up to date. Without it two would add the same records
// and wait for each other's transactions in vain, and one could remove files that the other has just made.
func (x *Index) lock(ctx context.Context) error {
	if x.updating != nil {
		return nil
	}
	f := flock.New(x.path+".lock", flock.SetPermissions(0o644))
	switch locked, err := f.TryLockContext(ctx, 20*time.Millisecond); {
	case locked:
		x.updating = f
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil: // there are no locks here, or nothing may be written: opening the index tells
		_ = f.Close()
	}
	return nil
}

func (x *Index) unlock() {
	if x.updating != nil {
		_ = x.updating.Close()
		x.updating = nil
	}
}

func (x *Index) remove() error {
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		if err := os.Remove(x.path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// anew removes the index and makes an empty one.
func (x *Index) anew(ctx context.Context) error {
	_ = x.db.Close()
	if err := x.remove(); err != nil {
		return err
	}
	return x.open(ctx)
}
