package xmp

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"photodesc/internal/photo"
)

// Names says where a new sidecar of IMG.jpg goes.
type Names string

// The names.
const (
	FullName Names = "full" // IMG.jpg.xmp: darktable, digiKam, Immich, PhotoPrism
	StemName Names = "stem" // IMG.xmp, where no other photo would share it: Lightroom
)

// endings are how the names of sidecars end. Only the first is written.
var endings = []string{".xmp", ".XMP"}

// finder tells which sidecar belongs to a photo.
type finder struct {
	names Names
	now   func() time.Time

	mu   sync.Mutex
	dir  string // whose names are known
	read time.Time
	same map[string][]string // names of photos and films by stem, in lower case
}

// namesLast is how long the names of a folder are taken for those that it has.
const namesLast = 30 * time.Second

// find returns the sidecar of a photo, and whether there is one. An existing IMG.jpg.xmp
// comes before an IMG.xmp, which must not be another photo's.
func (f *finder) find(path string) (sidecar string, exists bool, err error) {
	for _, end := range endings {
		if there, err := isThere(path + end); there || err != nil {
			return path + end, true, err
		}
	}
	stem := strings.TrimSuffix(path, filepath.Ext(path))
	if filepath.Base(stem) == "" || strings.HasSuffix(stem, "/") {
		stem = path // the name is an ending alone, ".jpg"
	}
	for _, end := range endings {
		there, err := isThere(stem + end)
		if err != nil {
			return "", false, err
		}
		if !there || stem == path {
			continue
		}
		if belongs, err := f.belongs(path, stem, stem+end); belongs || err != nil {
			return stem + end, true, err
		}
	}
	if f.names == StemName {
		if owns, err := f.owns(path, stem); err != nil {
			return "", false, err
		} else if there, _ := isThere(stem + endings[0]); owns && !there {
			return stem + endings[0], false, nil
		}
	}
	return path + endings[0], false, nil
}

// isThere does not follow links.
func isThere(path string) (bool, error) {
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// belongs is whether a sidecar with the photo's stem is this photo's. Lightroom says so in
// it; else no other photo or film may have the stem.
func (f *finder) belongs(path, stem, sidecar string) (bool, error) {
	if data, err := readSidecar(sidecar); err == nil {
		if d, err := scan(data.bytes); err == nil {
			if of := d.texts(sidecarFor); len(of) > 0 {
				return strings.EqualFold("."+of[0], filepath.Ext(path)), nil
			}
		}
	}
	others, err := f.others(path, stem)
	return len(others) == 0, err
}

// owns is whether a new sidecar may have the stem alone: of a RAW and a JPEG it is the RAW's.
func (f *finder) owns(path, stem string) (bool, error) {
	others, err := f.others(path, stem)
	if err != nil || len(others) == 0 {
		return err == nil, err
	}
	return photo.IsRaw(path) && !slices.ContainsFunc(others, photo.IsRaw), nil
}

// films may lie beside photos under the same name.
var films = []string{".mov", ".mp4", ".m4v", ".avi", ".mts", ".m2ts", ".3gp", ".mpg", ".mpeg", ".mkv", ".webm", ".wmv"}

// others are the other photos and films with the stem.
func (f *finder) others(path, stem string) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	dir := filepath.Dir(path)
	if dir != f.dir || f.now().Sub(f.read) > namesLast {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, err
		}
		f.dir, f.read, f.same = dir, f.now(), map[string][]string{}
		for _, e := range entries {
			name := e.Name()
			end := filepath.Ext(name)
			if photo.IsPhoto(name) || photo.IsRaw(name) || slices.Contains(films, strings.ToLower(end)) {
				key := strings.ToLower(strings.TrimSuffix(name, end))
				f.same[key] = append(f.same[key], name)
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(f.same[strings.ToLower(filepath.Base(stem))]),
		func(name string) bool { return name == filepath.Base(path) }), nil
}

// candidates are the names that a sidecar of the photo may have.
func candidates(path string) (all []string) {
	for _, base := range []string{path, strings.TrimSuffix(path, filepath.Ext(path))} {
		for _, end := range endings {
			if !slices.Contains(all, base+end) {
				all = append(all, base+end)
			}
		}
	}
	return all
}
