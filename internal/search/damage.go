package search

import (
	"errors"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// errInconsistent says that a photo's words are there without the photo.
var errInconsistent = errors.New("the tables of the index do not fit each other")

// unusable is whether an index has to be made anew: it is damaged, no database, or of another layout.
func unusable(err error) bool {
	if errors.Is(err, errLayout) || errors.Is(err, errInconsistent) {
		return true
	}
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code() & 0xff { // without the extension
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_SCHEMA, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_FORMAT:
		return true
	}
	return false
}

// readOnly is whether an index cannot be opened because its folder may not be written.
func readOnly(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return true
	}
	return false
}
