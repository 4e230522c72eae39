package main

import (
	"context"
	"errors"
	"fmt"

	"photodesc/internal/families"
	"photodesc/internal/models"
	"photodesc/internal/ui"
	"photodesc/llm"
)

// findModel says what the flags mean, and checks the model if it is here:
// before anything is written to the workdir.
func (r *runner) findModel() (err error) {
	if r.model, err = models.Find(r.flags.Model, r.flags.Mmproj); err != nil {
		return err
	}
	if err := fitsLibrary(r.flags.Model, r.model); err != nil {
		return err
	}
	if r.model.Here() {
		r.model.Files, err = r.model.Get(context.Background(), models.Options{Memory: r.set.Memory, Unchecked: r.flags.Unchecked})
	}
	return unknownModel(err)
}

// fitsLibrary refuses models that a newer llama.cpp, if it is linked, is known to fail on, before they are fetched.
// asked is what was asked for: a person's own file may have any name.
func fitsLibrary(asked string, w models.Wanted) error {
	if llm.System && w.Name == "smolvlm" && !models.IsFile(asked) {
		return ui.UsageError("%s", llm.FirstSmolVLM)
	}
	return nil
}

// unknownModel adds to an error about a model of no known family how it can be tried.
func unknownModel(err error) error {
	var unknown *families.UnknownError
	if llm.System && errors.As(err, &unknown) {
		return fmt.Errorf("%w\n  --model-unchecked tries it: the linked llama.cpp may know it, may crash, and may be wrong", err)
	}
	return err
}

// unloadable adds to the error of a model that could not be loaded that nobody said it could be.
func (r *runner) unloadable(ctx context.Context, err error) error {
	if !r.flags.Unchecked || ctx.Err() != nil {
		return err
	}
	return fmt.Errorf("%w\n  with --model-unchecked nothing is known of the model beforehand: take one of `photodesc models`, or a newer llama.cpp", err)
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
	r.model.Files, err = r.model.Get(ctx, models.Options{Memory: r.set.Memory, Unchecked: r.flags.Unchecked, Progress: f})
	r.show.End()
	return unknownModel(err)
}
