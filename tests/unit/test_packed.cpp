// SPDX-License-Identifier: Apache-2.0
//
// Packed JPEGs: whatever is packed has the pixels that the file has, by either engine, of every
// crop, at every size; and what is unpacked has them, too.
#include "packed_testing.h"

namespace
{

// libjpeg-turbo cannot crop 4:1:0 when it scales: it is kept as it is.
bool packs(const JpegKind &k)
{
    return std::string(k.name) != "410";
}

const int sizes[][2] = {{1, 1},   {1, 40},  {40, 1},  {2, 2},    {3, 5},    {4, 4},    {5, 3},
                        {7, 9},   {8, 8},   {9, 7},   {15, 17},  {16, 16},  {17, 15},  {31, 33},
                        {33, 31}, {64, 48}, {65, 40}, {129, 71}, {131, 40}, {200, 90}, {323, 50}};

class Codings : public testing::TestWithParam<mr_packed_coding>
{
};

} // namespace

INSTANTIATE_TEST_SUITE_P(Packed, Codings, testing::Values(MR_PACKED_HUFFMAN, MR_PACKED_STREAMS),
                         [](const testing::TestParamInfo<mr_packed_coding> &coding) {
                             return coding.param == MR_PACKED_HUFFMAN ? "Huffman" : "Streams";
                         });

TEST_P(Codings, EverySamplingAndSizeAndCrop)
{
    Packed all(GetParam());
    std::mt19937 rng(1);
    for (const JpegKind &k : jpeg_kinds) {
        for (const auto &size : sizes) {
            SCOPED_TRACE(std::string(k.name) + " " + std::to_string(size[0]) + "x" +
                         std::to_string(size[1]));
            Picture p = make_picture(size[0], size[1], k.c, unsigned(size[0] * 7 + size[1]));
            JpegOptions o = options_of(k, 60 + int(rng() % 41));
            o.progressive = rng() % 3 == 0;
            o.restart_mcus = rng() % 3 ? 0 : 1 + rng() % 9;
            Bytes jpeg = encode_jpeg(p, o);
            if (!packs(k)) {
                EXPECT_EQ(all.make(jpeg), MR_PACKED_VERBATIM);
                continue;
            }
            ASSERT_EQ(all.make(jpeg, rng() % 2 ? 64 : 32), MR_OK) << all.error.text;
            for (int c : {1, 3, 4})
                all.equal(jpeg, {0, 0, p.w, p.h}, c);
            for (int i = 0; i < 8; i++)
                all.equal(jpeg, random_rect(rng, p.w, p.h), i % 4 ? 3 : 1, i % 3 ? 8 : 16);
            for (int scale : {2, 4, 8}) {
                int w = (p.w + scale - 1) / scale, h = (p.h + scale - 1) / scale;
                all.equal(jpeg, {0, 0, w, h}, 3, 8, scale);
                for (int i = 0; i < 3; i++)
                    all.equal(jpeg, random_rect(rng, w, h), 3, 8, scale);
            }
            if (HasFailure())
                return;
        }
    }
}

// Every row and column as the first and the last one of a crop; segments of one MCU, of some, and
// a whole row's.
TEST_P(Codings, EveryEdge)
{
    Packed all(GetParam());
    for (const JpegKind &k : jpeg_kinds) {
        if (!packs(k))
            continue;
        for (int segment : {8, 32, 1000}) {
            SCOPED_TRACE(std::string(k.name) + " " + std::to_string(segment));
            Picture p = make_picture(75, 37, k.c);
            Bytes jpeg = encode_jpeg(p, options_of(k, 90));
            ASSERT_EQ(all.make(jpeg, segment), MR_OK) << all.error.text;
            for (int y = 0; y < p.h; y++) {
                all.equal(jpeg, {3, y, 60, 1});
                all.equal(jpeg, {5, y, 33, p.h - y});
                all.equal(jpeg, {0, 0, 20, y + 1});
            }
            for (int x = 0; x < p.w; x++) {
                all.equal(jpeg, {x, 9, 1, 20});
                all.equal(jpeg, {x, 21, p.w - x, 10});
                all.equal(jpeg, {0, 17, x + 1, 20});
            }
            for (int scale : {2, 4, 8}) {
                int w = (p.w + scale - 1) / scale, h = (p.h + scale - 1) / scale;
                for (int x = 0; x < w; x++) {
                    all.equal(jpeg, {x, h / 3, 1, 2}, 3, 8, scale);
                    all.equal(jpeg, {0, 0, x + 1, h}, 3, 8, scale);
                }
            }
            if (HasFailure())
                return;
        }
    }
}

TEST_P(Codings, NoiseOfEveryQuality)
{
    Packed all(GetParam());
    std::mt19937 rng(2);
    for (int quality : {1, 30, 75, 95, 100}) {
        SCOPED_TRACE(quality);
        Picture p{417, 130, 3, Bytes(417 * 130 * 3)};
        for (auto &v : p.pixels)
            v = uint8_t(rng() % 5 ? rng() : rng() % 2 * 255);
        Bytes jpeg = encode_jpeg(p, options_of(jpeg_kinds[rng() % 2 ? 2 : 5], quality));
        ASSERT_EQ(all.make(jpeg), MR_OK) << all.error.text;
        all.equal(jpeg, {0, 0, p.w, p.h});
        for (int i = 0; i < 20; i++)
            all.equal(jpeg, random_rect(rng, p.w, p.h));
    }
}

TEST_P(Codings, TurnedImages)
{
    Packed all(GetParam());
    std::mt19937 rng(3);
    for (int orientation = 1; orientation <= 8; orientation++) {
        SCOPED_TRACE(orientation);
        JpegOptions o = options_of(jpeg_kinds[5], 85);
        o.exif = exif_block(orientation);
        Bytes jpeg = encode_jpeg(make_picture(91, 58, 3), o);
        ASSERT_EQ(all.make(jpeg, 32), MR_OK) << all.error.text;
        int w = orientation > 4 ? 58 : 91, h = orientation > 4 ? 91 : 58;
        all.equal(jpeg, {0, 0, w, h});
        for (int i = 0; i < 20; i++)
            all.equal(jpeg, random_rect(rng, w, h), i % 2 ? 3 : 4);
        for (int scale : {2, 4, 8})
            all.equal(jpeg, random_rect(rng, (w + scale - 1) / scale, (h + scale - 1) / scale), 3,
                      8, scale);
    }
}

// All of them, whole and some crops; MR_CROPS: so many crops of each.
TEST_P(Codings, Photographs)
{
    Packed all(GetParam());
    std::mt19937 rng(5);
    const char *more = getenv("MR_CROPS");
    int crops = more ? atoi(more) : 3;
    size_t files = 0, bodies = 0;
    for (const auto &photo : photographs(more ? 100000 : 50)) {
        SCOPED_TRACE(photo.name);
        int rc = all.make(photo.bytes);
        if (rc == MR_PACKED_VERBATIM)
            continue;
        ASSERT_EQ(rc, MR_OK) << all.error.text;
        files += photo.bytes.size();
        bodies += all.body.size();
        mr_rect whole = all.whole(photo.bytes);
        all.equal(photo.bytes, whole);
        for (int i = 0; i < crops; i++)
            all.equal(photo.bytes, random_rect(rng, whole.w, whole.h), i % 5 ? 3 : 1);
        for (int scale : {2, 8})
            all.equal(photo.bytes, random_rect(rng, whole.w / scale, whole.h / scale), 3, 8, scale);
        all.unpack_equal(photo.bytes);
        if (HasFailure())
            return;
    }
    ASSERT_GT(files, 0u);
    EXPECT_LT(double(bodies), double(files) * (GetParam() == MR_PACKED_HUFFMAN ? 1.02 : 1.25));
    RecordProperty("size", std::to_string(double(bodies) / double(files)));
}

TEST_P(Codings, UnpacksToTheSamePixelsAndMarkers)
{
    Packed all(GetParam());
    for (const JpegKind &k : jpeg_kinds) {
        for (bool progressive : {false, true}) {
            if (!packs(k))
                continue;
            SCOPED_TRACE(k.name);
            JpegOptions o = options_of(k, 90);
            o.progressive = progressive;
            o.exif = exif_block(6);
            Bytes jpeg = encode_jpeg(make_picture(75, 53, k.c), o);
            ASSERT_EQ(all.make(jpeg, 32), MR_OK) << all.error.text;
            Bytes again = all.unpack_equal(jpeg);
            EXPECT_TRUE(markers_of(jpeg) == markers_of(again));
            EXPECT_GT(markers_of(jpeg).size(), 40u);
        }
    }
}

TEST(Packed, WhatCannotBeCutIsLeftAlone)
{
    Packed all;
    JpegOptions rgb;
    rgb.space = JCS_RGB;
    Picture p = make_picture(60, 44, 3);
    EXPECT_EQ(all.make(encode_jpeg(p, rgb)), MR_PACKED_VERBATIM);
    EXPECT_STREQ(all.error.text,
                 "a JPEG that is neither gray nor YCbCr cannot be cut into segments");
    EXPECT_EQ(all.make(encode_jpeg(make_picture(60, 44, 4))), MR_PACKED_VERBATIM);
    EXPECT_EQ(all.make(Bytes{'G', 'I', 'F', '8'}), MR_PACKED_VERBATIM);
    EXPECT_STREQ(all.error.text, "not a JPEG");
    EXPECT_EQ(all.make(Bytes{}), MR_PACKED_VERBATIM);
    JpegOptions coarse;
    coarse.quality = 1; // some steps are above 255
    EXPECT_EQ(all.make(encode_jpeg(p, coarse)), MR_OK) << "libjpeg keeps them to 8 bits";
    static const jpeg_scan_info scans[] = {
        {1, {0}, 0, 63, 0, 0}, {1, {1}, 0, 63, 0, 0}, {1, {2}, 0, 63, 0, 0}};
    JpegOptions three;
    three.scans = scans;
    three.nscans = 3;
    Bytes jpeg = encode_jpeg(p, three);
    EXPECT_EQ(all.make(jpeg), MR_OK) << all.error.text;
    all.equal(jpeg, {5, 6, 40, 30});
    static const jpeg_scan_info rough[] = {{3, {0, 1, 2}, 0, 0, 0, 1}};
    three.scans = rough;
    three.nscans = 1;
    EXPECT_EQ(all.make(encode_jpeg(p, three)), MR_PACKED_VERBATIM);
    EXPECT_STREQ(all.error.text, "a JPEG that lacks its last scans cannot be cut into segments");
}

// A file that decoding refuses is refused with the same words.
TEST(Packed, DamagedFilesAreNamed)
{
    Packed all;
    std::mt19937 rng(4);
    int refused = 0, taken = 0;
    for (const JpegKind &k : jpeg_kinds) {
        Picture p = make_picture(70, 52, k.c);
        const Bytes good = encode_jpeg(p, options_of(k, 80));
        for (int i = 0; i < 60 && packs(k); i++) {
            Bytes bytes = good;
            size_t at = 2 + rng() % (bytes.size() - 2);
            if (rng() % 2)
                bytes[at] ^= uint8_t(1u << rng() % 8);
            else
                bytes.resize(at);
            Picture pixels;
            Decoder head(mr__codec_jpeg, limits_of(MR_DECODE_LIBJPEG));
            if (head.header(bytes) < 0 || head.info.w != p.w || head.info.h != p.h)
                continue;
            int rc = head.decode(bytes, {0, 0, p.w, p.h}, 3, 8, pixels), made = all.make(bytes);
            taken += made == MR_OK;
            refused += made < 0;
            EXPECT_TRUE(rc == MR_OK || made < 0);
            if (made == MR_OK)
                all.equal(bytes, {0, 0, p.w, p.h});
            if (HasFailure())
                return;
        }
    }
    EXPECT_GT(taken, 100);
    EXPECT_GT(refused, 100);
}

TEST(Packed, LimitsHold)
{
    Packed all;
    Bytes jpeg = encode_jpeg(make_picture(75, 53, 3));
    ASSERT_EQ(all.make(jpeg), MR_OK);
    mr_limits tight = wide_limits();
    tight.max_pixels = 1000;
    Decoder d(mr__codec_packed, tight);
    EXPECT_EQ(d.header(all.body), MR_E_LIMIT);
    EXPECT_STREQ(d.error.text, "the header declares 75 x 53 pixels, but limits.max_pixels is 1000");
    mr_buf buf = {};
    EXPECT_EQ(
        mr__packed_make(jpeg.data(), jpeg.size(), MR_PACKED_HUFFMAN, 64, &tight, &buf, &all.error),
        MR_E_LIMIT);
    mr__buf_free(&buf);
}

TEST_P(Codings, TwiceTheSameBytes)
{
    Packed all(GetParam());
    Bytes jpeg = encode_jpeg(make_picture(175, 53, 3));
    ASSERT_EQ(all.make(jpeg), MR_OK);
    Bytes first = all.body;
    ASSERT_EQ(all.make(jpeg), MR_OK);
    EXPECT_TRUE(first == all.body);
    mr_packed_facts facts = {};
    ASSERT_EQ(mr__packed_facts(first.data(), first.size(), &facts, nullptr), MR_OK);
    EXPECT_EQ(facts.w, 175);
    EXPECT_EQ(facts.segments, 7 * 3);
    EXPECT_EQ(facts.segment_w, 64);
}
