package tracker

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"photodesc/internal/durable"
	"photodesc/internal/fsutil"
)

// GoneName is the list of the photos that a walk did not find any more. It is made anew by the next walk.
const GoneName = "gone.jsonl"

// goneVersion is the number of the list's form.
const goneVersion = 1

// goneHead is the first line of the list. The other lines are paths as JSON strings.
type goneHead struct {
	Version int      `json:"version"`
	Photos  int      `json:"photos"` // lines that follow
	Mounts  []string `json:"mounts"` // what was mounted below the photo folder in any walk, EncodePath'd
}

// Gone are the photos with results that the last walk did not find. An empty one has none.
type Gone struct {
	Known  bool     // there is a list
	Mounts []string // see storage.Absence; relative to the photo folder
	photos map[key]bool
	paths  []string
}

// Has is whether a photo is gone. It may be called concurrently.
func (g *Gone) Has(path string) bool { return g != nil && len(g.photos) > 0 && g.photos[keyOf(path)] }

// Paths are the photos that are gone. The caller does not change them.
func (g *Gone) Paths() []string {
	if g == nil {
		return nil
	}
	return g.paths
}

// Len is how many photos are gone.
func (g *Gone) Len() int {
	if g == nil {
		return 0
	}
	return len(g.photos)
}

// ReadGone reads the list of a workdir. One that is not there, or not whole, is empty: nothing is hidden that may be there.
func ReadGone(dir string) *Gone {
	g := &Gone{photos: map[key]bool{}}
	f, err := fsutil.OpenRegular(filepath.Join(dir, GoneName), os.O_RDONLY, 0)
	if err != nil {
		return g
	}
	defer f.Close()
	lines := lineReader{r: bufio.NewReaderSize(f, blockSize)}
	var head goneHead
	line, err := lines.next()
	if err != nil || json.Unmarshal(line, &head) != nil || head.Version != goneVersion {
		return &Gone{}
	}
	for range head.Photos {
		line, err := lines.next()
		var path string
		if err == nil {
			err = json.Unmarshal(line, &path)
		}
		if err == nil {
			path, err = DecodePath(path)
		}
		if err != nil {
			return &Gone{}
		}
		g.photos[keyOf(path)] = true
		g.paths = append(g.paths, path)
	}
	for _, m := range head.Mounts {
		if m, err := DecodePath(m); err == nil {
			g.Mounts = append(g.Mounts, m)
		}
	}
	g.Known = true
	return g
}

// GoneMark is another text whenever the list is another one; "" where there is none.
func GoneMark(dir string) string {
	info, err := os.Stat(filepath.Join(dir, GoneName))
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%d %d", info.Size(), info.ModTime().UnixNano())
}

// WriteGone replaces the list.
func WriteGone(dir string, paths, mounts []string) error {
	name := filepath.Join(dir, GoneName)
	head := goneHead{Version: goneVersion, Photos: len(paths), Mounts: []string{}}
	for _, m := range mounts {
		head.Mounts = append(head.Mounts, EncodePath(m))
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(head); err != nil {
		return err
	}
	slices.Sort(paths)
	for _, p := range paths {
		if err := enc.Encode(EncodePath(p)); err != nil {
			return err
		}
	}
	return durable.WriteFile(name, b.Bytes(), 0o644)
}

// ForgetGone takes the results of photos back that are gone, and leaves them out of the figures of those that are.
func (of Files) ForgetGone(paths []string) error {
	t := of.t
	t.mu.Lock()
	described, sharing, failed, retrying := 0, 0, 0, 0
	for _, path := range paths {
		k := keyOf(path)
		described += ones(t.done(k))
		sharing += ones(t.done(k) && t.photos[k]&shared != 0)
		_, is := t.failures[k]
		failed += ones(is)
		_, is = t.retrying[k]
		retrying += ones(is)
	}
	t.mu.Unlock()
	if err := of.Forget(paths); err != nil {
		return err
	}
	t.live.change(func(s *state) {
		s.GoneDone, s.GoneShared = max(0, s.GoneDone-described), max(0, s.GoneShared-sharing)
		s.Gone, s.GoneRetrying = max(0, s.Gone-failed), max(0, s.GoneRetrying-retrying)
	})
	return nil
}
