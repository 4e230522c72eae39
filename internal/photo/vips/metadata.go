package vips

/*
#include "decode.h"
*/
import "C"

import (
	"strings"

	"photodesc/internal/photo"
)

// metadataOf returns the EXIF fields of a decoded photo. libvips formats a value as
// "48/1 51/1 2952/100 (48, 51, 29.52, Rational, 3 components, 24 bytes)".
func metadataOf(res *C.pd_result) photo.Metadata {
	field := func(i int) string {
		value, _, _ := strings.Cut(C.GoString(&res.exif[i][0]), " (")
		return value
	}
	return photo.ParseExif(photo.ExifFields{
		Original: field(C.PD_EXIF_ORIGINAL), Digitized: field(C.PD_EXIF_DIGITIZED), Changed: field(C.PD_EXIF_CHANGED),
		Latitude: field(C.PD_EXIF_LATITUDE), LatitudeRef: field(C.PD_EXIF_LATITUDE_REF),
		Longitude: field(C.PD_EXIF_LONGITUDE), LongitudeRef: field(C.PD_EXIF_LONGITUDE_REF),
	})
}
