package main

import (
	"cmp"
	"errors"
	"sync"

	"photodesc/internal/bucket"
	"photodesc/internal/ui"
)

// bucketWaits tells why a run gets no photos from a bucket: in the log, and as what the run waits for in bar and status.
type bucketWaits struct {
	run *runner

	mu            sync.Mutex
	storage, disk string // what is waited for, "" for nothing
}

// away is told why the storage cannot be read, nil when it can again.
func (w *bucketWaits) away(why error) {
	var denied *bucket.DeniedError
	switch {
	case why == nil:
		w.set(&w.storage, "", "")
	case errors.As(why, &denied):
		w.set(&w.storage, "access keys that the storage accepts",
			"The storage refuses access. If it still does in "+ui.Spell(bucket.RefusedPatience)+", the run ends: "+why.Error()+denied.Advice()+"; the files in ~/.aws are read again meanwhile")
	default:
		w.set(&w.storage, "the photos to come back", "The photos cannot be reached, waiting until they can: "+why.Error())
	}
}

// spoolFull is told why nothing can be written to the spool, "" when it can again.
func (w *bucketWaits) spoolFull(why string) {
	if why == "" {
		w.set(&w.disk, "", "")
		return
	}
	w.set(&w.disk, "room on the disk", "No photo can be fetched until there is room: "+why)
}

// forWhat is what a run gets no photos for, "" if nothing keeps it from them.
func (w *bucketWaits) forWhat() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return cmp.Or(w.storage, w.disk)
}

// sourceWaits is what the photos of a run wait for, beside what the pool waits for.
func sourceWaits(r *runner) string {
	if b, ok := r.source.(*bucketPhotos); ok && b.waits != nil {
		return b.waits.forWhat()
	}
	return ""
}

// set notes what is waited for and tells it.
func (w *bucketWaits) set(what *string, forWhat, warning string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.run
	*what = forWhat
	if warning != "" {
		r.loading.end()
		r.log.Warn(warning)
	}
	for _, waits := range []string{w.storage, w.disk} {
		if waits != "" {
			r.track.Live().SetWaiting(waits, false)
			r.show.SetPhase("waiting for " + waits)
			r.service.Status("Waiting for " + waits)
			return
		}
	}
	r.log.Info("Photos are fetched again")
	r.track.Live().SetPhase("")
	r.show.SetPhase("")
}
