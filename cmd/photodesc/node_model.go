package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/gofrs/flock"

	"photodesc/internal/cluster"
	"photodesc/internal/durable"
	"photodesc/internal/fsutil"
	"photodesc/internal/models"
	"photodesc/internal/models/hub"
	"photodesc/internal/ui"
)

var fingerprintForm = regexp.MustCompile(`^[0-9a-f]{32}$`)

// findModel finds the files of the run's model on this machine, or fetches them from the run.
func (n *nodeRun) findModel(ctx context.Context, m cluster.Model) (models.Files, error) {
	if !fingerprintForm.MatchString(m.Fingerprint) || m.Sizes[0] <= 0 || m.Sizes[1] <= 0 {
		return models.Files{}, errors.New("what the run says of its model cannot be read")
	}
	if w, err := models.Find(m.Name, ""); err == nil {
		if files, found, err := n.ownModel(ctx, w, m); found || err != nil {
			return files, err
		}
	}
	dir, err := fsutil.CacheDir("node")
	if err != nil {
		dir = os.TempDir()
	}
	dir = filepath.Join(dir, "models", m.Fingerprint)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return models.Files{}, err
	}
	lock := flock.New(filepath.Join(dir, "lock"))
	if _, err := lock.TryLockContext(ctx, 100*time.Millisecond); err != nil && !durable.NoLocks(err) {
		return models.Files{}, err
	}
	defer lock.Unlock()
	files := models.Files{Name: m.Name, Text: filepath.Join(dir, "text.gguf"), Vision: filepath.Join(dir, "vision.gguf")}
	for i, path := range []string{files.Text, files.Vision} {
		if info, err := os.Stat(path); err == nil && info.Size() == m.Sizes[i] {
			continue
		}
		if err := n.fetchModelFile(ctx, i, path, m.Sizes[i]); err != nil {
			return models.Files{}, fmt.Errorf("the model cannot be fetched from the run: %w", err)
		}
	}
	if sum, err := files.Fingerprint(); err != nil || sum != m.Fingerprint {
		for _, path := range []string{files.Text, files.Vision} {
			_ = os.Remove(path)
		}
		return models.Files{}, errors.Join(errors.New("the model that was fetched is not the run's: start the node again"), err)
	}
	_, err = models.Check(files, n.base.set.Memory)
	return files, err
}

// ownModel is the model of the same name on this machine, or that of the hub if it may be fetched from there. It is not found if its files
// are others than the run's.
func (n *nodeRun) ownModel(ctx context.Context, w models.Wanted, m cluster.Model) (files models.Files, found bool, err error) {
	opt := models.Options{Memory: n.base.set.Memory, Progress: ui.NewFetching(n.show, n.log.Info)}
	where := "The model of this name on this machine"
	if !w.Here() {
		if !n.options.hub {
			return files, false, nil
		}
		where = "The model of this name on the hub"
		if w.Files, err = w.Get(ctx, opt); err != nil {
			if ctx.Err() != nil {
				return files, false, ctx.Err()
			}
			n.log.Warn("The model is fetched from the run: " + ui.OneLine(err.Error()))
			return files, false, nil
		}
	}
	if sum, err := w.Fingerprint(); err == nil && sum == m.Fingerprint {
		files, err = w.Get(ctx, opt)
		return files, err == nil, err
	}
	if m.Name == "builtin" { // of the same version it is the same, and it is not checked
		return files, false, errors.New("the run's built-in model is not that of this program")
	}
	n.log.Info(where + " has other files than the run's")
	return files, false, nil
}

// fetchModelFile fetches a file, and goes on where an earlier try has ended.
func (n *nodeRun) fetchModelFile(ctx context.Context, file int, path string, size int64) error {
	part := path + ".part"
	f, err := os.OpenFile(part, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	at, err := f.Seek(0, 2)
	if err != nil {
		return err
	}
	if at > size {
		if at, err = 0, f.Truncate(0); err != nil {
			return err
		}
		_, _ = f.Seek(0, 0)
	}
	if err := hub.CheckSpace(filepath.Dir(path), size-at); err != nil {
		return err
	}
	n.log.Info(fmt.Sprintf("Fetching the model from the run: file %d of 2, %s", file+1, humanize.Bytes(uint64(size-at))))
	if err := n.link.ReadModel(ctx, file, at, size, func(b []byte) error {
		_, err := f.Write(b)
		at += int64(len(b))
		n.show.Wait(fmt.Sprintf("fetching the model: %s of %s", humanize.Bytes(uint64(at)), humanize.Bytes(uint64(size))))
		return err
	}); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return os.Rename(part, path)
}
