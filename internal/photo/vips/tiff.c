// Opening a TIFF with libtiff, and libtiff's own conversion to RGB.
#include "tiff.h"

#include <string.h>
#include <unistd.h>

// The bytes libtiff reads: a file's, by its descriptor, or those in memory.
typedef struct {
	const pd_request *req;
	uint64_t at;
} source;

static tmsize_t source_read(thandle_t handle, void *buf, tmsize_t n)
{
	source *s = handle;
	if (s->at >= s->req->size || n < 0)
		return 0;
	uint64_t left = s->req->size - s->at;
	if ((uint64_t) n > left)
		n = (tmsize_t) left;
	if (s->req->fd < 0) {
		memcpy(buf, (const char *) s->req->data + s->at, n);
	} else {
		tmsize_t got = 0;
		while (got < n) {
			ssize_t more = pread(s->req->fd, (char *) buf + got, n - got, s->at + got);
			if (more < 0)
				return -1;
			if (more == 0)
				break;
			got += more;
		}
		n = got;
	}
	s->at += n;
	return n;
}

static tmsize_t source_write(thandle_t handle, void *buf, tmsize_t n)
{
	return -1;
}

static toff_t source_seek(thandle_t handle, toff_t offset, int whence)
{
	source *s = handle;
	switch (whence) {
	case SEEK_SET:
		s->at = offset;
		break;
	case SEEK_CUR:
		s->at += offset;
		break;
	case SEEK_END:
		s->at = s->req->size + offset;
		break;
	}
	return s->at;
}

static int source_close(thandle_t handle)
{
	g_free(handle);
	return 0;
}

static toff_t source_size(thandle_t handle)
{
	return ((source *) handle)->req->size;
}

// Bytes in memory are handed over as they are. Some libtiffs read tiles that are
// not compressed no other way if their size is odd.
static int source_map(thandle_t handle, void **base, toff_t *size)
{
	source *s = handle;
	if (s->req->fd >= 0)
		return 0;
	*base = (void *) s->req->data;
	*size = s->req->size;
	return 1;
}

static void source_unmap(thandle_t handle, void *base, toff_t size)
{
}

TIFF *pd_tiff_open(const pd_request *req, pd_result *res)
{
	g_strlcpy(res->loader, "tiffload", sizeof(res->loader));
	source *s = g_new0(source, 1);
	s->req = req;
	// The header alone is read ("h"): the directory is named below.
#if TIFFLIB_VERSION >= 20221213
	TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
	TIFFOpenOptionsSetMaxSingleMemAlloc(options, req->max_bytes);
	TIFF *tif = TIFFClientOpenExt("photo", "rh", s, source_read, source_write,
		source_seek, source_close, source_size, source_map, source_unmap, options);
	TIFFOpenOptionsFree(options);
#else
	TIFF *tif = TIFFClientOpen("photo", "rh", s, source_read, source_write,
		source_seek, source_close, source_size, source_map, source_unmap);
#endif
	if (!tif) {
		g_free(s);
		return NULL;
	}
	uint32_t width = 0, height = 0;
	uint16_t compression = 0;
	if (!TIFFSetSubDirectory(tif, req->tiff.offset) ||
		!TIFFGetField(tif, TIFFTAG_IMAGEWIDTH, &width) ||
		!TIFFGetField(tif, TIFFTAG_IMAGELENGTH, &height) ||
		width == 0 || height == 0 || width > VIPS_MAX_COORD || height > VIPS_MAX_COORD) {
		vips_error("tiff", "its directory makes no sense");
		TIFFClose(tif);
		return NULL;
	}
	TIFFGetFieldDefaulted(tif, TIFFTAG_COMPRESSION, &compression);
	if (!TIFFIsCODECConfigured(compression)) {
		res->status = PD_KIND_NOT_READ;
		vips_error("tiff", "its compression (scheme %d) is not known to this libtiff", compression);
		TIFFClose(tif);
		return NULL;
	}
	return tif;
}

VipsImage *pd_tiff_image(const pd_request *req, pd_result *res, TIFF *tif,
	int bands, VipsBandFormat format, VipsInterpretation type, int64_t extra)
{
	uint32_t width = 0, height = 0;
	TIFFGetField(tif, TIFFTAG_IMAGEWIDTH, &width);
	TIFFGetField(tif, TIFFTAG_IMAGELENGTH, &height);
	int swapped = req->tiff.orientation >= 5;
	res->orig_width = swapped ? height : width;
	res->orig_height = swapped ? width : height;
	int64_t pixels = (int64_t) width * height;
	if (pixels > req->max_pixels) {
		res->status = PD_TOO_MANY_PIXELS;
		return NULL;
	}
	res->need = pixels * bands * vips_format_sizeof(format) + extra + (req->fd < 0 ? req->size : 0);
	if (res->need > req->max_bytes) {
		res->status = PD_TOO_MUCH_MEMORY;
		return NULL;
	}
	VipsImage *image = vips_image_new_memory();
	vips_image_init_fields(image, width, height, bands, format, VIPS_CODING_NONE, type, 1, 1);
	if (vips_image_write_prepare(image)) {
		g_object_unref(image);
		return NULL;
	}
	uint32_t length;
	void *profile;
	// Lab needs none, and libvips would take its numbers for those of RGB.
	if (type != VIPS_INTERPRETATION_LABS && TIFFGetField(tif, TIFFTAG_ICCPROFILE, &length, &profile) && length > 0)
		vips_image_set_blob_copy(image, VIPS_META_ICC_NAME, profile, length);
	return image;
}

VipsImage *pd_tiff_rgba(const pd_request *req, pd_result *res)
{
	TIFF *tif = pd_tiff_open(req, res);
	if (!tif)
		return NULL;
	VipsImage *image = NULL;
	TIFFRGBAImage rgba;
	char reason[1024] = "";
	int64_t chunk = TIFFIsTiled(tif) ? TIFFTileSize(tif) : TIFFStripSize(tif);
	if (!TIFFRGBAImageOK(tif, reason) || !TIFFRGBAImageBegin(&rgba, tif, 1, reason)) {
		res->status = PD_KIND_NOT_READ;
		vips_error("tiff", "%s", reason);
	} else {
		if ((image = pd_tiff_image(req, res, tif, 4, VIPS_FORMAT_UCHAR, VIPS_INTERPRETATION_sRGB, chunk))) {
			uint32_t *pixels = (uint32_t *) VIPS_IMAGE_ADDR(image, 0, 0);
			// Turning is done later, for all files alike.
			rgba.req_orientation = rgba.orientation;
			if (!TIFFRGBAImageGet(&rgba, pixels, image->Xsize, image->Ysize)) {
				VIPS_UNREF(image);
			} else {
				int64_t n = (int64_t) image->Xsize * image->Ysize;
				for (int64_t i = 0; i < n; i++) {
					uint32_t p = pixels[i];
					VipsPel *q = (VipsPel *) &pixels[i];
					q[0] = TIFFGetR(p);
					q[1] = TIFFGetG(p);
					q[2] = TIFFGetB(p);
				}
			}
		}
		TIFFRGBAImageEnd(&rgba);
	}
	TIFFClose(tif);
	VipsImage *colours = NULL;
	if (image && vips_extract_band(image, &colours, 0, "n", 3, NULL))
		colours = NULL;
	VIPS_UNREF(image);
	return colours;
}
