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

// patchFirst is set when a file was refused and accepted after patching. From then
// on, files are patched before they are tried.
var patchFirst atomic.Bool

// unknownMain is libheif's message if it does not treat the main item as a picture.
const unknownMain = "'pitm' box references a non-existing image"

// decodeHEIF decodes a HEIF or AVIF in the colours that it signals. It patches a
// file that old libraries refuse.
func decodeHEIF(in input, opts Options) (*Image, error) {
	f, err := heif.Read(in.reader(), in.reader().Size())
	if err != nil {
		img, decodeErr := in.decode(noRequest, opts)
		if decodeErr != nil && errors.Is(err, heif.ErrSequence) {
			return nil, photo.Errorf(photo.Unsupported, in.file.path, "%w, which is not read: save one as JPEG", err)
		}
		return img, decodeErr // libheif reports the damage
	}
	// An ICC profile takes precedence over code points, except in HDR, where profiles
	// map the largest possible light to white.
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

// tryPatched decodes a file as it is. If that fails, or patchFirst is set, it
// decodes it with the patch. A nil patch changes nothing.
func (in input) tryPatched(p *heif.Patch, opts Options) (*Image, error) {
	if p == nil || !patchFirst.Load() {
		img, err := in.decode(noRequest, opts)
		if p == nil || photo.KindOf(err) != photo.Unreadable && !errors.Is(err, errNoLoader) {
			return img, err
		}
	}
	// If this fails, too, its error is better, since it is not about references.
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
