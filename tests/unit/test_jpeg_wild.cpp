// SPDX-License-Identifier: Apache-2.0
//
// JPEG files that no encoder writes: every sampling, any coefficients and tables, restart markers
// in odd places. Every crop has the pixels of libjpeg-turbo's decode of the whole.
#include "../kernel/coded_jpeg.hpp"
#include "engines_testing.h"

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

// The same verdict and sentence of both engines.
TEST(JpegWild, CutAtEveryByte)
{
    static const int factors[][2] = {{1, 1}, {2, 2}, {1, 2}};
    Engines both;
    Random rng(3);

    for (const auto &f : factors) {
        for (int restart : {0, 2}) {
            Jpeg jpeg;
            jpeg.w = 40;
            jpeg.h = 36;
            jpeg.restart = restart;
            jpeg.dc_sizes = 12;
            jpeg.component.resize(3);
            jpeg.component[0].h = f[0];
            jpeg.component[0].v = f[1];
            jpeg.shape();
            for (Component &c : jpeg.component) {
                std::fill(c.quant.begin(), c.quant.end(), static_cast<uint16_t>(8));
                for (auto &block : c.block)
                    for (size_t k : {0u, 1u, 8u, 63u})
                        block[k] = static_cast<int16_t>(between(rng, -30, 30));
            }
            Bytes bytes = jpeg.bytes();
            SCOPED_TRACE(jpeg.text());
            for (size_t n = bytes.size(); n > bytes.size() / 3 && !HasFailure(); n--) {
                Bytes cut(bytes.begin(), bytes.begin() + static_cast<long>(n));
                SCOPED_TRACE(std::to_string(n) + " of " + std::to_string(bytes.size()));
                if (Decoder(mr__codec_jpeg).header(cut) < 0)
                    break;
                both.equal(cut, {0, 0, jpeg.w, jpeg.h});
                both.equal(cut, random_rect(rng, jpeg.w, jpeg.h));
                cut.insert(cut.end(), {0xff, 0xd9});
                both.equal(cut, random_rect(rng, jpeg.w, jpeg.h));
            }
        }
    }
}

TEST(JpegWild, DamagedOnes)
{
    Engines both;
    Random rng(4);
    int taken = 0, tries = 0;
    std::vector<Jpeg> samplings = coded::all_samplings();

    for (int i = 0; i < 1500 && !HasFailure(); i++) {
        Jpeg jpeg =
            samplings[static_cast<size_t>(between(rng, 0, static_cast<int>(samplings.size()) - 1))];
        jpeg.w = between(rng, 1, 48);
        jpeg.h = between(rng, 1, 48);
        jpeg.restart = between(rng, 0, 1) ? 0 : between(rng, 1, 9);
        Bytes bytes = made(rng, jpeg, static_cast<Kind>(between(rng, 0, KINDS - 1)));
        size_t at = static_cast<size_t>(between(rng, 2, static_cast<int>(bytes.size()) - 1));
        int value = between(rng, 0, 255);
        bytes[at] = static_cast<uint8_t>(between(rng, 0, 2) ? value : 0xff);
        Decoder head(mr__codec_jpeg);
        if (head.header(bytes) < 0 || head.info.w != jpeg.w || head.info.h != jpeg.h)
            continue;
        SCOPED_TRACE(jpeg.text() + ", byte " + std::to_string(at));
        taken += both.equal(bytes, {0, 0, jpeg.w, jpeg.h});
        both.equal(bytes, random_rect(rng, jpeg.w, jpeg.h));
        tries++;
    }
    EXPECT_GT(taken, tries / 40);
}
