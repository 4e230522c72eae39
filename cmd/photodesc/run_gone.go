package main

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"photodesc/internal/storage"
	"photodesc/tracker"
)

// This file lists the photos that have results and are gone, for commands that do not look into the photo folder.

// findGone counts the described photos that the walk did not find, those that are left out included, and lists those that are gone. It
// comes when moved photos have their new paths. shared is how many of the counted ones have the words of another.
func (s *scanner) findGone(ctx context.Context, found *scan) (shared int, err error) {
	count, unseen := s.track.Files().Unseen()
	var missing []tracker.Record // paths, and whose words they have
	if count > 0 || found.gone+found.goneAgain > 0 {
		match := func(rel string) bool {
			return unseen(rel) || !s.failedSeen[rel] && (isFailed(s.track, rel) || s.track.Retrying(rel))
		}
		if err := tracker.Find(s.dir, match, 0, func(rec tracker.Record) error {
			missing = append(missing, tracker.Record{Path: rec.Path, Of: rec.Of, Status: rec.Status})
			return ctx.Err()
		}); err != nil {
			return 0, err
		}
	}
	var paths []string
	var mu sync.Mutex
	err = inParallel(ctx, missing, func(_ int, rec tracker.Record) {
		gone := s.absence.Gone(rec.Path)
		there := s.source.exists(rec.Path)
		mu.Lock()
		defer mu.Unlock()
		if gone && s.before.Known { // else no walk has noted yet what is mounted
			paths = append(paths, rec.Path)
		}
		if (gone || there || s.absence.Missing(rec.Path)) && s.track.Done(rec.Path) {
			found.goneDescribed++
			if rec.IsDuplicate() {
				shared++
			}
		}
	})
	if err != nil {
		return 0, err
	}
	mounts := append(storage.Mounts(s.source.name()), s.before.Mounts...)
	slices.Sort(mounts)
	if err := tracker.WriteGone(s.dir, paths, slices.Compact(mounts)); err != nil {
		s.warn(warning{"list", "not written", tracker.GoneName, err.Error(), fmt.Sprintf("%s is not written, gone photos are shown by search and exports: %v", tracker.GoneName, err)})
	}
	return shared, nil
}
