package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"

	"photodesc/internal/fsutil"
	"photodesc/internal/photo/identity"
	"photodesc/internal/ui"
	"photodesc/internal/wording"
	"photodesc/tracker"
)

// This file recognises photos, and whole photo folders, that were moved or renamed.

type movedTo struct {
	path string
	file *tracker.PhotoFile
}

// freshPhoto is a photo of which nothing is known under its path.
type freshPhoto struct {
	rel    string
	listed bool
}

// candidate is a fresh photo that may be one that went.
type candidate struct {
	freshPhoto
	head string             // "": it is none
	file *tracker.PhotoFile // hashes as far as they were needed

	moved bool // a photo that went was found for it
}

// leavers are photos that went, of the same size and with the same ends.
type leavers struct {
	paths  []string
	byName map[string][]string // paths by the last element
}

// findMoved finds among fresh photos those whose content was described under a path that is gone, and returns the others.
func (s *scanner) findMoved(ctx context.Context, fresh []freshPhoto, out *living) (others []freshPhoto, err error) {
	count, unseen := s.track.Files().Unseen()
	if count == 0 || len(fresh) == 0 {
		return fresh, nil
	}
	// What is to be described with other settings is described under its new path.
	gone, err := s.filesOf(func(rel string) bool { return unseen(rel) && s.track.Done(rel) })
	if err != nil {
		return nil, err
	}
	sizes, byHead := map[int64]bool{}, map[string]*leavers{}
	for _, path := range slices.Sorted(maps.Keys(gone)) {
		f := gone[path]
		if f.Head == "" {
			continue
		}
		sizes[f.Size] = true
		group := byHead[f.Head]
		if group == nil {
			group = &leavers{byName: map[string][]string{}}
			byHead[f.Head] = group
		}
		group.paths = append(group.paths, path)
		group.byName[filepath.Base(path)] = append(group.byName[filepath.Base(path)], path)
	}
	all := make([]candidate, len(fresh))
	var compared atomic.Int64
	if err := inParallel(ctx, fresh, func(i int, p freshPhoto) {
		all[i] = candidate{freshPhoto: p}
		all[i].read(ctx, s.source, sizes, byHead, gone)
		if n := compared.Add(1); n%1000 == 0 {
			s.news(fmt.Sprintf("%s of %s compared with those that are gone", ui.Comma(int(n)), wording.Count(len(fresh), "new photo")))
		}
	}); err != nil {
		return nil, err
	}
	// Photos that keep their names choose first: among some that are alike, these are more likely the same.
	for _, byName := range []bool{true, false} {
		for i := range all {
			c := &all[i]
			group := byHead[c.head]
			if c.head == "" || group == nil {
				continue
			}
			old := group.take(filepath.Base(c.rel), byName, func(old string) bool {
				_, taken := out.moved[old]
				return taken
			}, func(old string) bool {
				return c.is(gone[old]) && (s.absence.Missing(old) || s.source.sameFile(old, c.rel))
			})
			if old == "" {
				continue
			}
			was, file := gone[old], *c.file
			file.Hash, file.Head, file.Picture = cmp.Or(file.Hash, was.Hash), was.Head, cmp.Or(file.Picture, was.Picture)
			out.moved[old] = movedTo{c.rel, &file}
			c.head, c.moved = "", true
		}
	}
	for _, c := range all {
		if !c.moved {
			others = append(others, c.freshPhoto)
		}
	}
	return others, nil
}

// take returns a photo that was not taken and fits, "" if there is none; byName: only one with that name.
func (l *leavers) take(name string, byName bool, taken, fits func(path string) bool) string {
	list := l.byName[name]
	if !byName {
		for len(l.paths) > 0 && taken(l.paths[0]) {
			l.paths = l.paths[1:]
		}
		list = l.paths
	}
	for _, path := range list {
		if !taken(path) && fits(path) {
			return path
		}
	}
	return ""
}

// read reads as much of a fresh file as is needed to tell which photo that went it is. The whole is read only where its ends and time
// do not tell enough. A file that cannot be read is none of them.
func (c *candidate) read(ctx context.Context, source photoSource, sizes map[int64]bool, byHead map[string]*leavers, gone map[string]*tracker.PhotoFile) {
	info, err := source.stat(c.rel)
	if err != nil || !sizes[info.Size] {
		return
	}
	path, done, err := source.open(ctx, c.rel)
	if err != nil {
		return
	}
	defer done()
	local, head, tells, err := headOf(path)
	if err != nil || byHead[head] == nil {
		return
	}
	info.Size, info.ModTime = local.Size, local.ModTime
	c.file = &info
	c.file.Head = head
	sameTime := slices.ContainsFunc(byHead[head].paths, func(old string) bool { return gone[old].ModTime.Equal(info.ModTime) })
	if !identity.HeadIsWhole(info.Size) && !(tells && sameTime) {
		if c.file, err = readWhole(path); err != nil || c.file.Head != head {
			return
		}
	}
	c.head = head
}

// is reports whether the candidate has the content of a photo that went and has the same ends.
func (c *candidate) is(was *tracker.PhotoFile) bool {
	if c.file.Hash == "" && c.file.Picture == "" { // the ends tell
		return identity.HeadIsWhole(c.file.Size) || c.file.ModTime.Equal(was.ModTime)
	}
	return sameContent(c.file, was)
}

// sameFile is whether there is at a path what now has another path: where upper and lower case are the same, an old spelling still finds
// a file.
func sameFile(path, now string) bool {
	old, err := os.Lstat(path)
	if err != nil {
		return false
	}
	there, err := os.Lstat(now)
	return err == nil && os.SameFile(old, there)
}

// samePhotos is whether described photos lie below a folder as they were described: at least half of a sample, and of those that
// are there nearly all.
func samePhotos(root string) func([]tracker.Record) bool {
	return func(sample []tracker.Record) bool {
		heads := make([]string, len(sample))
		_ = inParallel(context.Background(), sample, func(i int, r tracker.Record) {
			_, heads[i], _, _ = headOf(fsutil.Join(root, r.Path))
		})
		same, other := 0, 0
		for i, r := range sample {
			switch heads[i] {
			case "":
			case r.File.Head:
				same++
			default:
				other++
			}
		}
		return same > 0 && 2*same >= len(sample) && 10*other <= same
	}
}
