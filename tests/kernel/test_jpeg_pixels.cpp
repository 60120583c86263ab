// SPDX-License-Identifier: Apache-2.0
// The C versions of the JPEG decoder's kernels against the real libjpeg-turbo: whole files, of
// every sampling, from pictures to coefficients and tables that no picture has. (That the other
// versions equal the C one is kernel_check's to show.)
#include "coded_jpeg.hpp"

#include <gtest/gtest.h>

extern "C" {
#include "loaders/codec/baseline/pixel_kernels.h"
}

#include <cstdio> // before jpeglib.h, which wants it
#include <jpeglib.h>

#include <algorithm>
#include <random>
#include <string>
#include <thread>

namespace
{

using coded::Component;
using coded::Jpeg;
using Bytes = std::vector<uint8_t>;
using Random = std::mt19937;

int between(Random &rng, int low, int high)
{
    return std::uniform_int_distribution<int>(low, high)(rng);
}

// As the exact mode of Millrace's codec asks for it. Its default error handler ends the program.
Bytes decoded(const Bytes &file, int channels)
{
    jpeg_decompress_struct cinfo = {};
    jpeg_error_mgr err = {};

    cinfo.err = jpeg_std_error(&err);
    jpeg_create_decompress(&cinfo);
    jpeg_mem_src(&cinfo, file.data(), file.size());
    jpeg_read_header(&cinfo, TRUE);
    cinfo.out_color_space = channels == 4 ? JCS_EXT_RGBA : JCS_RGB;
    cinfo.dct_method = JDCT_ISLOW;
    cinfo.do_fancy_upsampling = TRUE;
    jpeg_start_decompress(&cinfo);
    size_t pitch = static_cast<size_t>(channels) * cinfo.output_width;
    Bytes out(pitch * cinfo.output_height);
    while (cinfo.output_scanline < cinfo.output_height) {
        JSAMPROW row = out.data() + pitch * cinfo.output_scanline;
        jpeg_read_scanlines(&cinfo, &row, 1);
    }
    EXPECT_EQ(err.num_warnings, 0);
    jpeg_finish_decompress(&cinfo);
    jpeg_destroy_decompress(&cinfo);
    return out;
}

// The library looks at its environment once in each thread: `version` is a variable that chooses
// among its versions, or NULL.
Bytes libjpeg(const Bytes &file, int channels, const char *version = nullptr)
{
    Bytes out;

    if (version)
        setenv(version, "1", 1);
    std::thread([&] { out = decoded(file, channels); }).join();
    if (version)
        unsetenv(version);
    return out;
}

// ---- the same with the kernels
// -------------------------------------------------------------------

struct Plane {
    size_t pitch;
    Bytes samples;
    const uint8_t *row(int y) const
    {
        return samples.data() + pitch * static_cast<size_t>(y);
    }
};

size_t at(int v)
{
    return static_cast<size_t>(v);
}

Plane samples_of(const mr_pixel_kernels &k, const Component &c)
{
    Plane p = {at(c.blocks_across + 3) / 4 * 32 + MR_PIXEL_SLACK, {}};

    p.samples.resize(p.pitch * at(8 * c.blocks_down));
    for (int y = 0; y < c.blocks_down; y++) {
        for (int x = 0; x < c.blocks_across; x += 4) {
            mr_tile tile = {};
            for (int i = 0; i < 64 * 4; i++)
                if (x + i / 64 < c.blocks_across)
                    tile.v[i % 64 / 8][i / 64][i % 8] =
                        c.block[at(y * c.blocks_across + x + i / 64)][at(i % 64)];
            k.idct(&tile, c.quant.data(), p.samples.data() + p.pitch * at(8 * y) + at(8 * x),
                   static_cast<ptrdiff_t>(p.pitch), MR_LAST_ALL);
        }
    }
    return p;
}

// Row y of the picture from a component's samples.
Bytes wide_row(const mr_pixel_kernels &k, const Jpeg &jpeg, const Component &c, const Plane &p,
               int y)
{
    int across = jpeg.max_h() / c.h, down = jpeg.max_v() / c.v;
    int own = y / down, other = y % down * 2 < down ? own - 1 : own + 1;
    const uint8_t *near = p.row(own), *far = p.row(std::clamp(other, 0, c.rows - 1));
    Bytes out(at(c.w * across) + MR_PIXEL_SLACK);

    if (across == 2 && down == 1 && c.w > 2)
        k.h2v1(near, at(c.w), out.data());
    else if (across == 2 && down == 2 && c.w > 2)
        k.h2v2(near, far, at(c.w), out.data());
    else if (across == 1 && down == 2)
        k.h1v2(near, far, at(c.w), y % 2, out.data());
    else
        k.repeat(near, at(c.w), across, out.data());
    return out;
}

Bytes kernels(const mr_pixel_kernels &k, const Jpeg &jpeg, int channels)
{
    std::vector<Plane> planes;
    size_t pitch = at(jpeg.w * channels);
    Bytes out(pitch * at(jpeg.h) + MR_PIXEL_SLACK);

    for (const Component &c : jpeg.component)
        planes.push_back(samples_of(k, c));
    for (int y = 0; y < jpeg.h; y++) {
        std::vector<Bytes> rows;
        uint8_t *to = out.data() + pitch * at(y);
        for (size_t i = 0; i < planes.size(); i++)
            rows.push_back(wide_row(k, jpeg, jpeg.component[i], planes[i], y));
        if (planes.size() == 1)
            (channels == 4 ? k.gray_rgba : k.gray_rgb)(rows[0].data(), at(jpeg.w), to);
        else
            (channels == 4 ? k.rgba : k.rgb)(rows[0].data(), rows[1].data(), rows[2].data(),
                                             at(jpeg.w), to);
    }
    out.resize(pitch * at(jpeg.h));
    return out;
}

// ---- files
// ---------------------------------------------------------------------------------------

enum Kind { GENTLE, PICTURE, LEGAL, ANY, EXTREME, KINDS };

uint16_t factor(Random &rng, Kind kind, int k)
{
    static const int extremes[] = {0, 1, 255, 256, 32767, 32768, 65535};

    if (kind == GENTLE)
        return static_cast<uint16_t>(between(rng, 1, 4));
    if (kind == PICTURE)
        return static_cast<uint16_t>(between(rng, 1, 2 + k));
    if (kind == LEGAL)
        return static_cast<uint16_t>(between(rng, 1, 255));
    return static_cast<uint16_t>(kind == ANY ? between(rng, 0, 65535)
                                             : extremes[between(rng, 0, 6)]);
}

int coefficient(Random &rng, Kind kind, int k)
{
    static const int extremes[] = {1, -1, 1023, -1024, 8191, -8192, 16383, -16383};

    switch (kind) {
    case GENTLE: return between(rng, -60, 60) / (1 + k / 4);
    case PICTURE: return between(rng, -400, 400) / (1 + k * k / 4);
    case LEGAL: return between(rng, -1023, 1023);
    case ANY: return between(rng, -16383, 16383);
    default: return extremes[between(rng, 0, 7)];
    }
}

void fill(Random &rng, Component &c, Kind kind, Kind table)
{
    for (int k = 0; k < 64; k++)
        c.quant[at(k)] = factor(rng, table, k);
    for (auto &block : c.block) {
        int end = between(rng, 0, 3) ? between(rng, 0, 63) : 0, zeros = between(rng, 0, 8);
        for (int k = 0; k <= end; k++)
            if (k == 0 || between(rng, 0, 8) >= zeros)
                block[coded::natural[at(k)]] = static_cast<int16_t>(coefficient(rng, kind, k));
    }
}

void compare(Random &rng, Jpeg jpeg, Kind kind, Kind table, const char *version = nullptr)
{
    int channels = between(rng, 0, 3) ? 3 : 4;

    jpeg.shape();
    for (Component &c : jpeg.component)
        fill(rng, c, kind, table);
    Bytes want = libjpeg(jpeg.bytes(), channels, version);
    Bytes got = kernels(mr__pixels_scalar, jpeg, channels);
    ASSERT_EQ(want.size(), got.size());
    auto differs = std::mismatch(want.begin(), want.end(), got.begin());
    ASSERT_EQ(differs.first, want.end()) << jpeg.text() << ", kinds " << kind << " and " << table
                                         << ", byte " << differs.first - want.begin();
}

TEST(JpegPixels, EverySamplingEqualsLibjpeg)
{
    Random rng(1);

    for (Jpeg jpeg : coded::all_samplings()) {
        for (int i = 0; i < 3 && !HasFatalFailure(); i++) {
            jpeg.w = between(rng, 1, 70);
            jpeg.h = between(rng, 1, 40);
            compare(rng, jpeg, PICTURE, PICTURE);
        }
    }
}

TEST(JpegPixels, EveryWidthEqualsLibjpeg)
{
    static const int factors[][2] = {{1, 1}, {2, 1}, {1, 2}, {2, 2}, {4, 1}};
    Random rng(2);

    for (const auto &f : factors) {
        Jpeg jpeg;
        jpeg.component.resize(3);
        jpeg.component[0].h = f[0];
        jpeg.component[0].v = f[1];
        for (int w = 1; w <= 70 && !HasFatalFailure(); w++) {
            jpeg.w = w;
            jpeg.h = between(rng, 1, 35);
            compare(rng, jpeg, PICTURE, LEGAL);
        }
    }
}

TEST(JpegPixels, WildCoefficientsAndTablesEqualLibjpeg)
{
    Random rng(3);

    for (int i = 0; i < 400 && !HasFatalFailure(); i++) {
        Jpeg jpeg;
        jpeg.component.resize(i % 4 ? 3 : 1);
        jpeg.w = between(rng, 1, 64);
        jpeg.h = between(rng, 1, 64);
        compare(rng, jpeg, static_cast<Kind>(between(rng, 0, KINDS - 1)),
                static_cast<Kind>(between(rng, 0, KINDS - 1)));
    }
}

// SSE2 is the same as AVX2, always. Plain C is the same for pictures only.
TEST(JpegPixels, OtherVersionsOfLibjpegAgree)
{
    Random rng(4);

    for (int i = 0; i < 200 && !HasFatalFailure(); i++) {
        Kind kind = static_cast<Kind>(between(rng, 0, KINDS - 1));
        Jpeg jpeg;
        jpeg.component.resize(3);
        jpeg.component[0].h = between(rng, 1, 2);
        jpeg.component[0].v = between(rng, 1, 2);
        jpeg.w = between(rng, 1, 64);
        jpeg.h = between(rng, 1, 64);
        compare(rng, jpeg, kind, kind, "JSIMD_FORCESSE2");
        compare(rng, jpeg, GENTLE, GENTLE, "JSIMD_FORCENONE");
    }
}

TEST(JpegPixels, TilesThatAgreeAreThoseOfPictures)
{
    Random rng(4);
    uint16_t quant[64];
    mr_tile tile = {};

    std::fill(quant, quant + 64, static_cast<uint16_t>(16));
    tile.v[0][3][0] = 63; // the brightest block
    EXPECT_TRUE(mr__tile_agrees(&tile, quant));
    for (auto &row : tile.v)
        row[2][5] = static_cast<int16_t>(between(rng, 0, 1) ? 23 : -23);
    EXPECT_TRUE(mr__tile_agrees(&tile, quant)); // 8 * 23 * 16 = 2944
    tile.v[7][2][5] = 24;
    EXPECT_FALSE(mr__tile_agrees(&tile, quant));
    tile.v[7][2][5] = 23;
    quant[0] = 65535;
    EXPECT_FALSE(mr__tile_agrees(&tile, quant));
}

} // namespace
