package vips

/*
#include "decode.h"
*/
import "C"

import (
	"unsafe"

	"photodesc/internal/photo"
	"photodesc/internal/photo/exif"
)

// takeExif returns the EXIF fields of a decoded photo and frees the data.
func takeExif(res *C.pd_result) (f photo.ExifFields) {
	if res.exif != nil {
		f = exif.Block(unsafe.Slice((*byte)(res.exif), int(res.exif_size)))
		C.g_free(C.gpointer(res.exif))
		res.exif = nil
	}
	return f
}

// addExif takes fields that the picture lacks from elsewhere in its file.
func (img *Image) addExif(f photo.ExifFields) { img.exif = img.exif.Or(f) }
