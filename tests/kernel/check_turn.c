/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of pixels the other way round.
 */
#include "check.h"

#include "augment/kernel/passes.h"

enum { CHANNELS = 4, WIDTHS = 200, AT_ONCE = 8 };

static const struct mr_kernel *version(const struct check *c)
{
    return mr__kernel_for(check_cpu(c));
}

/* Neither row has a byte of slack. `shift` moves them off where memory begins. */
static void test_row(struct check *c, int ch, int n)
{
    size_t bytes = (size_t)(ch * n), shift = (size_t)check_between(c, 0, 1);
    void *out[2];

    shift *= (size_t)check_between(c, 1, 63);
    if (!check_case(c, "turn, %d channels, %d pixels, shift %zu", ch, n, shift))
        return;
    uint8_t *src = check_room(c, shift + bytes, 1);
    check_fill(c, src, shift + bytes);
    check_rooms(c, shift + bytes, 1, out);
    mr__kernel_scalar.turn(ch, (size_t)n, src + shift, (uint8_t *)out[0] + shift);
    version(c)->turn(ch, (size_t)n, src + shift, (uint8_t *)out[1] + shift);
    check_same(c, "the row", out[0], out[1], shift + bytes);
    for (size_t i = 0; i < bytes; i++) {
        size_t from = bytes - (i / (size_t)ch + 1) * (size_t)ch + i % (size_t)ch;
        if (((uint8_t *)out[1])[shift + i] != src[shift + from]) {
            check_fail(c, "byte %zu is not byte %zu of the source", i, from);
            return;
        }
    }
}

/* Every width and number of channels in turn, and a long row. */
static void test(struct check *c)
{
    static int next;

    for (int i = 0; i < AT_ONCE; i++, next++)
        test_row(c, 1 + next % CHANNELS, 1 + next / CHANNELS % WIDTHS);
    test_row(c, check_between(c, 1, CHANNELS), check_between(c, WIDTHS, 4000));
}

static void bench(struct check *c)
{
    enum { WIDTH = 512 };

    for (int ch = 1; ch <= CHANNELS; ch++) {
        check_case(c, "turn");
        const uint8_t *src = check_room(c, (size_t)(WIDTH * ch) + MR_SLACK, 64);
        uint8_t *out = check_room(c, (size_t)(WIDTH * ch) + MR_SLACK, 64);
        CHECK_BENCH(c, WIDTH, "turn, %d channels, per pixel", ch)
        version(c)->turn(ch, WIDTH, src, out);
    }
}

const struct check_kernel check_turn = {"turn", test, bench};
