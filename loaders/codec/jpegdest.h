/* SPDX-License-Identifier: Apache-2.0
 *
 * jpegdest.h: a JPEG that libjpeg writes, in a buffer that is ours at every moment. jpeg_mem_dest
 * frees what it was given when it grows and tells where it has moved to at the end only: after an
 * error its caller holds a pointer to freed memory.
 */
#ifndef MR_CODEC_JPEGDEST_H
#define MR_CODEC_JPEGDEST_H

#include "base/buf.h"

#include <stdio.h>

#include <jpeglib.h>

struct mr_jpegdest {
    struct jpeg_destination_mgr base; /* cinfo->dest points here */
    struct mr_buf *jpeg;              /* the caller's, who frees it whatever happens */
};

/* After jpeg_create_compress: what cinfo writes goes to the end of *jpeg, whose n is right after
 * jpeg_finish_compress; after an error it holds a part. Where there is no memory, cinfo's
 * error_exit is called with JERR_OUT_OF_MEMORY. */
void mr__jpegdest_attach(struct mr_jpegdest *to, struct jpeg_compress_struct *cinfo,
                         struct mr_buf *jpeg);

#endif
