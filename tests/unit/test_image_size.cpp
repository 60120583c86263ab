// SPDX-License-Identifier: Apache-2.0
//
// The size of an image by the first bytes of its file is the size that the whole file gives.
#include "png_testing.h"
#include "temp_tree.hpp"

#include <gtest/gtest.h>

extern "C" {
#include "loaders/codec/find.h"
#include "loaders/codec/image_size.h"
}

namespace
{

int whole_size(const Bytes &file, mr_image_info *info)
{
    mr_errbuf e = {};
    const mr_codec *codec = mr__codec_find(file.data(), file.size(), &e);
    if (!codec)
        return MR_E_DATA;
    Decoder d(*codec);
    int rc = d.header(file);
    *info = d.info;
    return rc;
}

class ImageSize : public ::testing::Test
{
  protected:
    TempTree tree;
    mr_buf scratch = {};
    mr_image_info info = {};
    mr_errbuf e = {};

    ~ImageSize() override
    {
        mr__buf_free(&scratch);
    }
    int size_of(const Bytes &file, mr_limits limits = wide_limits())
    {
        tree.file("image", std::string(file.begin(), file.end()));
        info = {};
        return mr__image_size(tree.path("image").c_str(), &limits, &scratch, &info, &e);
    }
    void expect_same(const Bytes &file)
    {
        mr_image_info want = {};
        int rc = whole_size(file, &want);
        ASSERT_EQ(size_of(file), rc) << e.text;
        EXPECT_EQ(info.w, want.w);
        EXPECT_EQ(info.h, want.h);
        EXPECT_EQ(info.orientation, want.orientation);
    }
};

// A JPEG with so many bytes of other segments before its header.
Bytes with_segments(const Bytes &jpeg, size_t bytes)
{
    Bytes out(jpeg.begin(), jpeg.begin() + 2);
    for (; bytes > 4; bytes -= std::min<size_t>(bytes, 60000)) {
        size_t n = std::min<size_t>(bytes, 60000);
        out.insert(out.end(), {0xff, 0xe2, uint8_t((n - 2) >> 8), uint8_t(n - 2)});
        out.insert(out.end(), n - 4, 0x55);
    }
    out.insert(out.end(), jpeg.begin() + 2, jpeg.end());
    return out;
}

} // namespace

TEST_F(ImageSize, OfJpegsAndPngsLargeAndSmall)
{
    Picture small = make_picture(31, 17, 3), large = make_picture(900, 300, 3);
    JpegOptions turned, progressive;
    turned.exif = exif_block(6);
    progressive.progressive = true;
    for (const Picture &p : {small, large}) {
        expect_same(encode_jpeg(p));
        expect_same(encode_jpeg(p, turned));
        expect_same(encode_jpeg(p, progressive));
        expect_same(encode_png(p));
    }
    ASSERT_GT(encode_png(large).size(), 200000u) << "else the file is read whole";
}

TEST_F(ImageSize, AHeaderBehindManySegmentsIsFound)
{
    JpegOptions turned;
    turned.exif = exif_block(8);
    Bytes jpeg = encode_jpeg(make_picture(500, 300, 3), turned);
    expect_same(with_segments(jpeg, 100000));
    expect_same(with_segments(jpeg, 1000000));
    EXPECT_EQ(info.w, 300);
}

TEST_F(ImageSize, APngMaySayBehindItsPixelsHowItIsTurned)
{
    for (int w : {40, 900}) {
        for (int orientation : {1, 3, 6}) {
            expect_same(encode_png(make_picture(w, 300, 3), exif_block(orientation)));
            EXPECT_EQ(info.w, orientation == 6 ? 300 : w);
        }
    }
    Bytes damaged = encode_png(make_picture(900, 300, 3), exif_block(6));
    damaged[damaged.size() - 12 - 4] ^= 1; // the chunk's CRC
    expect_same(damaged);
    EXPECT_EQ(info.w, 900);
}

TEST_F(ImageSize, WhatCannotBeReadIsAnError)
{
    Bytes png = encode_png(make_picture(900, 300, 3));
    EXPECT_EQ(size_of(Bytes(1000, 'x')), MR_E_DATA);
    EXPECT_EQ(size_of(Bytes(1000000, 'x')), MR_E_DATA);
    EXPECT_EQ(size_of({}), MR_E_DATA);
    EXPECT_EQ(size_of(Bytes(png.begin(), png.begin() + 20)), MR_E_DATA);
    mr_limits limits = wide_limits();
    limits.max_side = 800;
    EXPECT_EQ(size_of(png, limits), MR_E_LIMIT);
    limits = wide_limits();
    limits.max_file_bytes = 1000;
    EXPECT_EQ(size_of(png, limits), MR_E_DATA);
    EXPECT_EQ(mr__image_size(tree.path("nothing").c_str(), &limits, &scratch, &info, &e),
              MR_E_DATA);
}
