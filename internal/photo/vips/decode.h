// One call that turns a photo into upright sRGB pixels. See decode.c.
#ifndef PHOTODESC_VIPS_DECODE_H
#define PHOTODESC_VIPS_DECODE_H

#include <stddef.h>
#include <stdint.h>
#include <vips/vips.h>

// Which picture of a TIFF is decoded, and how; see internal/photo/tiff.
typedef struct {
	int reader;      // PD_TIFF_…
	int page;        // for libvips' loader
	int subifd;      // of the page, from 0; -1: the page itself
	uint64_t offset; // of the picture's directory in the file
	int photometric;
	int colours;       // how many samples, from the first, are its colours
	int alpha;         // which sample is its alpha; -1: none
	int premultiplied; // the colours have been multiplied by alpha
	int orientation;   // 1 to 8
	int64_t chunk;     // bytes that one strip or tile takes
} pd_tiff;

// PD_TIFF_NONE: the file is no TIFF, or one without a readable directory.
enum { PD_TIFF_NONE, PD_TIFF_PLAIN, PD_TIFF_SAMPLES, PD_TIFF_RGBA };

// Where the photo's bytes are, and what the caller needs.
typedef struct {
	int fd;              // of a regular file, or -1; it is left open, its position changes
	const void *data;    // the file's bytes, when fd is -1
	size_t size;         // of the file, in bytes
	int raw_width;       // not 0: data are 8-bit pixels with raw_bands bands, not a file
	int raw_height;
	int raw_bands;       // 1, 3 or 4
	int longest;         // the longest edge needed, in pixels; 0: all there is
	int64_t max_pixels;  // most pixels of the picture as stored
	int64_t max_bytes;   // most memory that decoding may take at once, as estimated
	int orientation;     // EXIF orientation for a photo that does not name its own; 0: none
	int fail_on;         // PD_FAIL_ON_…: what ends decoding
	pd_tiff tiff;
} pd_request;

// The first is usual. Warnings are the JPEG decoder's; with PD_FAIL_ON_NOTHING a
// file may lack its end.
enum { PD_FAIL_ON_TRUNCATED, PD_FAIL_ON_WARNING, PD_FAIL_ON_NOTHING };

// PD_UNSUPPORTED: no loader knows the format. PD_KIND_NOT_READ: this kind of it is not read.
enum { PD_OK, PD_UNREADABLE, PD_UNSUPPORTED, PD_KIND_NOT_READ, PD_TOO_MANY_PIXELS, PD_TOO_MUCH_MEMORY };

// The EXIF fields that are read.
enum {
	PD_EXIF_ORIGINAL, PD_EXIF_DIGITIZED, PD_EXIF_CHANGED,
	PD_EXIF_LATITUDE, PD_EXIF_LATITUDE_REF, PD_EXIF_LONGITUDE, PD_EXIF_LONGITUDE_REF,
	PD_EXIF_FIELDS
};

typedef struct {
	int status;           // PD_…
	void *pixels;         // 3 bytes a pixel, rows without padding; free with g_free
	int width, height;    // of pixels
	int orig_width;       // upright, in full size; set with PD_TOO_… as well
	int orig_height;
	int64_t need;         // the memory estimated, in bytes; set with PD_TOO_MUCH_MEMORY
	char loader[32];      // libvips' name of what read it, such as "jpegload_source"
	char codec[16];       // in a HEIF: "hevc", "av1" …
	char error[1024];     // libvips' own words, unless PD_OK
	char exif[PD_EXIF_FIELDS][64]; // values as libvips words them; empty: not there
} pd_result;

void pd_decode(const pd_request *req, pd_result *res);

// Makes *out the sRGB of in: 8 bits, three bands. 0 on success, as in libvips.
int pd_to_srgb(VipsObject *owner, VipsImage *in, VipsImage **out);

// Lays in over white. An image without alpha is passed on.
int pd_over_white(VipsImage *in, VipsImage **out);

#endif
