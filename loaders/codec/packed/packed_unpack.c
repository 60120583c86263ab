/* SPDX-License-Identifier: Apache-2.0
 *
 * packed_unpack.c: a body to a JPEG file again: its coefficients are decoded as for a picture, and
 * libjpeg-turbo writes them down, baseline, with codes of its choice and the markers that were
 * kept.
 */
#include "loaders/codec/jpegdest.h"
#include "loaders/codec/jpegerr.h"
#include "loaders/codec/packed/packed_coder.h"
#include "loaders/codec/packed/packed_slots.h"
#include "loaders/codec/packed/packed_zigzag.h"

#include <stdlib.h>
#include <string.h>

struct unpacker {
    struct jpeg_compress_struct cinfo;
    struct mr_jpegerr err;
    struct mr_packed_body body;
    struct mr_packed_memory memory;
    struct mr_ranges file;
    struct mr_packed_part part;
    struct mr_packed_coder coder;
    struct mr_slot *slots; /* of one row of MCUs */
    struct mr_feed_row row;
    jvirt_barray_ptr coefficients[3];
    struct mr_jpegdest to;
    struct mr_buf *jpeg; /* the caller's */
};

/* ---- coefficients ---------------------------------------------------------------------------- */

/* What libjpeg keeps of a component has whole MCUs, too. */
static void take_block(const struct mr_slot *slot, int32_t number, JCOEF to[64])
{
    for (int k = 0; k < 64; k++)
        to[k] = slot->tile.v[k / 8][number][k % 8];
}

static void take_row(struct unpacker *u, int32_t row)
{
    j_common_ptr cinfo = (j_common_ptr)&u->cinfo;
    for (int i = 0; i < u->row.planes; i++) {
        const struct mr_feed_plane *p = &u->row.plane[i];
        for (int32_t y = 0; y < p->v; y++) {
            JBLOCKARRAY to = u->cinfo.mem->access_virt_barray(
                cinfo, u->coefficients[i], (JDIMENSION)(row * p->v + y), 1, TRUE);
            for (int32_t x = 0; x < u->body.across * p->h; x++)
                take_block(&p->slot[y * p->slots + x / 4], x % 4, to[0][x]);
        }
    }
    mr__packed_slots_clear(&u->row);
}

static int take_all(struct unpacker *u, struct mr_errbuf *e)
{
    for (int32_t row = 0; row < u->body.down; row++) {
        u->row.row = row;
        if (!u->coder.feed.row(u->coder.feed.ctx, &u->row)) {
            int code = mr__packed_coder_code(&u->coder);
            return code < 0 ? code : mr__fail(e, MR_E_DATA, "a damaged packed JPEG");
        }
        take_row(u, row);
    }
    return MR_OK;
}

/* ---- the file -------------------------------------------------------------------------------- */

static void describe(struct unpacker *u)
{
    struct jpeg_compress_struct *cinfo = &u->cinfo;
    const struct mr_packed_body *b = &u->body;
    cinfo->image_width = (JDIMENSION)b->w;
    cinfo->image_height = (JDIMENSION)b->h;
    cinfo->input_components = b->components;
    cinfo->in_color_space = b->components == 1 ? JCS_GRAYSCALE : JCS_YCbCr;
    jpeg_set_defaults(cinfo);
    jpeg_set_colorspace(cinfo, cinfo->in_color_space);
    for (int i = 0; i < b->quants; i++) {
        unsigned int table[64];
        for (int k = 0; k < 64; k++)
            table[k] = b->quant[i][k];
        jpeg_add_quant_table(cinfo, i, table, 100, FALSE);
        memcpy(cinfo->quant_tbl_ptrs[i]->quantval, b->quant[i], sizeof b->quant[i]);
    }
    for (int i = 0; i < b->components; i++) {
        cinfo->comp_info[i].h_samp_factor = b->component[i].h;
        cinfo->comp_info[i].v_samp_factor = b->component[i].v;
        cinfo->comp_info[i].quant_tbl_no = b->component[i].quant;
    }
    cinfo->optimize_coding = TRUE;
    cinfo->write_JFIF_header = FALSE; /* they are among the markers, where there were any */
    cinfo->write_Adobe_marker = FALSE;
}

static void make_arrays(struct unpacker *u)
{
    j_common_ptr cinfo = (j_common_ptr)&u->cinfo;
    for (int i = 0; i < u->body.components; i++) {
        const struct mr_packed_component *c = &u->body.component[i];
        u->coefficients[i] = u->cinfo.mem->request_virt_barray(
            cinfo, JPOOL_IMAGE, FALSE, (JDIMENSION)(u->body.across * c->h),
            (JDIMENSION)(u->body.down * c->v), (JDIMENSION)c->v);
    }
    u->cinfo.mem->realize_virt_arrays(cinfo);
}

static int write_markers(struct unpacker *u, struct mr_errbuf *e)
{
    const uint8_t *p = u->memory.data + u->body.markers_at, *end = u->memory.data + u->body.end;
    while (end - p >= 4) {
        uint32_t length = (uint32_t)p[2] << 8 | p[3];
        if (p[0] != 0xff || p[1] < 0xe0 || length < 2 || length > end - p - 2)
            break;
        jpeg_write_marker(&u->cinfo, p[1], p + 4, length - 2);
        p += 2 + length;
    }
    return p == end ? MR_OK : mr__fail(e, MR_E_DATA, "a damaged packed JPEG: its markers");
}

static int unpack(struct unpacker *u, struct mr_errbuf *e)
{
    jpeg_create_compress(&u->cinfo);
    mr__jpegdest_attach(&u->to, &u->cinfo, u->jpeg);
    describe(u);
    make_arrays(u);
    int rc = mr__packed_slots_make(&u->slots, &u->body, 0, u->body.across, &u->row, e);
    if (rc == MR_OK)
        rc = take_all(u, e);
    if (rc < 0)
        return rc;
    jpeg_write_coefficients(&u->cinfo, u->coefficients);
    rc = write_markers(u, e);
    if (rc == MR_OK)
        jpeg_finish_compress(&u->cinfo);
    return rc;
}

static int unpack_caught(struct unpacker *u, struct mr_errbuf *e)
{
    static const struct mr_limits none;
    u->cinfo.err = mr__jpegerr_table(&u->err);
    u->err.limits = &none;
    u->err.e = e;
    int rc = setjmp(u->err.jump) ? u->err.code : unpack(u, e);
    jpeg_destroy_compress(&u->cinfo);
    return rc;
}

static int open_body(struct unpacker *u, const uint8_t *body, size_t n, struct mr_errbuf *e)
{
    u->memory = (struct mr_packed_memory){body, n};
    u->file = mr__packed_in_memory(&u->memory);
    int rc = mr__packed_read(&u->body, &u->file, NULL, e);
    struct mr_rect all = {0, 0, u->body.across, u->body.down};
    if (rc == MR_OK)
        rc = mr__packed_part(&u->part, &u->body, &u->file, &all, e);
    if (rc == MR_OK)
        rc = mr__packed_coder_begin(&u->coder, &u->body, e);
    if (rc == MR_OK)
        mr__packed_coder_part(&u->coder, &u->part, e);
    return rc;
}

int mr__packed_to_jpeg(const uint8_t *body, size_t n, struct mr_buf *jpeg, struct mr_errbuf *e)
{
    struct unpacker *u = calloc(1, sizeof *u);
    if (!u)
        return mr__fail(e, MR_E_MEMORY, "no memory for unpacking a JPEG");
    u->jpeg = jpeg;
    jpeg->n = 0;
    int rc = open_body(u, body, n, e);
    if (rc == MR_OK)
        rc = unpack_caught(u, e);
    if (rc < 0)
        jpeg->n = 0;
    mr__packed_coder_free(&u->coder);
    free(u->slots);
    free(u);
    return rc;
}
