/* SPDX-License-Identifier: Apache-2.0
 *
 * jpegheader.c: a JPEG's header, by libjpeg-turbo.
 */
#include "loaders/codec/exif.h"
#include "loaders/codec/jpegdecoder.h"
#include "loaders/codec/jpegscans.h"
#include "loaders/codec/limits.h"
#include "loaders/codec/orient.h"

#include <inttypes.h>
#include <string.h>

static struct mr_jpeg *owner(j_decompress_ptr cinfo)
{
    return (struct mr_jpeg *)cinfo; /* its first member */
}

/* APP1, read in place: the source is memory, so nothing is copied. */
static boolean on_app1(j_decompress_ptr cinfo)
{
    static const uint8_t head[6] = {'E', 'x', 'i', 'f', 0, 0};
    struct jpeg_source_mgr *src = cinfo->src;
    const uint8_t *p = src->next_input_byte;
    if (src->bytes_in_buffer < 2)
        mr__jpegerr_throw(&owner(cinfo)->err, MR_E_DATA, "the file ends inside its header");
    size_t n = (size_t)p[0] << 8 | p[1];
    if (n < 2)
        mr__jpegerr_throw(&owner(cinfo)->err, MR_E_DATA, "an APP1 marker of %zu bytes", n);
    if (n > src->bytes_in_buffer)
        mr__jpegerr_throw(&owner(cinfo)->err, MR_E_DATA, "the file ends inside its header");
    src->next_input_byte += n;
    src->bytes_in_buffer -= n;
    if (owner(cinfo)->orientation == 0 && n >= 2 + sizeof head && !memcmp(p + 2, head, sizeof head))
        owner(cinfo)->orientation = mr__exif_orientation(p + 2 + sizeof head, n - 2 - sizeof head);
    return TRUE;
}

void mr__jpegheader_reset(struct mr_jpeg *d)
{
    if (d->created)
        jpeg_destroy_decompress(&d->cinfo);
    d->created = d->ready = false;
}

/* A new object for each image (0.3 us): in an old one the tables of the image before are still
 * there, so that a file that lacks its own would be decoded with whatever came before it. */
static void create(struct mr_jpeg *d)
{
    mr__jpegerr_attach(&d->err, &d->cinfo);
    jpeg_create_decompress(&d->cinfo);
    d->created = true;
    mr__jpegerr_watch(&d->err, &d->cinfo);
    jpeg_set_marker_processor(&d->cinfo, JPEG_APP0 + 1, on_app1);
    if (d->limits.max_decode_bytes > 0)
        d->cinfo.mem->max_memory_to_use = (long)d->limits.max_decode_bytes;
}

static void read_header(struct mr_jpeg *d, const uint8_t *data, size_t n)
{
    struct jpeg_decompress_struct *cinfo = &d->cinfo;
    jpeg_mem_src(cinfo, (unsigned char *)(uintptr_t)data, (unsigned long)n);
    jpeg_read_header(cinfo, TRUE);
    int c = cinfo->num_components;
    if (c != 1 && c != 3 && c != 4)
        mr__jpegerr_throw(&d->err, MR_E_DATA, "a JPEG with %d components is not supported", c);
    if (cinfo->data_precision != 8)
        mr__jpegerr_throw(&d->err, MR_E_DATA, "a JPEG with %d bits per sample is not supported",
                          cinfo->data_precision);
}

/* The library has read up to the first scan's data. */
static int check_scan_count(const struct mr_jpeg *d, struct mr_errbuf *e)
{
    const struct jpeg_source_mgr *src = d->cinfo.src;
    int64_t max = d->limits.max_scans;
    if (max <= 0 || mr__jpegscans_count(src->next_input_byte, src->bytes_in_buffer, max) < max)
        return MR_OK;
    return mr__fail(e, MR_E_LIMIT,
                    "the JPEG has more than %" PRId64 " scans, which is limits.max_scans", max);
}

static void fill_info(struct mr_jpeg *d)
{
    struct jpeg_decompress_struct *cinfo = &d->cinfo;
    int32_t orientation = d->orientation ? d->orientation : 1;
    bool swap = mr__orient_turn(orientation).swap;
    int32_t w = (int32_t)cinfo->image_width, h = (int32_t)cinfo->image_height;
    d->info = (struct mr_image_info){.w = swap ? h : w, .h = swap ? w : h, .bits = 8,
                                     .c = cinfo->num_components, .orientation = orientation};
}

int mr__jpegheader_read(struct mr_jpeg *d, const uint8_t *data, size_t n, struct mr_errbuf *e)
{
    mr__jpegheader_reset(d);
    d->orientation = 0;
    d->err.e = e;
    d->err.ended_early = false;
    if (n == 0)
        return mr__fail(e, MR_E_DATA, "the file is empty");
    if (setjmp(d->err.jump)) {
        mr__jpegheader_reset(d);
        return d->err.code;
    }
    create(d);
    read_header(d, data, n);
    int rc = mr__limits_size(&d->limits, d->cinfo.image_width, d->cinfo.image_height, e);
    if (rc == MR_OK && jpeg_has_multiple_scans(&d->cinfo))
        rc = check_scan_count(d, e);
    if (rc < 0)
        return rc;
    fill_info(d);
    d->data = data;
    d->n = n;
    d->ready = true;
    return MR_OK;
}
