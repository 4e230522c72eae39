package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/minio/minio-go/v7"

	"photodesc/internal/spool"
)

const (
	stallTimeout = 30 * time.Second // how long a connection may be silent
	fetchTries   = 5                // for one object while the storage answers
)

// backoffOf returns how long to wait after so many failures.
func backoffOf(failed int) time.Duration { return min(time.Second<<min(failed-1, 5), 20*time.Second) }

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Fetcher brings objects into a spool. Its methods may be called concurrently.
type Fetcher struct {
	bucket *Bucket
	spool  *spool.Spool
	outage outage
}

// NewFetcher returns a Fetcher. away is told why no object can be read, a *DeniedError if the storage refuses access, and nil when
// objects can be read again. It is not called concurrently.
func NewFetcher(b *Bucket, s *spool.Spool, away func(why error)) *Fetcher {
	return &Fetcher{bucket: b, spool: s, outage: outage{bucket: b, turn: make(chan struct{}, 1), away: away}}
}

// Spool is the one that objects are fetched into.
func (f *Fetcher) Spool() *spool.Spool { return f.spool }

// Fetched is a file with what the storage said of it when it was read.
type Fetched struct {
	*spool.File
	Object
}

// Fetch reads an object into the spool. If no object can be read, Fetch waits until that has changed. If others can be read, it tries
// a few times. The error is ctx's, ErrGone, a *DeniedError, a *spool.TooLargeError, or why this object cannot be read; or one of
// those that let no object be fetched any more: a *RefusedError, a *spool.DiskError or spool.ErrClosed.
func (f *Fetcher) Fetch(ctx context.Context, rel string) (Fetched, error) {
	want, there := f.bucket.Stat(rel)
	if !there {
		return Fetched{}, ErrGone
	}
	changed := false
	for tries := 1; ; tries++ {
		outages := f.outage.ended.Load()
		file, now, err := f.once(ctx, rel, want)
		switch {
		case err == nil:
			f.outage.readable.Store(&rel)
			return file, nil
		case ctx.Err() != nil:
			return Fetched{}, ctx.Err()
		case final(err):
			return Fetched{}, f.bucket.explain(err)
		case errors.Is(err, errChanged):
			if want = now; !changed {
				changed = true // what is there now is taken
				continue
			}
		default:
			err = f.bucket.explain(err)
		}
		away, stopped := f.outage.wait(ctx, rel, outages)
		switch {
		case stopped != nil:
			return Fetched{}, stopped
		case away:
			tries = 0
		case tries >= fetchTries || isDenied(err):
			return Fetched{}, err
		default:
			if err := f.bucket.sleep(ctx, backoffOf(tries)); err != nil {
				return Fetched{}, err
			}
		}
	}
}

// MayRead returns a *DeniedError if none of a few of the objects may be read.
func (f *Fetcher) MayRead(ctx context.Context, paths []string) (err error) {
	for _, i := range []int{0, len(paths) / 2, len(paths) - 1} {
		if _, err = f.bucket.head(ctx, paths[i], 1); err == nil {
			f.outage.readable.Store(&paths[i])
		}
		if err = f.bucket.explain(err); !isDenied(err) {
			return nil
		}
	}
	return err
}

func isDenied(err error) bool {
	_, denied := asDenied(err)
	return denied
}

// once asks for an object. With errChanged it returns what the object is now, other than want.
func (f *Fetcher) once(ctx context.Context, rel string, want Object) (Fetched, Object, error) {
	b := f.bucket
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	now := want
	file, err := f.spool.Add(ctx, rel, want.Size, want.ModTime, func(w io.Writer) error {
		silence := time.AfterFunc(b.stall, func() { cancel(errStalled) })
		defer silence.Stop()
		body, info, _, err := b.core.GetObject(ctx, b.name, b.prefix+rel, minio.GetObjectOptions{})
		if err != nil {
			return err
		}
		defer body.Close()
		if now = objectOf(info, want); now != want {
			return errChanged
		}
		_, err = io.Copy(w, &watched{body, silence, b.stall})
		return err
	})
	if err != nil && errors.Is(context.Cause(ctx), errStalled) {
		err = fmt.Errorf("%w for %v", errStalled, b.stall)
	}
	return Fetched{file, want}, now, err
}

// objectOf returns what the header of an answer says. What it leaves out or says less exactly is taken from want.
func objectOf(info minio.ObjectInfo, want Object) Object {
	now := Object{info.Size, info.LastModified.UTC().Truncate(time.Second), trimETag(info.ETag)}
	if now.Size < 0 { // the answer comes in chunks of unknown number
		now.Size = want.Size
	}
	if now.Size == want.Size && now.ETag == want.ETag {
		now.ModTime = want.ModTime // some storages say it more exactly in one of both places
	}
	return now
}

var (
	errChanged = errors.New("the object is another one each time it is asked for")
	errStalled = errors.New("the storage sends nothing")
)

// watched winds its timer up with each read.
type watched struct {
	io.Reader
	silence *time.Timer
	stall   time.Duration
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.Reader.Read(b)
	w.silence.Reset(w.stall)
	return n, err
}
