/* SPDX-License-Identifier: Apache-2.0
 *
 * Segments of coefficients: what the encoder made, what of it was damaged, and any bytes.
 */
#include "check.h"

#include "loaders/codec/packed/coef_segment.h"
#include "loaders/codec/packed/coef_tables.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 24, TILES = 2 * BLOCKS };

static int coefficient(struct check *c, int kind)
{
    static const int extremes[] = {127, 128, -127, -128, -129, 8, 9, -8, -9, 2047, 32767, -32768};

    switch (kind) {
    case 0: return check_between(c, -1, 1);
    case 1: return check_between(c, -9, 9);
    case 2: return check_between(c, -140, 140);
    case 3: return extremes[check_between(c, 0, 11)];
    default: return check_between(c, -32768, 32767);
    }
}

/* Coefficients become smaller along a block, mostly. */
static void fill_block(struct check *c, int16_t zigzag[64], int kind)
{
    int end = check_between(c, 0, 3) ? check_between(c, 0, 63) : 63;
    int empty = check_between(c, 0, 3), top = kind;

    memset(zigzag, 0, 64 * sizeof *zigzag);
    for (int k = 0; k <= end; k++) {
        if (top > 0 && check_between(c, 0, 7) == 0)
            top--;
        if (check_between(c, 0, 3) >= empty)
            zigzag[k] = (int16_t)coefficient(c, kind == 4 ? 4 : top);
    }
}

/* Some components of rows of blocks; every run has tiles of its own. */
static void shape(struct check *c, struct mr_coef_segment *s)
{
    uint32_t left = (uint32_t)check_between(c, 1, BLOCKS);

    s->nruns = 0;
    while (left > 0 && s->nruns < MR_COEF_RUNS) {
        struct mr_coef_run *r = &s->run[s->nruns];
        uint32_t n = (uint32_t)check_between(c, 1, 8), last = s->nruns ? r[-1].n : 0;
        r->begins = s->nruns == 0 || check_between(c, 0, 1);
        r->n = n = !r->begins ? last : n < left ? n : left;
        r->from = check_between(c, 0, 1) ? 0 : (uint32_t)check_between(c, 0, (int)n);
        r->to = check_between(c, 0, 1) ? n : (uint32_t)check_between(c, (int)r->from, (int)n);
        r->first = check_between(c, 0, 1) ? 0 : check_between(c, -(int)r->from, 3);
        left -= n < left ? n : left;
        s->nruns++;
    }
}

static void place(struct mr_coef_segment *s, void *slots)
{
    struct mr_slot *at = slots;

    memset(slots, 0, TILES * sizeof *at);
    for (uint32_t r = 0; r < s->nruns; r++, at += 4)
        s->run[r].row = at;
}

static uint32_t blocks_of(const struct mr_coef_segment *s)
{
    uint32_t n = 0;

    for (uint32_t r = 0; r < s->nruns; r++)
        n += s->run[r].n;
    return n;
}

/* The coefficients that were put in are those that come out, where blocks are made. */
static void check_made(struct check *c, const struct mr_coef_segment *s,
                       const int16_t (*zigzag)[64])
{
    for (uint32_t r = 0; r < s->nruns; r++) {
        const struct mr_coef_run *run = &s->run[r];
        for (uint32_t i = 0; i < run->n; i++, zigzag++) {
            int32_t at = run->first + (int32_t)i;
            if (i < run->from || i >= run->to)
                continue;
            const struct mr_slot *slot = &run->row[at / 4];
            const int16_t *block = (const int16_t *)(const void *)slot + at % 4 * 8;
            for (int k = 0; k < 64; k++) {
                if (block[mr__coef_place[k]] != (*zigzag)[k])
                    check_fail(c, "run %u, block %u: coefficient %d is %d and should be %d", r, i,
                               k, block[mr__coef_place[k]], (*zigzag)[k]);
            }
        }
    }
}

/* Kinds and DCs of a shape, with room for what the kinds say most of the time. */
static size_t any_bytes(struct check *c, uint8_t *to, size_t room, const struct mr_coef_segment *s)
{
    check_fill(c, to, room);
    for (uint32_t i = 0; i < blocks_of(s) && check_between(c, 0, 7); i++)
        to[i] = (uint8_t)check_between(c, 0, check_between(c, 0, 255));
    return (size_t)check_between(c, 0, (int)room);
}

static void test(struct check *c)
{
    static int16_t zigzag[BLOCKS + 8][64];
    static uint8_t bytes[(BLOCKS + 8) * MR_COEF_LONGEST];
    enum { WHOLE, CUT, CHANGED, ANY } damage = check_between(c, 0, 1) ? 0 : check_between(c, 1, 3);
    int kind = check_between(c, 0, 4);
    struct mr_coef_segment s;
    void *slots[2];
    bool good[2];

    if (!check_case(c, "segment, coefficients of kind %d, damage %d", kind, (int)damage))
        return;
    shape(c, &s);
    for (uint32_t i = 0; i < blocks_of(&s); i++)
        fill_block(c, zigzag[i], kind);
    s.bytes = mr__coef_encode(&s, (const int16_t(*)[64])zigzag, bytes);
    for (int n = check_between(c, 1, 8); damage == CHANGED && n > 0; n--)
        bytes[check_between(c, 0, (int)s.bytes - 1)] = (uint8_t)check_between(c, 0, 255);
    if (damage == CUT)
        s.bytes = (size_t)check_between(c, 0, (int)s.bytes - 1);
    if (damage == ANY)
        s.bytes = any_bytes(c, bytes, sizeof bytes, &s);
    uint8_t *room = check_room(c, s.bytes + MR_COEF_BEHIND, 1);
    memcpy(room, bytes, s.bytes);
    s.data = room;
    check_rooms(c, TILES * sizeof(struct mr_slot), 64, slots);
    place(&s, slots[0]);
    good[0] = mr__coef_scalar.decode(&s);
    if (good[0] && damage == WHOLE)
        check_made(c, &s, (const int16_t(*)[64])zigzag);
    place(&s, slots[1]);
    good[1] = mr__coef_version_for(check_cpu(c))->decode(&s);
    if (good[0] != good[1] || (!good[0] && damage == WHOLE))
        check_fail(c, "the verdict is %d, the C version's %d", good[1], good[0]);
    else if (good[0])
        check_same(c, "the slots", slots[0], slots[1], TILES * sizeof(struct mr_slot));
    else
        check_same(c, "nothing but what lies around", room, room, 0);
}

/* A picture's: 64 pixels of 4:4:4 and of 4:2:0, rich and poor ones. */
static void bench(struct check *c)
{
    static int16_t zigzag[BLOCKS][64];
    static const struct {
        const char *name;
        int most; /* coefficients */
    } cases[] = {{"rich", 40}, {"poor", 6}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mr_coef_segment s = {.nruns = 3};
        check_case(c, "segment, %s", cases[i].name);
        struct mr_slot *slots = check_room(c, 6 * sizeof *slots, 64);
        uint8_t *bytes = check_room(c, BLOCKS * MR_COEF_LONGEST + MR_COEF_BEHIND, 64);
        for (int r = 0; r < 3; r++)
            s.run[r] = (struct mr_coef_run){slots + 2 * r, 0, 8, 0, 8, true};
        for (int b = 0; b < BLOCKS; b++) {
            int n = check_between(c, 1, cases[i].most);
            for (int k = 0; k < 64; k++) {
                int most = k < n ? 60 / (1 + k) + 1 : 0;
                zigzag[b][k] = (int16_t)(check_between(c, -most, most) * check_between(c, 0, 1));
            }
        }
        memset(slots, 0, 6 * sizeof *slots);
        s.data = bytes;
        s.bytes = mr__coef_encode(&s, (const int16_t(*)[64])zigzag, bytes);
        const struct mr_coef_version *v = mr__coef_version_for(check_cpu(c));
        CHECK_BENCH(c, BLOCKS, "coef segment, %s, per block", cases[i].name)
        v->decode(&s);
    }
}

const struct check_kernel check_coef = {"coef", test, bench};
