package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"image/jpeg"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"sync"

	"photodesc/internal/export"
	"photodesc/internal/export/gallery"
	"photodesc/internal/fsutil"
	"photodesc/internal/photo"
	"photodesc/internal/preview"
	"photodesc/internal/ui"
	"photodesc/tracker"
)

// htmlExport is a gallery that is being written.
type htmlExport struct {
	*exporter
	root    string // photo folder, without links
	folder  string // of the gallery; "" for one page
	ledger  *export.Ledger
	gallery *gallery.Gallery
	maker   *preview.Maker
	cache   *preview.Cache // of browse, which may have them; nil where there is no place for one

	mu      sync.Mutex
	used    map[string]bool // the files of pictures
	done    int
	missing int    // photos without a picture
	example string // of them
}

// picturesName is the folder of the pictures in that of a gallery.
const picturesName = "pictures"

// pictures makes the pictures of a page's photos, several at a time.
func (h *htmlExport) pictures(page int, show *exportProgress) ([]gallery.Picture, error) {
	first, end := h.gallery.OnPage(page)
	pictures := make([]gallery.Picture, end-first)
	ctx, cancel := context.WithCancelCause(h.ctx)
	defer cancel(nil)
	next := make(chan int)
	var all sync.WaitGroup
	for range runtime.NumCPU() {
		all.Go(func() {
			for i := range next {
				p, err := h.gallery.Photos.Photo(i)
				if err == nil {
					pictures[i-first], err = h.picture(ctx, string(p.Path))
				}
				if err != nil {
					cancel(err)
				}
				h.mu.Lock()
				h.done++
				show.say(fmt.Sprintf("making pictures: %s of %s", ui.Comma(h.done), ui.Comma(h.gallery.Photos.Len())))
				h.mu.Unlock()
			}
		})
	}
	for i := first; i < end && ctx.Err() == nil; i++ {
		next <- i
	}
	close(next)
	all.Wait()
	return pictures, context.Cause(ctx)
}

// picture is how a page shows a photo. An error is none of the photo's.
func (h *htmlExport) picture(ctx context.Context, path string) (p gallery.Picture, err error) {
	info, err := os.Stat(fsutil.Join(h.root, path))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return h.none(path, errors.New("it is not there any more")), nil
	case err != nil:
		return h.none(path, photo.Reason(err)), nil
	}
	small, source, err := h.file(ctx, path, info, preview.Thumbnail)
	var bad *preview.PhotoError
	switch {
	case errors.As(err, &bad):
		return h.none(path, bad), nil
	case err != nil:
		return p, err
	}
	p.Source = source
	if h.folder == "" {
		p.Source = "data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(small)
	}
	if c, err := jpeg.DecodeConfig(bytes.NewReader(small)); err == nil {
		p.Width, p.Height = c.Width, c.Height
	}
	if h.flags.large {
		if _, p.Large, err = h.file(ctx, path, info, largeSize); errors.As(err, &bad) {
			p.Large, err = "", nil
		}
	}
	return p, err
}

func (h *htmlExport) none(path string, reason error) gallery.Picture {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.missing++; h.missing == 1 {
		h.example = fmt.Sprintf("%s: %v", tracker.EncodePath(path), reason)
	}
	return gallery.Picture{Missing: reason.Error()}
}

// file makes a picture and writes it into the folder of the gallery, unless it is there. The name tells of which photo it is, as
// it is now, so that a picture that is there is the right one.
func (h *htmlExport) file(ctx context.Context, path string, info fs.FileInfo, size preview.Size) (picture []byte, address string, err error) {
	full := fsutil.Join(h.root, path)
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d %d %d %d", path, info.ModTime().UnixNano(), info.Size(), size.Longest, size.Quality))
	name := hex.EncodeToString(sum[:16]) + ".jpg"
	address = picturesName + "/" + name[:2] + "/" + name[2:]
	file := ""
	if h.folder != "" {
		file = filepath.Join(h.folder, filepath.FromSlash(address))
		h.mu.Lock()
		h.used[address] = true
		h.mu.Unlock()
		if b, err := fsutil.ReadSmall(file, 1<<26); err == nil && preview.IsJPEG(b) {
			return b, address, nil
		}
	}
	if h.cache != nil && size == preview.Thumbnail {
		picture = h.cache.Get(preview.Key(full, size), info.ModTime())
	}
	if picture == nil {
		if picture, err = h.maker.Make(ctx, path, size); err != nil {
			return nil, "", err
		}
	}
	if file == "" {
		return picture, "", nil
	}
	return picture, address, writePicture(file, picture)
}

// writePicture writes a file whole. It is not synced: a torn one is noticed and made again.
func writePicture(file string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return err
	}
	part := file + ".part"
	if err := os.WriteFile(part, b, 0o644); err != nil {
		_ = os.Remove(part)
		return err
	}
	return os.Rename(part, file)
}

// pictureFile are the names of pictures below their folder.
var pictureFile = regexp.MustCompile(`^[0-9a-f]{30}\.jpg(\.part)?$`)

// removePictures removes pictures that no page shows any more.
func (h *htmlExport) removePictures() error {
	root := filepath.Join(h.folder, picturesName)
	folders, err := os.ReadDir(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, f := range folders {
		files, err := os.ReadDir(filepath.Join(root, f.Name()))
		if err != nil || len(f.Name()) != 2 {
			continue // it is none of ours
		}
		for _, file := range files {
			if pictureFile.MatchString(file.Name()) && !h.used[picturesName+"/"+f.Name()+"/"+file.Name()] {
				if err := os.Remove(filepath.Join(root, f.Name(), file.Name())); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
