package vips

import (
	"path/filepath"
	"testing"

	"photodesc/internal/photo"
)

// A red circle at the top left of white, 512 × 384 and upright, in files of
// which libvips or libheif alone would show other pixels, or none.
func TestContainers(t *testing.T) {
	red, grey := rgb{220, 20, 20}, rgb{127, 127, 127}
	for _, c := range []struct {
		path   string
		format string
		inside rgb
		ground int // of white, at least
	}{
		// What libheif before 1.18 refuses.
		{"heic-ios18/ios18_auxl_two_refs.heic", photo.FormatHEIF, red, 253},
		{"heic-ios18/ios18_cdsc_unknown_ref.heic", photo.FormatHEIF, red, 253},
		{"heic-ios18/plain.heic", photo.FormatHEIF, red, 253},
		{"heic-ios18/iphone.heic", photo.FormatHEIF, red, 253},
		{"heic-ios18/tone_map_first.heic", photo.FormatHEIF, red, 253},
		{"heic-ios18/tone_map_main.heic", photo.FormatHEIF, red, 253},
		{"heic-ios18/wide_and_to_the_end.heic", photo.FormatHEIF, red, 253},
		{"heic-ios18/alpha_and_depth.heic", photo.FormatHEIF, red, 253},
		{"first-frame-blank/sequence.avif", photo.FormatAVIF, red, 250}, // a brand that libvips 8.14 does not know
		// Colours signalled by code points.
		{"hdr-transfer/pq.avif", photo.FormatAVIF, red, 250},
		{"hdr-transfer/pq12_bright.avif", photo.FormatAVIF, red, 240},
		{"hdr-transfer/hlg8.avif", photo.FormatAVIF, red, 250},
		{"hdr-transfer/hlg10.avif", photo.FormatAVIF, red, 250},
		{"hdr-transfer/p3.avif", photo.FormatAVIF, red, 253},
		{"hdr-transfer/linear.avif", photo.FormatAVIF, red, 253},
		{"hdr-transfer/pq8.heic", photo.FormatHEIF, red, 250},
		{"hdr-transfer/pq12.heic", photo.FormatHEIF, red, 250},
		{"hdr-transfer/hlg10.heic", photo.FormatHEIF, red, 250},
		{"hdr-transfer/pq_cicp.png", photo.FormatPNG, red, 253},
		{"hdr-transfer/gama10_grey_circle.png", photo.FormatPNG, grey, 253},
		// Animations whose first frame is blank.
		{"first-frame-blank/apng_default_hidden_blank.png", photo.FormatPNG, red, 253},
		{"first-frame-blank/fade.png", photo.FormatPNG, red, 253},
		{"first-frame-blank/clear.png", photo.FormatPNG, red, 253},
		{"first-frame-blank/gif_first_blank.gif", photo.FormatGIF, red, 253},
		{"first-frame-blank/clear.webp", photo.FormatWebP, red, 253},
		{"first-frame-blank/fade_lossy.webp", photo.FormatWebP, red, 250},
	} {
		for _, longest := range []int{0, 100} {
			img := decode(t, filepath.Join("testdata", c.path), Options{Longest: longest})
			inside, ground := at(img, 0.3, 0.35), at(img, 0.95, 0.05)
			if img.Format != c.format || img.OrigWidth != 512 || img.OrigHeight != 384 || !near(inside, c.inside, 6) ||
				!near(ground, rgb{255, 255, 255}, 255-c.ground) {
				t.Errorf("%s at %d: %s, %d × %d, inside %v, ground %v", c.path, longest, img.Format, img.OrigWidth, img.OrigHeight, inside, ground)
			}
		}
	}
}
