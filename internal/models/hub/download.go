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

// This file is one download: the part on disk, the requests that make it grow,
// and the check at the end.

// step is how far a download must get so that its failures are forgotten.
const step = 64 << 10

var errStalled = errors.New("next to nothing arrives")

// trickle is the number of bytes below which a stretch of time counts as
// nothing.
const trickle = 4 << 10

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
