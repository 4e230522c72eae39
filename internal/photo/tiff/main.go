package tiff

import "errors"

// The longest edges, in pixels, up to which a picture that is not marked as reduced
// may be a thumbnail of a larger one. The small ones of cameras may have another
// aspect ratio than the photo, with bars at the edges.
const (
	largestThumbnail = 512
	cameraThumbnail  = 256
)

// ErrCut means that the file was cut before its main picture.
var ErrCut = errors.New("its main picture is missing, and no more than a thumbnail is left")

// Main returns the main picture: the first one that is neither reduced nor a mask,
// and of a page's SubIFDs the largest one. A small picture counts as the thumbnail of
// a far larger one. If the main picture has no orientation, it gets that of its
// thumbnail. The error is ErrCut.
func (f File) Main() (Directory, error) {
	var main *Directory
	for i := range f.Directories {
		d := &f.Directories[i]
		if !d.mayBeMain() {
			continue
		}
		if main == nil || main.isThumbnailOf(d) ||
			main.SubIFD >= 0 && d.SubIFD >= 0 && main.Page == d.Page && d.pixels() > main.pixels() {
			main = d
		}
	}
	if main == nil { // there are only reduced pictures; take the largest
		if f.Cut {
			return Directory{}, ErrCut
		}
		main = &f.Directories[0]
		for i := range f.Directories {
			if d := &f.Directories[i]; !d.NoPicture && d.pixels() > main.pixels() {
				main = d
			}
		}
	}
	found := *main
	for i := range f.Directories {
		if d := &f.Directories[i]; found.Orient == 0 && d.isPreviewOf(&found) {
			found.Orient = d.Orient
		}
	}
	return found, nil
}

// After returns up to n pages after that of the main picture that could be a main
// picture themselves.
func (f File) After(main Directory, n int) []Directory {
	var list []Directory
	for _, d := range f.Directories {
		if d.Page > main.Page && d.SubIFD < 0 && d.mayBeMain() && len(list) < n {
			list = append(list, d)
		}
	}
	return list
}

func (d *Directory) mayBeMain() bool {
	return !d.Thumbnail && !d.NoPicture && d.Width > 0 && d.Height > 0
}

func (d *Directory) pixels() float64 { return float64(d.Width) * float64(d.Height) }

// isThumbnailOf reports whether d, which is not marked as reduced, is so small
// compared with another picture that it is a thumbnail of it.
func (d *Directory) isThumbnailOf(large *Directory) bool {
	const times, tolerance = 3, 0.04
	if max(d.Width, d.Height) > largestThumbnail || d.Subfile&subfilePage != 0 ||
		large.Width < times*d.Width || large.Height < times*d.Height {
		return false
	}
	ratio := float64(d.Width) * float64(large.Height) / (float64(d.Height) * float64(large.Width))
	return max(d.Width, d.Height) <= cameraThumbnail || ratio > 1-tolerance && ratio < 1+tolerance
}

// isPreviewOf reports whether d is a smaller version of main: the page of which main
// is a SubIFD, or a first page that is its thumbnail.
func (d *Directory) isPreviewOf(main *Directory) bool {
	if main.SubIFD >= 0 {
		return d.SubIFD < 0 && d.Page == main.Page
	}
	return d.Page == 0 && d.SubIFD < 0 && main.Page > 0 && (d.Thumbnail || d.isThumbnailOf(main))
}
