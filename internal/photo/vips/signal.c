// Samples as the file has them, for a caller that knows what they mean.
#include "decode.h"

#include <string.h>

static guint32 be32(const unsigned char *p)
{
	return (guint32) p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

int pd_hdr_profile(VipsImage *image, pd_result *res)
{
	enum { HEADER = 128, ENTRY = 12, MOST_TAGS = 100, PQ = 16, HLG = 18 };
	const void *profile;
	size_t size;
	if ((image->Type != VIPS_INTERPRETATION_sRGB && image->Type != VIPS_INTERPRETATION_RGB16) ||
		(image->BandFmt != VIPS_FORMAT_UCHAR && image->BandFmt != VIPS_FORMAT_USHORT) || image->Bands > 4)
		return 0;
	if (!vips_image_get_typeof(image, VIPS_META_ICC_NAME) ||
		vips_image_get_blob(image, VIPS_META_ICC_NAME, &profile, &size) ||
		size < HEADER + 4)
		return 0;
	const unsigned char *p = profile;
	guint32 tags = be32(p + HEADER);
	for (guint32 i = 0; i < VIPS_MIN(tags, MOST_TAGS); i++) {
		size_t at = HEADER + 4 + (size_t) i * ENTRY;
		if (at + ENTRY > size)
			return 0;
		size_t to = be32(p + at + 4);
		if (memcmp(p + at, "cicp", 4) != 0)
			continue;
		// Type, four zeros, primaries, transfer, matrix, full range.
		if (to > size || size - to < 12 || memcmp(p + to, "cicp", 4) != 0)
			return 0;
		res->primaries = p[to + 8];
		res->transfer = p[to + 9];
		return res->transfer == PQ || res->transfer == HLG;
	}
	return 0;
}

// Shrinks colour without the alpha that hides it having a say, and back.
static int shrink_alpha(VipsObject *owner, VipsImage *in, VipsImage **out, int longest)
{
	VipsImage **t = (VipsImage **) vips_object_local_array(owner, 3);
	double most = in->BandFmt == VIPS_FORMAT_USHORT ? 65535 : 255;
	return vips_premultiply(in, &t[0], "max_alpha", most, NULL) ||
		pd_shrink_to_margin(t[0], &t[1], longest) ||
		vips_unpremultiply(t[1], &t[2], "max_alpha", most, NULL) ||
		vips_cast(t[2], out, in->BandFmt, NULL);
}

int pd_keep_samples(VipsObject *owner, VipsImage *in, VipsImage **out, int longest, pd_result *res)
{
	if (in->Bands < 1 || in->Bands > 4 ||
		(in->BandFmt != VIPS_FORMAT_UCHAR && in->BandFmt != VIPS_FORMAT_USHORT)) {
		vips_error("photodesc", "samples of another kind than 8 or 16 bits in 1 to 4 bands");
		return -1;
	}
	res->bands = in->Bands;
	res->sample_bytes = in->BandFmt == VIPS_FORMAT_USHORT ? 2 : 1;
	res->white = res->sample_bytes == 2 ? 65535 : 255;
	// libvips moves 10 and 12 bits to the upper end of 16.
	int bits;
	if (res->sample_bytes == 2 && vips_image_get_typeof(in, "heif-bitdepth") &&
		!vips_image_get_int(in, "heif-bitdepth", &bits) && bits > 8 && bits < 16)
		res->white = ((1 << bits) - 1) << (16 - bits);

	double scale = longest > 0 ? (double) PD_MARGIN * longest / VIPS_MAX(in->Xsize, in->Ysize) : 1;
	if (in->Bands % 2 == 0 && scale < 1)
		return shrink_alpha(owner, in, out, longest);
	return pd_shrink_to_margin(in, out, longest);
}
