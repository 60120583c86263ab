/* SPDX-License-Identifier: Apache-2.0
 *
 * image_size.c: the first bytes of a file hold its header, but for two cases: a JPEG with much
 * before it (thumbnails, colour profiles) is read whole, and a PNG may say behind its pixels how
 * they are to be turned, so its chunks are walked from head to head.
 */
#include "loaders/codec/image_size.h"

#include "loaders/codec/exif.h"
#include "loaders/codec/find.h"
#include "loaders/codec/orient.h"
#include "loaders/codec/pngchunk.h"
#include "loaders/source/read_file.h"

#include "base/open_file.h"

#include <string.h>
#include <unistd.h>

#define HEAD_BYTES ((size_t)128 << 10)
#define EXIF_BYTES ((size_t)1 << 20) /* a larger one is not looked into */

static int read_header(const struct mr_buf *file, const struct mr_limits *limits,
                       struct mr_image_info *info, const struct mr_codec **codec,
                       struct mr_errbuf *e)
{
    void *decoder;
    *codec = mr__codec_find(file->data, file->n, e);
    if (!*codec)
        return MR_E_DATA;
    int rc = (*codec)->open(&decoder, limits, e);
    if (rc < 0)
        return rc;
    rc = (*codec)->header(decoder, file->data, file->n, info, e);
    (*codec)->close(decoder);
    return rc;
}

/* ---- a PNG's orientation behind its pixels ---- */

static bool read_at(int fd, struct mr_buf *to, size_t n, size_t at)
{
    ssize_t got = pread(fd, to->data, n, (off_t)at);
    to->n = got > 0 ? (size_t)got : 0;
    return to->n == n;
}

/* The first eXIf chunk's orientation, as loaders/codec/png.c takes it; 1: there is none that is
 * whole. */
static int32_t walk_chunks(int fd, size_t size, struct mr_buf *scratch)
{
    struct mr_pngchunk c;
    for (size_t at = MR_PNGCHUNK_FIRST; at < size && read_at(fd, scratch, 12, at);) {
        size_t begin = 0;
        if (!mr__pngchunk_next(scratch->data, scratch->n, &begin, &c))
            break;
        size_t whole = 12 + (size_t)c.n;
        if (memcmp(c.type, "eXIf", 4) != 0) {
            at += whole;
            continue;
        }
        begin = 0;
        if (whole > EXIF_BYTES || !read_at(fd, scratch, whole, at) ||
            !mr__pngchunk_next(scratch->data, scratch->n, &begin, &c) || !mr__pngchunk_intact(&c))
            break;
        return mr__exif_orientation(c.data, c.n);
    }
    return 1;
}

static int turn_late(const char *path, size_t size, struct mr_buf *scratch,
                     struct mr_image_info *info, struct mr_errbuf *e)
{
    struct mr_pngchunk c;
    if (mr__pngchunk_find(scratch->data, scratch->n, "eXIf", &c) && c.whole)
        return MR_OK; /* it stands before them */
    if (!mr__buf_reserve(scratch, EXIF_BYTES - scratch->n))
        return mr__fail(e, MR_E_MEMORY, "not enough memory for the header of '%s'", path);
    int fd = mr__open_file(path);
    if (fd < 0)
        return mr__fail_errno(e, MR_E_IO, "cannot open '%s'", path);
    int32_t w = info->w;
    info->orientation = walk_chunks(fd, size, scratch);
    close(fd);
    if (mr__orient_turn(info->orientation).swap) {
        info->w = info->h;
        info->h = w;
    }
    return MR_OK;
}

int mr__image_size(const char *path, const struct mr_limits *limits, struct mr_buf *scratch,
                   struct mr_image_info *info, struct mr_errbuf *e)
{
    const struct mr_codec *codec;
    size_t size;
    int rc = mr__read_file_head(path, limits->max_file_bytes, HEAD_BYTES, scratch, &size, e);
    if (rc < 0)
        return rc;
    rc = read_header(scratch, limits, info, &codec, e);
    if (scratch->n == size)
        return rc;
    if (rc == MR_OK && !strcmp(codec->d.name, "png"))
        rc = turn_late(path, size, scratch, info, e);
    if (rc != MR_E_DATA)
        return rc;
    rc = mr__read_file(path, limits->max_file_bytes, scratch, e);
    return rc < 0 ? rc : read_header(scratch, limits, info, &codec, e);
}
