package vips

/*
#include "decode.h"
*/
import "C"

import (
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"unsafe"

	"photodesc/internal/photo"
	"photodesc/internal/photo/heif"
)

// patchFirst says that this libheif or libvips has refused a file and taken it patched:
// further files are patched before they are tried.
var patchFirst atomic.Bool

// unknownMain is how libheif words that it takes the main item for no picture.
const unknownMain = "'pitm' box references a non-existing image"

// decodeHEIF decodes a HEIF or AVIF in the colours that it signals. Old libraries
// are not shown what they would refuse.
func decodeHEIF(in input, opts Options) (*Image, error) {
	f, err := heif.Read(in.reader(), in.reader().Size())
	if err != nil {
		img, decodeErr := in.decode(noRequest, opts)
		if decodeErr != nil && errors.Is(err, heif.ErrSequence) {
			return nil, photo.Errorf(photo.Unsupported, in.file.path, "%w, which is not read: save one as JPEG", err)
		}
		return img, decodeErr // libheif says why it is damaged
	}
	// An ICC profile counts for more than code points, except in HDR: profiles
	// for it take the brightest that can be encoded for white.
	if cicp, ok := f.CICP(); ok && (cicp.HDR() || !f.HasProfile()) {
		if s := cicp.Signal(); !s.SRGB() {
			opts.signal = &s
		}
	}
	img, err := in.tryPatched(f.Patch(), opts)
	if kind := f.UncommonType(); kind != "" && err != nil && strings.Contains(err.Error(), unknownMain) {
		return nil, photo.Errorf(photo.Unsupported, in.file.path, "this libheif does not read the kind of picture in it, %q: save it as JPEG", kind)
	}
	return img, err
}

// tryPatched decodes a file as it is or, if that fails or is known to, patched. A nil
// patch changes nothing.
func (in input) tryPatched(p *heif.Patch, opts Options) (*Image, error) {
	if p == nil || !patchFirst.Load() {
		img, err := in.decode(noRequest, opts)
		if p == nil || photo.KindOf(err) != photo.Unreadable && !errors.Is(err, errNoLoader) {
			return img, err
		}
	}
	// If this fails, too, it says more: what it complains of is no reference.
	img, err := in.decodePatched(p, opts)
	if err == nil {
		patchFirst.Store(true)
	}
	return img, err
}

func (in input) decodePatched(p *heif.Patch, opts Options) (*Image, error) {
	var req C.pd_request
	for i, r := range p.Replace {
		req.replace[i].at = C.int64_t(r.At)
		for j, b := range r.Bytes {
			req.replace[i].bytes[j] = C.uchar(b)
		}
	}
	req.replacements = C.int(len(p.Replace))
	if len(p.Append) > 0 {
		var pin runtime.Pinner
		defer pin.Unpin()
		pin.Pin(&p.Append[0])
		req.append, req.append_size = unsafe.Pointer(&p.Append[0]), C.size_t(len(p.Append))
	}
	return in.decode(req, opts)
}
