// A TIFF picture on its way from numbers to colours: see tiff_samples.c and
// tiff_colours.c.
#ifndef PHOTODESC_VIPS_TIFF_SAMPLES_H
#define PHOTODESC_VIPS_TIFF_SAMPLES_H

#include "tiff.h"

// Most samples that count: CMYK and alpha.
#define PD_MAX_USED 5

// A picture that is being decoded sample by sample.
typedef struct {
	const pd_request *req;
	pd_result *res;
	TIFF *tif;
	int width, height;
	int bits, format, compression;
	int samples; // in a pixel
	int planar;
	int photometric;

	int used;               // how many samples count
	int which[PD_MAX_USED];    // their places: the colours, then alpha
	int colours, has_alpha;

	int tiled;
	int chunk_width, chunk_height; // of a strip or tile, in pixels
	tmsize_t row_bytes, chunk_bytes;
	uint8_t *chunk[PD_MAX_USED]; // one, or one a sample in use when planar
	double *row[PD_MAX_USED];    // numbers, chunk_width of each

	pd_range range;
	uint16_t *map[3]; // of a palette
	int map_max;

	// Of the first pass: some of the numbers.
	double *some;
	int some_count, step_x;
	double max_alpha;

	VipsImage *image;
} pd_samples;

// Each writes the n pixels whose numbers are in r->row to the image, from x, y on:
// grey, RGB and palettes; CMYK; Lab.
void pd_write_rgb(pd_samples *r, int x, int y, int n);
void pd_write_cmyk(pd_samples *r, int x, int y, int n);
void pd_write_lab(pd_samples *r, int x, int y, int n);

#endif
