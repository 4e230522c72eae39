// Numbers of TIFF samples as colours over white.
#include "tiff_samples.h"

#include <math.h>

static double clip(double v)
{
	return v > 0 ? (v < 1 ? v : 1) : 0; // 0 for what is no number
}

// Light as it is seen, of 16 bits: sRGB's curve.
static const uint16_t *curve(void)
{
	static uint16_t table[65536];
	static gsize done = 0;
	if (g_once_init_enter(&done)) {
		for (int i = 0; i < 65536; i++) {
			double v = i / 65535.0;
			v = v <= 0.0031308 ? v * 12.92 : 1.055 * pow(v, 1 / 2.4) - 0.055;
			table[i] = v * 65535 + 0.5;
		}
		g_once_init_leave(&done, 1);
	}
	return table;
}

// Lays a colour over another: all of it, or what its alpha leaves.
static double over(const pd_samples *r, double v, double under, int i)
{
	if (!r->has_alpha)
		return v;
	double alpha = clip(r->row[r->colours][i] / r->range.opaque);
	return (r->req->tiff.premultiplied ? v : v * alpha) + under * (1 - alpha);
}

// Grey, RGB and palettes.
void pd_write_rgb(pd_samples *r, int x, int y, int n)
{
	int bands = r->image->Bands;
	int wide = r->image->BandFmt == VIPS_FORMAT_USHORT;
	VipsPel *out = VIPS_IMAGE_ADDR(r->image, x, y);
	const uint16_t *seen = r->range.linear ? curve() : NULL;
	double black = r->range.black, span = r->range.white - r->range.black;
	int invert = r->photometric == PHOTOMETRIC_MINISWHITE;
	for (int i = 0; i < n; i++) {
		for (int b = 0; b < bands; b++) {
			double v;
			if (r->map[0])
				v = r->map[b][(int) r->row[0][i]] / (double) r->map_max;
			else
				v = (r->row[b][i] - black) / span;
			v = clip(over(r, invert ? 1 - clip(v) : clip(v), 1, i));
			if (!wide)
				out[i * bands + b] = v * 255 + 0.5;
			else if (seen)
				((uint16_t *) out)[i * bands + b] = seen[(int) (v * 65535 + 0.5)];
			else
				((uint16_t *) out)[i * bands + b] = v * 65535 + 0.5;
		}
	}
}

void pd_write_cmyk(pd_samples *r, int x, int y, int n)
{
	VipsPel *out = VIPS_IMAGE_ADDR(r->image, x, y);
	double black = r->range.black, span = r->range.white - r->range.black;
	for (int i = 0; i < n; i++)
		for (int b = 0; b < 4; b++)
			out[i * 4 + b] = clip(over(r, clip((r->row[b][i] - black) / span), 0, i)) * 255 + 0.5;
}

// CIELab, whose a and b are signed, and ICC's Lab, where they are shifted.
void pd_write_lab(pd_samples *r, int x, int y, int n)
{
	int16_t *out = (int16_t *) VIPS_IMAGE_ADDR(r->image, x, y);
	int shifted = r->photometric == PHOTOMETRIC_ICCLAB;
	double scale = r->bits == 8 ? 1 : 256;
	double most = shifted && r->bits == 16 ? 0xff00 : 256 * scale - 1;
	for (int i = 0; i < n; i++) {
		for (int b = 0; b < r->used; b++)
			if (r->row[b][i] < 0) // told to be signed: back to its bits
				r->row[b][i] += 256 * scale;
		double v[3] = {r->row[0][i], r->row[1][i], r->row[2][i]};
		double light = clip(v[0] / most) * 100;
		for (int b = 1; b < 3; b++) {
			v[b] /= scale;
			v[b] = shifted ? v[b] - 128 : (v[b] >= 128 ? v[b] - 256 : v[b]);
		}
		out[i * 3] = rint(VIPS_CLIP(0, over(r, light, 100, i), 100) * 32767 / 100);
		for (int b = 1; b < 3; b++)
			out[i * 3 + b] = rint(VIPS_CLIP(-128, over(r, v[b], 0, i), 127.99) * 256);
	}
}
