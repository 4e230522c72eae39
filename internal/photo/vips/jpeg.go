package vips

/*
#cgo pkg-config: libjpeg
#include "decode.h"
#include "jpegcheck.h"
*/
import "C"

import (
	"regexp"
	"runtime"
	"unsafe"

	"photodesc/internal/photo"
	"photodesc/internal/photo/damage"
)

// decodeJPEG decodes a JPEG's bytes with libvips; orientation is as for
// decodeBytes. It returns an error for a picture that decodes but is damaged.
//
// Most photos give no warning and have no zeros in their data. They are decoded
// once. Others are decoded a second time to learn the decoder's warnings.
func decodeJPEG(path string, data []byte, orientation int, opts Options) (*Image, error) {
	scan := damage.ScanJPEG(data)
	if scan.LineEndsChanged {
		return nil, damaged(path, damage.ErrLineEnds)
	}
	req := C.pd_request{orientation: C.int(orientation), fail_on: C.PD_FAIL_ON_WARNING}
	img, err := withData(path, data, req, opts)
	if err == nil && !scan.Suspicious() || photo.KindOf(err) == photo.TooLarge {
		return img, err
	}
	warnings, begun, complete := jpegWarnings(data, opts)
	if !begun { // a kind that libjpeg does not decode
		req.fail_on = C.PD_FAIL_ON_TRUNCATED
		return withData(path, data, req, opts)
	}
	if err := scan.CheckWarnings(warnings); err != nil && !scan.HasEnd {
		return nil, photo.Errorf(photo.Unreadable, path, "it is damaged or cut short: %w", err)
	} else if err != nil {
		return nil, damaged(path, err)
	}
	if err == nil {
		return img, nil
	}
	req.fail_on = C.PD_FAIL_ON_TRUNCATED
	if complete && scan.LacksOnlyEnd(warnings) {
		req.fail_on = C.PD_FAIL_ON_NOTHING
	}
	return withData(path, data, req, opts)
}

// jpegNotRead matches libjpeg's messages about intact JPEGs of a kind that it does
// not decode, such as lossless ones and those of 12 bits.
var jpegNotRead = regexp.MustCompile(`Unsupported (JPEG (process|data precision)|color conversion)|not implemented`)

func damaged(path string, err error) error {
	return photo.Errorf(photo.Unreadable, path, "it is damaged: %w", err)
}

// jpegWarnings decodes a JPEG and returns the decoder's warnings. begun is false if
// decoding did not get beyond the header, because libjpeg does not decode this kind
// or would take more memory than is allowed. complete is false if it was given up.
func jpegWarnings(data []byte, opts Options) (warnings []damage.Warning, begun, complete bool) {
	list := make([]C.pd_jpeg_warning, 1000)
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(&list[0])
	pin.Pin(&data[0])
	result := C.pd_jpeg_warnings{list: &list[0], most: C.int(len(list)), max_bytes: C.int64_t(opts.MaxBytes - int64(len(data)))}
	C.pd_jpeg_check(unsafe.Pointer(&data[0]), C.size_t(len(data)), &result)
	for _, w := range list[:result.count] {
		warnings = append(warnings, damage.Warning{
			Kind: kindOf(w.kind), Text: C.GoString(&w.text[0]),
			At: int64(w.at), Skipped: int64(w.skipped), LastRow: w.last_row != 0,
		})
	}
	return warnings, result.begun != 0, result.gave_up == 0
}

func kindOf(kind C.int) damage.WarningKind {
	switch kind {
	case C.PD_JPEG_SKIPPED:
		return damage.Skipped
	case C.PD_JPEG_CORRUPTED:
		return damage.Corrupted
	case C.PD_JPEG_ENDED:
		return damage.Ended
	}
	return damage.Harmless
}
