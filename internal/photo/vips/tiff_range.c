// What the numbers in a TIFF mean, where the file does not say: samples of more
// than 16 bits, signed ones and floating point come from many programs, each with
// its own idea of white.
#include "tiff.h"

#include <math.h>
#include <stdlib.h>

// A picture whose values end below this share of what the type holds does not use
// the type: 12 bits in 16. It uses LEVELS at least, or it is merely black.
#define UNUSED 16
#define LEVELS 200

static int by_value(const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;
	return (x > y) - (x < y);
}

static double quantile(const double *sorted, int n, double q)
{
	return sorted[(int) (q * (n - 1) + 0.5)];
}

// The white that programs use for values up to v, and that of the type if none is.
static double usual_white(double v, double type_max)
{
	static const double whites[] = {255, 65535};
	for (int i = 0; i < 2; i++)
		if (v <= whites[i] && whites[i] < type_max)
			return whites[i];
	return type_max;
}

// Of whole numbers, of a whole type or in floating point.
static pd_range whole_range(const double *v, int n, double type_min, double type_max, int may_stretch)
{
	pd_range range = {0, type_max, type_max, 0};
	double low = quantile(v, n, 0.001), high = quantile(v, n, 0.999);
	if (low < 0 && may_stretch) { // black is not at zero: shifted, or a measurement
		int all = high - low > (type_max - type_min) / 4;
		range.black = all ? type_min : low;
		range.white = all ? type_max : high;
		return range;
	}
	// Values of 16 bits may be few; those of wider types are not chosen for them.
	if (type_max > 65535)
		range.white = usual_white(v[n - 1], type_max);
	if (may_stretch && high < range.white / UNUSED && high >= LEVELS)
		range.white = high;
	return range;
}

// Of floating point: light, from 0 to 1, unless the values say otherwise.
static pd_range float_range(const double *v, int n, int may_stretch)
{
	pd_range range = {0, 1, 1, 1};
	double high = quantile(v, n, 0.999), most = quantile(v, n, 0.99);
	if (may_stretch && quantile(v, n, 0.05) < -0.05) { // a measurement
		range.black = quantile(v, n, 0.005);
		range.white = quantile(v, n, 0.995);
		range.linear = 0;
	} else if (most <= 16) { // a little more than white is the sun, or a lamp
		if (may_stretch && quantile(v, n, 0.5) > 1)
			range.white = quantile(v, n, 0.995);
		else if (may_stretch && high < 1.0 / 64 && high > 1e-3)
			range.white = high;
	} else if ((most > 50 && high <= 256) || (most > 12000 && high <= 65536)) {
		range.white = usual_white(floor(high), INFINITY);
		range.linear = 0;
	} else {
		range.white = quantile(v, n, 0.995);
	}
	return range;
}

static int all_whole(const double *v, int n)
{
	for (int i = 0; i < n; i++)
		if (v[i] != floor(v[i]))
			return 0;
	return 1;
}

pd_range pd_find_range(pd_kind kind, double *values, int n, double max_alpha, int may_stretch)
{
	if (n == 0) { // nothing but infinities and no numbers
		values[0] = 0;
		n = 1;
	}
	qsort(values, n, sizeof(*values), by_value);
	pd_range range;
	if (!kind.is_float)
		range = whole_range(values, n, kind.min, kind.max, may_stretch);
	else if (values[n - 1] > 1 && all_whole(values, n))
		range = whole_range(values, n, -INFINITY, fmax(values[n - 1], 65536), may_stretch);
	else
		range = float_range(values, n, may_stretch);
	if (!(range.white > range.black))
		range.white = range.black + 1;
	if (kind.is_float && max_alpha <= 1)
		range.opaque = 1;
	else if (kind.is_float || kind.max > 65535)
		range.opaque = usual_white(max_alpha, kind.is_float ? INFINITY : kind.max);
	else
		range.opaque = kind.max;
	if (isinf(range.opaque))
		range.opaque = max_alpha;
	return range;
}
