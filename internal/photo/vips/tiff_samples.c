// Decoding a TIFF sample by sample: numbers of any width and kind, with bands
// that are no colours left out, as pictures of 8 or 16 bits.
//
// libtiff decompresses strips and tiles. What is in them is taken apart here: a
// row of numbers for each band that counts. When the file does not say which
// number is white, the picture is read twice, first for some of its numbers.
#include "tiff_samples.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// A row of the picture, or of a tile, is in r->row: n pixels from x on.
typedef void (*row_fn)(pd_samples *r, int x, int y, int n);

// A floating-point number with a sign, so many bits of exponent and of fraction.
static double small_float(uint32_t bits, int exponent_bits, int fraction_bits)
{
	uint64_t fraction = bits & ((1u << fraction_bits) - 1);
	int most = (1 << exponent_bits) - 1, bias = most >> 1;
	int exponent = bits >> fraction_bits & most;
	uint64_t sign = bits >> (exponent_bits + fraction_bits) & 1;
	if (exponent == 0) // less than the least that has an exponent
		return ldexp(sign ? -(double) fraction : (double) fraction, 1 - bias - fraction_bits);
	// The same number as a double has it; the highest exponent stands for infinity and no number.
	exponent = exponent == most ? 0x7ff : exponent - bias + 0x3ff;
	uint64_t wide = sign << 63 | (uint64_t) exponent << 52 | fraction << (52 - fraction_bits);
	double v;
	memcpy(&v, &wide, sizeof(v));
	return v;
}

// Takes n numbers out of a row of bytes: those at index first, first + step …
// libtiff has brought numbers of 16, 24, 32 and 64 bits to this machine's order.
#define EACH(TYPE, EXPRESSION) \
	for (int x = 0; x < n; x++) { \
		TYPE v; \
		memcpy(&v, row + (first + (size_t) x * step) * sizeof(TYPE), sizeof(TYPE)); \
		out[x] = (EXPRESSION); \
	} \
	return

static void unpack(const pd_samples *r, const uint8_t *row, size_t first, size_t step, int n, double *out)
{
	int is_signed = r->format == SAMPLEFORMAT_INT;
	int is_float = r->format == SAMPLEFORMAT_IEEEFP;
	switch (r->bits) {
	case 8:
		if (is_signed) {
			EACH(int8_t, v);
		}
		EACH(uint8_t, v);
	case 16:
		if (is_float) {
			EACH(uint16_t, small_float(v, 5, 10));
		}
		if (is_signed) {
			EACH(int16_t, v);
		}
		EACH(uint16_t, v);
	case 32:
		if (is_float) {
			EACH(float, v);
		}
		if (is_signed) {
			EACH(int32_t, v);
		}
		EACH(uint32_t, v);
	case 64:
		if (is_float) {
			EACH(double, v);
		}
		if (is_signed) {
			EACH(int64_t, v);
		}
		EACH(uint64_t, v);
	}
	for (int x = 0; x < n; x++) {
		size_t i = first + x * step;
		uint64_t v = 0;
		if (r->bits == 24) {
			const uint8_t *p = row + i * 3;
			v = G_BYTE_ORDER == G_LITTLE_ENDIAN ? p[0] | p[1] << 8 | p[2] << 16 : p[2] | p[1] << 8 | p[0] << 16;
		} else { // bits follow each other, the highest first
			size_t bit = i * r->bits;
			size_t last = (bit + r->bits - 1) / 8;
			for (size_t at = bit / 8; at <= last; at++)
				v = v << 8 | row[at];
			v = v >> (7 - (bit + r->bits - 1) % 8) & ((UINT64_C(1) << r->bits) - 1);
		}
		if (is_float)
			out[x] = small_float(v, 7, 16);
		else if (is_signed && v >> (r->bits - 1))
			out[x] = (double) v - (double) (UINT64_C(1) << r->bits);
		else
			out[x] = v;
	}
}

// Reads the strip or tile at x, y of each plane in use: rows rows of it count.
static int read_chunks(pd_samples *r, int x, int y, int rows)
{
	int planes = r->planar ? r->used : 1;
	for (int i = 0; i < planes; i++) {
		int plane = r->planar ? r->which[i] : 0;
		tmsize_t need = rows * r->row_bytes;
		tmsize_t got;
		if (r->tiled) {
			got = TIFFReadEncodedTile(r->tif, TIFFComputeTile(r->tif, x, y, 0, plane), r->chunk[i], r->chunk_bytes);
		} else {
			got = TIFFReadEncodedStrip(r->tif, TIFFComputeStrip(r->tif, y, plane), r->chunk[i], need);
		}
		if (got < need) {
			vips_error("tiff", "the picture's data ends early");
			return -1;
		}
	}
	return 0;
}

// Calls fn for each row, or part of a row that is in one tile, whose number is a
// multiple of step.
static int each_row(pd_samples *r, row_fn fn, int step)
{
	for (int y = 0; y < r->height; y += r->chunk_height) {
		int rows = VIPS_MIN(r->chunk_height, r->height - y);
		int first = (step - y % step) % step;
		if (first >= rows)
			continue;
		for (int x = 0; x < r->width; x += r->chunk_width) {
			int n = VIPS_MIN(r->chunk_width, r->width - x);
			if (read_chunks(r, x, y, rows))
				return -1;
			for (int j = first; j < rows; j += step) {
				for (int i = 0; i < r->used; i++) {
					const uint8_t *from = r->chunk[r->planar ? i : 0] + j * r->row_bytes;
					if (r->planar)
						unpack(r, from, 0, 1, n, r->row[i]);
					else
						unpack(r, from, r->which[i], r->samples, n, r->row[i]);
				}
				fn(r, x, y + j, n);
			}
		}
	}
	return 0;
}

// The first pass: takes some numbers, but none that are infinite or mean "nothing here".
static void collect(pd_samples *r, int x, int y, int n)
{
	const double nothing = 1e30;
	for (int i = (r->step_x - x % r->step_x) % r->step_x; i < n; i += r->step_x) {
		for (int c = 0; c < r->colours; c++)
			if (fabs(r->row[c][i]) < nothing)
				r->some[r->some_count++] = r->row[c][i];
		if (r->has_alpha && r->row[r->colours][i] < nothing)
			r->max_alpha = fmax(r->max_alpha, r->row[r->colours][i]);
	}
}

static int find_range(pd_samples *r)
{
	enum { SIDE = 256 };
	r->step_x = (r->width + SIDE - 1) / SIDE;
	int step_y = (r->height + SIDE - 1) / SIDE;
	if (!(r->some = g_try_new(double, (size_t) SIDE * SIDE * r->colours)) || each_row(r, collect, step_y))
		return -1;
	pd_kind kind = {r->format == SAMPLEFORMAT_IEEEFP, 0, 0};
	if (!kind.is_float) {
		int is_signed = r->format == SAMPLEFORMAT_INT;
		kind.min = is_signed ? -ldexp(1, r->bits - 1) : 0;
		kind.max = ldexp(1, is_signed ? r->bits - 1 : r->bits) - 1;
	}
	void *profile;
	uint32_t length;
	int has_profile = TIFFGetField(r->tif, TIFFTAG_ICCPROFILE, &length, &profile);
	r->range = pd_find_range(kind, r->some, r->some_count, r->max_alpha,
		!has_profile && r->photometric != PHOTOMETRIC_SEPARATED);
	if (has_profile || r->photometric == PHOTOMETRIC_SEPARATED)
		r->range.linear = 0; // as the profile says
	return 0;
}

static int read_palette(pd_samples *r)
{
	if (r->format != SAMPLEFORMAT_UINT && r->format != SAMPLEFORMAT_VOID)
		return -1;
	if (!TIFFGetField(r->tif, TIFFTAG_COLORMAP, &r->map[0], &r->map[1], &r->map[2])) {
		vips_error("tiff", "its palette is missing");
		return -1;
	}
	r->map_max = 255; // some programs write 8 bits where 16 belong
	for (int b = 0; b < 3; b++)
		for (int i = 0; i < 1 << r->bits; i++)
			if (r->map[b][i] > 255)
				r->map_max = 65535;
	return 0;
}

// Reads what the directory says of the samples, and refuses what was not foreseen.
static int read_layout(pd_samples *r)
{
	uint32_t width, height, rows = 0;
	uint16_t bits, format, compression, samples, planar;
	const pd_tiff *t = &r->req->tiff;
	TIFFGetField(r->tif, TIFFTAG_IMAGEWIDTH, &width);
	TIFFGetField(r->tif, TIFFTAG_IMAGELENGTH, &height);
	TIFFGetFieldDefaulted(r->tif, TIFFTAG_BITSPERSAMPLE, &bits);
	TIFFGetFieldDefaulted(r->tif, TIFFTAG_SAMPLEFORMAT, &format);
	TIFFGetFieldDefaulted(r->tif, TIFFTAG_COMPRESSION, &compression);
	TIFFGetFieldDefaulted(r->tif, TIFFTAG_SAMPLESPERPIXEL, &samples);
	TIFFGetFieldDefaulted(r->tif, TIFFTAG_PLANARCONFIG, &planar);
	r->width = width;
	r->height = height;
	r->bits = bits;
	r->format = format;
	r->compression = compression;
	r->samples = samples;
	r->planar = planar == PLANARCONFIG_SEPARATE && samples > 1;
	r->photometric = t->photometric;
	r->colours = t->colours;
	r->has_alpha = t->alpha >= 0;
	for (int i = 0; i < t->colours; i++)
		r->which[r->used++] = i;
	if (r->has_alpha)
		r->which[r->used++] = t->alpha;

	int is_float = format == SAMPLEFORMAT_IEEEFP;
	int is_lab = r->photometric == PHOTOMETRIC_CIELAB || r->photometric == PHOTOMETRIC_ICCLAB;
	if (r->photometric == PHOTOMETRIC_YCBCR || t->colours < 1 || t->colours > 4 ||
		t->colours > samples || t->alpha >= samples || (bits > 32 && bits != 64) || bits < 1 ||
		(is_float && bits != 16 && bits != 24 && bits != 32 && bits != 64) ||
		(is_lab && (t->colours != 3 || is_float || (bits != 8 && bits != 16))) ||
		(r->photometric == PHOTOMETRIC_PALETTE && bits > 16)) {
		vips_error("tiff", "its directory contradicts itself");
		return -1;
	}
	r->tiled = TIFFIsTiled(r->tif);
	if (r->tiled) {
		TIFFGetField(r->tif, TIFFTAG_TILEWIDTH, &width);
		TIFFGetField(r->tif, TIFFTAG_TILELENGTH, &rows);
		r->row_bytes = TIFFTileRowSize(r->tif);
		r->chunk_bytes = TIFFTileSize(r->tif);
	} else {
		TIFFGetFieldDefaulted(r->tif, TIFFTAG_ROWSPERSTRIP, &rows);
		rows = VIPS_MIN(rows, height);
		r->row_bytes = TIFFScanlineSize(r->tif);
		r->chunk_bytes = TIFFStripSize(r->tif);
	}
	uint64_t row_bits = (uint64_t) width * bits * (r->planar ? 1 : samples);
	if (width < 1 || rows < 1 || width > VIPS_MAX_COORD || rows > VIPS_MAX_COORD ||
		(uint64_t) r->row_bytes < (row_bits + 7) / 8 || r->chunk_bytes / rows < r->row_bytes) {
		vips_error("tiff", "the size of its strips or tiles makes no sense");
		return -1;
	}
	r->chunk_width = width;
	r->chunk_height = rows;
	return r->photometric == PHOTOMETRIC_PALETTE ? read_palette(r) : 0;
}

static int decode_samples(pd_samples *r)
{
	if (read_layout(r))
		return -1;
	int planes = r->planar ? r->used : 1;
	int64_t extra = r->chunk_bytes * planes + (int64_t) r->chunk_width * r->used * sizeof(double);
	int wide = r->bits > 8;
	row_fn write = pd_write_rgb;
	int bands = r->colours == 1 && !r->map[0] ? 1 : 3;
	VipsBandFormat format = wide ? VIPS_FORMAT_USHORT : VIPS_FORMAT_UCHAR;
	VipsInterpretation type = bands == 1
		? (wide ? VIPS_INTERPRETATION_GREY16 : VIPS_INTERPRETATION_B_W)
		: (wide ? VIPS_INTERPRETATION_RGB16 : VIPS_INTERPRETATION_sRGB);
	switch (r->photometric) {
	case PHOTOMETRIC_SEPARATED:
		write = pd_write_cmyk;
		bands = 4;
		format = VIPS_FORMAT_UCHAR;
		type = VIPS_INTERPRETATION_CMYK;
		break;
	case PHOTOMETRIC_CIELAB:
	case PHOTOMETRIC_ICCLAB:
		write = pd_write_lab;
		format = VIPS_FORMAT_SHORT;
		type = VIPS_INTERPRETATION_LABS;
		break;
	}
	if (!(r->image = pd_tiff_image(r->req, r->res, r->tif, bands, format, type, extra)))
		return -1;
	for (int i = 0; i < planes; i++)
		if (!(r->chunk[i] = g_try_malloc0(r->chunk_bytes)))
			return -1;
	for (int i = 0; i < r->used; i++)
		if (!(r->row[i] = g_try_new(double, r->chunk_width)))
			return -1;

	// Unsigned numbers of fewer than 16 bits use them all.
	r->range = (pd_range) {0, ldexp(1, r->bits) - 1, ldexp(1, r->bits) - 1, 0};
	if (type != VIPS_INTERPRETATION_LABS && !r->map[0] &&
		(r->bits >= 16 || r->format == SAMPLEFORMAT_INT || r->format == SAMPLEFORMAT_IEEEFP) &&
		find_range(r))
		return -1;
	return each_row(r, write, 1);
}

VipsImage *pd_tiff_samples(const pd_request *req, pd_result *res)
{
	pd_samples r = {.req = req, .res = res};
	if (!(r.tif = pd_tiff_open(req, res)))
		return NULL;
	if (decode_samples(&r))
		VIPS_UNREF(r.image);
	for (int i = 0; i < PD_MAX_USED; i++) {
		g_free(r.chunk[i]);
		g_free(r.row[i]);
	}
	g_free(r.some);
	TIFFClose(r.tif);
	return r.image;
}
