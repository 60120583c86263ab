/* SPDX-License-Identifier: Apache-2.0
 *
 * jpegerr.h: libjpeg reports trouble through callbacks; here they become a code and a sentence, and
 * a jump out of the library. Which warnings mean that pixels are lost is decided here.
 */
#ifndef MR_CODEC_JPEGERR_H
#define MR_CODEC_JPEGERR_H

#include "base/descriptor.h"

#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h>

struct mr_jpegerr {
    struct jpeg_error_mgr base; /* cinfo->err points here */
    struct jpeg_progress_mgr progress;
    jmp_buf jump;               /* set by the caller before each call into the library */
    struct mr_errbuf *e;        /* where the sentence goes; may be NULL */
    int code;                   /* what the jump was for */
    const struct mr_limits *limits;
    bool ended_early;           /* the bytes ran out; what was lost shows later */
};

/* A libjpeg object's `err`, for je->limits and je->e. */
struct jpeg_error_mgr *mr__jpegerr_table(struct mr_jpegerr *je);
/* Hooks error, warning and progress callbacks of cinfo, before jpeg_create_decompress. Nothing
 * is ever printed. */
void mr__jpegerr_attach(struct mr_jpegerr *je, struct jpeg_decompress_struct *cinfo);
/* After jpeg_create_decompress, which clears what does not survive it. */
void mr__jpegerr_watch(struct mr_jpegerr *je, struct jpeg_decompress_struct *cinfo);

/* Sets code and sentence and jumps. */
void mr__jpegerr_throw(struct mr_jpegerr *je, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4), noreturn));

#endif
