// Decoding a JPEG only to hear what the decoder has to say. See jpegcheck.c.
#ifndef PHOTODESC_VIPS_JPEGCHECK_H
#define PHOTODESC_VIPS_JPEGCHECK_H

#include <stddef.h>
#include <stdint.h>

enum { PD_JPEG_HARMLESS, PD_JPEG_SKIPPED, PD_JPEG_CORRUPTED, PD_JPEG_ENDED };

typedef struct {
	int kind;        // PD_JPEG_…
	int last_row;    // it concerns the last row of blocks only
	int64_t at;      // how far the decoder had read, in bytes
	int64_t skipped; // bytes passed over before that
	char text[80];   // libjpeg's own words
} pd_jpeg_warning;

typedef struct {
	pd_jpeg_warning *list; // room for most
	int most, count;
	int64_t max_bytes; // of memory for the coefficients, which files of several scans need
	int begun;   // the header is that of a picture that can be decoded
	int gave_up; // libjpeg met an error, or needs more memory, and read no further
} pd_jpeg_warnings;

// Decodes a JPEG in memory to its end mark and keeps nothing of it but the
// warnings, as many as there is room for.
void pd_jpeg_check(const void *data, size_t size, pd_jpeg_warnings *warnings);

#endif
