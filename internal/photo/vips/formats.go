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

// Support says whether a format can be decoded here.
type Support string

// The values of Support.
const (
	Yes     Support = "yes"
	Blocked Support = "blocked" // libvips could, but its loader is not trusted
	Missing Support = "missing" // this libvips was built or installed without it
)

// Format is one line of Formats.
type Format struct {
	Name    string // as photo.Sniff gives it
	By      string // what decodes it
	Support Support
}

// loaders are libvips' nicknames of what reads each format.
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

// Formats lists what photos can be decoded here, after Startup. For HEIF and
// AVIF it knows of the container only: whether the codec inside is installed
// shows when one is decoded.
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
