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

// Four bytes that count instead of the file's.
typedef struct {
	int64_t at;
	unsigned char bytes[4];
} pd_replacement;

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
	int samples;         // not 0: leave the samples as the file has them, alpha too
	int page;            // of an animation, from 0
	int pages;           // as many from there on, below each other; 0: one
	pd_replacement replace[3];
	int replacements;    // how many of them count
	const void *append;  // bytes that follow the file's, or NULL
	size_t append_size;
} pd_request;

// The first is usual. Warnings are the JPEG decoder's; with PD_FAIL_ON_NOTHING a
// file may lack its end.
enum { PD_FAIL_ON_TRUNCATED, PD_FAIL_ON_WARNING, PD_FAIL_ON_NOTHING };

// PD_UNSUPPORTED: no loader knows the format. PD_KIND_NOT_READ: this kind of it is not read.
enum { PD_OK, PD_UNREADABLE, PD_UNSUPPORTED, PD_KIND_NOT_READ, PD_TOO_MANY_PIXELS, PD_TOO_MUCH_MEMORY };

// How much of a file's EXIF data is kept, in bytes.
#define PD_MAX_EXIF (1 << 18)

typedef struct {
	int status;           // PD_…
	void *pixels;         // 3 bytes a pixel, rows without padding; free with g_free
	int bands;            // not 0: they are samples, and that many a pixel
	int sample_bytes;     // 1 or 2
	int white;            // the largest sample
	int primaries;        // CICP of an HDR profile: it made them samples; else 0
	int transfer;
	int width, height;    // of pixels
	int orig_width;       // upright, in full size; set with PD_TOO_… as well
	int orig_height;
	int64_t need;         // the memory estimated, in bytes; set with PD_TOO_MUCH_MEMORY
	int pages;            // frames of an animation; 0: it is none
	char loader[32];      // libvips' name of what read it, such as "jpegload_source"
	char codec[16];       // in a HEIF: "hevc", "av1" …
	char error[1024];     // libvips' own words, unless PD_OK
	void *exif;           // the file's EXIF data, or NULL; free with g_free
	size_t exif_size;
} pd_result;

// How many times the edge needed a picture keeps for a caller's better
// resampling: it is never shrunk here by a filter to less.
#define PD_MARGIN 2.0

void pd_decode(const pd_request *req, pd_result *res);

// Makes *out the sRGB of in: 8 bits, three bands. 0 on success, as in libvips.
int pd_to_srgb(VipsObject *owner, VipsImage *in, VipsImage **out);

// Opens the photo's header; see decode.c.
VipsImage *pd_open_photo(const pd_request *req, pd_result *res, int shrink, double scale);

// A source of the request's bytes with what it replaces and appends.
VipsSource *pd_overlay_source(const pd_request *req);

// Shrinks, if there is much more than is needed, to PD_MARGIN times that.
int pd_shrink_to_margin(VipsImage *in, VipsImage **out, int longest);

// Makes *out the samples of in, shrunk, and says in res what they are.
int pd_keep_samples(VipsObject *owner, VipsImage *in, VipsImage **out, int longest, pd_result *res);

// Whether the profile of an image says that it is HDR (its tag cicp); then res has
// the code points.
int pd_hdr_profile(VipsImage *image, pd_result *res);

// The first later frame of an animation with a contrast of clear or more, in steps
// of 8 bits, or else the one with the most, if that is more than blank; 0: none. It looks
// at so many pages and pixels at most, one frame in memory at a time.
int pd_visible_page(const pd_request *req, int pages, int64_t max_pixels, int blank, int clear);

// Lays in over white. An image without alpha is passed on.
int pd_over_white(VipsImage *in, VipsImage **out);

#endif
