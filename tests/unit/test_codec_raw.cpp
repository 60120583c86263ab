// SPDX-License-Identifier: Apache-2.0
#include "codec_testing.h"

#include <gtest/gtest.h>

extern "C" {
#include "loaders/codec/find.h"
#include "loaders/codec/raw/raw_body.h"
extern const struct mr_codec mr__codec_raw;
}

namespace
{

constexpr int kLevel = 3;

// An image of any kind, its rows `gap` bytes apart.
struct Image {
    Bytes memory;
    mr_view view;
    Image(int w, int h, int c, int bits, int gap = 0)
    {
        int row = w * c * bits / 8;
        Picture p = make_picture(w * bits / 8, h, c, unsigned(w * 31 + h));
        memory.assign(size_t(row + gap) * size_t(h), 0xee);
        for (int y = 0; y < h; y++)
            memcpy(&memory[size_t(row + gap) * size_t(y)], &p.pixels[size_t(row) * size_t(y)],
                   size_t(row));
        view = {memory.data(), w, h, c, bits, row + gap};
    }
    Bytes crop(const mr_rect &r) const
    {
        Bytes out;
        int pixel = view.c * view.bits / 8;
        for (int y = r.y; y < r.y + r.h; y++) {
            const uint8_t *from =
                static_cast<uint8_t *>(view.data) + y * view.stride + r.x * pixel;
            out.insert(out.end(), from, from + r.w * pixel);
        }
        return out;
    }
};

Bytes make_body(const Image &image, int level)
{
    mr_buf body = {};
    mr_errbuf e = {};
    EXPECT_EQ(mr__raw_make(&image.view, level, &body, &e), MR_OK) << e.text;
    Bytes bytes(body.data, body.data + body.n);
    mr__buf_free(&body);
    return bytes;
}

// Into memory of exactly the size, `shift` bytes behind an aligned place, for the sanitizer.
struct Decoder {
    void *self = nullptr;
    mr_limits limits = {};
    mr_errbuf e = {};
    mr_image_info info = {};
    Bytes pixels;
    explicit Decoder(const mr_limits &l = {}) : limits(l)
    {
        EXPECT_EQ(mr__codec_raw.open(&self, &limits, &e), MR_OK);
    }
    ~Decoder()
    {
        mr__codec_raw.close(self);
    }
    int header(const Bytes &body)
    {
        return mr__codec_raw.header(self, body.data(), body.size(), &info, &e);
    }
    int decode(const Bytes &body, const mr_rect &roi, int c, int bits)
    {
        int rc = header(body);
        if (rc < 0)
            return rc;
        pixels.assign(size_t(roi.w) * size_t(roi.h) * size_t(c * bits / 8), 0);
        mr_view dst = {pixels.data(), roi.w, roi.h, c, bits, int64_t(roi.w) * c * bits / 8};
        return mr__codec_raw.decode(self, &roi, &dst, &e);
    }
    int whole(const Bytes &body)
    {
        int rc = header(body);
        return rc < 0 ? rc : decode(body, {0, 0, info.w, info.h}, info.c, info.bits);
    }
};

TEST(CodecRaw, every_crop_is_what_was_stored)
{
    std::mt19937 rng(4);
    for (int level : {0, kLevel}) {
        for (int c : {1, 3, 4}) {
            for (int bits : {8, 16}) {
                for (auto [w, h] : {std::pair(1, 1), {37, 1}, {1, 53}, {350, 211}}) {
                    Image image(w, h, c, bits, 2 * c);
                    Bytes body = make_body(image, level);
                    Decoder d;
                    for (int i = 0; i < 12; i++) {
                        mr_rect r = i ? random_rect(rng, w, h) : mr_rect{0, 0, w, h};
                        ASSERT_EQ(d.decode(body, r, c, bits), MR_OK) << d.e.text;
                        ASSERT_EQ(d.pixels, image.crop(r)) << w << " x " << h << " x " << c;
                    }
                    EXPECT_EQ(d.info.w, w);
                    EXPECT_EQ(d.info.h, h);
                    EXPECT_EQ(d.info.c, c);
                    EXPECT_EQ(d.info.bits, bits);
                    EXPECT_EQ(d.info.orientation, 1);
                }
            }
        }
    }
}

// A file of which only what was asked for is there.
struct Ranges {
    const Bytes &file;
    Bytes there;
    size_t asked = 0;
    mr_ranges ranges;
    explicit Ranges(const Bytes &f)
        : file(f), there(f.size() + 64, 0x99), ranges{f.size(), get, this}
    {
    }
    static int get(void *ctx, uint64_t at, uint64_t bytes, const uint8_t **data, mr_errbuf *)
    {
        Ranges *r = static_cast<Ranges *>(ctx);
        EXPECT_TRUE(bytes >= 1 && at + bytes <= r->file.size());
        memcpy(&r->there[at], &r->file[at], bytes);
        r->asked += bytes;
        *data = &r->there[at];
        return MR_OK;
    }
};

TEST(CodecRaw, reads_what_the_crop_needs)
{
    std::mt19937 rng(9);
    for (int level : {0, kLevel}) {
        Image image(2000, 300, 3, 8);
        Bytes body = make_body(image, level);
        for (int i = 0; i < 30; i++) {
            Decoder d;
            Ranges file(body);
            mr_rect r = i ? random_rect(rng, 2000, 300) : mr_rect{900, 100, 200, 100};
            ASSERT_EQ(mr__codec_raw.header_ranges(d.self, &file.ranges, &d.info, &d.e), MR_OK);
            d.pixels.assign(size_t(r.w) * size_t(r.h) * 3, 0);
            mr_view dst = {d.pixels.data(), r.w, r.h, 3, 8, int64_t(r.w) * 3};
            ASSERT_EQ(mr__codec_raw.decode(d.self, &r, &dst, &d.e), MR_OK) << d.e.text;
            ASSERT_EQ(d.pixels, image.crop(r));
            size_t rows = size_t(r.h) * 6000;
            EXPECT_LT(file.asked, level ? body.size() + 300 : rows + 64);
            if (!i) {
                EXPECT_LT(file.asked, level ? body.size() / 2 : rows / 9);
            }
        }
    }
}

TEST(CodecRaw, is_found_by_its_first_bytes)
{
    mr_errbuf e = {};
    Bytes body = make_body(Image(3, 2, 3, 8), 0);
    EXPECT_EQ(mr__codec_find(body.data(), body.size(), &e), &mr__codec_raw);
}

TEST(CodecRaw, bands_that_the_crop_does_not_touch_may_be_damaged)
{
    Image image(200, 1000, 3, 8);
    Bytes body = make_body(image, kLevel);
    Decoder d;
    ASSERT_EQ(d.whole(body), MR_OK);
    mr_decode_cost cost;
    mr_rect top = {0, 0, 200, 100};
    ASSERT_EQ(d.decode(body, top, 3, 8), MR_OK);
    mr__codec_raw.cost(d.self, &cost);
    EXPECT_LT(cost.pixels_read, 200u * 250u);
    EXPECT_LT(cost.bytes, body.size() / 3);
    Bytes damaged = body;
    const uint8_t *end = &body[32 + 8 * 8]; // of the band before the last
    ASSERT_EQ(body[16], 110) << "rows of a band: 10 bands";
    damaged[32 + 8 * 10 + (end[0] | end[1] << 8 | end[2] << 16)] ^= 1;
    EXPECT_EQ(d.decode(damaged, top, 3, 8), MR_OK) << d.e.text;
    EXPECT_EQ(d.pixels, image.crop(top));
    EXPECT_EQ(d.whole(damaged), MR_E_DATA);
    EXPECT_TRUE(strstr(d.e.text, "inflate")) << d.e.text;
}

TEST(CodecRaw, pixels_of_16_bits_may_lie_anywhere)
{
    Image image(41, 17, 3, 16);
    Bytes body = make_body(image, 0), moved(body.size() + 1);
    memcpy(&moved[1], body.data(), body.size());
    Decoder d;
    mr_rect all = {0, 0, 41, 17};
    Bytes pixels(41 * 17 * 6);
    mr_view dst = {pixels.data(), 41, 17, 3, 16, 41 * 6};
    ASSERT_EQ(mr__codec_raw.header(d.self, &moved[1], body.size(), &d.info, &d.e), MR_OK);
    ASSERT_EQ(mr__codec_raw.decode(d.self, &all, &dst, &d.e), MR_OK) << d.e.text;
    EXPECT_EQ(pixels, image.crop(all));
}

TEST(CodecRaw, cut_and_damaged_heads)
{
    for (int level : {0, kLevel}) {
        Bytes body = make_body(Image(30, 40, 3, 8), level);
        mr_limits limits = {};
        limits.max_pixels = 10000;
        Decoder d(limits);
        for (size_t n = 0; n < body.size(); n += n < 80 ? 1 : 97) {
            Bytes cut(body.begin(), body.begin() + long(n)); // its own memory: nothing behind it
            int rc = d.whole(cut);
            ASSERT_TRUE(rc == MR_E_DATA || n < 4) << n << " of " << body.size() << " " << d.e.text;
        }
        for (size_t at = 4; at < 48; at++) {
            for (int bit = 0; bit < 8; bit++) {
                Bytes turned = body;
                turned[at] ^= uint8_t(1 << bit);
                int rc = d.whole(turned); // what has no meaning may be anything
                ASSERT_TRUE(rc == MR_OK || d.e.text[0]);
                if (at < 20 && !(level == 0 && at >= 16)) {
                    EXPECT_LT(rc, 0) << at << " " << bit;
                }
            }
        }
    }
    Bytes newer = make_body(Image(3, 4, 3, 8), 0);
    newer[4] = 2;
    Decoder d;
    EXPECT_EQ(d.header(newer), MR_E_VERSION);
    EXPECT_TRUE(strstr(d.e.text, "version 2")) << d.e.text;
}

TEST(CodecRaw, limits)
{
    Bytes body = make_body(Image(300, 200, 3, 8), kLevel);
    mr_limits limits = {};
    limits.max_pixels = 59999;
    Decoder pixels(limits);
    EXPECT_EQ(pixels.header(body), MR_E_LIMIT);
    EXPECT_TRUE(strstr(pixels.e.text, "limits.max_pixels")) << pixels.e.text;
    limits = {};
    limits.max_decode_bytes = 1000;
    Decoder memory(limits);
    EXPECT_EQ(memory.header(body), MR_E_LIMIT);
    EXPECT_TRUE(strstr(memory.e.text, "limits.max_decode_bytes")) << memory.e.text;
}

} // namespace
