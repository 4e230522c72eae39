package tiff

import "errors"

// The longest edges, in pixels, up to which a picture may be a thumbnail of a
// larger one without saying so. The small ones of cameras may have another shape
// than the photo, with bars at the edges.
const (
	largestThumbnail = 512
	cameraThumbnail  = 256
)

// ErrCut is returned when a file's main picture is not in it.
var ErrCut = errors.New("its main picture is missing, and no more than a thumbnail is left")

// Main returns the main picture: the first that is neither reduced nor a mask.
// Of a page's SubIFDs it is the largest. A small picture is taken for the
// thumbnail of a far larger one. What the main picture leaves to its
// thumbnail's directory, its orientation, is filled in. The error is ErrCut.
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
	if main == nil { // nothing but reduced pictures: the largest
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
		if d := &f.Directories[i]; found.Orient == 0 && d.leadsTo(&found) {
			found.Orient = d.Orient
		}
	}
	return found, nil
}

// After returns up to n pages after that of the main picture: those that Main
// could have returned if there were no others.
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

// isThumbnailOf reports whether d, which does not say that it is a thumbnail, is
// so small beside a picture that it is one.
func (d *Directory) isThumbnailOf(large *Directory) bool {
	const times, tolerance = 3, 0.04
	if max(d.Width, d.Height) > largestThumbnail || d.Subfile&subfilePage != 0 ||
		large.Width < times*d.Width || large.Height < times*d.Height {
		return false
	}
	ratio := float64(d.Width) * float64(large.Height) / (float64(d.Height) * float64(large.Width))
	return max(d.Width, d.Height) <= cameraThumbnail || ratio > 1-tolerance && ratio < 1+tolerance
}

// leadsTo reports whether d is the directory of a smaller version of main: the
// page whose SubIFD main is, or a first page that is its thumbnail.
func (d *Directory) leadsTo(main *Directory) bool {
	if main.SubIFD >= 0 {
		return d.SubIFD < 0 && d.Page == main.Page
	}
	return d.Page == 0 && d.SubIFD < 0 && main.Page > 0 && (d.Thumbnail || d.isThumbnailOf(main))
}
