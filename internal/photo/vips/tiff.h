// TIFF pictures whose samples libvips' loader would take for others, decoded by
// libtiff. See tiff.c.
#ifndef PHOTODESC_VIPS_TIFF_H
#define PHOTODESC_VIPS_TIFF_H

#include "decode.h"

#include <tiffio.h>

// Opens the directory that the request names. NULL: with an error in libvips' buffer.
TIFF *pd_tiff_open(const pd_request *req, pd_result *res);

// Both make an image in memory of the picture, with its profile: RGB, grey or
// CMYK of 8 bits, RGB or grey of 16, or LABS; without alpha, which is laid over
// white. NULL: with an error in libvips' buffer, or with a status in res.
VipsImage *pd_tiff_rgba(const pd_request *req, pd_result *res);
VipsImage *pd_tiff_samples(const pd_request *req, pd_result *res);

// Makes an image to be written to, after checking it against the request's
// limits. extra is what decoding takes beside it, in bytes.
VipsImage *pd_tiff_image(const pd_request *req, pd_result *res, TIFF *tif,
	int bands, VipsBandFormat format, VipsInterpretation type, int64_t extra);

// What the numbers of a picture's samples mean: value v is (v - black) / (white -
// black) of the way from black to white.
typedef struct {
	double black, white;
	double opaque; // the alpha that hides all
	int linear;    // in light rather than as seen
} pd_range;

// The numbers a sample can hold.
typedef struct {
	int is_float;
	double min, max; // of whole numbers
} pd_kind;

// Finds the range from some of the picture's values, which it sorts; there must be
// room for one. max_alpha is the largest alpha among them. Unless may_stretch,
// white is one that programs use: a profile or inks say what the values mean.
pd_range pd_find_range(pd_kind kind, double *values, int n, double max_alpha, int may_stretch);

#endif
