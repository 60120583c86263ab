// SPDX-License-Identifier: Apache-2.0
//
// Limits whose bombs have to be built: what is small to store and dear to read.
#include "codec_testing.h"

#include <gtest/gtest.h>

extern "C" {
#include "base/config.h"
}

#include <ctime>

extern "C" const mr_codec mr__codec_jpeg;

namespace
{

// A progressive JPEG written bit by bit: `scans` legal scans over three components, every
// coefficient zero. Runs of 2^14 to 2^15 - 1 empty blocks are one symbol.
class ScanBomb
{
  public:
    ScanBomb(int w, int h, int scans) : w_(w), h_(h)
    {
        put({0xff, 0xd8, 0xff, 0xdb, 0, 67, 0});
        bytes.insert(bytes.end(), 64, 1);
        put({0xff, 0xc2, 0, 17, 8, uint8_t(h >> 8), uint8_t(h), uint8_t(w >> 8), uint8_t(w), 3});
        put({1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0});
        table(0x00, {0});
        Bytes runs;
        for (int r = 0; r < 15; r++)
            runs.push_back(uint8_t(r << 4));
        table(0x10, runs);
        first(scans);
        put({0xff, 0xd9});
    }
    Bytes bytes;

  private:
    void put(const Bytes &b)
    {
        bytes.insert(bytes.end(), b.begin(), b.end());
    }
    // Codes of one bit for a single symbol, of four for up to fifteen.
    void table(uint8_t kind, const Bytes &symbols)
    {
        Bytes counts(16);
        counts[symbols.size() == 1 ? 0 : 3] = uint8_t(symbols.size());
        put({0xff, 0xc4, 0, uint8_t(19 + symbols.size()), kind});
        put(counts);
        put(symbols);
    }
    void bits(unsigned value, int n)
    {
        while (n--) {
            byte_ = byte_ << 1 | (value >> n & 1);
            if (++filled_ < 8)
                continue;
            bytes.push_back(uint8_t(byte_));
            if ((byte_ & 0xff) == 0xff)
                bytes.push_back(0);
            byte_ = 0, filled_ = 0;
        }
    }
    void flush()
    {
        while (filled_)
            bits(1, 1);
    }
    int blocks(int component) const
    {
        int by = component ? 16 : 8;
        return ((w_ + by - 1) / by) * ((h_ + by - 1) / by);
    }
    // The DC scan, then every AC coefficient from its highest bit down.
    void first(int scans)
    {
        put({0xff, 0xda, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 0, 0});
        int mcus = ((w_ + 15) / 16) * ((h_ + 15) / 16);
        for (int i = 0; i < 6 * mcus; i++)
            bits(0, 1);
        flush();
        for (int c = 0, n = 1; c < 3; c++)
            for (int k = 1; k < 64; k++)
                for (int low = 13; low >= 0 && n < scans; low--, n++)
                    empty(c, k, low == 13 ? 0 : low + 1, low);
    }
    void empty(int c, int k, int high, int low)
    {
        put({0xff, 0xda, 0, 8, 1, uint8_t(c + 1), 0, uint8_t(k), uint8_t(k),
             uint8_t(high << 4 | low)});
        for (int left = blocks(c); left;) {
            int r = 0;
            while (r < 14 && left >> (r + 1))
                r++;
            int run = std::min(left, (2 << r) - 1);
            bits(unsigned(r), 4); // the r-th code
            bits(unsigned(run - (1 << r)), r);
            left -= run;
        }
        flush();
    }
    int w_, h_, filled_ = 0;
    unsigned byte_ = 0;
};

mr_limits defaults(int64_t scans = 100)
{
    return {178956970, 65500, scans, 512 << 20, 256 << 20, MR_DECODE_AUTO};
}

int decode(const Bytes &bytes, const mr_limits &limits, mr_errbuf *e)
{
    void *d;
    mr_image_info info;
    uint8_t pixels[8 * 8 * 3];
    mr_view view = {pixels, 8, 8, 3, 8, 24};
    mr_rect corner = {0, 0, 8, 8};
    EXPECT_EQ(mr__codec_jpeg.open(&d, &limits, e), MR_OK);
    int rc = mr__codec_jpeg.header(d, bytes.data(), bytes.size(), &info, e);
    if (rc == MR_OK)
        rc = mr__codec_jpeg.decode(d, &corner, &view, e);
    mr__codec_jpeg.close(d);
    return rc;
}

} // namespace

// Read to its end it takes some 15 s. Its markers are counted before anything is decoded.
TEST(Limits, TwoThousandScansOfEightThousandSquared)
{
    mr_errbuf e = {};
    Bytes bomb = ScanBomb(8000, 8000, 2000).bytes;
    EXPECT_LT(bomb.size(), 400000u);
    clock_t from = clock();
    EXPECT_EQ(decode(bomb, defaults(), &e), MR_E_LIMIT);
    EXPECT_LT(clock() - from, CLOCKS_PER_SEC / 5);
    EXPECT_STREQ(e.text, "the JPEG has more than 100 scans, which is limits.max_scans");
}

// It is nothing but the number: the same file is good where it is allowed.
TEST(Limits, TwoThousandScansAreLegal)
{
    mr_errbuf e = {};
    Bytes small = ScanBomb(100, 60, 2000).bytes;
    EXPECT_EQ(decode(small, defaults(2000), &e), MR_OK) << e.text;
    EXPECT_EQ(decode(small, defaults(1999), &e), MR_E_LIMIT);
    EXPECT_EQ(decode(ScanBomb(100, 60, 100).bytes, defaults(), &e), MR_OK) << e.text;
    EXPECT_EQ(decode(ScanBomb(100, 60, 101).bytes, defaults(), &e), MR_E_LIMIT);
}

// All coefficients of a progressive file are kept: 65,500 squared would be 12.9 GB.
TEST(Limits, CoefficientsCountAsMemory)
{
    mr_errbuf e = {};
    mr_limits l = defaults();
    l.max_pixels = (int64_t)1e12;
    Bytes bomb = ScanBomb(8000, 8000, 3).bytes;
    for (size_t i = 0; i + 9 < bomb.size(); i++)
        if (bomb[i] == 0xff && bomb[i + 1] == 0xc2) {
            for (size_t at : {i + 5, i + 7})
                bomb[at] = 65500 >> 8, bomb[at + 1] = uint8_t(65500);
            break;
        }
    EXPECT_EQ(decode(bomb, l, &e), MR_E_LIMIT);
    EXPECT_NE(strstr(e.text, "limits.max_decode_bytes"), nullptr) << e.text;
}

TEST(Limits, AConfigIsSmall)
{
    mr_errbuf e = {};
    mr_config *c;
    std::string base = "source: {type: folder, path: /}\nops: [";
    std::string large = base + std::string(1 << 20, ' ') + "]\n", many = base;
    EXPECT_EQ(mr__config_read(&c, "t.yaml", large.c_str(), nullptr, &e), MR_E_CONFIG);
    EXPECT_STREQ(e.text, "t.yaml:1:1: error: the config is larger than 1 MiB");
    for (int i = 0; i < 100001; i++)
        many += "a,";
    many += "]\n";
    EXPECT_EQ(mr__config_read(&c, "t.yaml", many.c_str(), nullptr, &e), MR_E_CONFIG);
    EXPECT_NE(strstr(e.text, "the config has more than 100000 values"), nullptr) << e.text;
}
