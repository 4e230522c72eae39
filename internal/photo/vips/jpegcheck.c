// Decoding a JPEG only to hear what the decoder has to say. libvips passes on
// the first of libjpeg's warnings and not where it was; a picture is damaged or
// not by what they are, how many bytes they are about and which rows.
#include "jpegcheck.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

typedef struct {
	struct jpeg_error_mgr pub;
	jmp_buf give_up;
	struct jpeg_progress_mgr progress;
	int64_t size; // of the data
	pd_jpeg_warnings *warnings;
} watch;

// More scans than any program writes: they take time and add nothing.
enum { MOST_SCANS = 100 };

static void give_up(j_common_ptr cinfo)
{
	longjmp(((watch *) cinfo->err)->give_up, 1);
}

static void drop_message(j_common_ptr cinfo)
{
}

static int kind_of(int code)
{
	switch (code) {
	case JWRN_EXTRANEOUS_DATA:
		return PD_JPEG_SKIPPED;
	case JWRN_HIT_MARKER:
	case JWRN_HUFF_BAD_CODE:
	case JWRN_ARITH_BAD_CODE:
	case JWRN_MUST_RESYNC:
		return PD_JPEG_CORRUPTED;
	case JWRN_JPEG_EOF:
		return PD_JPEG_ENDED;
	}
	return PD_JPEG_HARMLESS;
}

static void note_warning(j_common_ptr common, int level)
{
	watch *w = (watch *) common->err;
	if (level >= 0 || w->warnings->count >= w->warnings->most)
		return;
	j_decompress_ptr cinfo = (j_decompress_ptr) common;
	pd_jpeg_warning *out = &w->warnings->list[w->warnings->count++];
	out->kind = kind_of(w->pub.msg_code);
	out->at = w->size - cinfo->src->bytes_in_buffer;
	out->skipped = out->kind == PD_JPEG_SKIPPED ? w->pub.msg_parm.i[0] : 0;
	out->last_row = cinfo->total_iMCU_rows > 0 && cinfo->input_iMCU_row + 1 >= cinfo->total_iMCU_rows;
	char text[JMSG_LENGTH_MAX];
	w->pub.format_message(common, text);
	snprintf(out->text, sizeof(out->text), "%s", text);
}

static void count_scans(j_common_ptr cinfo)
{
	if (((j_decompress_ptr) cinfo)->input_scan_number > MOST_SCANS)
		give_up(cinfo);
}

static void do_nothing(j_decompress_ptr cinfo)
{
}

// Called when the data have ended: puts an end mark there, as libjpeg's own
// sources do.
static boolean end_of_data(j_decompress_ptr cinfo)
{
	static const JOCTET mark[] = {0xff, JPEG_EOI};
	WARNMS(cinfo, JWRN_JPEG_EOF);
	cinfo->src->next_input_byte = mark;
	cinfo->src->bytes_in_buffer = sizeof(mark);
	((watch *) cinfo->err)->size += sizeof(mark); // so that places go on growing
	return TRUE;
}

static void skip(j_decompress_ptr cinfo, long n)
{
	struct jpeg_source_mgr *src = cinfo->src;
	if (n <= 0)
		return;
	if ((size_t) n > src->bytes_in_buffer) {
		end_of_data(cinfo);
		return;
	}
	src->next_input_byte += n;
	src->bytes_in_buffer -= n;
}

void pd_jpeg_check(const void *data, size_t size, pd_jpeg_warnings *warnings)
{
	struct jpeg_decompress_struct cinfo;
	watch w = {.size = size, .warnings = warnings, .progress = {.progress_monitor = count_scans}};
	struct jpeg_source_mgr source = {
		.next_input_byte = data,
		.bytes_in_buffer = size,
		.init_source = do_nothing,
		.fill_input_buffer = end_of_data,
		.skip_input_data = skip,
		.resync_to_restart = jpeg_resync_to_restart,
		.term_source = do_nothing,
	};
	cinfo.err = jpeg_std_error(&w.pub);
	w.pub.error_exit = give_up;
	w.pub.output_message = drop_message;
	w.pub.emit_message = note_warning;
	if (setjmp(w.give_up)) {
		warnings->gave_up = 1;
		jpeg_destroy_decompress(&cinfo);
		return;
	}
	jpeg_create_decompress(&cinfo);
	cinfo.src = &source;
	cinfo.progress = &w.progress;
	jpeg_read_header(&cinfo, TRUE);
	if (jpeg_has_multiple_scans(&cinfo) &&
		(int64_t) cinfo.image_width * cinfo.image_height * cinfo.num_components * 2 > warnings->max_bytes)
		give_up((j_common_ptr) &cinfo);
	warnings->begun = 1;
	cinfo.scale_num = 1; // an eighth: the bits are read all the same
	cinfo.scale_denom = 8;
	jpeg_start_decompress(&cinfo);
	JSAMPARRAY row = cinfo.mem->alloc_sarray((j_common_ptr) &cinfo, JPOOL_IMAGE,
		cinfo.output_width * cinfo.output_components, 1);
	while (cinfo.output_scanline < cinfo.output_height)
		jpeg_read_scanlines(&cinfo, row, 1);
	jpeg_finish_decompress(&cinfo); // reads on to the end mark
	jpeg_destroy_decompress(&cinfo);
}
