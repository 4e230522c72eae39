package main

import (
	"os"
	"time"

	"photodesc/internal/fsutil"
	"photodesc/internal/preview"
	"photodesc/tracker"
)

// runThumbnails keeps the thumbnails that workers make of photos they have decoded anyway, where photodesc browse looks for
// them. It has a goroutine of its own, because the disk with the cache folder may be slow or hang; thumbnails that it does
// not keep up with are dropped, and browse makes them. nil keeps none.
type runThumbnails struct {
	root  string
	cache *preview.Cache
	queue chan keptThumbnail
	done  chan struct{}
}

type keptThumbnail struct {
	key      string
	modified time.Time
	jpeg     []byte
}

// thumbnailQueue is how many thumbnails wait to be written, at most.
const thumbnailQueue = 256

// thumbnailPatience is how long the end of a run waits for the last ones.
const thumbnailPatience = 3 * time.Second

// startThumbnails returns nil on a machine on which this person has never used photodesc browse.
func startThumbnails(root string) *runThumbnails {
	folder, err := fsutil.CacheDir("previews")
	if err != nil {
		return nil
	}
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return nil
	}
	t := &runThumbnails{fsutil.Resolve(root), preview.OpenCache(folder, preview.DefaultLimit), make(chan keptThumbnail, thumbnailQueue), make(chan struct{})}
	go func() {
		defer close(t.done)
		for k := range t.queue {
			_ = t.cache.Put(k.key, k.modified, k.jpeg)
		}
	}()
	return t
}

// add keeps the thumbnail of a photo, if the worker has made one.
func (t *runThumbnails) add(rec *tracker.Record, jpeg []byte) {
	if t == nil || rec.File == nil || !preview.IsJPEG(jpeg) {
		return
	}
	select {
	case t.queue <- keptThumbnail{preview.Key(fsutil.Join(t.root, rec.Path), preview.Thumbnail), rec.File.ModTime, jpeg}:
	default:
	}
}

// end waits for the last thumbnails, but not for a disk that hangs.
func (t *runThumbnails) end() {
	if t == nil {
		return
	}
	close(t.queue)
	select {
	case <-t.done:
	case <-time.After(thumbnailPatience):
	}
}
