package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
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
	away := func(string) {}
	if r != nil {
		opts.Waiting = func(why string) { b.waits(r, "No photo can be fetched", "room on the disk", why) }
		away = func(why string) { b.waits(r, "The photos cannot be reached", "the photos to come back", why) }
	}
	s, err := spool.Open(parent, opts)
	if err != nil {
		return fmt.Errorf("photos cannot be fetched to the workdir: %w", err)
	}
	b.fetcher = &bucket.Fetcher{Bucket: b.bucket, Spool: s, Away: away}
	return nil
}

// waits tells that no photos come, and that they do again where why is empty.
func (b *bucketPhotos) waits(r *runner, what, forWhat, why string) {
	if why == "" {
		r.log.Info("Photos are fetched again")
		r.track.Live().SetPhase("")
		r.show.SetPhase("")
		return
	}
	r.log.Warn(what + ", waiting until they can: " + why)
	r.track.Live().SetWaiting(forWhat, false)
	r.show.SetPhase("waiting for " + forWhat)
	r.service.Status("Waiting for " + forWhat)
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

func (b *bucketPhotos) workerRoot() string { return b.fetcher.Spool.Dir() }

func (b *bucketPhotos) attach(c *pool.Config, _ *runner, _ []string) {
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
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		b.begin()
		if err := b.mayRead(todo); err != nil {
			b.end(err)
			b.fetching.Unlock()
			return
		}
		wanted, ready := make(chan string), make(chan string)
		go func() {
			defer close(wanted)
			for _, rel := range todo {
				select {
				case wanted <- rel:
				case <-ctx.Done():
					return
				}
			}
		}()
		var wait sync.WaitGroup
		for range fetchers {
			wait.Go(func() {
				for rel := range wanted {
					if !b.fetch(ctx, rel) {
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
		go func() {
			wait.Wait()
			close(ready)
			b.fetching.Unlock()
		}()
		for rel := range ready {
			if !yield(rel) {
				break
			}
		}
		if ctx.Err() != nil {
			b.end(pool.ErrStopped)
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

// fetch fetches a photo and keeps it, or why it cannot be fetched. It returns false if ctx has ended.
func (b *bucketPhotos) fetch(ctx context.Context, rel string) bool {
	file, err := b.fetcher.Fetch(ctx, rel)
	if err != nil && ctx.Err() != nil {
		return false
	}
	f := fetched{Fetched: file}
	if err != nil {
		f.failure = &pool.Failure{Kind: string(tracker.Unreadable), Message: err.Error()}
		var large *spool.TooLargeError
		if errors.As(err, &large) {
			f.failure.Kind, f.failure.Message = string(tracker.TooLarge), err.Error()+": give more with --spool"
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ready[rel] = f
	return true
}

// mayRead returns an error if none of a few photos may be read. Otherwise each photo would fail by itself.
func (b *bucketPhotos) mayRead(todo []string) (err error) {
	for _, i := range []int{0, len(todo) / 2, len(todo) - 1} {
		var denied *bucket.DeniedError
		if _, err = b.bucket.ReadHead(todo[i], 1); !errors.As(err, &denied) {
			return nil
		}
		err = fmt.Errorf("the photos in %s can be listed and not be read: %w%s", b.name(), err, denied.Advice())
	}
	return err
}

func (b *bucketPhotos) err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ended
}

func (b *bucketPhotos) finish(rec *tracker.Record) {
	b.mu.Lock()
	f, fetched := b.ready[rec.Path]
	delete(b.ready, rec.Path)
	b.mu.Unlock()
	if !fetched {
		return
	}
	object := f.Object
	if f.failure == nil {
		f.Remove()
	} else {
		object, _ = b.bucket.Stat(rec.Path)
	}
	file := fileOfObject(object)
	if rec.File != nil {
		file.Hash, file.Head, file.Picture = rec.File.Hash, rec.File.Head, rec.File.Picture
	}
	rec.File = &file
}

func (b *bucketPhotos) close() {
	if b.fetcher != nil {
		_ = b.fetcher.Spool.Close()
	}
}
