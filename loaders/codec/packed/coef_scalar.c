/* SPDX-License-Identifier: Apache-2.0
 *
 * coef_scalar.c: decoding a segment, the specification; and which version is used.
 */
#include "loaders/codec/packed/coef_parts.h"

/* Replaces those of a block's n bytes that are escapes, or goes past them. */
static void take_escapes(struct coef_parts *p, const uint8_t *bytes, uint32_t n, uint64_t map,
                         int16_t *to)
{
    for (uint32_t i = 0; i < n && map; i++, map &= map - 1) {
        if (bytes[i] == 0x80) {
            int16_t value = coef_escape(p);
            if (to)
                to[mr__coef_place[__builtin_ctzll(map)]] = value;
        }
    }
}

static uint32_t count(uint64_t map) /* there may be no instruction for it */
{
    map -= map >> 1 & 0x5555555555555555;
    map = (map & 0x3333333333333333) + (map >> 2 & 0x3333333333333333);
    map = (map + (map >> 4)) & 0x0f0f0f0f0f0f0f0f;
    return (uint32_t)(map * 0x0101010101010101 >> 56);
}

/* The values of halves: -8 to -1 and 1 to 8. */
static const int8_t value_of[16] = {-8, -7, -6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6, 7, 8};

/* Signs beyond the segment's end are any bits; that there were too many is found in the end. */
static uint64_t signs_at(const struct coef_parts *p)
{
    uint64_t room = (uint64_t)(p->end - p->sign), at = p->signs / 8;

    return coef_load64(p->sign + (at < room ? at : room)) >> p->signs % 8;
}

static void put(const struct coef_parts *p, uint64_t kind, uint64_t left, int16_t *to)
{
    uint32_t nbytes = coef_bytes_of(kind), pairs = coef_pairs_of(kind);
    uint64_t signs = signs_at(p);

    for (uint32_t i = 0; i < nbytes && left; i++, left &= left - 1)
        to[mr__coef_place[__builtin_ctzll(left)]] = (int8_t)p->byte[i];
    for (uint32_t i = 0; i < pairs && left; i++) {
        to[mr__coef_place[__builtin_ctzll(left)]] = value_of[p->nibble[i] & 15];
        left &= left - 1;
        if (left)
            to[mr__coef_place[__builtin_ctzll(left)]] = value_of[p->nibble[i] >> 4];
        left &= left - 1;
    }
    for (; left; left &= left - 1, signs >>= 1)
        to[mr__coef_place[__builtin_ctzll(left)]] = (int16_t)(1 - 2 * (int)(signs & 1));
}

/* The next block's coefficients, its DC aside, to `to`, or nowhere. How many places in zigzag order
 * it uses, DC included; 0 when something is wrong. */
static uint32_t block(struct coef_parts *p, int16_t *to)
{
    uint64_t kind = mr__coef_kind[*p->kind++], map = coef_map(p->map, kind);
    uint64_t ac = map & ~UINT64_C(1);
    uint32_t large = coef_large_of(kind), n = count(ac), signs = n > large ? n - large : 0;

    if (signs > MR_COEF_SIGNS)
        return 0;
    if (to)
        put(p, kind, ac, to);
    if (map & 1)
        take_escapes(p, p->byte, coef_bytes_of(kind), ac, to);
    p->signs += signs;
    p->map += coef_maps_of(kind);
    p->byte += coef_bytes_of(kind);
    p->nibble += coef_pairs_of(kind);
    return 64 - (uint32_t)__builtin_clzll(map | 1);
}

static bool decode(const struct mr_coef_segment *s)
{
    struct coef_parts p;
    const int16_t *dc = p.dc + COEF_DC_FRONT;

    if (!coef_begin(s, &p))
        return false;
    for (uint32_t r = 0; r < s->nruns; r++) {
        const struct mr_coef_run *run = &s->run[r];
        for (uint32_t i = 0; i < run->n; i++, dc++) {
            int16_t *to = coef_made_at(run, i);
            uint32_t used = block(&p, to);
            if (used == 0)
                return false;
            if (to) {
                struct mr_slot *slot = run->row + (run->first + (int32_t)i) / 4;
                to[0] = *dc;
                slot->used = used > slot->used ? (uint8_t)used : slot->used;
            }
        }
    }
    return coef_ends(&p);
}

const struct mr_coef_version mr__coef_scalar = {.level = MR_CPU_SCALAR, .decode = decode};

const struct mr_coef_version *const mr__coef_versions[] = {
#if defined(__x86_64__)
    &mr__coef_avx512, &mr__coef_avx2, &mr__coef_sse4,
#elif defined(__aarch64__)
    &mr__coef_neon,
#endif
    &mr__coef_scalar, NULL,
};

const struct mr_coef_version *mr__coef_version_for(const struct mr_cpu *cpu)
{
    const struct mr_coef_version *const *v = mr__coef_versions;

    while (!mr__cpu_runs(cpu, (*v)->level, (*v)->flags))
        v++;
    return *v;
}
