package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"photodesc/internal/bucket"
	"photodesc/internal/photo"
	"photodesc/internal/spool"
	"photodesc/internal/storage"
	"photodesc/internal/ui"
	"photodesc/internal/wording"
	"photodesc/pool"
	"photodesc/tracker"
)

// spoolName is the folder of the workdir in which fetched photos are kept.
const spoolName = "spool"

// fetchers is how many photos are fetched together: most of the time is waiting.
const fetchers = 8

// bucketPhotos are the photos in a bucket. They are fetched into a spool, which is all that workers can read.
type bucketPhotos struct {
	bucket  *bucket.Bucket
	max     int64 // bytes of the spool
	fetcher *bucket.Fetcher
	waits   *bucketWaits // nil in a dry run
	news    func(string) // of a run, before its first photo is described

	fetching sync.Mutex // held while photos are fetched for a pool

	mu     sync.Mutex
	listed bool
	ready  map[string]fetched // by path, until they have a result
	ended  error              // why not all photos were yielded
}

type fetched struct {
	bucket.Fetched
	failure *pool.Failure
}

func openBucket(r *runner, address string) (*bucketPhotos, error) {
	if r.flags.Shared() {
		return nil, ui.UsageError("--serve and --nats hand out photos of a folder, and a bucket can be reached from everywhere\n  give each machine a part of it instead: --shard 0/2 here, --shard 1/2 there, then photodesc merge")
	}
	if r.flags.XMP {
		return nil, ui.UsageError("--xmp writes beside photos, and a bucket is only read\n  export csv, tsv, jsonl and txt need no photos")
	}
	b, err := bucket.Open(address, bucket.Options{Endpoint: r.flags.S3Endpoint, Region: r.flags.S3Region})
	if err != nil {
		return nil, ui.UsageError("%w", err)
	}
	return &bucketPhotos{bucket: b, max: r.set.Spool, ready: map[string]fetched{}}, nil
}

func (b *bucketPhotos) name() string                       { return b.bucket.Name() }
func (b *bucketPhotos) whyEmpty() string                   { return "is the address right?" }
func (b *bucketPhotos) mountPoints() storage.MountPoints   { return storage.MountPoints{} }
func (b *bucketPhotos) moved() func([]tracker.Record) bool { return nil }

// prepare lists the bucket and makes the spool.
func (b *bucketPhotos) prepare(ctx context.Context, r *runner) error {
	step := r.startStep("Listing " + b.name())
	defer step.end()
	r.track.Live().SetPhase("listing the bucket")
	if err := b.list(ctx, func(keys int) {
		text := ui.Comma(keys) + " objects so far"
		step.at(text)
		r.show.Wait("listing the bucket: " + text)
	}); err != nil {
		return err
	}
	r.log.Info(fmt.Sprintf("%s below %s", wording.Count(b.bucket.Len(), "object"), b.name()))
	if odd := b.bucket.Odd(); odd.Count > 0 {
		r.log.Warn(fmt.Sprintf("%s left out: \".\" and \"..\" between slashes name no folder, as in %q", wording.Count(odd.Count, "object"), odd.First))
	}
	return b.openSpool(filepath.Join(r.dir, spoolName), r)
}

// openSpool makes the spool; r is nil in a dry run.
func (b *bucketPhotos) openSpool(parent string, r *runner) error {
	opts := spool.Options{MaxBytes: b.max}
	var away func(error)
	if r != nil {
		b.waits = &bucketWaits{run: r}
		opts.Waiting, away = b.waits.spoolFull, b.waits.away
	}
	s, err := spool.Open(parent, opts)
	if err != nil {
		return fmt.Errorf("photos cannot be fetched to the workdir: %w", err)
	}
	b.fetcher = bucket.NewFetcher(b.bucket, s, away)
	return nil
}

// list reads the keys once.
func (b *bucketPhotos) list(ctx context.Context, progress func(int)) error {
	if b.listed {
		return nil
	}
	err := b.bucket.List(ctx, progress)
	b.listed = err == nil
	var denied *bucket.DeniedError
	switch {
	case err == nil || ctx.Err() != nil:
		return err
	case errors.As(err, &denied):
		return fmt.Errorf("%s cannot be listed: %w%s", b.name(), err, denied.Advice())
	}
	return fmt.Errorf("%s cannot be listed: %w\n  see to the address, --s3-endpoint, --s3-region and the network", b.name(), err)
}

func (b *bucketPhotos) walk(ctx context.Context, opts photo.WalkOptions, found func(string) error) error {
	if err := b.list(ctx, func(int) {}); err != nil {
		return err
	}
	opts.Tree = b.bucket
	return photo.Walk(ctx, b.name(), opts, found)
}

func (b *bucketPhotos) stat(rel string) (tracker.PhotoFile, error) {
	o, there := b.bucket.Stat(rel)
	if !there {
		return tracker.PhotoFile{}, bucket.ErrGone
	}
	return fileOfObject(o), nil
}

func fileOfObject(o bucket.Object) tracker.PhotoFile {
	return tracker.PhotoFile{Size: o.Size, ModTime: o.ModTime, ETag: o.ETag}
}

func (b *bucketPhotos) changed() func(string) time.Time {
	return func(rel string) time.Time {
		o, _ := b.bucket.Stat(rel)
		return o.ModTime
	}
}

func (b *bucketPhotos) open(ctx context.Context, rel string) (string, func(), error) {
	b.mu.Lock()
	if b.fetcher == nil { // a dry run leaves the workdir alone
		if err := b.openSpool(filepath.Join(os.TempDir(), fmt.Sprintf("photodesc-%d", os.Getuid())), nil); err != nil {
			b.mu.Unlock()
			return "", nil, err
		}
	}
	b.mu.Unlock()
	file, err := b.fetcher.Fetch(ctx, rel)
	if err != nil {
		return "", nil, err
	}
	return file.Path(), file.Remove, nil
}

func (b *bucketPhotos) exists(rel string) bool {
	_, there := b.bucket.Stat(rel)
	return there
}

func (b *bucketPhotos) sameFile(string, string) bool { return false }

func (b *bucketPhotos) absence(storage.MountPoints, []string, []string) absence {
	return bucketAbsence{b.bucket}
}

// bucketAbsence asks the listing: a bucket is listed whole or not at all.
type bucketAbsence struct{ bucket *bucket.Bucket }

func (a bucketAbsence) Certain() bool        { return true }
func (a bucketAbsence) Gone(rel string) bool { return a.Missing(rel) }
func (a bucketAbsence) Missing(rel string) bool {
	_, there := a.bucket.Stat(rel)
	return !there
}

func (b *bucketPhotos) workerRoot() string { return b.fetcher.Spool().Dir() }

func (b *bucketPhotos) attach(c *pool.Config, r *runner, _ []string) {
	b.news = func(text string) {
		r.loading.at(text)
		r.track.Live().SetPhase(strings.TrimSuffix("loading model: "+text, ": "))
	}
	c.Fetched = func(rel string) (string, *pool.Failure) {
		b.mu.Lock()
		defer b.mu.Unlock()
		f := b.ready[rel]
		if f.failure != nil {
			return "", f.failure
		}
		return f.Name(), nil
	}
}

func (b *bucketPhotos) jobs(ctx context.Context, todo []string) iter.Seq[string] {
	return func(yield func(string) bool) {
		fetching, stop := context.WithCancelCause(ctx)
		defer stop(nil)
		b.begin()
		if b.news != nil {
			b.news("the first photos are being fetched")
		}
		ready := make(chan string)
		go func() {
			defer b.fetching.Unlock()
			defer close(ready)
			var denied *bucket.DeniedError
			if err := b.fetcher.MayRead(fetching, todo); errors.As(err, &denied) { // each photo would fail by itself
				stop(fmt.Errorf("the photos in %s can be listed and not be read: %w%s", b.name(), err, denied.Advice()))
				return
			}
			b.fetchAll(fetching, stop, todo, ready)
		}()
		first := true
		for rel := range ready {
			if first && b.news != nil {
				b.news("")
			}
			first = false
			if !yield(rel) {
				return
			}
		}
		switch cause := context.Cause(fetching); {
		case ctx.Err() != nil:
			b.end(pool.ErrStopped)
		case cause != nil:
			b.end(cause)
		}
	}
}

// fetchAll fetches photos until all are there or ctx ends. stop is told of an error that lets none be fetched.
func (b *bucketPhotos) fetchAll(ctx context.Context, stop func(error), todo []string, ready chan<- string) {
	wanted := make(chan string)
	var wait sync.WaitGroup
	for range fetchers {
		wait.Go(func() {
			for rel := range wanted {
				if err := b.fetch(ctx, rel); err != nil {
					stop(err)
					return
				}
				select {
				case ready <- rel:
				case <-ctx.Done():
					return
				}
			}
		})
	}
	defer wait.Wait()
	defer close(wanted)
	for _, rel := range todo {
		select {
		case wanted <- rel:
		case <-ctx.Done():
			return
		}
	}
}

// begin waits until nothing is fetched any more for a pool before, and drops what that has left.
func (b *bucketPhotos) begin() {
	b.fetching.Lock()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, f := range b.ready {
		if f.failure == nil {
			f.Remove()
		}
	}
	clear(b.ready)
	b.ended = nil
}

func (b *bucketPhotos) end(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = err
}

// fetch fetches a photo and keeps it, or why it cannot be fetched. The error is ctx's or one that lets no photo be fetched.
func (b *bucketPhotos) fetch(ctx context.Context, rel string) error {
	file, err := b.fetcher.Fetch(ctx, rel)
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	f := fetched{Fetched: file}
	var refused *bucket.RefusedError
	var disk *spool.DiskError
	var large *spool.TooLargeError
	switch {
	case errors.As(err, &refused):
		return fmt.Errorf("%w%s; then run again, it goes on where it stopped", err, refused.Denied.Advice())
	case errors.As(err, &disk):
		return fmt.Errorf("photos cannot be fetched: %w\n  mend that and run again, it goes on where it stopped", err)
	case errors.As(err, &large):
		f.failure = &pool.Failure{Kind: string(tracker.TooLarge), Message: err.Error() + ": give more with --spool"}
	case err != nil:
		f.failure = &pool.Failure{Kind: string(tracker.Unreadable), Message: err.Error()}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ready[rel] = f
	return nil
}

func (b *bucketPhotos) err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ended
}

func (b *bucketPhotos) finish(rec *tracker.Record) error {
	b.mu.Lock()
	f, fetched := b.ready[rec.Path]
	delete(b.ready, rec.Path)
	b.mu.Unlock()
	if !fetched {
		return nil
	}
	object := f.Object
	if f.failure == nil {
		if rec.Status == tracker.Failed {
			if _, err := os.Lstat(f.Path()); err != nil { // which no photo is to blame for
				return fmt.Errorf("%q was fetched and is gone from the workdir: %w\n  leave the folder %q alone while a run works, and run again, it goes on where it stopped", rec.Path, err, spoolName)
			}
		}
		f.Remove()
	} else {
		object, _ = b.bucket.Stat(rec.Path)
	}
	file := fileOfObject(object)
	if rec.File != nil {
		file.Hash, file.Head, file.Picture = rec.File.Hash, rec.File.Head, rec.File.Picture
	}
	rec.File = &file
	return nil
}

func (b *bucketPhotos) close() {
	if b.fetcher != nil {
		_ = b.fetcher.Spool().Close()
	}
}
