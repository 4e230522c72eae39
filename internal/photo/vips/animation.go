package vips

/*
#include "decode.h"
*/
import "C"

import "photodesc/internal/photo/pngchunk"

// noRequest is the request for a file's picture without special treatment.
var noRequest C.pd_request

// maxPages is how many frames of an animation that begins blank are examined.
const maxPages = 64

// maxPagePixels is how many pixels these frames may have together, which takes
// about two seconds. It is a variable for the tests.
var maxPagePixels int64 = 128 << 20

// decodeAnimation decodes a file that may be an animation: its first frame or,
// if that is blank, the first later one that shows something.
func decodeAnimation(in input, opts Options) (*Image, error) {
	img, err := in.decode(noRequest, opts)
	if err != nil || img.pages < 2 || !blank(img) {
		return img, err
	}
	pages := min(img.pages-1, maxPages)
	var page C.int
	in.with(noRequest, func(req *C.pd_request) {
		gate.RLock()
		defer gate.RUnlock()
		page = C.pd_visible_page(req, C.int(pages), C.int64_t(maxPagePixels), pngchunk.Blank, pngchunk.Clear)
	})
	if page == 0 {
		return img, nil
	}
	if shown, err := in.decode(C.pd_request{page: page}, opts); err == nil {
		return shown, nil
	}
	return img, nil
}

// blank reports whether a picture has only one colour, apart from the noise that a
// lossy codec adds.
func blank(img *Image) bool {
	low, high := [3]byte{255, 255, 255}, [3]byte{}
	for i := 0; i+2 < len(img.Pix); i += 3 {
		for c := range 3 {
			low[c], high[c] = min(low[c], img.Pix[i+c]), max(high[c], img.Pix[i+c])
			if high[c]-low[c] > pngchunk.Blank {
				return false
			}
		}
	}
	return true
}
