/* SPDX-License-Identifier: Apache-2.0
 *
 * Upsampling and colour of the JPEG decoder, row by row.
 */
#include "check.h"

#include "loaders/codec/baseline/pixel_kernels.h"

static const struct mr_pixel_kernels *version(const struct check *c)
{
    return mr__pixel_kernels_for(check_cpu(c));
}

static size_t length(struct check *c)
{
    return (size_t)check_between(c, 1, check_between(c, 0, 1) ? 70 : 700);
}

/* Random samples, and the slack that may be read. */
static uint8_t *row(struct check *c, size_t n)
{
    uint8_t *p = check_room(c, n + MR_PIXEL_SLACK, 1);

    check_fill(c, p, n + MR_PIXEL_SLACK);
    return p;
}

enum how { H2V1, H2V2, UPPER, LOWER, REPEAT, HOWS };
static const char *const hows[] = {"h2v1", "h2v2", "h1v2 upper", "h1v2 lower", "repeat"};

static void upsample(const struct mr_pixel_kernels *k, enum how how, const uint8_t *near,
                     const uint8_t *far, size_t n, int times, uint8_t *out)
{
    switch (how) {
    case H2V1: k->h2v1(near, n, out); break;
    case H2V2: k->h2v2(near, far, n, out); break;
    case UPPER:
    case LOWER: k->h1v2(near, far, n, how == LOWER, out); break;
    default: k->repeat(near, n, times, out); break;
    }
}

static int times_of(struct check *c, enum how how)
{
    return how == REPEAT ? check_between(c, 1, 4) : how == UPPER || how == LOWER ? 1 : 2;
}

static void test_upsample(struct check *c)
{
    enum how how = (enum how)check_between(c, 0, HOWS - 1);
    int times = times_of(c, how);
    size_t n = length(c), made = n * (size_t)times;
    void *out[2];

    if (!check_case(c, "%s, %zu samples, %d times", hows[how], n, times))
        return;
    const uint8_t *near = row(c, n), *far = check_between(c, 0, 7) ? row(c, n) : near;
    check_rooms(c, made + MR_PIXEL_SLACK, 1, out);
    upsample(&mr__pixels_scalar, how, near, far, n, times, out[0]);
    upsample(version(c), how, near, far, n, times, out[1]);
    check_same(c, "the row", out[0], out[1], made);
}

static void bench_upsample(struct check *c)
{
    enum { N = 512 };

    for (int how = 0; how < HOWS; how++) {
        int times = how == UPPER || how == LOWER ? 1 : 2;
        check_case(c, "%s", hows[how]);
        const uint8_t *near = row(c, N), *far = row(c, N);
        uint8_t *out = check_room(c, 2 * N + MR_PIXEL_SLACK, 64);
        CHECK_BENCH(c, N * times, "upsample, %s, per output sample", hows[how])
        upsample(version(c), (enum how)how, near, far, N, times, out);
    }
}

enum colour { RGB, RGBA, GRAY_RGB, GRAY_RGBA, COLOURS };
static const char *const colours[] = {"YCbCr to RGB", "YCbCr to RGBA", "gray to RGB",
                                      "gray to RGBA"};

static void convert(const struct mr_pixel_kernels *k, enum colour to, const uint8_t *const in[3],
                    size_t n, uint8_t *out)
{
    switch (to) {
    case RGB: k->rgb(in[0], in[1], in[2], n, out); break;
    case RGBA: k->rgba(in[0], in[1], in[2], n, out); break;
    case GRAY_RGB: k->gray_rgb(in[0], n, out); break;
    default: k->gray_rgba(in[0], n, out); break;
    }
}

static void test_colour(struct check *c)
{
    enum colour to = (enum colour)check_between(c, 0, COLOURS - 1);
    size_t n = length(c), made = n * (to == RGB || to == GRAY_RGB ? 3 : 4);
    const uint8_t *in[3];
    void *out[2];

    if (!check_case(c, "%s, %zu pixels", colours[to], n))
        return;
    for (int i = 0; i < 3; i++)
        in[i] = row(c, n);
    check_rooms(c, made + MR_PIXEL_SLACK, 1, out);
    convert(&mr__pixels_scalar, to, in, n, out[0]);
    convert(version(c), to, in, n, out[1]);
    check_same(c, "the pixels", out[0], out[1], made);
}

static void bench_colour(struct check *c)
{
    enum { N = 512 };

    for (int to = 0; to < COLOURS; to++) {
        check_case(c, "%s", colours[to]);
        const uint8_t *in[3] = {row(c, N), row(c, N), row(c, N)};
        uint8_t *out = check_room(c, 4 * N + MR_PIXEL_SLACK, 64);
        CHECK_BENCH(c, N, "colour, %s, per pixel", colours[to])
        convert(version(c), (enum colour)to, in, N, out);
    }
}

const struct check_kernel check_upsample = {"upsample", test_upsample, bench_upsample};
const struct check_kernel check_colour = {"colour", test_colour, bench_colour};
