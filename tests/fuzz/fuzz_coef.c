/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_coef.c: any bytes as a segment of coefficients: every version that this CPU runs gives the
 * same verdict and the same coefficients, what was decoded can be encoded and decodes to the same,
 * and nothing beyond the bytes that may be read is. The first byte chooses the shape, the second
 * which blocks are made.
 */
#include "loaders/codec/packed/coef_segment.h"
#include "loaders/codec/packed/coef_tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { RUNS = 6, TILES = 4, BLOCKS = 48 };

/* Rows of blocks of three components, and how many blocks a row has. */
static const struct {
    uint8_t rows[3], blocks[3];
} shapes[] = {{{1, 0, 0}, {8}},       {{1, 1, 1}, {8, 8, 8}}, {{2, 1, 1}, {8, 4, 4}},
              {{1, 1, 1}, {8, 4, 4}}, {{1, 1, 1}, {8, 2, 2}}, {{2, 1, 1}, {4, 2, 2}},
              {{1, 1, 1}, {4, 4, 4}}, {{1, 1, 1}, {1, 1, 1}}};

static void require(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "fuzz: %s\n", what);
        abort();
    }
}

static void shape(struct mr_coef_segment *s, uint8_t knob, uint8_t made)
{
    uint8_t number = knob % (sizeof shapes / sizeof *shapes);

    s->nruns = 0;
    for (int i = 0; i < 3; i++) {
        for (uint8_t row = 0; row < shapes[number].rows[i]; row++) {
            struct mr_coef_run *r = &s->run[s->nruns++];
            uint32_t blocks = shapes[number].blocks[i];
            *r = (struct mr_coef_run){.n = blocks, .to = blocks, .begins = row == 0};
            r->from = made % 16 % (blocks + 1);
            if (made & 16)
                r->to = r->from + made / 32u % (blocks - r->from + 1);
            r->first = made & 128 ? -(int32_t)r->from : made % 4;
        }
    }
}

static bool decode(struct mr_coef_segment *s, const struct mr_coef_version *v, struct mr_slot *to)
{
    memset(to, 0, sizeof *to * TILES * RUNS);
    for (uint32_t r = 0; r < s->nruns; r++)
        s->run[r].row = to + (size_t)r * TILES;
    return v->decode(s);
}

static void all_versions(struct mr_coef_segment *s, struct mr_slot *want)
{
    static struct mr_slot got[RUNS * TILES];
    struct mr_cpu cpu;
    bool good = decode(s, &mr__coef_scalar, want);

    require(mr__cpu_by_name(&cpu, NULL, NULL) == MR_OK, "no level");
    for (const struct mr_coef_version *const *v = mr__coef_versions; *v; v++) {
        if (!mr__cpu_runs(&cpu, (*v)->level, (*v)->flags))
            continue;
        require(decode(s, *v, got) == good, "another verdict");
        require(!good || memcmp(want, got, sizeof got) == 0, "other coefficients");
    }
    s->bytes = good ? s->bytes : 0;
}

/* The blocks of a segment all of whose blocks were made. */
static void again(struct mr_coef_segment *s, struct mr_slot *tiles)
{
    static int16_t zigzag[BLOCKS][64];
    static uint8_t bytes[BLOCKS * MR_COEF_LONGEST + MR_COEF_BEHIND];
    static struct mr_slot back[RUNS * TILES];
    int16_t(*to)[64] = zigzag;

    for (uint32_t r = 0; r < s->nruns; r++) {
        for (uint32_t i = 0; i < s->run[r].n; i++, to++) {
            const struct mr_slot *slot = &tiles[r * TILES + i / 4];
            const int16_t *block = (const int16_t *)(const void *)slot + i % 4 * 8;
            for (int k = 0; k < 64; k++)
                (*to)[k] = block[mr__coef_place[k]];
        }
    }
    s->bytes = mr__coef_encode(s, (const int16_t(*)[64])zigzag, bytes);
    s->data = bytes;
    require(decode(s, &mr__coef_scalar, back), "what was encoded is not decoded");
    for (size_t i = 0; i < RUNS * TILES; i++)
        require(!memcmp(&back[i].tile, &tiles[i].tile, sizeof back[i].tile), "it was changed");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct mr_slot tiles[RUNS * TILES];
    struct mr_coef_segment s;

    if (n < 2 || n > 2 + BLOCKS * MR_COEF_LONGEST)
        return 0;
    uint8_t *exact = calloc(n - 2 + MR_COEF_BEHIND, 1); /* a sanitizer sees what is read beyond */
    require(exact, "memory");
    memcpy(exact, data + 2, n - 2);
    shape(&s, data[0], data[1]);
    s.data = exact;
    s.bytes = n - 2;
    all_versions(&s, tiles);
    if (s.bytes > 0 && data[1] == 0)
        again(&s, tiles);
    free(exact);
    return 0;
}
