package search

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"

	"photodesc/tracker"
)

// This file finds photos with the same picture and words as one.

// hiddenIDs are the numbers of photos by their paths.
func hiddenIDs(ctx context.Context, conn *sql.Conn, paths []string) (map[int64]bool, error) {
	if len(paths) == 0 {
		return nil, nil
	}
	get, err := conn.PrepareContext(ctx, "SELECT id FROM photos WHERE path = ?")
	if err != nil {
		return nil, err
	}
	defer get.Close()
	ids := make(map[int64]bool, len(paths))
	for _, path := range paths {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var id int64
		switch err := get.QueryRowContext(background, tracker.EncodePath(path)).Scan(&id); {
		case err == nil:
			ids[id] = true
		case !errors.Is(err, sql.ErrNoRows):
			return nil, err
		}
	}
	return ids, nil
}

// duplicate is a match with the words of another photo.
type duplicate struct {
	id             int64
	path, original string // as in the outputs
	picture        string
}

// folded takes duplicates out of matches whose original, or another duplicate of that, is among them, too. copies are their paths by the
// match that stays.
func folded(ctx context.Context, conn *sql.Conn, ids []int64, o Options) (kept []int64, copies map[int64][]string, err error) {
	if o.Each {
		return ids, nil, nil
	}
	matched := make(map[int64]bool, len(ids))
	for _, id := range ids {
		matched[id] = true
	}
	all, err := duplicates(ctx, conn, matched)
	if err != nil || len(all) == 0 {
		return ids, nil, err
	}
	original, err := conn.PrepareContext(ctx, "SELECT p.id FROM photos AS p JOIN texts AS t USING (id) WHERE p.path = ? AND t.picture = ?")
	if err != nil {
		return nil, nil, err
	}
	defer original.Close()
	copies = map[int64][]string{}
	shown, first := map[int64]bool{}, map[[2]string]int64{} // by the original and its picture
	for _, d := range all {
		group := [2]string{d.original, d.picture}
		as, known := first[group]
		if !known {
			err := original.QueryRowContext(ctx, d.original, d.picture).Scan(&as)
			if err != nil && !errors.Is(err, sql.ErrNoRows) {
				return nil, nil, err
			}
			if err != nil || !matched[as] {
				as = d.id
			}
			first[group] = as
		}
		if as == d.id {
			continue
		}
		path, err := tracker.DecodePath(d.path)
		if err != nil {
			return nil, nil, err
		}
		copies[as] = append(copies[as], path)
		shown[d.id] = true
	}
	for _, id := range ids {
		if !shown[id] {
			kept = append(kept, id)
		}
	}
	return kept, copies, nil
}

// duplicates are those of the matches that have the words of another photo, the newest first.
func duplicates(ctx context.Context, conn *sql.Conn, matched map[int64]bool) (all []duplicate, err error) {
	rows, err := conn.QueryContext(ctx, "SELECT id, original FROM texts INDEXED BY texts_duplicates WHERE original != ''")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var d duplicate
		if err := rows.Scan(&d.id, &d.original); err != nil {
			return nil, err
		}
		if matched[d.id] {
			all = append(all, d)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b duplicate) int { return cmp.Compare(b.id, a.id) })
	for i := range all {
		d := &all[i]
		if err := conn.QueryRowContext(ctx, "SELECT p.path, t.picture FROM photos AS p JOIN texts AS t USING (id) WHERE p.id = ?", d.id).Scan(&d.path, &d.picture); err != nil {
			return nil, err
		}
	}
	return all, nil
}
