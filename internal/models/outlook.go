package models

import (
	"context"
	"errors"
	"time"

	"photodesc/internal/models/hub"
)

// ErrOffline is why a hub is not asked that could be.
var ErrOffline = errors.New("HF_HUB_OFFLINE is set")

// Outlook is what a run has to fetch before it can use a model.
type Outlook struct {
	Left    int64   // bytes; -1 where only the hub knows
	Dir     string  // the folder that they go to
	Host    string  // of the hub
	Speed   float64 // bytes a second, measured now; 0 where Problem says why it is not known
	Needs   uint64  // bytes of memory; 0 where only the file says
	Problem error
}

// Time is how long fetching takes at the measured speed; 0 where that is not known.
func (o Outlook) Time() time.Duration {
	if o.Speed <= 0 || o.Left < 0 {
		return 0
	}
	return time.Duration(float64(o.Left) / o.Speed * float64(time.Second))
}

// Outlook asks the hub for the beginning of a file of a model that is not here, to measure how fast it comes.
func (w Wanted) Outlook(ctx context.Context) Outlook {
	o := Outlook{Left: -1, Needs: w.memory}
	o.Dir, o.Problem = Dir()
	file := ""
	if e, ok := named(w.Name); ok {
		o.Left = 0
		for i, at := range []string{w.Text, w.Vision} {
			if at != "" {
				continue
			}
			part := []Part{e.Text, e.Vision}[i]
			file, o.Left = part.File, o.Left+part.Size
			if dst, err := w.target(part.File); err == nil {
				o.Left = max(o.Left-hub.Partial(dst), 0)
			}
		}
	}
	if o.Problem != nil {
		return o
	}
	c, err := connect()
	if err != nil {
		o.Problem = err
		return o
	}
	o.Host = c.Host()
	switch {
	case hub.Offline():
		o.Problem = ErrOffline
	case file == "":
		_, o.Problem = c.List(ctx, w.repo)
	default:
		o.Speed, o.Problem = c.Speed(ctx, w.repo, file)
	}
	return o
}
