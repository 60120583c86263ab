// SPDX-License-Identifier: Apache-2.0
// Every version of the kernels that this CPU has against the C one, bit by bit, between pages that
// cannot be touched.
#include <gtest/gtest.h>

extern "C" {
#include "augment/kernel/passes.h"
#include "augment/kernel/resample.h"
}

#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace
{

// Bytes that end (or begin) where memory ends.
class Fenced
{
  public:
    Fenced(size_t bytes, bool at_end) : page(static_cast<size_t>(sysconf(_SC_PAGESIZE)))
    {
        body = (bytes + page - 1) / page * page;
        map = static_cast<char *>(
            mmap(nullptr, body + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        EXPECT_EQ(mprotect(map + page, body, PROT_READ | PROT_WRITE), 0);
        at = map + page + (at_end ? body - bytes : 0);
        memset(map + page, 0x5a, body);
        size = bytes;
    }
    ~Fenced()
    {
        munmap(map, body + 2 * page);
    }
    Fenced(const Fenced &) = delete;
    Fenced &operator=(const Fenced &) = delete;
    // What lies around the bytes is as it was.
    bool untouched() const
    {
        for (const char *p = map + page; p < map + page + body; p++)
            if ((p < at || p >= at + size) && *p != 0x5a)
                return false;
        return true;
    }
    char *at;
    size_t size;

  private:
    size_t page, body;
    char *map;
};

struct Free {
    void operator()(mr_resampler *r) const
    {
        mr__resampler_free(r);
    }
};
using Resampler = std::unique_ptr<mr_resampler, Free>;

Resampler resampler(const char *name)
{
    mr_resampler *r = nullptr;
    mr_errbuf e = {};

    setenv("MILLRACE_CPU", name, 1);
    EXPECT_EQ(mr__resampler_new(&r, &e), MR_OK) << e.text;
    unsetenv("MILLRACE_CPU");
    return Resampler(r);
}

std::vector<const mr_kernel *> usable_kernels()
{
    std::vector<const mr_kernel *> all;

    for (const mr_kernel *const *k = mr__kernels; *k; k++) {
        mr_cpu cpu;
        if (mr__cpu_by_name(&cpu, mr__cpu_name((*k)->level), nullptr) == MR_OK &&
            mr__kernel_for(&cpu) == *k)
            all.push_back(*k);
    }
    return all;
}

using Random = std::mt19937;

int between(Random &rng, int low, int high)
{
    return std::uniform_int_distribution<int>(low, high)(rng);
}

int side(Random &rng, int most)
{
    switch (between(rng, 0, 3)) {
    case 0:
        return between(rng, 1, 9);
    case 1:
        return between(rng, 1, 40);
    default:
        return between(rng, 1, most);
    }
}

mr_geometry random_geometry(Random &rng, int most)
{
    mr_geometry g = {};

    g.in_w = side(rng, most);
    g.in_h = side(rng, most);
    g.box.w = between(rng, 1, g.in_w);
    g.box.h = between(rng, 1, g.in_h);
    g.box.x = between(rng, 0, g.in_w - g.box.w);
    g.box.y = between(rng, 0, g.in_h - g.box.h);
    g.resized = between(rng, 0, 7) > 0;
    g.rw = !g.resized || between(rng, 0, 5) == 0 ? g.box.w : side(rng, 300);
    g.rh = !g.resized || between(rng, 0, 5) == 0 ? g.box.h : side(rng, 300);
    g.filter = static_cast<mr_filter>(between(rng, 0, MR_LANCZOS));
    g.antialias = between(rng, 0, 3) > 0;
    g.win.w = between(rng, 1, g.rw);
    g.win.h = between(rng, 1, g.rh);
    g.win.x = between(rng, 0, g.rw - g.win.w);
    g.win.y = between(rng, 0, g.rh - g.win.h);
    g.hflip = between(rng, 0, 1);
    g.vflip = between(rng, 0, 1);
    if (between(rng, 0, 2) == 0) {
        g.pad_left = between(rng, 0, 20);
        g.pad_right = between(rng, 0, 20);
        g.pad_top = between(rng, 0, 3);
        g.pad_bottom = between(rng, 0, 3);
    }
    for (double &fill : g.pad_fill)
        fill = between(rng, 0, 255);
    g.out_w = g.win.w + g.pad_left + g.pad_right;
    g.out_h = g.win.h + g.pad_top + g.pad_bottom;
    return g;
}

mr_store random_store(Random &rng)
{
    mr_store s = {};
    std::uniform_real_distribution<float> scale(-3, 3), bias(-300, 300);

    s.dtype = static_cast<mr_dtype>(between(rng, 0, MR_DTYPE_COUNT - 1));
    s.affine = between(rng, 0, 2) > 0;
    s.chw = between(rng, 0, 1);
    for (int i = 0; i < 4; i++) {
        s.scale[i] = between(rng, 0, 5) ? scale(rng) : scale(rng) * 1e-7f;
        s.bias[i] = between(rng, 0, 2) ? bias(rng) / 100 : bias(rng) * 1e-7f;
    }
    return s;
}

// A source that holds what is needed and a random margin around it.
struct Source {
    Source(Random &rng, const mr_geometry &g, int c, int bits)
    {
        mr_rect need = mr__resample_needs(&g);
        at.x = between(rng, 0, 1) ? need.x : between(rng, 0, need.x);
        at.y = between(rng, 0, 1) ? need.y : between(rng, 0, need.y);
        int right = between(rng, 0, 1) ? need.x + need.w : between(rng, need.x + need.w, g.in_w);
        int bottom = between(rng, 0, 1) ? need.y + need.h : between(rng, need.y + need.h, g.in_h);
        at.w = right - at.x;
        at.h = bottom - at.y;
        size_t pixel = static_cast<size_t>(c) * static_cast<size_t>(bits) / 8;
        size_t row = static_cast<size_t>(at.w) * pixel;
        size_t stride =
            row + (between(rng, 0, 1) ? 0 : pixel * static_cast<size_t>(between(rng, 0, 30)));
        memory = std::make_unique<Fenced>(stride * static_cast<size_t>(at.h - 1) + row,
                                          between(rng, 0, 3) > 0);
        int kind = between(rng, 0, 2);
        for (size_t i = 0; i < memory->size; i++)
            memory->at[i] = static_cast<char>(kind == 0   ? rng()
                                              : kind == 1 ? (rng() & 1 ? 255 : 0)
                                                          : 255);
        view = {memory->at, at.w, at.h, c, bits, static_cast<int64_t>(stride)};
    }
    std::unique_ptr<Fenced> memory;
    mr_rect at;
    mr_view view;
};

std::string text(const mr_geometry &g, int c, const mr_store &s)
{
    char t[400];

    snprintf(t, sizeof t,
             "%dx%d c %d box %d,%d %dx%d to %dx%d win %d,%d %dx%d filter %d aa %d flips %d %d pads "
             "%d %d "
             "dtype %s affine %d chw %d",
             g.in_w, g.in_h, c, g.box.x, g.box.y, g.box.w, g.box.h, g.rw, g.rh, g.win.x, g.win.y,
             g.win.w, g.win.h, g.filter, g.antialias, g.hflip, g.vflip, g.pad_left, g.pad_right,
             mr_dtype_name(s.dtype), s.affine, s.chw);
    return t;
}

int channels(Random &rng)
{
    static const int all[] = {1, 3, 3, 3, 4};
    return all[between(rng, 0, 4)];
}

// Crop, flips and padding only.
mr_geometry moving_geometry(Random &rng, int most)
{
    mr_geometry g = random_geometry(rng, most);

    g.resized = false;
    g.win.w = between(rng, 1, g.box.w);
    g.win.h = between(rng, 1, g.box.h);
    g.win.x = between(rng, 0, g.box.w - g.win.w);
    g.win.y = between(rng, 0, g.box.h - g.win.h);
    g.out_w = g.win.w + g.pad_left + g.pad_right;
    g.out_h = g.win.h + g.pad_top + g.pad_bottom;
    return g;
}

double element(mr_dtype dtype, const char *array, int at)
{
    const char *p = array + static_cast<size_t>(at) * mr_dtype_size(dtype);
    float f;
    uint16_t u;

    if (dtype == MR_U8)
        return static_cast<uint8_t>(*p);
    if (dtype == MR_U16)
        return memcpy(&u, p, sizeof u), u;
    return memcpy(&f, p, sizeof f), static_cast<double>(f);
}

// What such a geometry puts to x, y of its output.
double moved(const mr_geometry &g, const Source &source, int x, int y, int channel)
{
    const mr_view &v = source.view;

    x -= g.pad_left;
    y -= g.pad_top;
    if (x < 0 || x >= g.win.w || y < 0 || y >= g.win.h)
        return g.pad_fill[channel];
    x = g.box.x + g.win.x + (g.hflip ? g.win.w - 1 - x : x) - source.at.x;
    y = g.box.y + g.win.y + (g.vflip ? g.win.h - 1 - y : y) - source.at.y;
    return element(v.bits == 8 ? MR_U8 : MR_U16, source.memory->at + v.stride * y,
                   x * v.c + channel);
}

void compare(const mr_kernel *kernel, unsigned seed, int cases, int most)
{
    Random rng(seed);
    Resampler reference = resampler("scalar"), tested = resampler(kernel->name);

    for (int i = 0; i < cases; i++) {
        mr_geometry g = random_geometry(rng, most);
        mr_store s = random_store(rng);
        int c = channels(rng);
        Source source(rng, g, c, between(rng, 0, 9) ? 8 : 16);
        size_t bytes = static_cast<size_t>(g.out_w * g.out_h * c) * mr_dtype_size(s.dtype);
        bool at_end = between(rng, 0, 1);
        Fenced want(bytes, at_end), got(bytes, at_end);
        mr_errbuf e = {};
        ASSERT_EQ(
            mr__resample_store(reference.get(), &source.view, &source.at, &g, &s, want.at, &e),
            MR_OK)
            << e.text;
        ASSERT_EQ(mr__resample_store(tested.get(), &source.view, &source.at, &g, &s, got.at, &e),
                  MR_OK)
            << e.text;
        ASSERT_EQ(memcmp(want.at, got.at, bytes), 0)
            << kernel->name << " case " << i << ": " << text(g, c, s);
        ASSERT_TRUE(want.untouched() && got.untouched()) << text(g, c, s);
    }
}

} // namespace

TEST(Resample, EveryVersionGivesTheBitsOfTheReference)
{
    for (const mr_kernel *kernel : usable_kernels()) {
        compare(kernel, 1, 1500, 300);
        compare(kernel, 2, 60, 2000);
    }
}

// The store of the same image written to memory and converted one value at a time is what the fused
// store gives.
TEST(Resample, TheStoreIsTheImageConverted)
{
    Random rng(3);
    Resampler r = resampler("scalar");

    for (int i = 0; i < 300; i++) {
        mr_geometry g = random_geometry(rng, 100);
        int c = channels(rng), bits = between(rng, 0, 1) ? 8 : 16;
        Source source(rng, g, c, bits);
        mr_store s = random_store(rng);
        s.dtype = MR_F32;
        size_t n = static_cast<size_t>(g.out_w * g.out_h * c),
               stride = static_cast<size_t>(g.out_w * c * bits / 8) + 10;
        Fenced image(stride * static_cast<size_t>(g.out_h), true);
        mr_view dst = {image.at, g.out_w, g.out_h, c, bits, static_cast<int64_t>(stride)};
        std::vector<float> stored(n);
        mr_errbuf e = {};
        ASSERT_EQ(mr__resample_image(r.get(), &source.view, &source.at, &g, &dst, &e), MR_OK)
            << e.text;
        ASSERT_EQ(mr__resample_store(r.get(), &source.view, &source.at, &g, &s, stored.data(), &e),
                  MR_OK)
            << e.text;
        for (int y = 0; y < g.out_h; y++) {
            const char *row = image.at + static_cast<size_t>(y) * stride;
            ASSERT_TRUE(row[stride - 1] == 0x5a && row[stride - 10] == 0x5a)
                << "wrote behind a row";
            for (int x = 0; x < g.out_w; x++) {
                for (int k = 0; k < c; k++) {
                    size_t at = static_cast<size_t>(x * c + k);
                    float v = bits == 8 ? reinterpret_cast<const uint8_t *>(row)[at]
                                        : reinterpret_cast<const uint16_t *>(row)[at];
                    float want = s.affine ? std::fmaf(v, s.scale[k], s.bias[k]) : v;
                    int index = s.chw ? (k * g.out_h + y) * g.out_w + x : (y * g.out_w + x) * c + k;
                    ASSERT_EQ(stored[static_cast<size_t>(index)], want) << text(g, c, s);
                }
            }
        }
    }
}

// Rows may come in portions of any size, from memory that is used again.
TEST(Resample, RowsInPortionsGiveTheSameBits)
{
    Random rng(5);
    for (const mr_kernel *kernel : usable_kernels()) {
        Resampler r = resampler(kernel->name);
        for (int i = 0; i < 300; i++) {
            mr_geometry g = random_geometry(rng, 200);
            mr_store s = random_store(rng);
            int c = channels(rng), bits = between(rng, 0, 4) ? 8 : 16;
            Source source(rng, g, c, bits);
            size_t bytes = static_cast<size_t>(g.out_w * g.out_h * c) * mr_dtype_size(s.dtype);
            std::vector<char> want(bytes), got(bytes);
            mr_errbuf e = {};
            ASSERT_EQ(
                mr__resample_store(r.get(), &source.view, &source.at, &g, &s, want.data(), &e),
                MR_OK);
            ASSERT_EQ(mr__resample_begin(r.get(), c, bits, &source.at, &g, &s, got.data(), &e),
                      MR_OK);
            size_t row = static_cast<size_t>(source.at.w * c * bits / 8);
            for (int y = 0; y < source.at.h;) {
                int n = std::min(source.at.h - y, between(rng, 1, 17));
                Fenced portion(row * static_cast<size_t>(n), true);
                for (int k = 0; k < n; k++)
                    memcpy(portion.at + row * static_cast<size_t>(k),
                           source.memory->at + source.view.stride * (y + k), row);
                mr__resample_rows(r.get(), portion.at, static_cast<int64_t>(row), n);
                y += n;
            }
            ASSERT_EQ(mr__resample_end(r.get(), &e), MR_OK) << e.text;
            ASSERT_EQ(memcmp(want.data(), got.data(), bytes), 0) << text(g, c, s);
        }
    }
}

// Without a resize, each pixel of the output is one of the source or padding, whichever way the
// rows come; said here without the tables that all versions share.
TEST(Resample, WithoutResizingPixelsOnlyMove)
{
    Random rng(6);
    for (const mr_kernel *kernel : usable_kernels()) {
        Resampler r = resampler(kernel->name);
        for (int i = 0; i < 1500; i++) {
            mr_geometry g = moving_geometry(rng, i % 20 ? 90 : 700);
            int c = channels(rng), bits = between(rng, 0, 4) ? 8 : 16;
            mr_store s = {};
            s.dtype = between(rng, 0, 1) ? MR_F32 : bits == 8 ? MR_U8 : MR_U16;
            s.chw = between(rng, 0, 1);
            Source source(rng, g, c, bits);
            Fenced got(static_cast<size_t>(g.out_w * g.out_h * c) * mr_dtype_size(s.dtype),
                       between(rng, 0, 1));
            mr_errbuf e = {};
            ASSERT_EQ(mr__resample_begin(r.get(), c, bits, &source.at, &g, &s, got.at, &e), MR_OK);
            for (int y = 0, n; y < source.at.h; y += n) {
                n = std::min(source.at.h - y, between(rng, 1, 17));
                mr__resample_rows(r.get(), source.memory->at + source.view.stride * y,
                                  source.view.stride, n);
            }
            ASSERT_EQ(mr__resample_end(r.get(), &e), MR_OK) << e.text;
            ASSERT_TRUE(got.untouched()) << text(g, c, s);
            for (int at = 0; at < g.out_w * g.out_h * c; at++) {
                int plane = g.out_w * g.out_h, pixel = s.chw ? at % plane : at / c;
                int channel = s.chw ? at / plane : at % c;
                ASSERT_EQ(element(s.dtype, got.at, at),
                          moved(g, source, pixel % g.out_w, pixel / g.out_w, channel))
                    << kernel->name << " element " << at << ": " << text(g, c, s);
            }
        }
    }
}

TEST(Resample, RowsWithoutWeightsAreWantedOneByOne)
{
    mr_geometry g = {};

    g.in_w = g.in_h = g.box.w = g.box.h = g.rw = g.rh = g.win.w = g.win.h = g.out_w = g.out_h = 9;
    g.filter = MR_BILINEAR;
    g.hflip = true;
    EXPECT_EQ(mr__resample_most(&g), 1);
    g.resized = true;
    EXPECT_EQ(mr__resample_most(&g), 1) << "to its own size";
    g.rh = 10;
    EXPECT_EQ(mr__resample_most(&g), 0);
    g.filter = MR_NEAREST;
    EXPECT_EQ(mr__resample_most(&g), 1);
}

TEST(Resample, MissingRowsAreAnError)
{
    Resampler r = resampler("scalar");
    mr_geometry g = {};
    mr_store store = {};
    mr_rect at = {0, 0, 2, 3};
    uint8_t pixels[18] = {}, out[18];
    mr_errbuf e = {};

    g.in_w = g.box.w = g.win.w = g.out_w = 2;
    g.in_h = g.box.h = g.win.h = g.out_h = 3;
    ASSERT_EQ(mr__resample_begin(r.get(), 3, 8, &at, &g, &store, out, &e), MR_OK);
    mr__resample_rows(r.get(), pixels, 6, 2);
    EXPECT_EQ(mr__resample_end(r.get(), &e), MR_E_USAGE);
    EXPECT_NE(strstr(e.text, "2 of 3"), nullptr) << e.text;
    mr__resample_rows(r.get(), pixels + 12, 6, 1);
    EXPECT_EQ(mr__resample_end(r.get(), &e), MR_OK);
}

// Only the window is made, so it must equal the window of the whole.
TEST(Resample, AWindowIsAPartOfTheWhole)
{
    Random rng(4);
    std::vector<const mr_kernel *> kernels = usable_kernels();

    for (int i = 0; i < 2000; i++) {
        Resampler r = resampler(kernels[static_cast<size_t>(i) % kernels.size()]->name);
        mr_geometry part = random_geometry(rng, i % 10 ? 120 : 600);
        int c = channels(rng);
        size_t pixel = static_cast<size_t>(c);
        part.pad_left = part.pad_right = part.pad_top = part.pad_bottom = 0;
        part.hflip = part.vflip = false;
        part.out_w = part.win.w;
        part.out_h = part.win.h;
        mr_geometry all = part;
        all.win = {0, 0, part.rw, part.rh};
        all.out_w = part.rw;
        all.out_h = part.rh;
        Source source(rng, all, c, 8);
        std::vector<uint8_t> a(static_cast<size_t>(all.out_w * all.out_h) * pixel),
            b(static_cast<size_t>(part.out_w * part.out_h) * pixel);
        mr_view whole = {a.data(), all.out_w, all.out_h, c, 8, all.out_w * c};
        mr_view window = {b.data(), part.out_w, part.out_h, c, 8, part.out_w * c};
        mr_errbuf e = {};
        ASSERT_EQ(mr__resample_image(r.get(), &source.view, &source.at, &all, &whole, &e), MR_OK)
            << e.text;
        ASSERT_EQ(mr__resample_image(r.get(), &source.view, &source.at, &part, &window, &e), MR_OK)
            << e.text;
        for (int y = 0; y < part.out_h; y++) {
            const uint8_t *want =
                &a[static_cast<size_t>((y + part.win.y) * all.out_w + part.win.x) * pixel];
            const uint8_t *got = &b[static_cast<size_t>(y * part.out_w) * pixel];
            ASSERT_EQ(memcmp(want, got, static_cast<size_t>(part.out_w) * pixel), 0)
                << text(part, c, {});
        }
    }
}

TEST(Resample, AWindowThatIsEmptyLeavesThePadding)
{
    Resampler r = resampler("scalar");
    mr_geometry g = {};
    std::vector<uint8_t> source(3 * 4 * 4), out(3 * 5 * 2);
    mr_errbuf e = {};

    g.in_w = g.in_h = g.box.w = g.box.h = g.rw = g.rh = 4;
    g.win = {0, 0, 0, 2};
    g.pad_left = g.out_w = 5;
    g.out_h = 2;
    g.pad_fill[0] = 7.5;
    g.pad_fill[1] = 300;
    g.pad_fill[2] = -3;
    mr_view src = {source.data(), 4, 4, 3, 8, 12}, dst = {out.data(), 5, 2, 3, 8, 15};
    mr_rect at = {0, 0, 4, 4}, need = mr__resample_needs(&g);
    EXPECT_EQ(need.w * need.h, 0);
    ASSERT_EQ(mr__resample_image(r.get(), &src, &at, &g, &dst, &e), MR_OK) << e.text;
    for (size_t i = 0; i < out.size(); i += 3) {
        EXPECT_EQ(out[i], 8);
        EXPECT_EQ(out[i + 1], 255);
        EXPECT_EQ(out[i + 2], 0);
    }
}

TEST(Resample, HugeReductionsKeepAConstant)
{
    for (const mr_kernel *kernel : usable_kernels()) {
        Resampler r = resampler(kernel->name);
        for (int filter = MR_NEAREST; filter <= MR_LANCZOS; filter++) {
            std::vector<uint8_t> source(3 * 20000, 255), out(3);
            mr_geometry g = {};
            g.in_w = g.box.w = 20000;
            g.in_h = g.box.h = g.rw = g.rh = 1;
            g.resized = g.antialias = true;
            g.filter = static_cast<mr_filter>(filter);
            g.win = {0, 0, 1, 1};
            g.out_w = g.out_h = 1;
            mr_view src = {source.data(), 20000, 1, 3, 8, 60000}, dst = {out.data(), 1, 1, 3, 8, 3};
            mr_rect at = {0, 0, 20000, 1};
            mr_errbuf e = {};
            ASSERT_EQ(mr__resample_image(r.get(), &src, &at, &g, &dst, &e), MR_OK) << e.text;
            EXPECT_GE(out[0], 254) << filter;
        }
    }
}

TEST(Resample, ErrorsNameWhatIsWrong)
{
    mr_errbuf e = {};
    mr_resampler *none = nullptr;

    setenv("MILLRACE_CPU", "mmx", 1);
    EXPECT_EQ(mr__resampler_new(&none, &e), MR_E_USAGE);
    unsetenv("MILLRACE_CPU");
    EXPECT_EQ(none, nullptr);
    EXPECT_NE(strstr(e.text, "'mmx'"), nullptr) << e.text;
    EXPECT_NE(strstr(e.text, "scalar"), nullptr) << e.text;

    Resampler r = resampler("scalar");
    uint8_t pixels[3 * 8 * 8] = {}, out[3 * 8 * 8 * 8];
    mr_view src = {pixels, 8, 8, 3, 8, 24};
    mr_rect at = {0, 0, 8, 8};
    mr_geometry good = {};
    good.in_w = good.in_h = good.box.w = good.box.h = good.win.w = good.win.h = good.out_w =
        good.out_h = 8;
    mr_store store = {};
    auto run = [&](const mr_geometry &g) {
        return mr__resample_store(r.get(), &src, &at, &g, &store, out, &e);
    };
    EXPECT_EQ(run(good), MR_OK);
    mr_geometry g = good;
    g.box.x = 1;
    EXPECT_EQ(run(g), MR_E_USAGE);
    g = good;
    g.win.w = 9;
    EXPECT_EQ(run(g), MR_E_USAGE);
    g = good;
    g.pad_left = 1;
    EXPECT_EQ(run(g), MR_E_USAGE);
    at = {0, 1, 8, 8};
    EXPECT_EQ(run(good), MR_E_USAGE);
    at = {0, 0, 8, 8};
    store.affine = true;
    store.scale[2] = INFINITY;
    EXPECT_EQ(run(good), MR_E_USAGE);
    EXPECT_NE(strstr(e.text, "channel 2"), nullptr) << e.text;
}
