/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/codec/jpegerr.h"

#include <ctype.h>
#include <inttypes.h>

#include <jerror.h>

void mr__jpegerr_throw(struct mr_jpegerr *je, int code, const char *fmt, ...)
{
    char text[MR_ERR_TEXT];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    je->code = mr__fail(je->e, code, "%s", text);
    longjmp(je->jump, 1);
}

/* Warnings after which pixels are not what was encoded. The others are about odd headers and
 * padding, which libjpeg reads rightly (JWRN_NOT_SEQUENTIAL: some phones; JWRN_EXTRANEOUS_DATA:
 * fill bytes). */
static bool loses_data(int message)
{
    switch (message) {
    case JWRN_ARITH_BAD_CODE:
    case JWRN_BOGUS_PROGRESSION:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_MUST_RESYNC:
        return true;
    }
    return false;
}

/* Arithmetic-coded data have no end of their own: a decoder reads zeros behind their last byte, so
 * that a cut file becomes gray without a word. Only what lies around the data tells. */
static bool loses_arithmetic_data(j_common_ptr cinfo, int message)
{
    const struct jpeg_decompress_struct *dec = (j_decompress_ptr)cinfo;
    return cinfo->is_decompressor && dec->arith_code && dec->input_scan_number > 0 &&
           (message == JWRN_JPEG_EOF || message == JWRN_EXTRANEOUS_DATA);
}

static int code_of(int message)
{
    switch (message) {
    case JERR_OUT_OF_MEMORY: return MR_E_MEMORY;
    case JERR_NO_BACKING_STORE: return MR_E_LIMIT;
    case JERR_TFILE_CREATE: return MR_E_LIMIT;
    }
    return MR_E_DATA;
}

/* libjpeg's text with a small first letter ("corrupt JPEG data: bad Huffman code") and where it
 * happened. */
static void throw_message(j_common_ptr cinfo)
{
    struct mr_jpegerr *je = (struct mr_jpegerr *)cinfo->err;
    char text[JMSG_LENGTH_MAX], place[64] = "";
    int code = code_of(je->base.msg_code);
    if (code == MR_E_LIMIT)
        mr__jpegerr_throw(
            je, code,
            "the JPEG needs more memory to decode than limits.max_decode_bytes allows "
            "(%" PRId64 ")",
            je->limits->max_decode_bytes);
    je->base.format_message(cinfo, text);
    if (text[0] && islower((unsigned char)text[1]))
        text[0] = (char)tolower((unsigned char)text[0]);
    if (cinfo->is_decompressor) {
        j_decompress_ptr dec = (j_decompress_ptr)cinfo;
        if (dec->output_scanline > 0 && dec->output_scanline < dec->output_height)
            snprintf(place, sizeof place, ", near row %u of %u", dec->output_scanline,
                     dec->output_height);
    }
    /* What is read behind the end is made up by libjpeg: the end is the cause, not what it meets */
    if (je->base.msg_code == JWRN_JPEG_EOF)
        mr__jpegerr_throw(je, code, "the file ends early%s", place);
    bool cut = je->ended_early && code == MR_E_DATA;
    mr__jpegerr_throw(je, code, "%s%s%s", cut ? "the file ends early: " : "", text, place);
}

static void on_error(j_common_ptr cinfo)
{
    throw_message(cinfo);
}

static void note_end(struct mr_jpegerr *je, j_common_ptr cinfo)
{
    je->ended_early = true;
    if (cinfo->is_decompressor && ((j_decompress_ptr)cinfo)->input_scan_number == 0)
        mr__jpegerr_throw(je, MR_E_DATA, "the file ends inside its header");
}

static void on_message(j_common_ptr cinfo, int level)
{
    struct mr_jpegerr *je = (struct mr_jpegerr *)cinfo->err;
    if (level >= 0)
        return; /* a trace message */
    je->base.num_warnings++;
    if (je->base.msg_code == JWRN_JPEG_EOF)
        note_end(je, cinfo);
    if (loses_data(je->base.msg_code) || loses_arithmetic_data(cinfo, je->base.msg_code))
        throw_message(cinfo);
}

static void on_output(j_common_ptr cinfo)
{
    (void)cinfo; /* the library's own would print */
}

static void on_progress(j_common_ptr cinfo)
{
    struct mr_jpegerr *je = (struct mr_jpegerr *)cinfo->err;
    int64_t max = je->limits->max_scans;
    if (max > 0 && ((j_decompress_ptr)cinfo)->input_scan_number > max)
        mr__jpegerr_throw(je, MR_E_LIMIT, "the JPEG has more than %" PRId64 " scans, which is "
                          "limits.max_scans", max);
}

struct jpeg_error_mgr *mr__jpegerr_table(struct mr_jpegerr *je)
{
    struct jpeg_error_mgr *table = jpeg_std_error(&je->base);
    table->error_exit = on_error;
    table->emit_message = on_message;
    table->output_message = on_output;
    return table;
}

void mr__jpegerr_attach(struct mr_jpegerr *je, struct jpeg_decompress_struct *cinfo)
{
    cinfo->err = mr__jpegerr_table(je);
}

void mr__jpegerr_watch(struct mr_jpegerr *je, struct jpeg_decompress_struct *cinfo)
{
    je->progress.progress_monitor = on_progress;
    cinfo->progress = &je->progress;
}
