// Colours: whatever a file has to 8-bit sRGB.
#include "decode.h"

#include <stdlib.h>
#include <string.h>

int pd_over_white(VipsImage *in, VipsImage **out)
{
	if (!vips_image_hasalpha(in))
		return vips_copy(in, out, NULL);

	// White in the image's own terms. The alpha of a float image is taken to
	// run to 1 where its colours do.
	double white[3] = {255, 255, 255};
	double max_alpha = 255;
	int n = in->Bands - 1;
	switch (in->Type) {
	case VIPS_INTERPRETATION_RGB16:
	case VIPS_INTERPRETATION_GREY16:
		white[0] = white[1] = white[2] = max_alpha = 65535;
		break;
	case VIPS_INTERPRETATION_scRGB:
		white[0] = white[1] = white[2] = max_alpha = 1;
		break;
	case VIPS_INTERPRETATION_LAB:
		white[0] = 100;
		white[1] = white[2] = 0;
		break;
	case VIPS_INTERPRETATION_CMYK:
		white[0] = 0; // no ink, in all four bands
		n = 1;
		break;
	default:
		break;
	}
	if (n > 3)
		n = 1;
	VipsArrayDouble *background = vips_array_double_new(white, n);
	int failed = vips_flatten(in, out, "background", background, "max_alpha", max_alpha, NULL);
	vips_area_unref(VIPS_AREA(background));
	return failed;
}

// Whether an RGB profile means sRGB, so that the picture is better left as it
// is: a transform that changes nothing still costs time and rounds. Found by
// sending a cube of colours through it, since names and sizes of sRGB profiles
// are many. A broken profile counts as sRGB too: that is what other programs
// show such a picture in.
static int probe(const void *profile, size_t size)
{
	enum { SIDE = 6, STEP = 51, COUNT = SIDE * SIDE * SIDE, TOLERANCE = 1 };
	unsigned char cube[COUNT * 3];
	for (int i = 0; i < COUNT; i++) {
		cube[i * 3 + 0] = i % SIDE * STEP;
		cube[i * 3 + 1] = i / SIDE % SIDE * STEP;
		cube[i * 3 + 2] = i / SIDE / SIDE * STEP;
	}
	VipsObject *owner = VIPS_OBJECT(vips_image_new());
	VipsImage **t = (VipsImage **) vips_object_local_array(owner, 3);
	unsigned char *back = NULL;
	size_t n;
	int same = 1;
	if ((t[0] = vips_image_new_from_memory(cube, sizeof(cube), COUNT, 1, 3, VIPS_FORMAT_UCHAR)) &&
		!vips_copy(t[0], &t[1], "interpretation", VIPS_INTERPRETATION_sRGB, NULL)) {
		vips_image_set_blob_copy(t[1], VIPS_META_ICC_NAME, profile, size);
		if (!vips_icc_transform(t[1], &t[2], "srgb", "embedded", TRUE,
				"intent", VIPS_INTENT_PERCEPTUAL, "depth", 8, NULL) &&
			t[2]->Bands == 3)
			back = vips_image_write_to_memory(t[2], &n);
	}
	if (back) {
		for (int i = 0; i < COUNT * 3 && same; i++)
			same = abs(back[i] - cube[i]) <= TOLERANCE;
		g_free(back);
	}
	g_object_unref(owner);
	return same;
}

// probe, asked once a profile: thousands of photos of one camera carry the same,
// and asking takes longer than decoding a small picture.
static int profile_is_srgb(const void *profile, size_t size)
{
	enum { REMEMBERED = 16 };
	static GMutex lock;
	static struct {
		char *digest;
		int same;
	} memory[REMEMBERED];
	static int next = 0;

	char *digest = g_compute_checksum_for_data(G_CHECKSUM_SHA256, profile, size);
	int same = -1;
	g_mutex_lock(&lock);
	for (int i = 0; i < REMEMBERED && same < 0; i++)
		if (memory[i].digest && strcmp(memory[i].digest, digest) == 0)
			same = memory[i].same;
	g_mutex_unlock(&lock);
	if (same >= 0) {
		g_free(digest);
		return same;
	}
	same = probe(profile, size);
	g_mutex_lock(&lock);
	g_free(memory[next].digest);
	memory[next].digest = digest;
	memory[next].same = same;
	next = (next + 1) % REMEMBERED;
	g_mutex_unlock(&lock);
	return same;
}

// Through the embedded profile. Returns 1 when there is none to use.
static int by_profile(VipsImage *in, VipsImage **out)
{
	const void *profile;
	size_t size;
	if (!vips_image_get_typeof(in, VIPS_META_ICC_NAME) ||
		vips_image_get_blob(in, VIPS_META_ICC_NAME, &profile, &size))
		return 1;
	if (in->Bands == 3 && profile_is_srgb(profile, size))
		return 1;
	// The profile may be broken, or made for another number of bands.
	return vips_icc_transform(in, out, "srgb", "embedded", TRUE,
			   "intent", VIPS_INTENT_PERCEPTUAL, "depth", 8, NULL)
		? 1
		: 0;
}

int pd_to_srgb(VipsObject *owner, VipsImage *in, VipsImage **out)
{
	VipsImage **t = (VipsImage **) vips_object_local_array(owner, 5);

	if (by_profile(in, &t[0])) {
		// Bands whose meaning the file does not tell: by their number.
		VipsInterpretation type = vips_image_guess_interpretation(in);
		t[0] = in;
		g_object_ref(in);
		if (type == VIPS_INTERPRETATION_MULTIBAND) {
			int keep = in->Bands >= 3 ? 3 : 1;
			int wide = in->BandFmt == VIPS_FORMAT_USHORT;
			VipsInterpretation as = keep == 3
				? (wide ? VIPS_INTERPRETATION_RGB16 : VIPS_INTERPRETATION_sRGB)
				: (wide ? VIPS_INTERPRETATION_GREY16 : VIPS_INTERPRETATION_B_W);
			if (vips_extract_band(in, &t[1], 0, "n", keep, NULL) ||
				vips_copy(t[1], &t[2], "interpretation", as, NULL))
				return -1;
			g_object_unref(t[0]);
			t[0] = t[2];
			g_object_ref(t[0]);
		}
	}
	// Of an 8-bit sRGB image this changes nothing; of grey it makes three bands.
	if (vips_colourspace(t[0], &t[3], VIPS_INTERPRETATION_sRGB, NULL))
		return -1;
	if (t[3]->Bands == 3)
		return vips_cast_uchar(t[3], out, NULL);
	if (t[3]->Bands < 3) {
		vips_error("photodesc", "a picture of %d bands", t[3]->Bands);
		return -1;
	}
	return vips_extract_band(t[3], &t[4], 0, "n", 3, NULL) ||
		vips_cast_uchar(t[4], out, NULL);
}
