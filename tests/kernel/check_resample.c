/* SPDX-License-Identifier: Apache-2.0
 *
 * The three loops of a resampling stage: across, down, and the store.
 */
#include "check.h"

#include "augment/kernel/passes.h"

#include <stdlib.h>
#include <string.h>

static const struct mr_kernel *version(const struct check *c)
{
    return mr__kernel_for(check_cpu(c));
}

static int channels(struct check *c)
{
    static const int all[] = {1, 3, 3, 4};

    return all[check_between(c, 0, 3)];
}

static int length(struct check *c, int most)
{
    return check_between(c, 1, check_between(c, 0, 1) ? 24 : most);
}

/* An axis with weights: sizes differ. */
static struct mr_axis_spec random_spec(struct check *c)
{
    struct mr_axis_spec spec = {.box_n = length(c, 700), .to = length(c, 300)};

    spec.to += spec.to == spec.box_n;
    spec.filter = (enum mr_filter)check_between(c, MR_BOX, MR_LANCZOS);
    spec.antialias = check_between(c, 0, 3) > 0;
    spec.flip = check_between(c, 0, 1);
    spec.win_n = check_between(c, 1, spec.to);
    spec.win = check_between(c, 0, spec.to - spec.win_n);
    return spec;
}

static void made(struct check *c, struct mr_axis *axis, const struct mr_axis_spec *spec)
{
    axis->loops = version(c)->loops;
    if (mr__axis_make(axis, spec, false, NULL) < 0)
        abort();
}

/* The tables of an axis: those of plain C. */
static void test_axis(struct check *c)
{
    struct mr_axis want = {0}, got = {.loops = version(c)->loops};
    struct mr_axis_spec spec = random_spec(c);

    spec.filter = check_between(c, 0, 3) ? MR_BILINEAR : spec.filter;
    if (!check_case(c, "axis %d -> %d, filter %d, win %d+%d, flip %d", spec.box_n, spec.to,
                    spec.filter, spec.win, spec.win_n, spec.flip))
        return;
    if (mr__axis_make(&want, &spec, false, NULL) < 0 || mr__axis_make(&got, &spec, false, NULL) < 0)
        abort();
    size_t n = (size_t)want.n * sizeof(int32_t);
    if (want.taps != got.taps || want.reach != got.reach || want.max_used != got.max_used)
        check_fail(c, "%d taps, should be %d", got.taps, want.taps);
    else if (check_same(c, "start", want.start, got.start, n) &&
             check_same(c, "used", want.used, got.used, n))
        check_same(c, "weights", want.k, got.k, n * (size_t)want.taps);
    mr__axis_free(&want);
    mr__axis_free(&got);
}

static void bench_axis(struct check *c)
{
    static const int from[] = {130, 300, 500};

    for (size_t i = 0; i < sizeof from / sizeof *from; i++) {
        struct mr_axis axis = {.loops = version(c)->loops};
        struct mr_axis_spec spec = {.box_n = from[i], .to = 224, .win_n = 224};
        spec.filter = MR_BILINEAR;
        spec.antialias = true;
        CHECK_BENCH(c, 224, "axis %d -> 224, bilinear, per output", from[i])
        mr__axis_make(&axis, &spec, false, NULL);
        mr__axis_free(&axis);
    }
}

static void packed(bool (*pack)(struct mr_axis *axis, int ch), struct mr_axis *axis, int ch)
{
    if (pack && !pack(axis, ch))
        abort();
}

static void packed_down(bool (*pack)(struct mr_axis *axis), struct mr_axis *axis)
{
    if (pack && !pack(axis))
        abort();
}

/* Source rows end MR_OVERREAD bytes behind what the axis reaches; own rows have their slack. */
static void test_across(struct check *c)
{
    struct mr_axis axis = {0};
    struct mr_axis_spec spec = random_spec(c);
    int ch = channels(c), rows = check_between(c, 1, MR_BAND);
    const uint8_t *src[MR_BAND];
    uint8_t *want[MR_BAND], *got[MR_BAND];

    if (!check_case(c, "across %d -> %d, filter %d, %d channels, win %d+%d, flip %d", spec.box_n,
                    spec.to, spec.filter, ch, spec.win, spec.win_n, spec.flip))
        return;
    made(c, &axis, &spec);
    size_t n = (size_t)axis.n * (size_t)ch, bytes = (size_t)(axis.reach * ch) + MR_OVERREAD;
    for (int i = 0; i < MR_BAND; i++) {
        void *out[2];
        if (i < rows) {
            uint8_t *row = check_room(c, bytes, 1);
            check_fill(c, row, bytes);
            check_rooms(c, n + MR_SLACK, 1, out);
            src[i] = row;
            want[i] = out[0];
            got[i] = out[1];
        } else { /* the last one is given again */
            src[i] = src[i - 1];
            want[i] = want[i - 1];
            got[i] = got[i - 1];
        }
    }
    mr__kernel_scalar.across(&axis, ch, src, want);
    packed(version(c)->pack_across, &axis, ch);
    version(c)->across(&axis, ch, src, got);
    for (int i = 0; i < rows; i++)
        check_same(c, "a row", want[i], got[i], n);
    mr__axis_free(&axis);
}

enum { MOST_ROWS = 40 };

/* Weights of a real axis, over rows of the ring. */
static void test_down(struct check *c)
{
    struct mr_axis axis = {0};
    struct mr_axis_spec spec = random_spec(c);
    const uint8_t *rows[MOST_ROWS + MR_ROW_GROUP];
    size_t n = (size_t)length(c, 900);
    void *out[2];

    made(c, &axis, &spec);
    int y = check_between(c, 0, axis.n - 1), used = axis.used[y];
    if (used > MOST_ROWS || !check_case(c, "down %d -> %d, filter %d, row %d of %d taps, %zu bytes",
                                        spec.box_n, spec.to, spec.filter, y, used, n)) {
        mr__axis_free(&axis);
        return;
    }
    for (int i = 0; i < used; i++) {
        uint8_t *row = check_room(c, n + MR_SLACK, 1);
        check_fill(c, row, n);
        rows[i] = row;
    }
    for (int i = used; i % MR_ROW_GROUP; i++)
        rows[i] = rows[i - 1];
    check_rooms(c, n + MR_SLACK, 1, out);
    mr__kernel_scalar.down(&axis, y, rows, (int)n, out[0]);
    packed_down(version(c)->pack_down, &axis);
    version(c)->down(&axis, y, rows, (int)n, out[1]);
    check_same(c, "the row", out[0], out[1], n);
    mr__axis_free(&axis);
}

static float number(struct check *c, float most)
{
    return (float)check_between(c, -1000000, 1000000) * 1e-6f * most;
}

static struct mr_put random_put(struct check *c)
{
    struct mr_put put = {.n = length(c, 700), .c = channels(c)};

    put.dtype = (enum mr_dtype)check_between(c, 0, MR_DTYPE_COUNT - 1);
    put.size = mr_dtype_size(put.dtype);
    put.chw = check_between(c, 0, 1);
    put.affine = check_between(c, 0, 2) > 0;
    put.pixel = (ptrdiff_t)put.size * (put.chw ? 1 : put.c);
    for (int i = 0; i < 4; i++) {
        put.scale[i] = put.affine ? number(c, check_between(c, 0, 4) ? 3 : 3e-7f) : 1;
        put.bias[i] = put.affine ? number(c, check_between(c, 0, 2) ? 3 : 300) : 0;
    }
    return put;
}

/* Planes are a few elements further apart than they are long: what lies between stays. */
static void test_put(struct check *c)
{
    struct mr_put put = random_put(c);
    mr_put_row *row = version(c)->put(&put);
    size_t elements = (size_t)put.n * (size_t)put.c, gap = (size_t)check_between(c, 0, 9);

    if (check_between(c, 0, 1)) /* planes begin with a cache line */
        gap = (64 - (size_t)put.n % 64) % 64;
    size_t bytes =
        put.chw ? ((size_t)put.c * ((size_t)put.n + gap) - gap) * put.size : elements * put.size;
    void *out[2];

    put.channel = put.chw ? (ptrdiff_t)(((size_t)put.n + gap) * put.size) : (ptrdiff_t)put.size;
    size_t align = !put.chw || put.channel % 64 == 0 ? 64 : put.size;
    if (!check_case(c, "put %s, %d channels, %s, %d pixels, affine %d", mr_dtype_name(put.dtype),
                    put.c, put.chw ? "CHW" : "HWC", put.n, put.affine))
        return;
    uint8_t *pixels = check_room(c, elements + MR_SLACK, 1);
    void *table = check_room(c, (size_t)put.c * 256 * put.size, put.size);
    check_fill(c, pixels, elements);
    check_rooms(c, bytes, align, out);
    mr__put_table(&put, table);
    put.table = table;
    mr__put8 (&put)(&put, pixels, out[0]);
    (row ? row : mr__put8(&put))(&put, pixels, out[1]);
    check_same(c, "the elements", out[0], out[1], bytes);
}

enum { SIDE = 224 };

static void bench_across(struct check *c)
{
    static const struct {
        int from, ch;
        enum mr_filter filter;
        const char *what;
    } cases[] = {
        {130, 3, MR_BILINEAR, "130 -> 224, bilinear, rgb"},
        {300, 3, MR_BILINEAR, "300 -> 224, bilinear, rgb"},
        {500, 3, MR_BILINEAR, "500 -> 224, bilinear, rgb"},
        {1600, 3, MR_BILINEAR, "1600 -> 224, bilinear, rgb"},
        {300, 3, MR_BICUBIC, "300 -> 224, bicubic, rgb"},
        {300, 3, MR_LANCZOS, "300 -> 224, lanczos, rgb"},
        {300, 4, MR_BILINEAR, "300 -> 224, bilinear, rgba"},
        {300, 1, MR_BILINEAR, "300 -> 224, bilinear, gray"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mr_axis axis = {0};
        struct mr_axis_spec spec = {.box_n = cases[i].from, .to = SIDE, .win_n = SIDE};
        const uint8_t *src[MR_BAND];
        uint8_t *out[MR_BAND];
        int ch = cases[i].ch;

        check_case(c, "%s", cases[i].what);
        spec.filter = cases[i].filter;
        spec.antialias = true;
        made(c, &axis, &spec);
        for (int r = 0; r < MR_BAND; r++) {
            src[r] = check_room(c, (size_t)(cases[i].from * ch) + 2 * MR_SLACK, 1);
            out[r] = check_room(c, (size_t)(SIDE * ch) + MR_SLACK, 64);
        }
        const struct mr_kernel *k = version(c);
        packed(k->pack_across, &axis, ch);
        CHECK_BENCH(c, MR_BAND * SIDE, "across %s, per pixel", cases[i].what)
        k->across(&axis, ch, src, out);
        mr__axis_free(&axis);
    }
}

static void bench_down(struct check *c)
{
    static const int from[] = {130, 300, 500, 1600};
    enum { BYTES = 3 * SIDE };

    for (size_t i = 0; i < sizeof from / sizeof *from; i++) {
        struct mr_axis axis = {0};
        struct mr_axis_spec spec = {.box_n = from[i], .to = SIDE, .win_n = SIDE};
        const uint8_t *rows[MOST_ROWS];

        check_case(c, "down");
        spec.filter = MR_BILINEAR;
        spec.antialias = true;
        made(c, &axis, &spec);
        int y = SIDE / 2, used = axis.used[y];
        for (int j = 0; j < used || j % MR_ROW_GROUP; j++)
            rows[j] = check_room(c, BYTES + MR_SLACK, 64);
        uint8_t *out = check_room(c, BYTES + MR_SLACK, 64);
        const struct mr_kernel *k = version(c);
        packed_down(k->pack_down, &axis);
        CHECK_BENCH(c, SIDE, "down %d -> 224, rgb, %d taps, per pixel", from[i], used)
        k->down(&axis, y, rows, BYTES, out);
        mr__axis_free(&axis);
    }
}

static void bench_put(struct check *c)
{
    static const enum mr_dtype dtypes[] = {MR_F32, MR_F16, MR_BF16, MR_U8};

    for (int i = 0; i < 8; i++) {
        struct mr_put put = {
            .n = SIDE, .c = 3, .dtype = dtypes[i / 2], .chw = i % 2, .affine = true};
        put.size = mr_dtype_size(put.dtype);
        put.pixel = (ptrdiff_t)put.size * (put.chw ? 1 : 3);
        put.channel = (ptrdiff_t)put.size * (put.chw ? SIDE * SIDE : 1);
        for (int ch = 0; ch < 3; ch++) {
            put.scale[ch] = 0.017f;
            put.bias[ch] = -2;
        }
        check_case(c, "put");
        uint8_t *pixels = check_room(c, 3 * SIDE + MR_SLACK, 64);
        void *table = check_room(c, (size_t)3 * 256 * put.size, 64);
        void *to = check_room(c, 3 * SIDE * SIDE * put.size, 64);
        mr_put_row *row = version(c)->put(&put);
        mr__put_table(&put, table);
        put.table = table;
        if (!row)
            row = mr__put8(&put);
        CHECK_BENCH(c, SIDE, "put %s %s, rgb, per pixel", mr_dtype_name(put.dtype),
                    put.chw ? "CHW" : "HWC")
        row(&put, pixels, to);
    }
}

const struct check_kernel check_axis = {"axis", test_axis, bench_axis};
const struct check_kernel check_across = {"across", test_across, bench_across};
const struct check_kernel check_down = {"down", test_down, bench_down};
const struct check_kernel check_put = {"put", test_put, bench_put};
