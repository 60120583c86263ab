// SPDX-License-Identifier: Apache-2.0
//
// packed_testing.h: a JPEG file, its packed body, and both engines on it.
#ifndef MR_TESTS_PACKED_TESTING_H
#define MR_TESTS_PACKED_TESTING_H

#include "engines_testing.h"

extern "C" {
#include "loaders/codec/packed/packed.h"
extern const struct mr_codec mr__codec_packed;
}

// The APP and COM markers of a file.
inline Bytes markers_of(const Bytes &jpeg)
{
    Bytes all;
    for (size_t at = 2; at + 4 <= jpeg.size() && jpeg[at] == 0xff && jpeg[at + 1] != 0xda;) {
        size_t n = 2 + (size_t(jpeg[at + 2]) << 8 | jpeg[at + 3]);
        if (jpeg[at + 1] >= 0xe0)
            all.insert(all.end(), jpeg.begin() + long(at), jpeg.begin() + long(at + n));
        at += n;
    }
    return all;
}

class Packed
{
  public:
    Bytes body;
    mr_errbuf error = {};

    explicit Packed(mr_packed_coding coding = MR_PACKED_HUFFMAN) : coding_(coding)
    {
    }
    ~Packed()
    {
        mr__buf_free(&buf_);
    }
    Packed(const Packed &) = delete;
    Packed &operator=(const Packed &) = delete;

    int make(const Bytes &jpeg, int segment = 64)
    {
        mr_limits limits = wide_limits();
        error = {};
        int rc =
            mr__packed_make(jpeg.data(), jpeg.size(), coding_, segment, &limits, &buf_, &error);
        body.assign(buf_.data, buf_.data + (rc == MR_OK ? buf_.n : 0));
        EXPECT_TRUE(rc == MR_OK || (error.text[0] && error.code == rc));
        return rc;
    }

    // Both engines on the body against libjpeg-turbo on the file.
    void equal(const Bytes &jpeg, const mr_rect &roi, int c = 3, int bits = 8, int scale = 1)
    {
        Picture want, got;
        ASSERT_EQ(decode(file_, jpeg, roi, c, bits, scale, want), MR_OK) << file_.error.text;
        for (Decoder *d : {&own_, &turbo_}) {
            const char *name = d == &own_ ? "own" : "libjpeg";
            ASSERT_EQ(decode(*d, body, roi, c, bits, scale, got), MR_OK)
                << name << ": " << d->error.text;
            EXPECT_TRUE(want.pixels == got.pixels)
                << name << " " << roi.x << "," << roi.y << " " << roi.w << "x" << roi.h << " of 1/"
                << scale << " c " << c;
            EXPECT_TRUE(d->guard_kept);
            EXPECT_EQ(d->info.w, file_.info.w);
            EXPECT_EQ(d->info.orientation, file_.info.orientation);
        }
    }

    // A JPEG out of the body, which has the same pixels.
    Bytes unpack_equal(const Bytes &jpeg)
    {
        mr_buf out = {};
        EXPECT_EQ(mr__packed_to_jpeg(body.data(), body.size(), &out, &error), MR_OK) << error.text;
        Bytes again(out.data, out.data + out.n);
        mr__buf_free(&out);
        Picture want, got;
        mr_rect all = whole(jpeg);
        EXPECT_EQ(file_.decode(jpeg, all, 3, 8, want), MR_OK) << file_.error.text;
        EXPECT_EQ(file_.decode(again, all, 3, 8, got), MR_OK) << file_.error.text;
        EXPECT_TRUE(want.pixels == got.pixels);
        return again;
    }

    mr_rect whole(const Bytes &jpeg)
    {
        EXPECT_EQ(file_.header(jpeg), MR_OK) << file_.error.text;
        return {0, 0, file_.info.w, file_.info.h};
    }

  private:
    static int decode(Decoder &d, const Bytes &bytes, const mr_rect &roi, int c, int bits,
                      int scale, Picture &out)
    {
        int rc = scale > 1 ? d.shrink(bytes, scale) : d.header(bytes);
        return rc < 0 ? rc : d.decode_after_header(roi, c, bits, out);
    }

    mr_packed_coding coding_;
    mr_buf buf_ = {};
    Decoder file_{mr__codec_jpeg, limits_of(MR_DECODE_LIBJPEG)};
    Decoder own_{mr__codec_packed, limits_of(MR_DECODE_AUTO)};
    Decoder turbo_{mr__codec_packed, limits_of(MR_DECODE_LIBJPEG)};
};

#endif
