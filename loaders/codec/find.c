/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/codec/find.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct magic {
    size_t at;
    const char *bytes;
    size_t n;
    const char *what;
};
#define MAGIC(at, text, what) {at, text, sizeof text - 1, what}

/* What people have in image folders, or find there to their surprise. Longer signatures before
 * shorter ones. */
static const struct magic magics[] = {
    MAGIC(8, "WEBP", "a WebP image"),
    MAGIC(0, "GIF8", "a GIF image"),
    MAGIC(0, "BM", "a BMP image"),
    MAGIC(0, "II*\0", "a TIFF image"),
    MAGIC(0, "MM\0*", "a TIFF image"),
    MAGIC(4, "ftypavif", "an AVIF image"),
    MAGIC(4, "ftypheic", "a HEIC image"),
    MAGIC(4, "ftypheix", "a HEIC image"),
    MAGIC(4, "ftypmif1", "a HEIF image"),
    MAGIC(4, "ftyp", "an MP4 video or another ISO media file"),
    MAGIC(0, "\0\0\0\014JXL ", "a JPEG XL image"),
    MAGIC(0, "\xff\x0a", "a JPEG XL image"),
    MAGIC(0, "\0\0\0\014jP  ", "a JPEG 2000 image"),
    MAGIC(0, "\xff\x4f\xff\x51", "a JPEG 2000 image"),
    MAGIC(0, "8BPS", "a Photoshop file"),
    MAGIC(0, "%PDF", "a PDF"),
    MAGIC(0, "\x93NUMPY", "a NumPy array"),
    MAGIC(0, "PK\3\4", "a ZIP archive"),
    MAGIC(0, "\x1f\x8b", "a gzip file"),
    MAGIC(257, "ustar", "a tar archive"),
    MAGIC(0, "\x7f" "ELF", "a program"),
    MAGIC(0, "P5", "a PGM image"),
    MAGIC(0, "P6", "a PPM image"),
    MAGIC(0, "version https://git-lfs", "a Git LFS pointer: the image itself was not fetched"),
};

static bool is_text(const uint8_t *data, size_t n)
{
    for (size_t i = 0; i < n && i < 512; i++) {
        if (data[i] < 0x20 && !strchr("\t\n\r\f", data[i]))
            return false;
    }
    return true;
}

static bool begins(const uint8_t *data, size_t n, const char *word)
{
    while (n > 0 && (*data == ' ' || *data == '\n' || *data == '\r' || *data == '\t'))
        data++, n--;
    return n >= strlen(word) && !strncasecmp((const char *)data, word, strlen(word));
}

static bool all_zero(const uint8_t *data, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (data[i])
            return false;
    }
    return true;
}

static const char *looks_like(const uint8_t *data, size_t n)
{
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
        const struct magic *m = &magics[i];
        if (n >= m->at + m->n && !memcmp(data + m->at, m->bytes, m->n))
            return m->what;
    }
    if (all_zero(data, n))
        return "nothing but zeros: the file was probably never written to its end";
    if (begins(data, n, "<!doctype html") || begins(data, n, "<html"))
        return "an HTML page: probably a failed download";
    if (begins(data, n, "<?xml") || begins(data, n, "<svg"))
        return "an XML or SVG text";
    return is_text(data, n) ? "text" : NULL;
}

static void write_hex(char *to, size_t cap, const uint8_t *data, size_t n)
{
    size_t at = 0;
    for (size_t i = 0; i < n && i < 8 && at + 4 < cap; i++)
        at += (size_t)snprintf(to + at, cap - at, i ? " %02x" : "%02x", data[i]);
}

const struct mr_codec *mr__codec_find(const uint8_t *data, size_t n, struct mr_errbuf *e)
{
    for (const struct mr_codec *const *c = mr_codecs; *c; c++) {
        if ((*c)->probe(data, n))
            return *c;
    }
    if (n == 0) {
        mr__fail(e, MR_E_DATA, "the file is empty");
        return NULL;
    }
    const char *what = looks_like(data, n);
    char hex[32] = "";
    write_hex(hex, sizeof hex, data, n);
    if (what)
        mr__fail(e, MR_E_DATA, "not an image that this build reads, but %s", what);
    else
        mr__fail(e, MR_E_DATA, "not an image that this build reads (its first bytes are %s)", hex);
    return NULL;
}
