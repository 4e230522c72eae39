package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"

	"photodesc/internal/spool"
)

const (
	stallTimeout = 30 * time.Second // how long a connection may be silent
	awayInterval = 2 * time.Second  // between questions whether the storage is back
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
	Bucket *Bucket
	Spool  *spool.Spool

	// Away is told why the storage cannot be reached, and "" when it can be again. It is not called concurrently. It may be nil.
	Away func(why string)

	mu  sync.Mutex
	why string
}

// Fetched is a file with what the storage said of it when it was read.
type Fetched struct {
	*spool.File
	Object
}

// Fetch reads an object into the spool. If that fails and the storage as a whole does not answer, Fetch waits until it does. Otherwise
// it tries a few times. The error is ctx's, ErrGone, a *DeniedError, a *spool.TooLargeError, or why the object cannot be read.
func (f *Fetcher) Fetch(ctx context.Context, rel string) (Fetched, error) {
	for tries := 1; ; tries++ {
		file, err := f.once(ctx, rel)
		if err == nil {
			f.away("")
			return file, nil
		}
		if ctx.Err() != nil {
			return Fetched{}, ctx.Err()
		}
		var large *spool.TooLargeError
		if final(err) || errors.As(err, &large) || errors.Is(err, spool.ErrClosed) {
			return Fetched{}, f.Bucket.explain(err)
		}
		err = f.Bucket.explain(err)
		pause := backoffOf(tries)
		if away := f.Bucket.Available(ctx); away != nil && ctx.Err() == nil {
			f.away(away.Error())
			tries, pause = 0, awayInterval
		} else if f.away(""); tries == fetchTries || isDenied(err) {
			return Fetched{}, err
		}
		if err := f.Bucket.sleep(ctx, pause); err != nil {
			return Fetched{}, err
		}
	}
}

func isDenied(err error) bool {
	var denied *DeniedError
	return errors.As(err, &denied)
}

func (f *Fetcher) away(why string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if (why == "") != (f.why == "") && f.Away != nil {
		f.Away(why)
	}
	f.why = why
}

// once tries to read an object.
func (f *Fetcher) once(ctx context.Context, rel string) (Fetched, error) {
	b := f.Bucket
	listed, there := b.Stat(rel)
	if !there {
		return Fetched{}, ErrGone
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	for {
		now := listed
		file, err := f.Spool.Add(ctx, rel, listed.Size, listed.ModTime, func(w io.Writer) error {
			silence := time.AfterFunc(b.stall, func() { cancel(errStalled) })
			defer silence.Stop()
			body, info, _, err := b.core.GetObject(ctx, b.name, b.prefix+rel, minio.GetObjectOptions{})
			if err != nil {
				return err
			}
			defer body.Close()
			now = Object{info.Size, info.LastModified.UTC().Truncate(time.Second), info.ETag}
			if now.Size == listed.Size && now.ETag == listed.ETag {
				now.ModTime = listed.ModTime // some storages say it more exactly in one of both places
			}
			if now != listed {
				return errOther
			}
			_, err = io.Copy(w, &watched{body, silence, b.stall})
			return err
		})
		switch {
		case errors.Is(err, errOther): // it was changed since; what is there now is taken
			listed = now
			continue
		case err != nil && errors.Is(context.Cause(ctx), errStalled):
			return Fetched{}, fmt.Errorf("%w for %v", errStalled, b.stall)
		}
		return Fetched{file, listed}, err
	}
}

var (
	errOther   = errors.New("the object is another than the listed one")
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
