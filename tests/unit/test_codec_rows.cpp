// SPDX-License-Identifier: Apache-2.0
//
// Decoding as the planner asks for it: rows that are handed on instead of kept, images decoded at a
// fraction of their size, and what the decoders say they have touched.
#include "codec_testing.h"
#include "png_testing.h"

#include <gtest/gtest.h>

extern "C" {
extern const struct mr_codec mr__codec_jpeg;
extern const struct mr_codec mr__codec_png;
}

namespace
{

constexpr int SCALES[] = {1, 2, 4, 8};

// Views and rows of random crops, in the coordinates of the reduced image.
void expect_crops_equal(Decoder &d, const Bytes &bytes, const Picture &full, int scale, int crops,
                        std::mt19937 &rng, const std::string &what)
{
    for (int i = 0; i < crops; i++) {
        mr_rect r = random_rect(rng, full.w, full.h);
        std::string place = what + " 1/" + std::to_string(scale) + " crop " + std::to_string(r.x) +
                            "," + std::to_string(r.y) + " " + std::to_string(r.w) + "x" +
                            std::to_string(r.h);
        Picture want = crop_picture(full, r), got;
        ASSERT_EQ(d.shrink(bytes, scale), MR_OK) << place << d.error.text;
        ASSERT_EQ(d.shrunk.w, full.w);
        ASSERT_EQ(d.shrunk.h, full.h);
        ASSERT_EQ(d.decode_after_header(r, full.c, 8, got), MR_OK) << place << d.error.text;
        ASSERT_TRUE(got.pixels == want.pixels) << place;
        ASSERT_TRUE(d.guard_kept) << place;
        if (d.info.orientation != 1)
            continue;
        ASSERT_EQ(d.shrink(bytes, scale), MR_OK) << place;
        d.most = i % 4;
        ASSERT_EQ(d.rows_after_header(r, full.c, 8, got), MR_OK) << place << d.error.text;
        ASSERT_TRUE(got.pixels == want.pixels) << place << ", rows";
        ASSERT_EQ(d.begun, 1);
        if (d.most && d.cost().engine == MR_ENGINE_BASELINE) {
            ASSERT_LE(d.largest, d.most) << place;
        }
    }
}

TEST(CodecRows, CropsOfEverySamplingAtEverySize)
{
    std::mt19937 rng(21);
    Decoder d(mr__codec_jpeg);
    for (const Sampling &s : samplings) {
        for (int variant = 0; variant < 4; variant++) {
            JpegOptions o = jpeg_variant(s, variant);
            Bytes bytes =
                encode_jpeg(variant & 2 ? make_picture(231, 113, 3) : make_picture(128, 96, 3), o);
            for (int scale : SCALES)
                expect_crops_equal(d, bytes, golden_jpeg(bytes, JCS_RGB, scale), scale, 20, rng,
                                   s.name);
        }
    }
}

TEST(CodecRows, CropsOfPhotographsAtEverySize)
{
    std::mt19937 rng(22);
    Decoder d(mr__codec_jpeg);
    for (const NamedBytes &f : photographs(24)) {
        for (int scale : SCALES)
            expect_crops_equal(d, f.bytes, golden_jpeg(f.bytes, JCS_RGB, scale), scale, 6, rng,
                               f.name);
    }
}

TEST(CodecRows, TinyImagesAtEverySize)
{
    std::mt19937 rng(23);
    Decoder d(mr__codec_jpeg);
    for (const Sampling &s : samplings) {
        for (int w = 1; w <= 40; w += 3) {
            JpegOptions o;
            o.h_samp = s.h;
            o.v_samp = s.v;
            Bytes bytes = encode_jpeg(make_picture(w, 41 - w, 3), o);
            for (int scale : SCALES)
                expect_crops_equal(d, bytes, golden_jpeg(bytes, JCS_RGB, scale), scale, 3, rng,
                                   s.name);
        }
    }
}

// A mirrored image begins where the stored one ends, with a pixel that reaches beyond it.
TEST(CodecRows, EveryOrientationAtEverySize)
{
    std::mt19937 rng(24);
    Decoder d(mr__codec_jpeg);
    const int w = 150, h = 83;
    for (int orientation = 1; orientation <= 8; orientation++) {
        JpegOptions o;
        o.h_samp = o.v_samp = 2;
        o.exif = exif_block(orientation);
        Bytes bytes = encode_jpeg(make_picture(w, h, 3), o);
        for (int scale : SCALES) {
            Picture full = turn_picture(golden_jpeg(bytes, JCS_RGB, scale), orientation);
            expect_crops_equal(d, bytes, full, scale, 12, rng, "orientation");
            int over_w = (w + scale - 1) / scale * scale - w;
            int over_h = (h + scale - 1) / scale * scale - h;
            bool swap = orientation >= 5;
            int over_x = swap ? over_h : over_w, over_y = swap ? over_w : over_h;
            const bool mirror_x[] = {false, true, true, false, false, true, true, false};
            const bool mirror_y[] = {false, false, true, true, false, false, true, true};
            EXPECT_EQ(d.shrunk.before_x, mirror_x[orientation - 1] ? over_x : 0) << orientation;
            EXPECT_EQ(d.shrunk.before_y, mirror_y[orientation - 1] ? over_y : 0) << orientation;
        }
    }
}

TEST(CodecRows, FormatsAreConvertedOnTheWay)
{
    Decoder jpeg(mr__codec_jpeg);
    for (int stored : {1, 3}) {
        Bytes bytes = encode_jpeg(make_picture(90, 70, stored));
        for (int c : {1, 3, 4}) {
            for (int bits : {8, 16}) {
                mr_rect r = {5, 3, 61, 59};
                Picture want, got;
                ASSERT_EQ(jpeg.decode(bytes, r, c, bits, want), MR_OK);
                ASSERT_EQ(jpeg.header(bytes), MR_OK);
                ASSERT_EQ(jpeg.rows_after_header(r, c, bits, got), MR_OK) << jpeg.error.text;
                EXPECT_TRUE(got.pixels == want.pixels) << stored << " " << c << " " << bits;
            }
        }
    }
}

TEST(CodecRows, WrongUseIsAnError)
{
    JpegOptions o;
    o.exif = exif_block(6);
    Bytes bytes = encode_jpeg(make_picture(40, 30, 3), o);
    Decoder d(mr__codec_jpeg);
    Picture got;
    ASSERT_EQ(d.header(bytes), MR_OK);
    EXPECT_EQ(d.rows_after_header({0, 0, 8, 8}, 3, 8, got), MR_E_USAGE);
    EXPECT_EQ(d.begun, 0);
    EXPECT_EQ(d.shrink(bytes, 3), MR_E_USAGE);
    EXPECT_NE(strstr(d.error.text, "1, 2, 4 or 8"), nullptr) << d.error.text;
    ASSERT_EQ(d.shrink(bytes, 4), MR_OK);
    EXPECT_EQ(d.decode_after_header({0, 0, 9, 1}, 3, 8, got), MR_E_USAGE) << "30 / 4 is 8";
    EXPECT_EQ(d.decode_after_header({0, 0, 8, 10}, 3, 8, got), MR_OK);
    ASSERT_EQ(d.header(bytes), MR_OK);
    EXPECT_EQ(d.decode_after_header({0, 0, 30, 40}, 3, 8, got), MR_OK) << "full size again";
}

// Nothing below the crop is read, nothing beside it is made, but for what the format forces.
class CodecRowsByEngine : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Codec, CodecRowsByEngine,
                         testing::Values(MR_DECODE_AUTO, MR_DECODE_LIBJPEG));

TEST_P(CodecRowsByEngine, TheCostIsWhatWasTouched)
{
    mr_limits limits = wide_limits();
    limits.engine = GetParam();
    Decoder d(mr__codec_jpeg, limits);
    Picture got;
    for (const Sampling &s : samplings) {
        JpegOptions o;
        o.h_samp = s.h;
        o.v_samp = s.v;
        const int w = 1024, h = 768, mcu_w = 8 * s.h, mcu_h = 8 * s.v;
        Bytes bytes = encode_jpeg(make_picture(w, h, 3), o);
        for (mr_rect r : {mr_rect{256, 128, 320, 256}, mr_rect{0, 0, 64, 64},
                          mr_rect{900, 700, 124, 68}, mr_rect{0, 0, w, h}}) {
            ASSERT_EQ(d.decode(bytes, r, 3, 8, got), MR_OK);
            mr_decode_cost cost = d.cost();
            uint64_t rows = std::min(h, (r.y + r.h + mcu_h - 1) / mcu_h * mcu_h + mcu_h);
            EXPECT_EQ(cost.engine, GetParam() == MR_DECODE_AUTO ? MR_ENGINE_BASELINE
                                                                : MR_ENGINE_LIBJPEG);
            EXPECT_LE(cost.pixels_read, rows * w) << s.name << " " << r.y;
            EXPECT_GE(cost.pixels_read, uint64_t(r.y + r.h) * w) << s.name << " " << r.y;
            EXPECT_LE(cost.pixels_made,
                      uint64_t(r.w + 2 * mcu_w + 4) * (r.h + 2 * mcu_h)) << s.name;
            EXPECT_GE(cost.pixels_made, uint64_t(r.w) * r.h);
            EXPECT_LE(cost.bytes, bytes.size());
            if (r.y + r.h < h / 2) {
                EXPECT_LT(cost.bytes, bytes.size() * 3 / 4) << "the rest is not read";
            }
        }
    }
}

TEST(CodecRows, APngHandsItsRowsOn)
{
    std::mt19937 rng(25);
    Decoder d(mr__codec_png);
    for (bool interlaced : {false, true}) {
        Picture p = make_picture(140, 90, 3);
        Bytes bytes = encode_png(p, {}, 1, interlaced);
        for (int i = 0; i < 20; i++) {
            mr_rect r = random_rect(rng, p.w, p.h);
            Picture want, got;
            int c = i % 2 ? 3 : 4;
            d.most = i / 2 % 2;
            ASSERT_EQ(d.decode(bytes, r, c, 8, want), MR_OK) << d.error.text;
            ASSERT_EQ(d.header(bytes), MR_OK);
            ASSERT_EQ(d.rows_after_header(r, c, 8, got), MR_OK) << d.error.text;
            EXPECT_TRUE(got.pixels == want.pixels) << r.x << "," << r.y;
            EXPECT_EQ(d.cost().engine, MR_ENGINE_LIBPNG);
            EXPECT_EQ(d.cost().pixels_read, uint64_t(p.w) * (interlaced ? p.h : r.y + r.h));
        }
    }
}

} // namespace
