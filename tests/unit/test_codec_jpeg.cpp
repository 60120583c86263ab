// SPDX-License-Identifier: Apache-2.0
#include "codec_testing.h"

#include <gtest/gtest.h>

#include <chrono>

extern "C" {
extern const struct mr_codec mr__codec_jpeg;
}

namespace {

struct Sampling {
    const char *name;
    int h, v;
};
const Sampling samplings[] = {{"444", 1, 1}, {"422", 2, 1}, {"420", 2, 2}, {"440", 1, 2}, {"411", 4, 1}, {"410", 4, 2}};

void expect_crops_equal(Decoder &d, const Bytes &bytes, const Picture &full, int crops,
                        std::mt19937 &rng, const std::string &what)
{
    for (int i = 0; i < crops; i++) {
        mr_rect r = random_rect(rng, full.w, full.h);
        Picture got;
        ASSERT_EQ(d.decode(bytes, r, full.c, 8, got), MR_OK) << what << ": " << d.error.text;
        ASSERT_TRUE(got.pixels == crop_picture(full, r).pixels)
            << what << " crop " << r.x << "," << r.y << " " << r.w << "x" << r.h;
        ASSERT_TRUE(d.guard_kept) << what;
    }
}

TEST(CodecJpeg, CropsOfPhotographsEqualTheFullDecode)
{
    std::mt19937 rng(7);
    Decoder d(mr__codec_jpeg);
    for (const NamedBytes &f : photographs(60))
        expect_crops_equal(d, f.bytes, golden_jpeg(f.bytes), 12, rng, f.name);
}

TEST(CodecJpeg, CropsOfEverySamplingEqualTheFullDecode)
{
    std::mt19937 rng(8);
    Decoder d(mr__codec_jpeg);
    for (const Sampling &s : samplings) {
        for (int variant = 0; variant < 8; variant++) {
            JpegOptions o;
            o.h_samp = s.h;
            o.v_samp = s.v;
            o.progressive = variant & 1;
            o.restart_rows = variant & 2 ? 1 : 0;
            Picture p = variant & 4 ? make_picture(203, 117, 3) : make_picture(64, 96, 3);
            Bytes bytes = encode_jpeg(p, o);
            expect_crops_equal(d, bytes, golden_jpeg(bytes), 60, rng,
                               std::string(s.name) + " variant " + std::to_string(variant));
        }
    }
}

TEST(CodecJpeg, TinyImages)
{
    std::mt19937 rng(9);
    Decoder d(mr__codec_jpeg);
    for (const Sampling &s : samplings) {
        for (int w = 1; w <= 19; w += 3) {
            for (int h = 1; h <= 19; h += 3) {
                JpegOptions o;
                o.h_samp = s.h;
                o.v_samp = s.v;
                Bytes bytes = encode_jpeg(make_picture(w, h, 3), o);
                expect_crops_equal(d, bytes, golden_jpeg(bytes), 6, rng, s.name);
            }
        }
    }
}

} // namespace
