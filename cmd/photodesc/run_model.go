package main

import (
	"context"

	"photodesc/internal/models"
	"photodesc/internal/ui"
)

// findModel says what the flags mean, and checks the model if it is here:
// before anything is written to the workdir.
func (r *runner) findModel() (err error) {
	if r.model, err = models.Find(r.flags.Model, r.flags.Mmproj); err != nil {
		return err
	}
	if r.model.Here() {
		r.model.Files, err = r.model.Get(context.Background(), models.Options{Memory: r.set.Memory})
	}
	return err
}

// prepareModel compares the settings with those of earlier runs, and fetches the
// model if it is not here. Without the model's files the settings can be compared
// only in part, so that a difference is found before a long download.
func (r *runner) prepareModel(ctx context.Context) error {
	for _, step := range []func(context.Context) error{r.compareSettings, r.fetchModel, r.compareSettings} {
		if r.track.SettingsID() != "" {
			break
		}
		if err := step(ctx); err != nil {
			return err
		}
	}
	if !r.flags.Requested { // the next run goes on with the one before
		r.track.Live().SetArgs(append(r.args, r.root))
	}
	return nil
}

// fetchModel brings the model if it is not here.
func (r *runner) fetchModel(ctx context.Context) (err error) {
	if r.model.Here() {
		return nil
	}
	r.track.Live().SetPhase("fetching model")
	f := ui.NewFetching(r.show, r.log.Info)
	r.model.Files, err = r.model.Get(ctx, models.Options{Memory: r.set.Memory, Progress: f})
	r.show.End()
	return err
}
