package hub

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/gofrs/flock"
	"github.com/google/renameio/v2"
	"github.com/shirou/gopsutil/v3/disk"
)

// Progress hears how a download goes. Its methods are called one at a time.
type Progress interface {
	Begin(f File, have int64)                          // have: bytes that are there from an earlier attempt
	At(bytes int64)                                    // bytes that are there now
	Retry(path string, err error, pause time.Duration) // something went wrong; it goes on after the pause
	Wait(path string)                                  // another process is fetching this file
	End(path string, err error)                        // over
}

// Names beside a file that is being fetched.
const (
	partSuffix = ".part" // what has arrived
	noteSuffix = ".part.json"
	lockSuffix = ".lock"
	sumSuffix  = ".sha256" // of a complete file, as sha256sum writes it
)

// spare is left free on the disk.
const spare = 64 << 20

// note says what a part is a part of.
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

// Fetch brings a file of a repository to dst. Where dst exists it does
// nothing. What an earlier attempt left is gone on with. Two processes do not
// fetch the same file: one waits for the other.
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
		return nil // another process has brought it
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

// lock waits until no other process fetches the file.
func (c *Client) lock(ctx context.Context, lock *flock.Flock, path string, p Progress) error {
	for said := false; ; {
		ok, err := lock.TryLock()
		if err != nil {
			return fmt.Errorf("the download cannot be locked: %w", err)
		}
		if ok {
			// The one before may have removed the file that is locked here.
			mine, err1 := lock.Stat()
			there, err2 := os.Stat(lock.Path())
			if err1 == nil && err2 == nil && os.SameFile(mine, there) {
				return nil
			}
			lock.Unlock()
			continue
		}
		if !said {
			p.Wait(path)
			said = true
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// download is one file on its way.
type download struct {
	c    *Client
	repo string
	file File
	dst  string
	p    Progress

	part *os.File
	have int64
	sum  hash.Hash // of what is there
	most int64     // the farthest it has been
	bad  bool      // it was complete once and wrong
}

// step is how far a download must get so that its failures are forgotten.
const step = 64 << 10

func (d *download) reached() int64 {
	if d.file.Size < 0 {
		return d.most / step
	}
	return d.most / min(step, max(d.file.Size/16, 1))
}

// open opens the part, empty unless it is one of this very file, and looks
// whether the rest has room.
func (d *download) open() (err error) {
	want := d.file.note()
	var left note
	if b, e := os.ReadFile(d.dst + noteSuffix); e != nil || json.Unmarshal(b, &left) != nil || left != want || (left.SHA256 == "" && left.ETag == "") {
		os.Remove(d.dst + partSuffix)
	}
	if d.part, err = os.OpenFile(d.dst+partSuffix, os.O_RDWR|os.O_CREATE, 0o644); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			d.part.Close()
		}
	}()
	d.sum = sha256.New()
	if d.have, err = io.Copy(d.sum, d.part); err != nil {
		return err
	}
	if d.file.Size >= 0 && d.have > d.file.Size {
		if err := d.restart(); err != nil {
			return err
		}
	}
	d.most = d.have
	if err := d.room(); err != nil {
		return err
	}
	return d.writeNote()
}

func (d *download) writeNote() error {
	b, err := json.Marshal(d.file.note())
	if err != nil {
		return err
	}
	return renameio.WriteFile(d.dst+noteSuffix, b, 0o644)
}

// room checks that the rest of the file fits on the disk.
func (d *download) room() error {
	err := Room(filepath.Dir(d.dst), d.file.Size-d.have)
	if err != nil && d.have == 0 {
		os.Remove(d.dst + partSuffix)
	}
	return err
}

// Room checks that so many bytes more fit into a folder.
func Room(dir string, bytes int64) error {
	usage, err := disk.Usage(dir)
	if err != nil || bytes <= 0 {
		return nil // it will show
	}
	if need := uint64(bytes); usage.Free < need+min(spare, need) {
		return noRoom(dir, fmt.Sprintf("%s are needed and %s are free", humanize.Bytes(need), humanize.Bytes(usage.Free)))
	}
	return nil
}

func noRoom(dir, why string) error {
	return fmt.Errorf("there is no room in %q: %s\n  make room, or choose another folder with PHOTODESC_MODELS", dir, why)
}

// Left is how many bytes of a file an earlier attempt has left for dst.
func Left(dst string) int64 {
	info, err := os.Stat(dst + partSuffix)
	if err != nil {
		return 0
	}
	return info.Size()
}

func (d *download) restart() error {
	d.have = 0
	d.sum.Reset()
	if err := d.part.Truncate(0); err != nil {
		return err
	}
	_, err := d.part.Seek(0, io.SeekStart)
	return err
}

// attempt asks for what is missing and writes it as it comes.
func (d *download) attempt(ctx context.Context) error {
	if d.file.Size >= 0 && d.have == d.file.Size {
		return d.verify()
	}
	if d.bad && d.have == 0 {
		if err := d.askAgain(ctx); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var arrived atomic.Int64
	watched := make(chan struct{})
	go d.watch(ctx, cancel, &arrived, watched)
	defer func() { cancel(nil); <-watched }()

	header := http.Header{}
	if d.have > 0 {
		header.Set("Range", fmt.Sprintf("bytes=%d-", d.have))
		// A SHA-256 ties the part to the file whoever sends the rest; the tags
		// of the hosts that the hub redirects to are their own.
		if tag := d.file.etag; d.file.SHA256 == "" && strings.HasPrefix(tag, `"`) {
			header.Set("If-Range", tag)
		}
	}
	resp, err := d.c.follow(ctx, http.MethodGet, d.c.fileURL(d.repo, d.file.Path), header, nil)
	if err != nil {
		return stalled(ctx, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusRequestedRangeNotSatisfiable && d.have > 0 {
		if err := d.restart(); err != nil {
			return permanent(err)
		}
		return errors.New("the part that was there does not fit the file")
	}
	if err := d.c.status(resp, d.repo, d.file.Path); err != nil {
		return err
	}
	if err := d.agree(resp); err != nil {
		return err
	}
	if err := d.receive(resp, &arrived); err != nil {
		return stalled(ctx, err)
	}
	return d.verify()
}

// askAgain is for what arrived damaged: the file may have been replaced while
// it was on its way.
func (d *download) askAgain(ctx context.Context) error {
	f, err := d.c.Stat(ctx, d.repo, d.file.Path)
	if err != nil {
		return err
	}
	d.file = f
	return d.writeNote()
}

// agree makes sure that what comes goes on where the part ends.
func (d *download) agree(resp *http.Response) error {
	if d.have == 0 {
		return nil
	}
	if resp.StatusCode == http.StatusPartialContent {
		var from, to int64
		if n, _ := fmt.Sscanf(resp.Header.Get("Content-Range"), "bytes %d-%d/", &from, &to); n == 2 && from == d.have {
			return nil
		}
	}
	// The server does not know ranges, or the file is another now.
	if err := d.restart(); err != nil {
		return permanent(err)
	}
	if resp.StatusCode == http.StatusPartialContent {
		return errors.New("the server sent another part of the file")
	}
	return nil
}

// receive writes the body to the part.
func (d *download) receive(resp *http.Response, arrived *atomic.Int64) error {
	buf := make([]byte, 256<<10)
	for {
		n, err := resp.Body.Read(buf)
		if n > 0 {
			if d.file.Size >= 0 && d.have+int64(n) > d.file.Size {
				if e := d.restart(); e != nil {
					return permanent(e)
				}
				return fmt.Errorf("%s sent more than the %s that the file has", resp.Request.URL.Host, humanize.Bytes(uint64(d.file.Size)))
			}
			if _, e := d.part.Write(buf[:n]); e != nil {
				return permanent(d.unwritten(e))
			}
			d.sum.Write(buf[:n])
			d.have += int64(n)
			d.most = max(d.most, d.have)
			arrived.Add(int64(n))
			d.p.At(d.have)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			err = d.c.clean(resp.Request.URL, err)
			var net *networkError
			if errors.As(err, &net) {
				net.broke = true
			}
			return err
		}
	}
	if d.file.Size >= 0 && d.have < d.file.Size {
		return fmt.Errorf("%s ended the connection after %s of %s", resp.Request.URL.Host, humanize.Bytes(uint64(d.have)), humanize.Bytes(uint64(d.file.Size)))
	}
	return nil
}

// unwritten cuts the part back to what is known to be in it.
func (d *download) unwritten(err error) error {
	d.part.Truncate(d.have)
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return noRoom(filepath.Dir(d.dst), "the disk is full; what has arrived is kept")
	}
	return err
}

var errStalled = errors.New("next to nothing arrives")

// trickle is the number of bytes below which a stretch of time counts as
// nothing.
const trickle = 4 << 10

// watch ends the attempt when a whole stretch of time brings next to nothing.
func (d *download) watch(ctx context.Context, cancel context.CancelCauseFunc, arrived *atomic.Int64, done chan<- struct{}) {
	defer close(done)
	tick := time.NewTicker(d.c.Stall)
	defer tick.Stop()
	for before := int64(0); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			now := arrived.Load()
			if now-before < trickle {
				cancel(errStalled)
				return
			}
			before = now
		}
	}
}

// stalled gives the reason why watch ended an attempt.
func stalled(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), errStalled) {
		return errStalled
	}
	return err
}

// verify holds the complete part against what the hub said.
func (d *download) verify() error {
	if d.file.SHA256 == "" || d.hex() == d.file.SHA256 {
		return nil
	}
	if err := d.restart(); err != nil {
		return permanent(err)
	}
	err := fmt.Errorf("%s arrived damaged: its SHA-256 is not the one that %s states", d.file.Path, d.c.Host())
	if d.bad {
		return permanent(fmt.Errorf("%w, twice", err))
	}
	d.bad = true
	return err
}

func (d *download) hex() string { return hex.EncodeToString(d.sum.Sum(nil)) }

// finish gives the file its name, once it is safe on the disk.
func (d *download) finish() error {
	if err := errors.Join(d.part.Sync(), d.part.Close()); err != nil {
		return err
	}
	line := fmt.Sprintf("%s  %s\n", d.hex(), filepath.Base(d.dst))
	if err := renameio.WriteFile(d.dst+sumSuffix, []byte(line), 0o644); err != nil {
		return err
	}
	if err := os.Rename(d.dst+partSuffix, d.dst); err != nil {
		return err
	}
	os.Remove(d.dst + noteSuffix)
	return nil
}

// Intact reads a whole file and holds it against the SHA-256 noted when it was
// fetched. known is false where none was.
func Intact(ctx context.Context, path string) (intact, known bool, err error) {
	b, err := os.ReadFile(path + sumSuffix)
	if errors.Is(err, os.ErrNotExist) {
		return false, false, nil
	}
	want, _, _ := strings.Cut(string(b), " ")
	if err != nil || sha256Of(want) == "" {
		return false, false, err
	}
	f, err := os.Open(path)
	if err != nil {
		return false, true, err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, readerContext{ctx, f}); err != nil {
		return false, true, err
	}
	return hex.EncodeToString(sum.Sum(nil)) == want, true, nil
}

// readerContext is a reader that stops with its context.
type readerContext struct {
	ctx context.Context
	r   io.Reader
}

func (r readerContext) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.r.Read(b)
}
