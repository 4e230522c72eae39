// Package runs remembers which workdirs this user has had runs in on this machine, so that a command in another folder can
// name them. A small file for each workdir lies in the user's cache folder. They may be removed at no loss: a workdir
// says itself whether a run is working in it.
package runs

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"photodesc/internal/fsutil"

	"github.com/google/renameio/v2"
)

// keepFor is how long a workdir is remembered after its last run began.
const keepFor = 400 * 24 * time.Hour

// most is how many workdirs are remembered.
const most = 1000

// mostBytes is the largest file that is read; two paths fit many times.
const mostBytes = 64 << 10

// Entry is the last run of one workdir. Paths are absolute, without symbolic links where these could be resolved.
type Entry struct {
	Workdir string    `json:"workdir"`
	Root    string    `json:"root"` // the photo folder
	Host    string    `json:"host"`
	Started time.Time `json:"started"`
}

// Folder is where entries are kept. An error means that the user has no cache folder.
func Folder() (string, error) { return fsutil.CacheDir("runs") }

// Add remembers a run that begins in workdir with the photos of root. An error costs nothing but this memory.
func Add(workdir, root string, started time.Time) error {
	folder, err := Folder()
	if err != nil {
		return err
	}
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	e := Entry{Workdir: fsutil.Resolve(workdir), Root: fsutil.Resolve(root), Host: host, Started: started.UTC().Truncate(time.Second)}
	b, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	return renameio.WriteFile(filepath.Join(folder, e.fileName()), append(b, '\n'), 0o600)
}

// fileName differs for each machine: a home folder may be shared.
func (e Entry) fileName() string {
	sum := sha256.Sum256([]byte(e.Host + "\x00" + e.Workdir))
	return hex.EncodeToString(sum[:12]) + ".json"
}

// List returns the workdirs of this machine, the newest run first. Damaged files are passed over. Entries that are too old
// are removed, and those beyond the 1,000 newest.
func List(now time.Time) ([]Entry, error) {
	folder, err := Folder()
	if err != nil {
		return nil, err
	}
	files, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the list of runs cannot be read: %w", err)
	}
	host, _ := os.Hostname()
	var all []Entry
	for _, f := range files {
		if e, ok := read(filepath.Join(folder, f.Name())); ok && e.Host == host && e.fileName() == f.Name() {
			all = append(all, e)
		}
	}
	slices.SortFunc(all, func(a, b Entry) int {
		if c := b.Started.Compare(a.Started); c != 0 {
			return c
		}
		return strings.Compare(a.Workdir, b.Workdir)
	})
	for i, e := range all {
		if i >= most || now.Sub(e.Started) > keepFor {
			for _, old := range all[i:] {
				_ = os.Remove(filepath.Join(folder, old.fileName()))
			}
			return all[:i], nil
		}
	}
	return all, nil
}

func read(name string) (e Entry, ok bool) {
	b, err := fsutil.ReadSmall(name, mostBytes)
	if err != nil || json.Unmarshal(b, &e) != nil {
		return e, false
	}
	return e, filepath.IsAbs(e.Workdir) && (filepath.IsAbs(e.Root) || fsutil.IsBucket(e.Root))
}

// Overlap returns those entries of other workdirs whose photo folder is root, lies in it or holds it.
func Overlap(entries []Entry, workdir, root string) (found []Entry) {
	workdir, root = fsutil.Resolve(workdir), fsutil.Resolve(root)
	for _, e := range entries {
		if e.Workdir != workdir && (fsutil.Below(e.Root, root) || fsutil.Below(root, e.Root)) {
			found = append(found, e)
		}
	}
	return found
}
