package hub

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"photodesc/internal/durable"
)

// Progress is told about downloads. Its methods are called one at a time.
type Progress interface {
	Begin(f File, have int64)                          // have: bytes from an earlier attempt
	At(bytes int64)                                    // bytes so far
	Retry(path string, err error, pause time.Duration) // an attempt failed; the next begins after the pause
	Wait(path string)                                  // another process is fetching the file
	End(path string, err error)                        // it is complete, or has failed for good
}

// Suffixes of the files beside one that is being fetched.
const (
	partSuffix = ".part" // what has arrived
	noteSuffix = ".part.json"
	lockSuffix = ".lock"
	sumSuffix  = ".sha256" // of a complete file, as sha256sum writes it
)

// note is the content of the JSON file that says which file a part belongs to.
type note struct {
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256,omitempty"`
	ETag   string `json:"etag,omitempty"`
}

func (f File) note() note {
	n := note{Size: f.Size, SHA256: f.SHA256}
	if f.SHA256 == "" {
		n.ETag = f.etag
	}
	return n
}

// Fetch fetches a file of a repository to the path dst, unless dst exists. It resumes
// what an earlier attempt left. If another process is fetching the file, it waits.
// The errors say what to do.
func (c *Client) Fetch(ctx context.Context, repo, path, dst string, p Progress) (err error) {
	if err := os.MkdirAll(filepath.Dir(dst), 0o755); err != nil {
		return err
	}
	lock := flock.New(dst+lockSuffix, flock.SetPermissions(0o644))
	defer func() {
		if lock.Locked() {
			os.Remove(lock.Path())
		}
		lock.Close()
	}()
	if err := c.lock(ctx, lock, path, p); err != nil {
		return err
	}
	if _, err := os.Stat(dst); err == nil {
		return nil // another process has fetched it
	}
	f, err := c.Stat(ctx, repo, path)
	if err != nil {
		return err
	}
	d := &download{c: c, repo: repo, file: f, dst: dst, p: p}
	if err := d.open(); err != nil {
		return err
	}
	defer d.part.Close()
	p.Begin(f, d.have)
	defer func() { p.End(path, err) }()
	_, err = retry(ctx, c, path, p, func() (struct{}, error) { return struct{}{}, d.attempt(ctx) }, d.reached)
	if err != nil {
		return err
	}
	return d.finish()
}

// lock waits until no other process is fetching the file.
func (c *Client) lock(ctx context.Context, lock *flock.Flock, path string, p Progress) error {
	for told := false; ; {
		ok, err := lock.TryLock()
		if durable.NoLocks(err) {
			return fmt.Errorf("the download cannot be locked: %w\n  the file system of %q has no file locks: keep models on a local disk, which PHOTODESC_MODELS names",
				err, filepath.Dir(lock.Path()))
		}
		if err != nil {
			return fmt.Errorf("the download cannot be locked: %w", err)
		}
		if ok {
			// The last holder may have removed the file that is locked here.
			mine, err1 := lock.Stat()
			there, err2 := os.Stat(lock.Path())
			if err1 == nil && err2 == nil && os.SameFile(mine, there) {
				return nil
			}
			lock.Unlock()
			continue
		}
		if !told {
			p.Wait(path)
			told = true
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// Partial returns the bytes of dst that an unfinished download has left.
func Partial(dst string) int64 {
	info, err := os.Stat(dst + partSuffix)
	if err != nil {
		return 0
	}
	return info.Size()
}
