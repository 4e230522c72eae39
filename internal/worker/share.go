package worker

import (
	"context"

	"photodesc/pool"
	"photodesc/tracker"
)

// Sight is what decides whether two photos have the same description: what the model would see and be told.
type Sight struct {
	Picture string `json:"picture"`           // hash of the picture
	Context string `json:"context,omitempty"` // what is told of the photo before the prompt
}

// needed asks the supervisor whether a decoded photo is to be described. A photo whose picture is not known always is.
func (w *worker) needed(ctx context.Context, rec *tracker.Record) bool {
	if !w.config.Share || rec.Blank > 0 || rec.File == nil || rec.File.Picture == "" {
		return true
	}
	return pool.Needed(ctx, Sight{rec.File.Picture, rec.Context})
}
