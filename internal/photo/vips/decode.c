// The whole way of a photo through libvips in one call, so that Go crosses into
// C once and nothing of libvips outlives the call but the pixels.
//
// Order matters: sizes are checked on the header, before a pixel is decoded;
// the loader shrinks as far as it can; alpha goes first, since white means
// something only in the file's own colours; what is still far too large is
// shrunk while it streams by; then colours; and last the turning, which needs
// the whole picture in memory and is then cheapest.
#include "decode.h"
#include "tiff.h"

#include <unistd.h>
#include <string.h>

// Photos that end early fail: half a picture must not be described as whole.
// Lesser warnings pass, since cameras and phones write many odd but good files;
// those of JPEGs are looked at in jpeg.go.
static VipsFailOn fail_on(const pd_request *req)
{
	switch (req->fail_on) {
	case PD_FAIL_ON_WARNING:
		return VIPS_FAIL_ON_WARNING;
	case PD_FAIL_ON_NOTHING:
		return VIPS_FAIL_ON_NONE;
	}
	return VIPS_FAIL_ON_TRUNCATED;
}

static int is_loader(const char *loader, const char *prefix)
{
	return strncmp(loader, prefix, strlen(prefix)) == 0;
}

static VipsImage *open_pixels(const pd_request *req)
{
	VipsImage *image = vips_image_new_from_memory(req->data, req->size,
		req->raw_width, req->raw_height, req->raw_bands, VIPS_FORMAT_UCHAR);
	if (image)
		image->Type = req->raw_bands >= 3 ? VIPS_INTERPRETATION_sRGB : VIPS_INTERPRETATION_B_W;
	return image;
}

// Opens the photo's header. shrink (JPEG: 1, 2, 4, 8) and scale (WebP: up to 1)
// are passed on when they are not 1. res->loader is set when a loader is found.
//
// It reads from a source, never from a file's name: libvips takes brackets at a
// name's end for options, and a name may lead elsewhere the next moment.
VipsImage *pd_open_photo(const pd_request *req, pd_result *res, int shrink, double scale)
{
	VipsSource *source;
	if (req->replacements) {
		source = pd_overlay_source(req);
	} else if (req->fd >= 0) {
		source = lseek(req->fd, 0, SEEK_SET) < 0 ? NULL : vips_source_new_from_descriptor(req->fd);
	} else {
		source = vips_source_new_from_memory(req->data, req->size);
	}
	if (!source)
		return NULL;

	char options[64] = "";
	if (req->page)
		g_snprintf(options, sizeof(options), "page=%d,n=%d", req->page, VIPS_MAX(req->pages, 1));
	VipsImage *image = NULL;
	const char *type = vips_foreign_find_load_source(source);
	if (!type) {
		res->status = PD_UNSUPPORTED;
	} else {
		g_strlcpy(res->loader, vips_nickname_find(g_type_from_name(type)), sizeof(res->loader));
		if (shrink > 1)
			image = vips_image_new_from_source(source, options, "access", VIPS_ACCESS_SEQUENTIAL,
				"fail_on", fail_on(req), "shrink", shrink, NULL);
		else if (req->tiff.reader == PD_TIFF_PLAIN && (req->tiff.page > 0 || req->tiff.subifd >= 0))
			image = vips_image_new_from_source(source, "", "access", VIPS_ACCESS_SEQUENTIAL,
				"fail_on", fail_on(req), "page", req->tiff.page, "subifd", req->tiff.subifd, NULL);
		else if (scale < 1)
			image = vips_image_new_from_source(source, options, "access", VIPS_ACCESS_SEQUENTIAL,
				"fail_on", fail_on(req), "scale", scale, NULL);
		else
			image = vips_image_new_from_source(source, options, "access", VIPS_ACCESS_SEQUENTIAL,
				"fail_on", fail_on(req), NULL);
	}
	g_object_unref(source); // the image has its own reference
	return image;
}

// The largest shrink the JPEG decoder can do that leaves the longest edge needed.
// libvips cuts off what is not a whole pixel afterwards, down to nothing (which
// aborts the process): the short edge keeps enough that this cannot be seen.
static int jpeg_shrink(int edge, int short_edge, int longest)
{
	enum { SHORT = 16 };
	int shrink = 1;
	while (longest > 0 && shrink < 8 && edge / (shrink * 2) >= longest && short_edge / (shrink * 2) >= SHORT)
		shrink *= 2;
	return shrink;
}

// About how many bytes of memory decoding takes beyond the file's own, given
// the image as first opened and as it will be loaded (in pixels), and the
// pixels of the result. Loaders that stream take only some rows, which is
// nothing beside the result.
static int64_t memory_need(const pd_result *res, VipsImage *full, int64_t loaded, int64_t result, int turned)
{
	int64_t all = (int64_t) full->Xsize * full->Ysize;
	int64_t pel = VIPS_IMAGE_SIZEOF_PEL(full);
	int interlaced = vips_image_get_typeof(full, "interlaced") != 0;
	int64_t need = result * 3 * (turned ? 2 : 1);

	if (is_loader(res->loader, "jpegload"))
		need += interlaced ? all * full->Bands * 2 : 0; // the coefficients, 16 bits each
	else if (is_loader(res->loader, "pngload"))
		need += interlaced ? all * pel : 0;
	else if (is_loader(res->loader, "webpload"))
		need += loaded * 8; // the frame and the canvas
	else if (is_loader(res->loader, "gifload"))
		need += all * 8;
	else if (is_loader(res->loader, "heifload"))
		need += all * (pel + 4); // the codec's planes and the picture made of them
	else
		need += all * pel; // TIFF may be one strip; of the rest nothing is known
	return need;
}

// Shrinks, if there is much more than is needed, to PD_MARGIN times that. Each
// edge keeps at least a pixel.
int pd_shrink_to_margin(VipsImage *in, VipsImage **out, int longest)
{
	double scale = longest > 0 ? PD_MARGIN * longest / VIPS_MAX(in->Xsize, in->Ysize) : 1;
	if (scale >= 1)
		return vips_copy(in, out, NULL);
	return vips_resize(in, out, VIPS_MAX(scale, 1.0 / in->Xsize),
		"vscale", VIPS_MAX(scale, 1.0 / in->Ysize), NULL);
}

// Turns and mirrors as the orientation says. The pixels are taken into memory
// first when rows are needed in another order than the file has them.
static int upright(VipsObject *owner, VipsImage *in, VipsImage **out, int orientation)
{
	VipsImage **t = (VipsImage **) vips_object_local_array(owner, 2);
	if (orientation <= 1)
		return vips_copy(in, out, NULL);
	if (!(t[0] = vips_image_copy_memory(in)) || vips_copy(t[0], &t[1], NULL))
		return -1;
	vips_image_set_int(t[1], VIPS_META_ORIENTATION, orientation);
	return vips_autorot(t[1], out, NULL);
}

// Copies the header's EXIF data.
static void keep_exif(VipsImage *image, pd_result *res)
{
	const void *data;
	size_t size;

	if (vips_image_get_typeof(image, VIPS_META_EXIF_NAME) &&
		!vips_image_get_blob(image, VIPS_META_EXIF_NAME, &data, &size)) {
		res->exif_size = VIPS_MIN(size, PD_MAX_EXIF);
		res->exif = g_malloc(res->exif_size);
		memcpy(res->exif, data, res->exif_size);
	}
}

// Everything between the request and the pixels; owner holds what it makes.
static int decode(VipsObject *owner, const pd_request *req, pd_result *res)
{
	VipsImage **t = (VipsImage **) vips_object_local_array(owner, 6);

	if (req->raw_width) {
		g_strlcpy(res->loader, "pixels", sizeof(res->loader));
		t[0] = open_pixels(req);
	} else if (req->tiff.reader == PD_TIFF_SAMPLES) {
		t[0] = pd_tiff_samples(req, res);
	} else if (req->tiff.reader == PD_TIFF_RGBA) {
		t[0] = pd_tiff_rgba(req, res);
	} else {
		t[0] = pd_open_photo(req, res, 1, 1);
	}
	if (!t[0])
		return -1;
	VipsImage *full = t[0];
	const char *codec;
	if (vips_image_get_typeof(full, "heif-compression") &&
		!vips_image_get_string(full, "heif-compression", &codec))
		g_strlcpy(res->codec, codec, sizeof(res->codec));

	keep_exif(full, res);
	if (is_loader(res->loader, "gifload") || is_loader(res->loader, "webpload") || is_loader(res->loader, "jxlload"))
		res->pages = vips_image_get_n_pages(full);
	int samples = req->samples || pd_hdr_profile(full, res);

	int orientation = req->orientation;
	if (vips_image_get_typeof(full, VIPS_META_ORIENTATION))
		orientation = vips_image_get_orientation(full);
	if (req->tiff.reader != PD_TIFF_NONE)
		orientation = req->tiff.orientation;
	int swapped = orientation >= 5;
	res->orig_width = swapped ? full->Ysize : full->Xsize;
	res->orig_height = swapped ? full->Xsize : full->Ysize;

	int64_t pixels = (int64_t) full->Xsize * full->Ysize;
	if (pixels > req->max_pixels) {
		res->status = PD_TOO_MANY_PIXELS;
		return -1;
	}
	int edge = VIPS_MAX(full->Xsize, full->Ysize);
	int short_edge = VIPS_MIN(full->Xsize, full->Ysize);
	int shrink = is_loader(res->loader, "jpegload") ? jpeg_shrink(edge, short_edge, req->longest) : 1;
	double scale = 1;
	if (is_loader(res->loader, "webpload") && req->longest > 0 && edge > PD_MARGIN * req->longest)
		scale = PD_MARGIN * req->longest / edge;
	// An extreme shape would lose its short edge: libwebp then refuses.
	if (short_edge * scale < 1)
		scale = 1;

	int64_t loaded = (int64_t) (pixels * scale * scale) / (shrink * shrink);
	int64_t result = loaded;
	double left = req->longest > 0 ? PD_MARGIN * req->longest * shrink / (edge * scale) : 1;
	if (left < 1)
		result = (int64_t) (loaded * left * left);
	res->need = memory_need(res, full, loaded, result, orientation > 1);
	if (req->tiff.reader == PD_TIFF_PLAIN) // a tile may be larger than the picture
		res->need += VIPS_MAX(0, req->tiff.chunk - pixels * VIPS_IMAGE_SIZEOF_PEL(full));
	if (samples) // beside the pixels made of them
		res->need += result * VIPS_IMAGE_SIZEOF_PEL(full) * (orientation > 1 ? 2 : 1);
	if (req->fd < 0)
		res->need += req->size;
	if (res->need > req->max_bytes) {
		res->status = PD_TOO_MUCH_MEMORY;
		return -1;
	}

	if (shrink > 1 || scale < 1) {
		// Two images must not read one descriptor; nothing is read from the first.
		g_object_unref(t[0]);
		if (!(t[0] = pd_open_photo(req, res, shrink, scale)))
			return -1;
	}
	if (samples) {
		if (pd_keep_samples(owner, t[0], &t[3], req->longest, res))
			return -1;
	} else if (pd_over_white(t[0], &t[1]) ||
		pd_shrink_to_margin(t[1], &t[2], req->longest) ||
		pd_to_srgb(owner, t[2], &t[3])) {
		return -1;
	}
	if (upright(owner, t[3], &t[4], orientation))
		return -1;

	size_t size;
	res->width = t[4]->Xsize;
	res->height = t[4]->Ysize;
	res->pixels = vips_image_write_to_memory(t[4], &size);
	return res->pixels ? 0 : -1;
}

void pd_decode(const pd_request *req, pd_result *res)
{
	memset(res, 0, sizeof(*res));
	res->status = PD_UNREADABLE; // unless something better is known

	VipsObject *owner = VIPS_OBJECT(vips_image_new());
	if (decode(owner, req, res) == 0)
		res->status = PD_OK;
	else {
		g_strlcpy(res->error, vips_error_buffer(), sizeof(res->error));
		g_free(res->exif);
		res->exif = NULL;
	}
	g_object_unref(owner);

	// Go calls from whatever thread it likes; leave nothing behind on this one.
	vips_thread_shutdown();
}
