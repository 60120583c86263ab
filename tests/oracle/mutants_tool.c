/* SPDX-License-Identifier: Apache-2.0
 *
 * mutants_tool COUNT SEED FILE...: damages real files at random, COUNT times, and holds what
 * Millrace makes of each to what the libraries themselves say (plain_decode.h):
 *   - a decode is equal to the plain one, and there is none where the library lost pixels;
 *   - a refusal is a bad sample or a limit, with a sentence, and has a cause that the library
 *     knows, or one of those below;
 *   - a crop of a good file is that part of it; of a file whose pixels are lost from some row on,
 *     it is refused if it needs them.
 * A failure leaves the file in mutant-SEED-NUMBER in the working directory.
 */
#include "loaders/codec/find.h"
#include "loaders/codec/orient.h"
#include "plain_decode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

enum { MAX_PIXELS = 1 << 20, ROOM = 4096 };

static const struct mr_limits limits = {.max_pixels = MAX_PIXELS,
                                        .max_side = 100000,
                                        .max_scans = 100,
                                        .max_decode_bytes = 64 << 20};

struct bytes {
    uint8_t *data;
    size_t n;
};

/* ---- randomness ------------------------------------------------------------------------------ */

static uint64_t state;

static uint32_t draw(uint32_t n)
{
    state += 0x9e3779b97f4a7c15u; /* splitmix64 */
    uint64_t z = state;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return n ? (uint32_t)((z ^ z >> 31) % n) : 0;
}

/* ---- damage ---------------------------------------------------------------------------------- */

/* Half of the damage goes where the headers are. */
static size_t place(const struct bytes *b)
{
    size_t end = draw(2) && b->n > 700 ? 700 : b->n;
    return draw((uint32_t)end);
}

static void flip_bit(struct bytes *b)
{
    b->data[place(b)] ^= (uint8_t)(1u << draw(8));
}

static void set_byte(struct bytes *b)
{
    static const uint8_t telling[] = {0, 1, 0x7f, 0x80, 0xff, 0xd0, 0xd9, 0xda, 0xc0, 0xc9};
    size_t at = place(b);
    b->data[at] = draw(2) ? (uint8_t)draw(256) : telling[draw(sizeof telling)];
}

static void set_run(struct bytes *b)
{
    size_t at = place(b), n = 1 + draw(200);
    memset(b->data + at, draw(2) ? 0 : (int)draw(256), n < b->n - at ? n : b->n - at);
}

static void cut(struct bytes *b)
{
    size_t n = place(b);
    b->n = n ? n : 1;
}

static void lose(struct bytes *b)
{
    size_t at = place(b), n = 1 + draw(draw(4) ? 4 : 2000);
    if (n > b->n - at)
        n = b->n - at;
    if (n == b->n)
        return;
    memmove(b->data + at, b->data + at + n, b->n - at - n);
    b->n -= n;
}

static void insert(struct bytes *b)
{
    size_t at = place(b), n = 1 + draw(draw(4) ? 4 : 500);
    memmove(b->data + at + n, b->data + at, b->n - at);
    for (size_t i = 0; i < n; i++)
        b->data[at + i] = (uint8_t)draw(256);
    b->n += n;
}

static void copy(struct bytes *b)
{
    size_t from = place(b), to = place(b), n = 1 + draw(300), far = from > to ? from : to;
    memmove(b->data + to, b->data + from, n < b->n - far ? n : b->n - far);
}

static void put_marker(struct bytes *b)
{
    static const uint8_t markers[] = {0xd0, 0xd1, 0xd8, 0xd9, 0xda, 0xc0, 0xc2, 0xc4,
                                      0xc9, 0xcc, 0xdb, 0xdd, 0xe1, 0xfe, 0x41, 0x01};
    size_t at = place(b);
    if (at + 2 > b->n)
        return;
    b->data[at] = 0xff;
    b->data[at + 1] = markers[draw(sizeof markers)];
}

static void (*const damages[])(struct bytes *) = {
    flip_bit, flip_bit, set_byte, set_byte, set_run, cut, lose, insert, copy, put_marker,
};

static uint32_t big32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* So that damage gets behind PNG's checksums. */
static void repair_checksums(struct bytes *b)
{
    size_t at = 8;
    while (at + 12 <= b->n) {
        size_t n = big32(b->data + at), end = at + 8 + n;
        if (n > b->n - at - 12)
            return;
        uLong crc = crc32_z(0, b->data + at + 4, n + 4);
        for (int i = 0; i < 4; i++)
            b->data[end + (size_t)i] = (uint8_t)(crc >> (24 - 8 * i));
        at = end + 4;
    }
}

static void mutate(const struct bytes *seed, struct bytes *b)
{
    memcpy(b->data, seed->data, seed->n);
    b->n = seed->n;
    for (uint32_t i = 1 + draw(3); i > 0; i--)
        damages[draw(sizeof damages / sizeof *damages)](b);
    if (b->n > 8 && b->data[0] == 0x89 && draw(4))
        repair_checksums(b);
}

/* ---- judgement ------------------------------------------------------------------------------- */

static struct {
    long golden, refused, crops_golden, crops_refused, stricter;
    long verdicts[PLAIN_BIG + 1];
} count;

static const char *failure; /* of this mutant; NULL: none */

static void require(bool good, const char *what)
{
    if (!good && !failure)
        failure = what;
}

/* The pixel of the stored image that is shown at (x, y). */
static const uint8_t *stored_pixel(const struct plain *p, int32_t orientation, int32_t x, int32_t y)
{
    struct mr_turn t = mr__orient_turn(orientation);
    int32_t sx = t.swap ? y : x, sy = t.swap ? x : y;
    sx = t.flip_x ? p->w - 1 - sx : sx;
    sy = t.flip_y ? p->h - 1 - sy : sy;
    return p->rgb + ((size_t)sy * (size_t)p->w + (size_t)sx) * 3;
}

static bool equals_plain(const struct plain *p, int32_t orientation, const struct mr_rect *roi,
                         const uint8_t *rgb)
{
    for (int32_t y = 0; y < roi->h; y++) {
        for (int32_t x = 0; x < roi->w; x++, rgb += 3) {
            if (memcmp(rgb, stored_pixel(p, orientation, roi->x + x, roi->y + y), 3))
                return false;
        }
    }
    return true;
}

/* What Millrace refuses though the library says nothing, or not before the end: a whole image is
 * promised, and a limit is a limit. */
static bool stricter_on_purpose(const char *text)
{
    static const char *const causes[] = {
        "limits.",
        "is not supported",
        "there is no data for component",
        "the file ends before its last scan",
        "the file ends inside its header",
        "an APP1 marker of",
        "CRC error",
        "the file ends inside this chunk",
        "the PNG's header is damaged",
        "the PNG is damaged: ", /* a checksum of a harmless chunk is none to the library */
        "the PNG ends early",
        "not an image that this build reads",
        "the header declares an image of",
    };
    for (size_t i = 0; i < sizeof causes / sizeof *causes; i++) {
        if (strstr(text, causes[i]))
            return true;
    }
    return false;
}

struct work {
    const struct mr_codec *codec;
    void *decoder;
    struct mr_image_info info;
    uint8_t *pixels;
    struct mr_errbuf e;
};

static int decode(struct work *w, const struct bytes *b, const struct mr_rect *crop,
                  struct mr_rect *roi)
{
    static void *open[16];
    size_t i = 0;
    w->e = (struct mr_errbuf){0};
    w->pixels = NULL;
    w->codec = mr__codec_find(b->data, b->n, &w->e);
    while (w->codec && mr_codecs[i] != w->codec)
        i++;
    if (!w->codec || (!open[i] && w->codec->open(&open[i], &limits, &w->e) < 0))
        return w->e.code;
    if (w->codec->header(open[i], b->data, b->n, &w->info, &w->e) < 0)
        return w->e.code;
    *roi = crop ? *crop : (struct mr_rect){0, 0, w->info.w, w->info.h};
    size_t bytes = (size_t)roi->w * (size_t)roi->h * 3;
    w->pixels = malloc(bytes);
    memset(w->pixels, 0xa5, bytes);
    struct mr_view dst = {w->pixels, roi->w, roi->h, 3, 8, (int64_t)roi->w * 3};
    return w->codec->decode(open[i], roi, &dst, &w->e);
}

static bool judge_whole(const struct bytes *b, const struct plain *p, struct mr_image_info *info)
{
    struct work w;
    struct mr_rect roi;
    int rc = decode(&w, b, NULL, &roi);
    bool has_pixels = p->verdict == PLAIN_GOOD || p->verdict == PLAIN_ODD;
    if (rc == MR_OK) {
        require(has_pixels, "decoded, though pixels are lost");
        if (has_pixels)
            require(equals_plain(p, w.info.orientation, &roi, w.pixels), "other pixels");
        count.golden++;
    } else {
        require(rc == MR_E_DATA || rc == MR_E_LIMIT, w.e.text);
        require(w.e.text[0], "a refusal without a sentence");
        require(!has_pixels || stricter_on_purpose(w.e.text), "a good file is refused");
        count.stricter += has_pixels;
        count.refused++;
    }
    *info = w.info;
    free(w.pixels);
    return rc == MR_OK;
}

static void judge_crop(const struct bytes *b, const struct plain *p, bool whole,
                       const struct mr_image_info *info)
{
    struct work w;
    struct mr_rect roi, crop;
    crop.w = 1 + (int32_t)draw((uint32_t)info->w);
    crop.h = 1 + (int32_t)draw((uint32_t)info->h);
    crop.x = (int32_t)draw((uint32_t)(info->w - crop.w + 1));
    crop.y = (int32_t)draw((uint32_t)(info->h - crop.h + 1));
    int rc = decode(&w, b, &crop, &roi);
    require(rc == MR_OK || !whole, "the whole is good, a crop is refused");
    if (rc == MR_OK) {
        struct mr_rect stored = mr__orient_stored(info->orientation, &crop, p->w, p->h);
        if (p->rgb) {
            require(equals_plain(p, info->orientation, &crop, w.pixels), "other pixels in a crop");
            require(p->verdict != PLAIN_LOSS || stored.y + stored.h <= p->lost_from,
                    "a crop is decoded whose pixels are lost");
        }
        count.crops_golden++;
    } else {
        require((rc == MR_E_DATA || rc == MR_E_LIMIT) && w.e.text[0], "how a crop is refused");
        count.crops_refused++;
    }
    free(w.pixels);
}

static void judge(const struct bytes *b)
{
    struct plain p;
    struct mr_image_info info = {0};
    struct mr_errbuf e = {0};
    failure = NULL;
    plain_decode(b->data, b->n, MAX_PIXELS, &p);
    count.verdicts[p.verdict]++;
    if (mr__codec_find(b->data, b->n, &e)) {
        bool whole = judge_whole(b, &p, &info);
        if (info.w > 0)
            judge_crop(b, &p, whole, &info);
    } else {
        require(e.code == MR_E_DATA && e.text[0], "an unknown file without a sentence");
        count.refused++;
    }
    free(p.rgb);
}

/* ---- main ------------------------------------------------------------------------------------ */

static struct bytes read_seed(const char *path)
{
    struct bytes b = {malloc(1 << 20), 0};
    FILE *f = fopen(path, "rb");
    if (!f || !b.data) {
        fprintf(stderr, "cannot read '%s'\n", path);
        exit(2);
    }
    b.n = fread(b.data, 1, 1 << 20, f);
    fclose(f);
    return b;
}

/* In a block of exactly its size, so that a sanitizer sees every byte read behind it. */
static void judge_exact(const struct bytes *b)
{
    struct bytes exact = {malloc(b->n), b->n};
    memcpy(exact.data, b->data, b->n);
    judge(&exact);
    free(exact.data);
}

static void keep(const struct bytes *b, unsigned long seed, long number)
{
    char name[64];
    snprintf(name, sizeof name, "mutant-%lu-%ld", seed, number);
    FILE *f = fopen(name, "wb");
    if (f) {
        fwrite(b->data, 1, b->n, f);
        fclose(f);
    }
    fprintf(stderr, "%s: %s\n", name, failure);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: mutants_tool COUNT SEED FILE...\n");
        return 2;
    }
    long n = atol(argv[1]), bad = 0;
    unsigned long seed = strtoul(argv[2], NULL, 10);
    struct bytes b = {malloc((1 << 20) + 4 * ROOM), 0};
    for (long i = 0; i < n; i++) {
        state = seed * 1000003u + (uint64_t)i; /* any one can be made again */
        struct bytes file = read_seed(argv[3 + i % (argc - 3)]);
        mutate(&file, &b);
        judge_exact(&b);
        if (failure && ++bad < 20)
            keep(&b, seed, i);
        free(file.data);
    }
    printf("%ld mutants of %d files: %ld golden, %ld refused; crops: %ld golden, %ld refused\n", n,
           argc - 3, count.golden, count.refused, count.crops_golden, count.crops_refused);
    printf("the libraries say: %ld good, %ld odd, %ld pixels lost, %ld errors, %ld too large; "
           "%ld refused by Millrace alone; %ld failures\n",
           count.verdicts[PLAIN_GOOD], count.verdicts[PLAIN_ODD], count.verdicts[PLAIN_LOSS],
           count.verdicts[PLAIN_ERROR], count.verdicts[PLAIN_BIG], count.stricter, bad);
    free(b.data);
    return bad != 0;
}
