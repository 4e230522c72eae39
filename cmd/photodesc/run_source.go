package main

import (
	"context"
	"iter"
	"os"
	"slices"
	"time"

	"photodesc/internal/bucket"
	"photodesc/internal/fsutil"
	"photodesc/internal/photo"
	"photodesc/internal/storage"
	"photodesc/pool"
	"photodesc/tracker"
)

// absence tells which photos are gone, see storage.Absence.
type absence interface {
	Certain() bool
	Missing(rel string) bool
	Gone(rel string) bool
}

// photoSource is where the photos of a run lie: a folder or a bucket. Paths are relative to it.
type photoSource interface {
	// name is the absolute path of the folder, or the address of the bucket.
	name() string
	// whyEmpty asks what may be wrong where no photo is left.
	whyEmpty() string
	// prepare is called once, before all that follows, when the workdir is locked; in a dry run, it is not.
	prepare(ctx context.Context, r *runner) error
	walk(ctx context.Context, opts photo.WalkOptions, found func(rel string) error) error
	mountPoints() storage.MountPoints
	// moved is tracker.Options.RootMoved.
	moved() func([]tracker.Record) bool

	// stat says what a photo's file is without reading it.
	stat(rel string) (tracker.PhotoFile, error)
	// changed is Picker.Changed.
	changed() func(rel string) time.Time
	// open returns the path of a file with the photo's content, and what to call when it was read.
	open(ctx context.Context, rel string) (path string, done func(), err error)
	// exists is whether anything is at a path, and sameFile whether one file is at two.
	exists(rel string) bool
	sameFile(rel, now string) bool
	// absence is that of storage.NewAbsence.
	absence(mounted storage.MountPoints, before, unread []string) absence

	// workerRoot is the folder that workers may read.
	workerRoot() string
	// attach says how the pool reaches the photos that are to be described.
	attach(c *pool.Config, r *runner, todo []string)
	// jobs yields photos that workers can read. It ends early when ctx ends or, for a reason that err returns, no photo can be read.
	jobs(ctx context.Context, todo []string) iter.Seq[string]
	err() error
	// finish is called with the record of each photo before it is written. An error ends the run without that.
	finish(rec *tracker.Record) error

	close()
}

// openSource finds out where the photos lie.
func openSource(r *runner, dir string) (err error) {
	if fsutil.IsBucket(dir) {
		r.source, err = openBucket(r, dir)
	} else if r.root, err = photoFolder(dir); err == nil {
		r.source = folderPhotos(r.root)
	}
	if err == nil {
		r.root = r.source.name()
	}
	return err
}

// photoPlace is the absolute path of a photo folder, which is there, or the address of a bucket.
func photoPlace(dir string) (string, error) {
	if fsutil.IsBucket(dir) {
		return bucket.Canonical(dir)
	}
	return photoFolder(dir)
}

// folderPhotos are the photos below a folder, by its absolute path.
type folderPhotos string

func (f folderPhotos) name() string                           { return string(f) }
func (f folderPhotos) path(rel string) string                 { return fsutil.Join(string(f), rel) }
func (f folderPhotos) prepare(context.Context, *runner) error { return nil }
func (f folderPhotos) whyEmpty() string                       { return "is its disk mounted?" }
func (f folderPhotos) mountPoints() storage.MountPoints       { return storage.NewMountPoints(string(f)) }
func (f folderPhotos) moved() func([]tracker.Record) bool     { return samePhotos(string(f)) }
func (f folderPhotos) workerRoot() string                     { return string(f) }
func (f folderPhotos) err() error                             { return nil }
func (f folderPhotos) finish(*tracker.Record) error           { return nil }
func (f folderPhotos) close()                                 {}

func (f folderPhotos) walk(ctx context.Context, opts photo.WalkOptions, found func(string) error) error {
	return photo.Walk(ctx, string(f), opts, found)
}

func (f folderPhotos) stat(rel string) (tracker.PhotoFile, error) { return statFile(f.path(rel)) }

func (f folderPhotos) changed() func(string) time.Time { return nil }

func (f folderPhotos) open(_ context.Context, rel string) (string, func(), error) {
	return f.path(rel), func() {}, nil
}

func (f folderPhotos) exists(rel string) bool {
	_, err := os.Lstat(f.path(rel))
	return err == nil
}

func (f folderPhotos) sameFile(rel, now string) bool { return sameFile(f.path(rel), f.path(now)) }

func (f folderPhotos) absence(mounted storage.MountPoints, before, unread []string) absence {
	return storage.NewAbsence(string(f), mounted, before, unread)
}

func (f folderPhotos) attach(c *pool.Config, r *runner, todo []string) {
	c.KnownReadable = r.found.knownReadable
	c.ProbeStorage = probeStorage(r, todo)
}

func (f folderPhotos) jobs(_ context.Context, todo []string) iter.Seq[string] {
	return slices.Values(todo)
}
