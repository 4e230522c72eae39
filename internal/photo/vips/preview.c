// Small pictures of decoded photos, as JPEG.
#include "preview.h"

#include <vips/vips.h>

static int preview(VipsObject *owner, const void *pixels, int width, int height, int longest, int quality,
	void **jpeg, size_t *size)
{
	VipsImage **t = (VipsImage **) vips_object_local_array(owner, 3);
	t[0] = vips_image_new_from_memory(pixels, (size_t) width * height * 3, width, height, 3, VIPS_FORMAT_UCHAR);
	if (!t[0] || vips_copy(t[0], &t[1], "interpretation", VIPS_INTERPRETATION_sRGB, NULL))
		return -1;
	double scale = VIPS_MIN(1.0, (double) longest / VIPS_MAX(width, height));
	// A very narrow picture keeps a pixel of its short edge.
	double narrow = VIPS_MAX(scale, 1.0 / VIPS_MIN(width, height));
	if (vips_resize(t[1], &t[2], width < height ? narrow : scale, "vscale", width < height ? scale : narrow, NULL))
		return -1;
	return vips_jpegsave_buffer(t[2], jpeg, size, "Q", quality, "optimize_coding", TRUE, NULL);
}

int pd_preview(const void *pixels, int width, int height, int longest, int quality,
	void **jpeg, size_t *size, char error[256])
{
	VipsObject *owner = VIPS_OBJECT(vips_image_new());
	int failed = preview(owner, pixels, width, height, longest, quality, jpeg, size);
	if (failed) {
		g_strlcpy(error, vips_error_buffer(), 256);
		vips_error_clear();
	}
	g_object_unref(owner);
	vips_thread_shutdown();
	return failed;
}
