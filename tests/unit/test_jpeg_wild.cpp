// SPDX-License-Identifier: Apache-2.0
//
// JPEG files that no encoder writes: every sampling, any coefficients and tables, restart markers
// in odd places. Every crop has the pixels of libjpeg-turbo's decode of the whole.
#include "../kernel/coded_jpeg.hpp"
#include "codec_testing.h"

#include <gtest/gtest.h>

extern "C" {
extern const struct mr_codec mr__codec_jpeg;
}

namespace
{

using coded::Component;
using coded::Jpeg;
using Random = std::mt19937;

int between(Random &rng, int low, int high)
{
    return std::uniform_int_distribution<int>(low, high)(rng);
}

enum Kind { PICTURE, LEGAL, WIDE, KINDS };

int coefficient(Random &rng, Kind kind, int k)
{
    static const int edges[] = {1, -1, 1023, -1023, 511, -512, 0};

    switch (kind) {
    case PICTURE: return between(rng, -300, 300) / (1 + k * k / 4);
    case LEGAL: return between(rng, 0, 3) ? between(rng, -1023, 1023) : edges[between(rng, 0, 6)];
    default: return between(rng, -1100, 1100); // some have 11 bits
    }
}

void fill(Random &rng, Component &c, Kind kind)
{
    static const int edges[] = {1, 255, 128, 64};

    for (uint16_t &q : c.quant)
        q = static_cast<uint16_t>(kind == PICTURE      ? between(rng, 1, 30)
                                  : between(rng, 0, 3) ? between(rng, 1, 255)
                                                       : edges[between(rng, 0, 3)]);
    for (auto &block : c.block) {
        int end = between(rng, 0, 3) ? between(rng, 0, 63) : 63 * between(rng, 0, 1);
        int zeros = between(rng, 0, 9);
        for (int k = 0; k <= end; k++)
            if (k == 0 || k == end || between(rng, 0, 9) >= zeros)
                block[coded::natural[static_cast<size_t>(k)]] =
                    static_cast<int16_t>(coefficient(rng, kind, k));
    }
}

Bytes made(Random &rng, Jpeg &jpeg, Kind kind)
{
    jpeg.dc_sizes = kind == WIDE ? 16 : 12;
    jpeg.shape();
    for (Component &c : jpeg.component)
        fill(rng, c, kind);
    return jpeg.bytes();
}

// The codec's crops of a file against those of the whole.
class Crops
{
  public:
    explicit Crops(const Bytes &file) : bytes(file), whole(golden_jpeg(file))
    {
    }
    void check(const mr_rect &roi)
    {
        Picture got;
        ASSERT_EQ(decoder.decode(bytes, roi, 3, 8, got), MR_OK) << decoder.error.text;
        EXPECT_TRUE(got.pixels == crop_picture(whole, roi).pixels)
            << roi.x << "," << roi.y << " " << roi.w << "x" << roi.h;
        EXPECT_TRUE(decoder.guard_kept);
    }

  private:
    const Bytes bytes;
    const Picture whole;
    Decoder decoder{mr__codec_jpeg};
};

} // namespace

TEST(JpegWild, EverySamplingOfWildCoefficients)
{
    Random rng(1);

    for (Jpeg jpeg : coded::all_samplings()) {
        for (int i = 0; i < 2 && !HasFailure(); i++) {
            jpeg.w = between(rng, 1, 80);
            jpeg.h = between(rng, 1, 60);
            jpeg.restart = between(rng, 0, 2) ? 0 : between(rng, 1, 7);
            SCOPED_TRACE(jpeg.text() + ", restart " + std::to_string(jpeg.restart));
            Crops crops(made(rng, jpeg, static_cast<Kind>(between(rng, 0, KINDS - 1))));
            crops.check({0, 0, jpeg.w, jpeg.h});
            for (int k = 0; k < 3; k++)
                crops.check(random_rect(rng, jpeg.w, jpeg.h));
        }
    }
}

// libjpeg-turbo's own crops of fewer than two samples of a component choose upsampling anew.
TEST(JpegWild, NarrowCrops)
{
    Random rng(2);

    for (Jpeg jpeg : coded::all_samplings()) {
        jpeg.w = between(rng, 5, 40);
        jpeg.h = 9;
        SCOPED_TRACE(jpeg.text());
        Crops crops(made(rng, jpeg, LEGAL));
        for (int x : {0, 1, 2, jpeg.w / 2, jpeg.w - 1})
            crops.check({x, 3, 1, 4});
        if (HasFailure())
            return;
    }
}

// Every phase of a crop against the MCUs, where neighbours count.
TEST(JpegWild, EveryPhase)
{
    static const int factors[][4] = {{2, 2, 1, 1}, {2, 1, 1, 1}, {1, 2, 1, 1},
                                     {4, 1, 1, 1}, {2, 2, 2, 1}, {1, 1, 2, 2}};
    enum { SIDE = 37 };
    Random rng(3);

    for (const auto &f : factors) {
        Jpeg jpeg;
        jpeg.w = jpeg.h = SIDE;
        jpeg.component.resize(3);
        for (size_t i = 0; i < 3; i++) {
            jpeg.component[i].h = f[i ? 2 : 0];
            jpeg.component[i].v = f[i ? 3 : 1];
        }
        SCOPED_TRACE(jpeg.text());
        Crops crops(made(rng, jpeg, LEGAL));
        for (int a = 0; a < SIDE && !HasFailure(); a++) {
            for (int n : {1, 2, 3, 9}) {
                crops.check({a, a % 30, std::min(n, SIDE - a), 5});
                crops.check({a % 30, a, 4, std::min(n, SIDE - a)});
            }
        }
    }
}
