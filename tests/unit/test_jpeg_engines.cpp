// SPDX-License-Identifier: Apache-2.0
//
// Our own JPEG decoder against libjpeg-turbo: whatever it takes, it decodes to the same pixels, and
// what it does not take gets the same answer as if it were not there.
#include "engines_testing.h"

extern "C" {
#include "loaders/codec/baseline/baseline.h"
}

namespace
{

const int sizes[][2] = {{1, 1},   {1, 40},  {40, 1},  {2, 2},    {3, 5},    {4, 4},   {5, 3},
                        {7, 9},   {8, 8},   {9, 7},   {15, 17},  {16, 16},  {17, 15}, {31, 33},
                        {32, 32}, {33, 31}, {64, 48}, {65, 130}, {129, 71}, {200, 90}};

} // namespace

TEST(JpegEngines, EverySamplingAndSizeAndCrop)
{
    Engines both;
    std::mt19937 rng(1);
    for (const JpegKind &k : jpeg_kinds) {
        for (const auto &size : sizes) {
            SCOPED_TRACE(std::string(k.name) + " " + std::to_string(size[0]) + "x" +
                         std::to_string(size[1]));
            Picture p = make_picture(size[0], size[1], k.c, unsigned(size[0] * 7 + size[1]));
            JpegOptions o = options_of(k, 60 + int(rng() % 41));
            o.optimize = rng() % 2;
            o.restart_mcus = rng() % 3 ? 0 : 1 + rng() % 9;
            Bytes bytes = encode_jpeg(p, o);
            for (int c : {1, 3, 4})
                EXPECT_TRUE(both.equal(bytes, {0, 0, p.w, p.h}, c));
            for (int i = 0; i < 12; i++)
                EXPECT_TRUE(both.equal(bytes, random_rect(rng, p.w, p.h), i % 4 ? 3 : 1));
            if (HasFailure())
                return;
        }
    }
}

// Every row and column as the first and the last one of a crop.
TEST(JpegEngines, EveryEdge)
{
    Engines both;
    for (const JpegKind &k : jpeg_kinds) {
        SCOPED_TRACE(k.name);
        Picture p = make_picture(75, 53, k.c);
        Bytes bytes = encode_jpeg(p, options_of(k, 90));
        for (int y = 0; y < p.h; y++) {
            EXPECT_TRUE(both.equal(bytes, {3, y, 60, 1}));
            EXPECT_TRUE(both.equal(bytes, {5, y, 33, p.h - y}));
            EXPECT_TRUE(both.equal(bytes, {0, 0, 20, y + 1}));
        }
        for (int x = 0; x < p.w; x++) {
            EXPECT_TRUE(both.equal(bytes, {x, 9, 1, 30}));
            EXPECT_TRUE(both.equal(bytes, {x, 21, p.w - x, 10}));
            EXPECT_TRUE(both.equal(bytes, {0, 17, x + 1, 20}));
        }
        if (HasFailure())
            return;
    }
}

// Noise at quality 100 has long codes and large values, at quality 1 almost none; the coded bytes
// of the larger ones do not fit into the window at once.
TEST(JpegEngines, NoiseOfEveryQuality)
{
    Engines both;
    std::mt19937 rng(2);
    for (int quality : {1, 5, 30, 75, 95, 100}) {
        for (bool optimize : {false, true}) {
            SCOPED_TRACE(quality);
            Picture p{417, 230, 3, Bytes(417 * 230 * 3)};
            for (auto &v : p.pixels)
                v = uint8_t(rng() % 5 ? rng() : rng() % 2 * 255);
            JpegOptions o = options_of(jpeg_kinds[rng() % 2 ? 2 : 5], quality);
            o.optimize = optimize;
            o.restart_rows = rng() % 2 ? 3 : 0;
            Bytes bytes = encode_jpeg(p, o);
            EXPECT_EQ(both.equal(bytes, {0, 0, p.w, p.h}), true);
            for (int i = 0; i < 20; i++)
                EXPECT_EQ(both.equal(bytes, random_rect(rng, p.w, p.h)), true);
        }
    }
}

TEST(JpegEngines, TurnedImages)
{
    Engines both;
    std::mt19937 rng(3);
    for (int orientation = 1; orientation <= 8; orientation++) {
        JpegOptions o = options_of(jpeg_kinds[5], 85);
        o.exif = exif_block(orientation);
        Bytes bytes = encode_jpeg(make_picture(91, 58, 3), o);
        mr_rect all = both.whole(bytes);
        EXPECT_TRUE(both.equal(bytes, all));
        for (int i = 0; i < 20; i++)
            EXPECT_TRUE(both.equal(bytes, random_rect(rng, all.w, all.h), i % 2 ? 3 : 4));
    }
}

TEST(JpegEngines, WhatIsNotPlainIsLeftToLibjpeg)
{
    static const jpeg_scan_info scans[] = {
        {1, {0}, 0, 63, 0, 0}, {1, {1}, 0, 63, 0, 0}, {1, {2}, 0, 63, 0, 0}};
    Engines both;
    std::vector<std::pair<const char *, Bytes>> files;
    Picture rgb = make_picture(60, 44, 3), ink = make_picture(60, 44, 4);
    JpegOptions o;
    o.progressive = true;
    files.push_back({"progressive", encode_jpeg(rgb, o)});
    o = {};
    o.space = JCS_RGB;
    files.push_back({"RGB", encode_jpeg(rgb, o)});
    files.push_back({"CMYK", encode_jpeg(ink)});
    o = {};
    o.scans = scans;
    o.nscans = 3;
    files.push_back({"three scans", encode_jpeg(rgb, o)});
    for (const auto &f : files) {
        SCOPED_TRACE(f.first);
        EXPECT_FALSE(both.equal(f.second, {0, 0, 60, 44}));
        EXPECT_FALSE(both.equal(f.second, {20, 7, 31, 25}));
    }
}

// Bits flipped, bytes lost and doubled, and cuts, all over files of every kind: the same verdict,
// the same sentence, the same pixels.
TEST(JpegEngines, DamageGetsTheSameAnswer)
{
    Engines both;
    std::mt19937 rng(4);
    int taken = 0, refused = 0;
    for (const JpegKind &k : jpeg_kinds) {
        SCOPED_TRACE(k.name);
        JpegOptions o = options_of(k, 80);
        o.restart_mcus = rng() % 2 ? 3 : 0;
        Picture p = make_picture(70, 52, k.c);
        const Bytes good = encode_jpeg(p, o);
        for (int i = 0; i < 300; i++) {
            Bytes bytes = good;
            size_t at = 2 + rng() % (bytes.size() - 2);
            switch (rng() % 5) {
            case 0: bytes[at] ^= uint8_t(1u << rng() % 8); break;
            case 1: bytes.erase(bytes.begin() + long(at)); break;
            case 2: bytes.insert(bytes.begin() + long(at), bytes[at]); break;
            case 3: bytes.resize(at); break;
            case 4: bytes[at] = 0xff; break;
            }
            mr_rect crop = random_rect(rng, p.w, p.h);
            Decoder head(mr__codec_jpeg);
            if (head.header(bytes) < 0 || head.info.w != p.w || head.info.h != p.h)
                continue;
            taken += both.equal(bytes, {0, 0, p.w, p.h});
            bool one = both.equal(bytes, crop);
            taken += one;
            refused += !one;
        }
    }
    EXPECT_GT(taken, 500) << "the damage hits too hard to tell anything";
    EXPECT_GT(refused, 500);
}

// All of them, whole and some crops; MR_CROPS: so many crops of each.
TEST(JpegEngines, Photographs)
{
    Engines both;
    std::mt19937 rng(5);
    const char *more = getenv("MR_CROPS");
    int crops = more ? atoi(more) : 3, taken = 0, all = 0;
    for (const auto &photo : photographs(more ? 100000 : 400)) {
        SCOPED_TRACE(photo.name);
        mr_rect whole = both.whole(photo.bytes);
        taken += both.equal(photo.bytes, whole);
        for (int i = 0; i < crops; i++)
            both.equal(photo.bytes, random_rect(rng, whole.w, whole.h), i % 5 ? 3 : 1);
        all++;
        if (HasFailure())
            return;
    }
    EXPECT_GT(taken, all * 9 / 10) << "of " << all;
    RecordProperty("photographs", all);
}

TEST(JpegEngines, PlainCOnlyWhereItIsAskedFor)
{
    mr_cpu cpu = {};
    cpu.level = MR_CPU_SCALAR;
    EXPECT_FALSE(mr__baseline_pays(&cpu, nullptr));
    EXPECT_FALSE(mr__baseline_pays(&cpu, ""));
    EXPECT_TRUE(mr__baseline_pays(&cpu, "scalar"));
    cpu.level = MR_CPU_SSE4;
    EXPECT_FALSE(mr__baseline_pays(&cpu, nullptr));
    cpu.level = MR_CPU_AVX2;
    EXPECT_TRUE(mr__baseline_pays(&cpu, nullptr));
}
