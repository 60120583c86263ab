/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/codec/jpegdest.h"

#include <jerror.h>

enum { PIECE = 65536 };

static void more_room(j_compress_ptr cinfo)
{
    struct mr_jpegdest *to = (struct mr_jpegdest *)cinfo->dest; /* base is its first member */
    if (!mr__buf_reserve(to->jpeg, PIECE))
        ERREXIT1(cinfo, JERR_OUT_OF_MEMORY, 0);
    to->base.next_output_byte = to->jpeg->data + to->jpeg->n;
    to->base.free_in_buffer = to->jpeg->cap - to->jpeg->n;
}

static boolean empty_output(j_compress_ptr cinfo)
{
    struct mr_buf *jpeg = ((struct mr_jpegdest *)cinfo->dest)->jpeg;
    jpeg->n = jpeg->cap; /* it is called when no byte is free */
    more_room(cinfo);
    return TRUE;
}

static void end_output(j_compress_ptr cinfo)
{
    struct mr_buf *jpeg = ((struct mr_jpegdest *)cinfo->dest)->jpeg;
    jpeg->n = jpeg->cap - cinfo->dest->free_in_buffer;
}

void mr__jpegdest_attach(struct mr_jpegdest *to, struct jpeg_compress_struct *cinfo,
                         struct mr_buf *jpeg)
{
    *to = (struct mr_jpegdest){.base = {.init_destination = more_room,
                                        .empty_output_buffer = empty_output,
                                        .term_destination = end_output},
                               .jpeg = jpeg};
    cinfo->dest = &to->base;
}
