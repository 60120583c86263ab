// SPDX-License-Identifier: Apache-2.0
//
// `decode: fast` and what rows cost. That the pixels are those of Pillow's draft() is held by
// tests/oracle/fast_oracle.py.
#include "rowpipe_testing.h"

#include <gtest/gtest.h>

#include <cmath>

extern "C" {
#include "pipe/rowpipe_types.h"
}

namespace
{

mr_geometry resized(int w, int h, mr_rect box, int rw, int rh)
{
    mr_geometry g;
    mr__geometry_begin(&g, w, h);
    mr__geometry_crop(&g, &box);
    mr__geometry_resize(&g, rw, rh, MR_BILINEAR, true);
    return g;
}

TEST(RowpipeFast, TheScaleLeavesEnoughPixels)
{
    const struct {
        int w, h, rw, rh, scale;
    } cases[] = {
        {100, 100, 100, 100, 1}, {199, 300, 100, 100, 1}, {300, 199, 100, 100, 1},
        {200, 200, 100, 100, 2}, {399, 900, 100, 100, 2}, {400, 401, 100, 100, 4},
        {799, 799, 100, 100, 4}, {800, 800, 100, 100, 8}, {4000, 4000, 100, 100, 8},
        {800, 100, 100, 100, 1}, {50, 50, 100, 100, 1},
    };
    for (const auto &c : cases) {
        mr_geometry g = resized(5000, 5000, {7, 9, c.w, c.h}, c.rw, c.rh);
        EXPECT_EQ(mr__geometry_scale(&g), c.scale) << c.w << "x" << c.h;
        g.filter = MR_NEAREST;
        EXPECT_EQ(mr__geometry_scale(&g), 1) << "single pixels are no averages";
        g.filter = MR_BICUBIC;
        g.antialias = false;
        EXPECT_EQ(mr__geometry_scale(&g), 1);
    }
    mr_geometry cropped = resized(5000, 5000, {0, 0, 5000, 5000}, 5000, 5000);
    EXPECT_EQ(mr__geometry_scale(&cropped), 1) << "a crop alone keeps its pixels";
}

// A ramp that is averaged 4 x 4 and resampled from a box between its pixels is the ramp, but for
// what the filter's taps, of which there are few, make of it. A pixel beside it is 90.
TEST(RowpipeFast, TheBoxKeepsItsPlaceToAFractionOfAPixel)
{
    const int w = 640, scale = 4, out = 80;
    mr_resampler *r = nullptr;
    mr_errbuf e = {};
    ASSERT_EQ(mr__resampler_new(&r, &e), MR_OK);
    for (int x0 : {0, 1, 2, 3, 5, 118, 239}) {
        for (int before : {0, 3}) {
            std::vector<uint16_t> ramp(size_t(w) / scale + 1);
            for (size_t i = 0; i < ramp.size(); i++)
                ramp[i] = uint16_t(1000 + 90 * ((i + 0.5) * scale - before));
            mr_geometry g = resized(w, 1, {x0, 0, 400, 1}, out, 1);
            mr_shrunk s = {scale, int(ramp.size()), 1, before, 0};
            mr__geometry_shrink(&g, &s);
            g.box.h = g.in_h = 1;
            g.cut_top = g.cut_bottom = 0;
            mr_view src = {ramp.data(), int(ramp.size()), 1, 1, 16, 0};
            mr_rect at = {0, 0, int(ramp.size()), 1};
            std::vector<uint16_t> got(out);
            mr_store store = {};
            store.dtype = MR_U16;
            ASSERT_EQ(mr__resample_store(r, &src, &at, &g, &store, got.data(), &e), MR_OK)
                << e.text;
            for (int i = 2; i < out - 2; i++) { // the ends know no neighbours
                double want = 1000 + 90 * (x0 + (i + 0.5) * 400 / out);
                ASSERT_NEAR(got[size_t(i)], want, 30) << x0 << " " << before << " " << i;
            }
        }
    }
    mr__resampler_free(r);
}

const char *const CROP = "  - random_resized_crop: {size: 48, scale: [0.5, 1.0]}\n"
                         "  - random_horizontal_flip: {}\n";
const char *const FIELDS = "image: {dtype: uint8}, mask: {dtype: uint8}, "
                           "boxes: {dtype: float32, max: 4}";

Picture smooth(int w, int h)
{
    Picture p{w, h, 3, {}};
    for (int i = 0; i < w * h * 3; i++) {
        int x = i / 3 % w, y = i / 3 / w;
        p.pixels.push_back(uint8_t(128 + 90 * std::sin(x / 40.0 + i % 3) * std::cos(y / 50.0)));
    }
    return p;
}

TEST(RowpipeFast, OnlyTheImageIsDecodedSmaller)
{
    Pipe exact(CROP, FIELDS), fast(CROP, FIELDS, "decode: fast\n");
    ASSERT_EQ(exact.rc, MR_OK) << exact.e.text;
    ASSERT_EQ(fast.rc, MR_OK) << fast.e.text;
    EXPECT_NE(exact.config->stream_hash, fast.config->stream_hash);
    for (int orientation : {1, 3, 6}) {
        JpegOptions o;
        o.exif = exif_block(orientation);
        Bytes image = encode_jpeg(smooth(601, 499), o);
        bool swap = orientation == 6;
        Bytes mask = encode_jpeg(make_picture(swap ? 499 : 601, swap ? 601 : 499, 1));
        std::vector<float> boxes = {10, 20, 300, 400, 200, 100, 480, 450};
        for (uint64_t i = 0; i < 8; i++) {
            Row a = exact.run(image, i, mask, boxes), b = fast.run(image, i, mask, boxes);
            ASSERT_EQ(a.rc, MR_OK) << a.error;
            ASSERT_EQ(b.rc, MR_OK) << b.error;
            EXPECT_EQ(a.draws, b.draws);
            EXPECT_EQ(a.mask, b.mask);
            EXPECT_EQ(a.boxes, b.boxes);
            const mr_row_cost *x = mr__rowwork_cost(exact.work), *f = mr__rowwork_cost(fast.work);
            EXPECT_EQ(x->scale, 1);
            EXPECT_GE(x->scale_fast, 4);
            EXPECT_EQ(f->scale, x->scale_fast);
            EXPECT_EQ(f->pixels_needed, x->pixels_needed);
            EXPECT_LT(f->pixels_wanted * 12, x->pixels_wanted);
            int worst = 0;
            for (size_t k = 0; k < a.image.size(); k++)
                worst = std::max(worst, std::abs(a.image[k] - b.image[k]));
            EXPECT_LE(worst, 4) << "orientation " << orientation << ", row " << i;
        }
    }
}

TEST(RowpipeFast, WhatIsNotAveragedIsDecodedWhole)
{
    Bytes image = encode_jpeg(smooth(601, 499));
    for (const char *ops : {"  - resize: {size: [48, 48], interpolation: nearest}\n",
                            "  - center_crop: {size: 48}\n",
                            "  - color_jitter: {brightness: 0.5}\n"
                            "  - resize: {size: [48, 48]}\n"}) {
        Pipe exact(ops), fast(ops, "image: {dtype: uint8}", "decode: fast\n");
        ASSERT_EQ(fast.rc, MR_OK) << fast.e.text;
        EXPECT_EQ(exact.run(image, 3).image, fast.run(image, 3).image) << ops;
        EXPECT_LE(mr__rowwork_cost(fast.work)->scale, 1) << ops;
    }
}

// A crop at the top is paid for at the top, and nearly nothing beside it is made.
TEST(RowpipeFast, TheCostTellsWhatWasTouchedAndWhatWasNeeded)
{
    Pipe p("  - center_crop: {size: 96}\n  - color_jitter: {brightness: 0.5}\n"
           "  - resize: {size: [64, 64]}\n");
    ASSERT_EQ(p.rc, MR_OK) << p.e.text;
    ASSERT_EQ(p.run(encode_jpeg(make_picture(640, 480, 3))).rc, MR_OK);
    const mr_row_cost *c = mr__rowwork_cost(p.work);
    ASSERT_TRUE(c->decoded);
    EXPECT_EQ(c->pixels, 640u * 480);
    EXPECT_EQ(c->pixels_needed, 96u * 96);
    EXPECT_EQ(c->pixels_wanted, 96u * 96);
    EXPECT_EQ(c->decode.pixels_read, 640u * (480 / 2 + 96 / 2)) << "rows 192 to 288, not below";
    EXPECT_LE(c->decode.pixels_made, (96u + 16) * (96 + 16));
    EXPECT_GT(c->header_ns, 0u);
    EXPECT_GT(c->decode_ns, 0u);
    EXPECT_GT(c->op_ns[0], 0u) << "the crop is a stage of its own";
    EXPECT_EQ(c->op_last[0], 0);
    EXPECT_GT(c->op_ns[1], 0u);
    EXPECT_EQ(c->op_ns[2], 0u) << "the last stage is the store's";
    EXPECT_EQ(c->store_first, 2);
    EXPECT_GT(c->store_ns, 0u);
}

} // namespace
