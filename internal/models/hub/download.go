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

	"photodesc/internal/durable"
)

// step is the progress in bytes after which earlier failures of a download no longer
// count.
const step = 64 << 10

var errStalled = errors.New("the connection is stalled")

// trickle is the number of bytes in Client.Stall below which a connection is stalled.
const trickle = 4 << 10

// download is the download of one file. It grows a part file, whose digest is
// compared when it is complete.
type download struct {
	c    *Client
	repo string
	file File
	dst  string
	p    Progress

	part *os.File
	have int64     // bytes in the part
	sum  hash.Hash // of the part
	most int64     // the largest that have has been
	bad  bool      // it was complete once, with a wrong digest
}

func (d *download) reached() int64 {
	if d.file.Size < 0 {
		return d.most / step
	}
	return d.most / min(step, max(d.file.Size/16, 1))
}

// open opens the part, which is emptied unless it is of the same file, and checks that
// the disk has space for the rest.
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
	if err := d.checkSpace(); err != nil {
		return err
	}
	return d.writeNote()
}

func (d *download) writeNote() error {
	b, err := json.Marshal(d.file.note())
	if err != nil {
		return err
	}
	return durable.WriteFile(d.dst+noteSuffix, b, 0o644)
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

// attempt requests the missing bytes and writes them to the part.
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
		// A SHA-256 is enough to tell whether part and rest belong together. ETags of
		// the hosts that the hub redirects to are not those of the hub.
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
		return errors.New("the part from an earlier attempt does not fit the file")
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

// askAgain asks for the file's digest again after damage: the file may have been
// replaced during the download.
func (d *download) askAgain(ctx context.Context) error {
	f, err := d.c.Stat(ctx, d.repo, d.file.Path)
	if err != nil {
		return err
	}
	d.file = f
	return d.writeNote()
}

// agree checks that the answer continues the part, else it empties the part.
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
	// The server does not support ranges, or the file has changed.
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
				return permanent(d.writeFailed(e))
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

// writeFailed truncates the part to what was written.
func (d *download) writeFailed(err error) error {
	d.part.Truncate(d.have)
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return noSpace(filepath.Dir(d.dst), "the disk is full; what has arrived is kept")
	}
	return err
}

// watch cancels the attempt if the connection stalls.
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

// stalled returns errStalled instead of err if watch has cancelled the attempt.
func stalled(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), errStalled) {
		return errStalled
	}
	return err
}

// verify compares the complete part with the digest that the hub stated.
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

// finish syncs the part and renames it to the file.
func (d *download) finish() error {
	if err := durable.Sync(d.part); err != nil && !durable.Unsupported(err) {
		return errors.Join(err, d.part.Close())
	}
	if err := d.part.Close(); err != nil {
		return err
	}
	line := fmt.Sprintf("%s  %s\n", d.hex(), filepath.Base(d.dst))
	if err := durable.WriteFile(d.dst+sumSuffix, []byte(line), 0o644); err != nil {
		return err
	}
	if err := os.Rename(d.dst+partSuffix, d.dst); err != nil {
		return err
	}
	os.Remove(d.dst + noteSuffix)
	return nil
}
