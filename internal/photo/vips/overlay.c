// A source of which some bytes are replaced and some follow the end, without a
// copy of the file.
#include "decode.h"

#include <string.h>
#include <unistd.h>

typedef struct {
	pd_request req;   // what its pointers lead to outlives the source
	gint64 position;
} overlay;

// Reads size bytes at most of what the request names, from an offset before its end.
static gint64 read_below(const pd_request *req, gint64 at, void *buffer, gint64 size)
{
	if (req->fd >= 0)
		return pread(req->fd, buffer, size, at);
	memcpy(buffer, (const char *) req->data + at, size);
	return size;
}

static gint64 read_overlay(VipsSourceCustom *source, void *buffer, gint64 size, overlay *o)
{
	const pd_request *req = &o->req;
	gint64 end = req->size;
	gint64 n;
	if (o->position < end) {
		n = read_below(req, o->position, buffer, VIPS_MIN(size, end - o->position));
		for (int i = 0; i < req->replacements && n > 0; i++) {
			const pd_replacement *r = &req->replace[i];
			for (int j = 0; j < (int) sizeof(r->bytes); j++) {
				gint64 to = r->at + j - o->position;
				if (to >= 0 && to < n)
					((unsigned char *) buffer)[to] = r->bytes[j];
			}
		}
	} else {
		gint64 into = o->position - end;
		n = VIPS_MIN(size, (gint64) req->append_size - into);
		if (n <= 0)
			return 0;
		memcpy(buffer, (const char *) req->append + into, n);
	}
	if (n > 0)
		o->position += n;
	return n;
}

static gint64 seek_overlay(VipsSourceCustom *source, gint64 offset, int whence, overlay *o)
{
	gint64 length = (gint64) (o->req.size + o->req.append_size);
	gint64 to = offset;
	if (whence == SEEK_CUR)
		to += o->position;
	else if (whence == SEEK_END)
		to += length;
	if (to < 0 || to > length)
		return -1;
	return o->position = to;
}

VipsSource *pd_overlay_source(const pd_request *req)
{
	VipsSourceCustom *source = vips_source_custom_new();
	overlay *o = g_new0(overlay, 1);
	o->req = *req;
	g_object_set_data_full(G_OBJECT(source), "overlay", o, g_free);
	g_signal_connect(source, "read", G_CALLBACK(read_overlay), o);
	g_signal_connect(source, "seek", G_CALLBACK(seek_overlay), o);
	return VIPS_SOURCE(source);
}
