/* SPDX-License-Identifier: Apache-2.0
 *
 * The warp: a block of points, and whole images that end where memory ends.
 */
#include "check.h"

#include "augment/kernel/warp.h"

static int channels(struct check *c)
{
    static const int all[] = {1, 3, 3, 4};

    return all[check_between(c, 0, 3)];
}

static struct mr_view random_source(struct check *c)
{
    struct mr_view src = {.c = channels(c), .bits = 8};
    int most = check_between(c, 0, 2) ? 90 : 4;

    src.w = check_between(c, 1, most);
    src.h = check_between(c, 1, most);
    src.stride = (int64_t)src.w * src.c + (check_between(c, 0, 1) ? 0 : check_between(c, 0, 30));
    size_t bytes = (size_t)((src.h - 1) * src.stride) + (size_t)(src.w * src.c);
    src.data = check_room(c, bytes, 1);
    check_fill(c, src.data, bytes);
    return src;
}

/* A coordinate of any kind: outside, on a border, on a pixel's centre, anywhere. */
static int32_t random_point(struct check *c, int32_t size)
{
    int32_t one = 1 << MR_WARP_BITS, at = check_between(c, -1, size);

    switch (check_between(c, 0, 4)) {
    case 0: return at * one;
    case 1: return at < size ? at * one + one / 2 : at * one;
    case 2: return at < size ? at * one + one / 2 + check_between(c, -1, 1) : at * one;
    default: return check_between(c, -one, size * one);
    }
}

static void test_block(struct check *c)
{
    const struct mr_warp_kernel *k = mr__warp_kernel_for(check_cpu(c));
    int n = check_between(c, 1, MR_WARP_BLOCK);
    bool bilinear = check_between(c, 0, 1);

    if (!check_case(c, "warp block, %d points, %s", n, bilinear ? "bilinear" : "nearest"))
        return;
    struct mr_view src = random_source(c);
    int32_t *u = check_room(c, MR_WARP_BLOCK * sizeof *u, 4);
    int32_t *v = check_room(c, MR_WARP_BLOCK * sizeof *v, 4);
    uint8_t *fill = check_room(c, 4, 1);
    void *out[2];
    for (int i = 0; i < MR_WARP_BLOCK; i++) {
        u[i] = random_point(c, src.w);
        v[i] = random_point(c, src.h);
    }
    check_rooms(c, (size_t)(n * src.c) + MR_WARP_SLACK, 1, out);
    (bilinear ? mr__warp_scalar.bilinear : mr__warp_scalar.nearest)(&src, u, v, n, fill, out[0]);
    (bilinear ? k->bilinear : k->nearest)(&src, u, v, n, fill, out[1]);
    check_same(c, "the pixels", out[0], out[1], (size_t)(n * src.c));
}

static double number(struct check *c, double most)
{
    return check_between(c, -1000000, 1000000) * 1e-6 * most;
}

static void random_matrix(struct check *c, const struct mr_view *src, double m[9])
{
    for (int i = 0; i < 6; i++)
        m[i] = i % 3 == 2 ? number(c, 2 * src->w) : number(c, 2);
    m[6] = m[7] = 0;
    m[8] = 1;
    if (check_between(c, 0, 1)) {
        m[6] = number(c, 0.03);
        m[7] = number(c, 0.03);
    }
}

/* Rows of the output are apart, and what lies between them stays. */
static void test_image(struct check *c)
{
    struct mr_warp warp = {.bilinear = check_between(c, 0, 1), .fill = {1, 2, 3, 4}};
    int w = check_between(c, 0, 150), h = check_between(c, 0, 9), gap = check_between(c, 0, 20);
    struct mr_errbuf e;
    void *out[2];

    if (!check_case(c, "warp to %dx%d, %s", w, h, warp.bilinear ? "bilinear" : "nearest"))
        return;
    struct mr_view src = random_source(c);
    random_matrix(c, &src, warp.m);
    size_t row = (size_t)(w * src.c), stride = row + (size_t)gap,
           bytes = h ? stride * (size_t)h : 1;
    check_rooms(c, bytes, 1, out);
    struct mr_view want = {out[0], w, h, src.c, 8, (int64_t)stride}, got = want;
    got.data = out[1];
    struct mr_cpu scalar = {.level = MR_CPU_SCALAR};
    if (mr__warp(&scalar, &src, &warp, &want, &e) < 0 ||
        mr__warp(check_cpu(c), &src, &warp, &got, &e) < 0)
        check_fail(c, "%s", e.text);
    check_same(c, "the image and what is between its rows", out[0], out[1], bytes);
}

static void test(struct check *c)
{
    test_block(c);
    test_image(c);
}

static void bench(struct check *c)
{
    enum { SIDE = 224, FROM = 350 };
    static const int all[] = {3, 4, 1};

    for (int i = 0; i < 9; i++) {
        int ch = all[i % 3];
        bool bilinear = i < 6, perspective = i >= 3 && i < 6;
        struct mr_warp warp = {.m = {1.1, 0.3, -20, -0.3, 1.1, 60, 0, 0, 1}, .bilinear = bilinear};
        struct mr_view src = {NULL, FROM, FROM, ch, 8, FROM * ch};
        struct mr_view dst = {NULL, SIDE, SIDE, ch, 8, SIDE * ch};
        struct mr_errbuf e;
        check_case(c, "warp");
        warp.m[6] = perspective ? 1e-4 : 0;
        src.data = check_room(c, (size_t)(FROM * FROM * ch), 64);
        dst.data = check_room(c, (size_t)(SIDE * SIDE * ch), 64);
        CHECK_BENCH(c, SIDE * SIDE, "warp %s, %s, %d channels, per pixel",
                    perspective ? "perspective" : "affine", bilinear ? "bilinear" : "nearest", ch)
        mr__warp(check_cpu(c), &src, &warp, &dst, &e);
    }
}

const struct check_kernel check_warp = {"warp", test, bench};
