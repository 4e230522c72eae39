package vips

/*
#include "decode.h"
*/
import "C"

import "photodesc/internal/photo/pngchunk"

// decodePNG decodes a PNG in the colours that it signals. If its still picture is
// blank and it is an animation, the first frame that is not blank is decoded.
func decodePNG(in input, opts Options) (*Image, error) {
	hidden := readPNGExif(in.reader(), in.reader().Size())
	img, err := decodePNGPicture(in, hidden.orientation, opts)
	if err == nil {
		img.addExif(hidden.fields)
	}
	return img, err
}

func decodePNGPicture(in input, orientation int, opts Options) (*Image, error) {
	req := C.pd_request{orientation: C.int(orientation)}
	info, err := pngchunk.Read(in.reader())
	if err != nil { // libpng reports the damage
		return in.decode(req, opts)
	}
	if s, convert := info.Signal(); convert {
		opts.signal = &s
	}
	img, err := in.decode(req, opts)
	if err != nil || !info.Animated(opts.MaxBytes) || !blank(img) {
		return img, err
	}
	frame := info.FirstVisibleFrame(in.reader())
	if frame == nil {
		return img, nil
	}
	if shown, err := (input{in.file, frame}).decode(req, opts); err == nil {
		return shown, nil
	}
	return img, nil
}
