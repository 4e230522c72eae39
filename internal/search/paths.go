package search

import (
	"context"
	"fmt"

	"photodesc/tracker"
)

// Paths calls found with the path of each photo that matches, in no order, without ranking and without their texts, each copy, too: a million
// matches take seconds. Of the options the limit does not count. Where the index turns out to be damaged, it is made anew, and
// found hears all paths again. An error of found ends it; see [Index.Find] for other errors.
func (x *Index) Paths(ctx context.Context, text string, o Options, found func(path string) error) error {
	q, err := parse(text)
	if err != nil {
		return err
	}
	if err = x.paths(ctx, q, o, found); err == nil || !unusable(err) {
		return err
	}
	if err := x.rebuild(ctx); err != nil {
		return err
	}
	return x.paths(ctx, q, o, found)
}

func (x *Index) paths(ctx context.Context, q query, o Options, found func(string) error) error {
	text, args := "SELECT p.path FROM words AS w LEFT JOIN photos AS p ON p.id = w.rowid WHERE words MATCH ?", []any{q.match(o)}
	if !o.Since.IsZero() {
		text, args = text+" AND p.time >= ?", append(args, o.Since.UnixMilli())
	}
	rows, err := x.db.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	hidden := make(map[string]bool, len(o.Hidden))
	for _, path := range o.Hidden {
		hidden[path] = true
	}
	for rows.Next() {
		var path *string
		if err := rows.Scan(&path); err != nil {
			return err
		}
		if path == nil {
			return errInconsistent
		}
		decoded, err := tracker.DecodePath(*path)
		if err != nil {
			return fmt.Errorf("%w: %q", errInconsistent, *path)
		}
		if hidden[decoded] {
			continue
		}
		if err := found(decoded); err != nil {
			return err
		}
	}
	return rows.Err()
}
