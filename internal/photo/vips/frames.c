// Looking for a frame of an animation that shows something.
#include "decode.h"

// The largest difference between two samples of a channel, over white; of the
// rows from top on. -1 if they cannot be decoded.
static int contrast(VipsRegion *region, int top, int height)
{
	VipsImage *image = region->im;
	int alpha = image->Bands % 2 == 0;
	int colours = image->Bands - alpha;
	int low[3] = {255, 255, 255}, high[3] = {0, 0, 0};
	for (int y = top; y < top + height; y++) {
		VipsRect row = {0, y, image->Xsize, 1};
		if (vips_region_prepare(region, &row))
			return -1;
		const VipsPel *p = VIPS_REGION_ADDR(region, 0, y);
		for (int x = 0; x < image->Xsize; x++, p += image->Bands) {
			int a = alpha ? p[colours] : 255;
			for (int c = 0; c < colours; c++) {
				int v = (p[c] * a + 255 * (255 - a)) / 255;
				low[c] = VIPS_MIN(low[c], v);
				high[c] = VIPS_MAX(high[c], v);
			}
		}
	}
	int most = 0;
	for (int c = 0; c < colours; c++)
		most = VIPS_MAX(most, high[c] - low[c]);
	return most;
}

int pd_visible_page(const pd_request *req, int pages, int64_t max_pixels, int blank, int clear)
{
	pd_result res = {0};
	pd_request later = *req;
	later.page = 1;
	later.pages = pages;
	int best = 0, most = blank;
	VipsImage *image = pd_open_photo(&later, &res, 1, 1);
	if (image && image->BandFmt == VIPS_FORMAT_UCHAR && image->Bands >= 1 && image->Bands <= 4) {
		int height = vips_image_get_page_height(image);
		VipsRegion *region = vips_region_new(image);
		for (int i = 0; i < image->Ysize / height && most < clear; i++) {
			max_pixels -= (int64_t) image->Xsize * height;
			int found = max_pixels < 0 ? -1 : contrast(region, i * height, height);
			if (found < 0)
				break;
			if (found > most) {
				most = found;
				best = 1 + i;
			}
		}
		g_object_unref(region);
	}
	VIPS_UNREF(image);
	vips_error_clear();
	vips_thread_shutdown();
	return best;
}
