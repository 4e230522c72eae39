package vips

/*
#include <stdlib.h>
#include "startup.h"
*/
import "C"

import (
	"unsafe"

	"photodesc/internal/photo"
)

// Support is whether this installation can decode a format.
type Support string

// The values of Support.
const (
	Yes     Support = "yes"
	Blocked Support = "blocked" // libvips has a loader, but it is not trusted
	Missing Support = "missing" // this libvips has no loader for it
)

// Format is an entry of Formats.
type Format struct {
	Name    string // as photo.Sniff gives it
	By      string // what decodes it
	Support Support
}

// loaders are libvips' names of the loaders of each format.
var loaders = []struct{ format, loader string }{
	{photo.FormatJPEG, "jpegload_source"},
	{photo.FormatPNG, "pngload_source"},
	{photo.FormatWebP, "webpload_source"},
	{photo.FormatGIF, "gifload_source"},
	{photo.FormatTIFF, "tiffload_source"},
	{photo.FormatHEIF, "heifload_source"},
	{photo.FormatAVIF, "heifload_source"},
	{photo.FormatJXL, "jxlload_source"},
	{photo.FormatJP2, "jp2kload_source"},
}

// Formats returns the formats and whether they can be decoded. Startup must have
// been called. For HEIF and AVIF it checks the container only: whether the codec is
// installed shows when a file is decoded.
func Formats() []Format {
	var list []Format
	for _, l := range loaders {
		list = append(list, Format{l.format, "libvips " + l.loader, canLoad(l.loader)})
	}
	return append(list,
		Format{photo.FormatBMP, "photodesc", Yes},
		Format{photo.FormatRAW, "the preview inside", canLoad("jpegload_source")})
}

func canLoad(loader string) Support {
	name := C.CString(loader)
	defer C.free(unsafe.Pointer(name))
	switch C.pd_can_load(name) {
	case C.PD_LOAD_YES:
		return Yes
	case C.PD_LOAD_BLOCKED:
		return Blocked
	}
	return Missing
}

// loaderOf returns libvips' loader of a format, or "".
func loaderOf(format string) string {
	for _, l := range loaders {
		if l.format == format {
			return l.loader
		}
	}
	return ""
}
