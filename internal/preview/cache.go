package preview

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/renameio/v2"
)

// Cache keeps previews as files below a folder. A file has the modification time of its
// photo, so that a preview of a photo that has changed is not used. Files are removed at
// random when there are too many bytes. All of them may be removed at any time.
// Its methods may be called concurrently, also by several processes.
type Cache struct {
	dir   string
	limit int64 // bytes

	mu       sync.Mutex
	bytes    int64
	pruning  bool
	measured chan struct{} // closed when the files of earlier programs are counted
}

// DefaultLimit is how many bytes of previews are kept unless told otherwise: about
// 200,000 thumbnails.
const DefaultLimit = 4 << 30

// OpenCache returns the cache in dir with at most limit bytes. An empty dir keeps nothing.
func OpenCache(dir string, limit int64) *Cache {
	c := &Cache{dir: dir, limit: limit, measured: make(chan struct{})}
	go func() {
		defer close(c.measured)
		if dir == "" {
			return
		}
		sum := int64(0)
		c.each(func(_ string, info fs.FileInfo) { sum += info.Size() })
		c.mu.Lock()
		c.bytes += sum
		c.mu.Unlock()
		c.prune()
	}()
	return c
}

// Key names the preview of the photo at an absolute path.
func Key(path string, size Size) string {
	sum := sha256.Sum256([]byte(path + "\x00" + string(rune(size.Longest)) + string(rune(size.Quality))))
	return hex.EncodeToString(sum[:16])
}

func (c *Cache) file(key string) string { return filepath.Join(c.dir, key[:2], key[2:]+".jpg") }

// Get returns the preview of a photo that was last modified at that time; a zero time
// accepts any. It returns nil if there is none.
func (c *Cache) Get(key string, modified time.Time) []byte {
	if c.dir == "" {
		return nil
	}
	info, err := os.Lstat(c.file(key))
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxBytes || !modified.IsZero() && !sameTime(info.ModTime(), modified) {
		return nil
	}
	b, err := os.ReadFile(c.file(key))
	if err != nil || !IsJPEG(b) { // cut off by a power cut or a full disk
		return nil
	}
	return b
}

// sameTime is whether the time of a file of the cache is that of a photo, as exactly as the cache's file system keeps
// times. Two photos of a series may be a fraction of a second apart and change names.
func sameTime(kept, modified time.Time) bool {
	for _, unit := range []time.Duration{1, 100, time.Microsecond, time.Millisecond, 10 * time.Millisecond, time.Second, 2 * time.Second} {
		if kept.Equal(modified.Truncate(unit)) {
			return true
		}
	}
	return false
}

// Put keeps a preview of a photo that was last modified at that time. An error, as of a full
// disk, costs only the time to make it again.
func (c *Cache) Put(key string, modified time.Time, jpeg []byte) error {
	if c.dir == "" || int64(len(jpeg)) > c.limit {
		return nil
	}
	name := c.file(key)
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	before := int64(0)
	if info, err := os.Lstat(name); err == nil {
		before = info.Size()
	}
	f, err := renameio.NewPendingFile(name, renameio.WithTempDir(filepath.Dir(name)), renameio.WithPermissions(0o600))
	if err != nil {
		return err
	}
	defer func() { _ = f.Cleanup() }()
	if _, err := f.Write(jpeg); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Chtimes(f.Name(), modified, modified); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), name); err != nil { // without fsync: Get notices a torn file
		return err
	}
	c.mu.Lock()
	c.bytes += int64(len(jpeg)) - before
	over := c.bytes > c.limit && !c.pruning
	c.mu.Unlock()
	if over {
		c.prune()
	}
	return nil
}

// each calls found with every file of the cache.
func (c *Cache) each(found func(name string, info fs.FileInfo)) {
	_ = filepath.WalkDir(c.dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil // what cannot be read is not counted
		}
		if info, err := d.Info(); err == nil {
			found(name, info)
		}
		return nil
	})
}

// prune removes files if there are too many bytes, so that at most nine tenths of the limit remain.
func (c *Cache) prune() {
	c.mu.Lock()
	if c.bytes <= c.limit || c.pruning {
		c.mu.Unlock()
		return
	}
	c.pruning = true
	left := c.limit / 10 * 9
	keep := float64(left) / float64(c.bytes) // which part of the files
	c.mu.Unlock()
	kept := int64(0)
	c.each(func(name string, info fs.FileInfo) {
		if rand.Float64() < keep && kept+info.Size() <= left {
			kept += info.Size()
		} else if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			kept += info.Size()
		}
	})
	c.mu.Lock()
	c.bytes, c.pruning = kept, false
	c.mu.Unlock()
}
