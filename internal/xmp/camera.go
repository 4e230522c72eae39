package xmp

import (
	"regexp"
	"slices"
	"strings"
)

// cameraTexts are what cameras and phones write into every photo's ImageDescription. They
// are nobody's description, and Immich shows them instead of one.
var cameraTexts = []string{
	"olympus digital camera", "olympus camera", "konica minolta digital camera", "minolta digital camera",
	"kodak digital still camera", "samsung", "samsung digital camera", "samsung camera pictures", "sony dsc", "dsc", "dcim",
	"dcf 1.0", "digital camera", "digital still camera", "default", "image", "jpeg", "exif_jpeg_picture", "exif jpeg picture",
	"my beautiful picture", "nikon digital camera", "canon digital camera", "pentax digital camera", "casio computer",
	"hp photosmart", "benq digital camera", "ricoh", "lg", "hdr", "mde", "screenshot", "untitled", "photo", "picture",
}

// phoneModes are what phones of Huawei put together: the modes in which a photo was taken.
var phoneModes = regexp.MustCompile(`^_?(?:cof|dav|ptr|hdr|hdrpl|rhdr|sdr|mde|rbt|edf|ozedf|ozor|oznor|nor|bty|btf|fbt|fbtplor|mth|vnm|yiy|cuva|soft|[ _])+$`)

// OfCamera is whether a description was written by a camera.
func OfCamera(text string) bool {
	text = strings.ToLower(strings.Join(strings.Fields(text), " "))
	return text == "" || slices.Contains(cameraTexts, text) || phoneModes.MatchString(text) ||
		strings.HasPrefix(text, "<kenox") || strings.HasPrefix(text, "<samsung") || strings.HasPrefix(text, "<digimax") // "<KENOX S760  / Samsung S760>"
}
