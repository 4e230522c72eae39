#ifndef PHOTODESC_VIPS_PREVIEW_H
#define PHOTODESC_VIPS_PREVIEW_H

#include <stddef.h>

// Shrinks RGB pixels so that no edge is longer than longest and writes them as a
// JPEG, which the caller frees with g_free. 0 on success; else error has the reason.
int pd_preview(const void *pixels, int width, int height, int longest, int quality,
	void **jpeg, size_t *size, char error[256]);

#endif
