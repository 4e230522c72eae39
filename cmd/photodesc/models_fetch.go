package main

import (
	"context"

	"photodesc/internal/models"
)

// findModel says what the flags mean, and checks the model if it is here:
// before anything is written to the workdir.
func (r *runner) findModel() (err error) {
	if r.model, err = models.Find(r.flags.model, r.flags.mmproj); err != nil {
		return err
	}
	if r.model.Here() {
		r.model.Files, err = r.model.Get(context.Background(), models.Options{Memory: r.set.memory})
	}
	return err
}

// fetchModel brings the model if it is not here.
func (r *runner) fetchModel(ctx context.Context) (err error) {
	if r.model.Here() {
		return nil
	}
	r.track.Live().SetPhase("fetching model")
	f := newFetching(r.show, r.log.Info)
	r.model.Files, err = r.model.Get(ctx, models.Options{Memory: r.set.memory, Progress: f})
	r.show.end()
	return err
}
