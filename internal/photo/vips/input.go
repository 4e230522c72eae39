package vips

/*
#include "decode.h"
*/
import "C"

import (
	"bytes"
	"io"
	"runtime"
	"unsafe"

	"photodesc/internal/photo/colour"
)

// input is the bytes of a photo: data or, if that is nil, the file.
type input struct {
	file *file
	data []byte
}

func (in input) reader() *io.SectionReader {
	if in.data != nil {
		return io.NewSectionReader(bytes.NewReader(in.data), 0, int64(len(in.data)))
	}
	return io.NewSectionReader(in.file, 0, in.file.size)
}

// with calls f with the request for these bytes, which are pinned until f returns.
func (in input) with(req C.pd_request, f func(*C.pd_request)) {
	if in.data == nil {
		req.fd, req.size = C.int(in.file.Fd()), C.size_t(in.file.size)
		f(&req)
		return
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(&in.data[0])
	req.fd, req.data, req.size = -1, unsafe.Pointer(&in.data[0]), C.size_t(len(in.data))
	f(&req)
}

// decode decodes the bytes with libvips.
func (in input) decode(req C.pd_request, opts Options) (img *Image, err error) {
	in.with(req, func(req *C.pd_request) { img, err = call(in.file.path, req, opts) })
	return img, err
}

// toSRGB converts samples that libvips has not converted. If signal is nil, it uses
// the code points of the ICC profile.
func toSRGB(res *C.pd_result, signal *colour.Signal) []byte {
	if signal == nil {
		s := colour.CICP{Primaries: uint8(res.primaries), Transfer: uint8(res.transfer)}.Signal()
		signal = &s
	}
	in := colour.Samples{Width: int(res.width), Height: int(res.height), Bands: int(res.bands), White: int(res.white)}
	if n := in.Width * in.Height * in.Bands; res.sample_bytes == 2 {
		in.Words = unsafe.Slice((*uint16)(res.pixels), n)
	} else {
		in.Bytes = unsafe.Slice((*byte)(res.pixels), n)
	}
	return signal.ToSRGB(in)
}
