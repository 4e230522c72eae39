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

// decodeJPEG has libvips decode a JPEG's bytes; orientation is as for
// decodeBytes. A picture that decodes and is damaged is an error.
//
// Most photos give no warning and have no zeros in their data: they are decoded
// once. What others give is heard by decoding them once more.
func decodeJPEG(path string, data []byte, orientation int, opts Options) (*Image, error) {
	scan := damage.ScanJPEG(data)
	if scan.LineEnds {
		return nil, damaged(path, damage.ErrLineEnds)
	}
	req := C.pd_request{orientation: C.int(orientation), fail_on: C.PD_FAIL_ON_WARNING}
	img, err := withData(path, data, req, opts)
	if err == nil && !scan.Suspicious() || photo.KindOf(err) == photo.TooLarge {
		return img, err
	}
	warnings, begun, ok := jpegWarnings(data, opts)
	if !begun { // a kind that is not read
		req.fail_on = C.PD_FAIL_ON_TRUNCATED
		return withData(path, data, req, opts)
	}
	if err := scan.Judge(warnings); err != nil && !scan.Whole {
		return nil, photo.Errorf(photo.Unreadable, path, "it is damaged or cut short: %w", err)
	} else if err != nil {
		return nil, damaged(path, err)
	}
	if err == nil {
		return img, nil
	}
	req.fail_on = C.PD_FAIL_ON_TRUNCATED
	if ok && scan.Complete(warnings) {
		req.fail_on = C.PD_FAIL_ON_NOTHING // it lacks nothing but the end mark
	}
	return withData(path, data, req, opts)
}

// jpegNotRead is how libjpeg words what a whole JPEG may be: lossless, or of 12 bits.
var jpegNotRead = regexp.MustCompile(`Unsupported (JPEG (process|data precision)|color conversion)|not implemented`)

func damaged(path string, err error) error {
	return photo.Errorf(photo.Unreadable, path, "it is damaged: %w", err)
}

// jpegWarnings decodes a JPEG to hear the decoder's warnings; ok is false if it
// came to no end, begun if it did not get beyond the header: that kind is
// not read, or would take more memory than is allowed.
func jpegWarnings(data []byte, opts Options) (warnings []damage.Warning, begun, ok bool) {
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
