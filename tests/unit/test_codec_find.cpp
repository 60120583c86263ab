// SPDX-License-Identifier: Apache-2.0
#include "codec_testing.h"

#include <gtest/gtest.h>

extern "C" {
#include "loaders/codec/exif.h"
#include "loaders/codec/find.h"
}

namespace {

std::string told(const std::string &text)
{
    mr_errbuf e = {};
    const mr_codec *c = mr__codec_find(reinterpret_cast<const uint8_t *>(text.data()), text.size(),
                                       &e);
    return c ? c->d.name : e.text;
}

TEST(CodecFind, ByContent)
{
    Bytes jpeg = encode_jpeg(make_picture(8, 8, 3));
    EXPECT_EQ(told(std::string(jpeg.begin(), jpeg.end())), "jpeg");
    EXPECT_EQ(told("\x89PNG\r\n\x1a\n"), "png");
}

TEST(CodecFind, SaysWhatTheBytesLookLike)
{
    using namespace std::string_literals;
    EXPECT_EQ(told(""), "the file is empty");
    EXPECT_EQ(told(std::string(4096, 0)), "not an image that this build reads, but nothing but "
                                          "zeros: the file was probably never written to its end");
    const std::string head = "not an image that this build reads, but ";
    EXPECT_EQ(told("RIFF\x10\0\0\0WEBPVP8 "s), head + "a WebP image");
    EXPECT_EQ(told("GIF89a"), head + "a GIF image");
    EXPECT_EQ(told("\0\0\0\x18"s + "ftypheic"), head + "a HEIC image");
    EXPECT_EQ(told("\n <!DOCTYPE html><html>"),
              head + "an HTML page: probably a failed download");
    EXPECT_EQ(told("404 not found\n"), head + "text");
    EXPECT_EQ(told("version https://git-lfs.github.com/spec/v1\n"),
              head + "a Git LFS pointer: the image itself was not fetched");
    EXPECT_EQ(told("\x01\x02\xfe"),
              "not an image that this build reads (its first bytes are 01 02 fe)");
}

TEST(CodecFind, EveryShortInputIsSafe)
{
    std::mt19937 rng(1);
    for (size_t n = 0; n < 300; n++) {
        Bytes exact(n);
        for (uint8_t &b : exact)
            b = uint8_t(rng() % 3 ? rng() : ' ');
        mr_errbuf e = {};
        EXPECT_TRUE(mr__codec_find(exact.data(), n, &e) || e.text[0]);
    }
}

TEST(Exif, TheOrientationTag)
{
    for (int value = 0; value < 12; value++) {
        for (bool big : {false, true}) {
            for (int type : {3, 4}) {
                Bytes b = exif_block(value, big, type);
                EXPECT_EQ(mr__exif_orientation(b.data(), b.size()),
                          value >= 1 && value <= 8 ? value : 1);
            }
        }
    }
}

TEST(Exif, DamageIsOrientationOne)
{
    const Bytes good = exif_block(6);
    for (size_t n = 0; n < good.size() - 4; n++) {
        Bytes part(good.begin(), good.begin() + long(n));
        EXPECT_EQ(mr__exif_orientation(part.data(), n), n < 22 ? 1 : 6) << n;
    }
    auto changed = [&](size_t at, uint8_t value) {
        Bytes b = good;
        b[at] = value;
        return mr__exif_orientation(b.data(), b.size());
    };
    EXPECT_EQ(changed(0, 'M'), 1);    // byte order
    EXPECT_EQ(changed(2, 43), 1);     // magic
    EXPECT_EQ(changed(4, 200), 1);    // the directory is beyond the end
    EXPECT_EQ(changed(7, 255), 1);    // far beyond it
    EXPECT_EQ(changed(8, 255), 6);    // more entries than there are; the first is good
    EXPECT_EQ(changed(12, 2), 1);     // a string
    EXPECT_EQ(changed(14, 2), 1);     // two values
}

} // namespace
