package search

import (
	"context"
	"database/sql"
	"errors"

	"photodesc/tracker"
)

// RankedPaths returns the paths of the photos that match, in the order of [Index.Find], at most
// o.Limit of them; more says that there are more. It reads no texts but those that are ranked,
// and is therefore quicker than Find. A query without a word is [ErrEmpty].
func (x *Index) RankedPaths(ctx context.Context, text string, o Options) (paths []string, more bool, err error) {
	q, err := parse(text)
	if err != nil {
		return nil, false, err
	}
	paths, more, err = x.rankedPaths(ctx, q, o)
	if err == nil || !unusable(err) {
		return paths, more, err
	}
	if err := x.rebuild(ctx); err != nil {
		return nil, false, err
	}
	return x.rankedPaths(ctx, q, o)
}

func (x *Index) rankedPaths(ctx context.Context, q query, o Options) (paths []string, more bool, err error) {
	conn, err := x.db.Conn(ctx)
	if err != nil {
		return nil, false, err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
		return nil, false, err
	}
	defer func() { _, _ = conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK") }()
	limit := 0
	if o.Limit > 0 {
		limit = max(o.Limit+1, ranked)
	}
	ids, err := newest(ctx, conn, q, o, limit)
	if err != nil {
		return nil, false, err
	}
	if more = o.Limit > 0 && len(ids) > o.Limit; more {
		ids = ids[:o.Limit]
	}
	if ids, _, err = folded(ctx, conn, ids, o); err != nil {
		return nil, false, err
	}
	first := ids[:min(ranked, len(ids))]
	hits, err := texts(ctx, conn, q, first, true, 0)
	if err != nil {
		return nil, false, err
	}
	for _, h := range hits {
		paths = append(paths, h.Path)
	}
	get, err := conn.PrepareContext(ctx, "SELECT path FROM photos WHERE id = ?")
	if err != nil {
		return nil, false, err
	}
	defer get.Close()
	for _, id := range ids[len(first):] {
		var p string
		err := get.QueryRowContext(ctx, id).Scan(&p)
		if errors.Is(err, sql.ErrNoRows) {
			return nil, false, errInconsistent
		}
		if err != nil {
			return nil, false, err
		}
		if p, err = tracker.DecodePath(p); err != nil {
			return nil, false, err
		}
		paths = append(paths, p)
	}
	return paths, more, nil
}
