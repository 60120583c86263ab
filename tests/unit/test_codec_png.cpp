// SPDX-License-Identifier: Apache-2.0
#include "codec_testing.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>

#include <png.h>
#include <zlib.h>

extern "C" {
extern const struct mr_codec mr__codec_png;
}

namespace {

struct PngOptions {
    int w = 37, h = 29;
    int type = PNG_COLOR_TYPE_RGB, depth = 8;
    bool interlaced = false;
    bool transparent = false; // a tRNS chunk
    int orientation = 0;      // 0: no eXIf
    size_t idat_bytes = 8192;
};

// A file and what its pixels are, at their own depth (8 or 16 bits), as stored.
struct Png {
    Bytes bytes;
    int w, h, bits;
    std::vector<std::array<int, 4>> rgba;
};

int channels_of(int type)
{
    switch (type) {
    case PNG_COLOR_TYPE_RGB: return 3;
    case PNG_COLOR_TYPE_GRAY_ALPHA: return 2;
    case PNG_COLOR_TYPE_RGB_ALPHA: return 4;
    }
    return 1;
}

void put_sample(Bytes &row, size_t index, int depth, int value)
{
    if (depth == 16) {
        row[index * 2] = uint8_t(value >> 8);
        row[index * 2 + 1] = uint8_t(value);
    } else {
        size_t bit = index * size_t(depth);
        row[bit / 8] = uint8_t(row[bit / 8] | value << (8 - depth - int(bit % 8)));
    }
}

// Random samples, few enough values that the transparent one comes up; meanings by the PNG
// specification, without libpng.
Png make_png(const PngOptions &o, unsigned seed)
{
    std::mt19937 rng(seed);
    const int top = (1 << o.depth) - 1, c = channels_of(o.type);
    Png f{{}, o.w, o.h, o.depth == 16 ? 16 : 8, {}};
    png_color palette[256] = {};
    png_byte alpha[256];
    for (int i = 0; i <= top && i < 256; i++) {
        palette[i] = {png_byte(rng()), png_byte(rng()), png_byte(rng())};
        alpha[i] = png_byte(rng());
    }
    const int key = top / 2, steps = o.depth == 16 ? 5 : top, alphas = std::min(top, 255) / 2 + 1;
    std::vector<Bytes> rows(size_t(o.h), Bytes((size_t(o.w) * c * o.depth + 7) / 8));
    for (int y = 0; y < o.h; y++) {
        for (int x = 0; x < o.w; x++) {
            int v[4] = {};
            for (int k = 0; k < c; k++) {
                v[k] = rng() % 3 ? int(rng() % unsigned(steps + 1)) * (top / steps) : key;
                put_sample(rows[size_t(y)], size_t(x) * c + k, o.depth, v[k]);
            }
            const int full = o.depth == 16 ? 65535 : 255, up = o.depth < 8 ? 255 / top : 1;
            std::array<int, 4> p = {v[0] * up, v[0] * up, v[0] * up, full};
            if (o.type == PNG_COLOR_TYPE_PALETTE)
                p = {palette[v[0]].red, palette[v[0]].green, palette[v[0]].blue,
                     o.transparent && v[0] < alphas ? alpha[v[0]] : 255};
            else if (c == 2)
                p[3] = v[1];
            else if (c >= 3)
                p = {v[0], v[1], v[2], c == 4 ? v[3] : full};
            if (o.transparent && o.type == PNG_COLOR_TYPE_GRAY && v[0] == key)
                p[3] = 0;
            if (o.transparent && c == 3 && v[0] == key && v[1] == key && v[2] == key)
                p[3] = 0;
            f.rgba.push_back(p);
        }
    }
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
    png_infop info = png_create_info_struct(png);
    png_set_write_fn(
        png, &f.bytes,
        [](png_structp p, png_bytep data, size_t n) {
            Bytes *to = static_cast<Bytes *>(png_get_io_ptr(p));
            to->insert(to->end(), data, data + n);
        },
        nullptr);
    png_set_compression_buffer_size(png, o.idat_bytes);
    png_set_IHDR(png, info, png_uint_32(o.w), png_uint_32(o.h), o.depth, o.type,
                 o.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_BASE,
                 PNG_FILTER_TYPE_BASE);
    if (o.type == PNG_COLOR_TYPE_PALETTE)
        png_set_PLTE(png, info, palette, std::min(top + 1, 256));
    png_color_16 colour = {0, png_uint_16(key), png_uint_16(key), png_uint_16(key),
                           png_uint_16(key)};
    if (o.transparent)
        png_set_tRNS(png, info, alpha, alphas, &colour);
    Bytes exif = exif_block(o.orientation);
    if (o.orientation)
        png_set_eXIf_1(png, info, png_uint_32(exif.size()), exif.data());
    png_write_info(png, info);
    png_set_interlace_handling(png);
    for (int pass = 0; pass < (o.interlaced ? 7 : 1); pass++) {
        for (Bytes &row : rows)
            png_write_row(png, row.data());
    }
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    return f;
}

// The crop of the displayed picture in the asked-for format, by the rules in descriptor.h.
Bytes expected(const Png &f, const PngOptions &o, const mr_rect &r, int c, int bits)
{
    Bytes out;
    Picture at{f.w, f.h, 4, {}}; // each stored pixel's index, turned as a picture
    for (uint32_t i = 0; i < f.rgba.size(); i++) {
        at.pixels.resize(at.pixels.size() + 4);
        memcpy(&at.pixels[i * 4], &i, 4);
    }
    Picture crop = crop_picture(turn_picture(at, o.orientation ? o.orientation : 1), r);
    bool gray = o.type == PNG_COLOR_TYPE_GRAY || o.type == PNG_COLOR_TYPE_GRAY_ALPHA;
    for (size_t i = 0; i < crop.pixels.size(); i += 4) {
        uint32_t index;
        memcpy(&index, &crop.pixels[i], 4);
        std::array<int, 4> p = f.rgba[index];
        if (c == 1 && !gray)
            p[0] = int((19595LL * p[0] + 38470LL * p[1] + 7471LL * p[2] + 0x8000) >> 16);
        for (int k = 0; k < c; k++) {
            int v = p[size_t(k)];
            v = f.bits == bits ? v : bits == 8 ? v >> 8 : v * 257;
            uint16_t v16 = uint16_t(v);
            const uint8_t *bytes = reinterpret_cast<uint8_t *>(&v16);
            uint8_t v8 = uint8_t(v);
            out.insert(out.end(), bits == 8 ? &v8 : bytes, bits == 8 ? &v8 + 1 : bytes + 2);
        }
    }
    return out;
}

void expect_good(const PngOptions &o, int crops, std::mt19937 &rng)
{
    Png f = make_png(o, unsigned(rng()));
    Decoder d(mr__codec_png);
    std::string what = "type " + std::to_string(o.type) + " depth " + std::to_string(o.depth) +
                       (o.interlaced ? " interlaced" : "") + (o.transparent ? " tRNS" : "") +
                       " orientation " + std::to_string(o.orientation);
    ASSERT_EQ(d.header(f.bytes), MR_OK) << what << ": " << d.error.text;
    EXPECT_EQ(d.info.w, o.orientation >= 5 ? o.h : o.w);
    EXPECT_EQ(d.info.h, o.orientation >= 5 ? o.w : o.h);
    EXPECT_EQ(d.info.bits, f.bits);
    int c = o.type == PNG_COLOR_TYPE_PALETTE ? 3 : channels_of(o.type);
    EXPECT_EQ(d.info.c, c + o.transparent);
    for (int i = 0; i < crops; i++) {
        mr_rect r = i ? random_rect(rng, d.info.w, d.info.h) : mr_rect{0, 0, d.info.w, d.info.h};
        for (int to : {1, 3, 4}) {
            for (int bits : {8, 16}) {
                Picture got;
                ASSERT_EQ(d.decode(f.bytes, r, to, bits, got), MR_OK) << what << d.error.text;
                ASSERT_TRUE(got.pixels == expected(f, o, r, to, bits))
                    << what << " to " << to << " channels of " << bits << " bits";
                ASSERT_TRUE(d.guard_kept) << what;
            }
        }
    }
}

struct Kind {
    int type, depth;
};
const Kind kinds[] = {
    {PNG_COLOR_TYPE_GRAY, 1},       {PNG_COLOR_TYPE_GRAY, 2},      {PNG_COLOR_TYPE_GRAY, 4},
    {PNG_COLOR_TYPE_GRAY, 8},       {PNG_COLOR_TYPE_GRAY, 16},     {PNG_COLOR_TYPE_RGB, 8},
    {PNG_COLOR_TYPE_RGB, 16},       {PNG_COLOR_TYPE_PALETTE, 1},   {PNG_COLOR_TYPE_PALETTE, 2},
    {PNG_COLOR_TYPE_PALETTE, 4},    {PNG_COLOR_TYPE_PALETTE, 8},   {PNG_COLOR_TYPE_GRAY_ALPHA, 8},
    {PNG_COLOR_TYPE_GRAY_ALPHA, 16}, {PNG_COLOR_TYPE_RGB_ALPHA, 8}, {PNG_COLOR_TYPE_RGB_ALPHA, 16},
};

TEST(CodecPng, CropsOfEveryKindInEveryFormat)
{
    std::mt19937 rng(1);
    for (const Kind &kind : kinds) {
        for (int variant = 0; variant < 4; variant++) {
            PngOptions o;
            o.type = kind.type;
            o.depth = kind.depth;
            o.interlaced = variant & 1;
            o.transparent = variant & 2;
            if (o.transparent && (kind.type & PNG_COLOR_MASK_ALPHA))
                continue; // the format does not allow it
            expect_good(o, 12, rng);
        }
    }
}

TEST(CodecPng, EveryOrientationIsApplied)
{
    std::mt19937 rng(2);
    for (int orientation = 1; orientation <= 8; orientation++) {
        PngOptions o;
        o.orientation = orientation;
        o.interlaced = orientation & 1;
        o.h = 51;
        expect_good(o, 20, rng);
    }
}

TEST(CodecPng, TinyImages)
{
    std::mt19937 rng(3);
    for (int w = 1; w <= 9; w++) {
        for (int h = 1; h <= 9; h++) {
            PngOptions o;
            o.w = w;
            o.h = h;
            o.type = (w + h) % 2 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY;
            o.depth = (w + h) % 2 ? 8 : 1;
            o.interlaced = true;
            expect_good(o, 4, rng);
        }
    }
}

Bytes chunk(const char *type, const Bytes &payload)
{
    const size_t n = payload.size();
    Bytes b(n + 8);
    for (size_t i = 0; i < 4; i++) {
        b[i] = uint8_t(n >> (24 - 8 * i));
        b[4 + i] = uint8_t(type[i]);
    }
    std::copy(payload.begin(), payload.end(), b.begin() + 8);
    uint32_t crc = uint32_t(crc32(0, b.data() + 4, uInt(b.size() - 4)));
    for (int i = 24; i >= 0; i -= 8)
        b.push_back(uint8_t(crc >> i));
    return b;
}

TEST(CodecPng, OrientationBehindThePixelsIsFound)
{
    PngOptions o;
    Png f = make_png(o, 4);
    Bytes exif = chunk("eXIf", exif_block(6, true));
    f.bytes.insert(f.bytes.end() - 12, exif.begin(), exif.end());
    Decoder d(mr__codec_png);
    ASSERT_EQ(d.header(f.bytes), MR_OK);
    EXPECT_EQ(d.info.orientation, 6);
    EXPECT_EQ(d.info.w, o.h);
}

TEST(CodecPng, EveryPrefixIsRefusedOrRight)
{
    std::mt19937 rng(5);
    for (bool interlaced : {false, true}) {
        for (size_t idat : {size_t(64), size_t(1) << 16}) {
            PngOptions o;
            o.interlaced = interlaced;
            o.idat_bytes = idat;
            Png f = make_png(o, 6);
            Decoder d(mr__codec_png);
            int good = 0;
            for (size_t n = 0; n < f.bytes.size(); n++) {
                Bytes part(f.bytes.begin(), f.bytes.begin() + long(n));
                for (int i = 0; i < 3; i++) {
                    mr_rect r = i ? random_rect(rng, o.w, o.h) : mr_rect{0, 0, o.w, o.h};
                    Picture got;
                    int rc = d.decode(part, r, 3, 8, got);
                    ASSERT_TRUE(rc == MR_OK || rc == MR_E_DATA) << d.error.text;
                    ASSERT_TRUE(rc != MR_OK || got.pixels == expected(f, o, r, 3, 8)) << n;
                    good += rc == MR_OK;
                }
            }
            EXPECT_GT(good, 0) << "the last bytes are not pixels";
        }
    }
}

// Every chunk has a checksum, so no damage may pass that changes pixels.
TEST(CodecPng, EveryDamagedByteIsRefusedOrHarmless)
{
    std::mt19937 rng(7);
    for (int variant = 0; variant < 8; variant++) {
        PngOptions o;
        o.w = o.h = 16;
        o.type = variant & 1 ? PNG_COLOR_TYPE_PALETTE : PNG_COLOR_TYPE_RGB;
        o.transparent = variant & 1;
        o.interlaced = variant & 2;
        o.idat_bytes = variant & 4 ? 50 : 1 << 16;
        Png f = make_png(o, 8);
        Decoder d(mr__codec_png);
        for (size_t at = 0; at < f.bytes.size(); at++) {
            Bytes bad = f.bytes;
            bad[at] = uint8_t(bad[at] ^ (1 + rng() % 255));
            mr_rect r = random_rect(rng, o.w, o.h);
            Picture got;
            int rc = d.decode(bad, r, 4, 8, got);
            ASSERT_TRUE(rc == MR_OK || rc == MR_E_DATA) << at << ": " << d.error.text;
            ASSERT_TRUE(rc != MR_OK || got.pixels == expected(f, o, r, 4, 8)) << "byte " << at;
        }
    }
}

Bytes with_size(Bytes bytes, uint32_t w, uint32_t h)
{
    Bytes ihdr(bytes.begin() + 16, bytes.begin() + 29);
    for (int i = 0; i < 4; i++) {
        ihdr[size_t(i)] = uint8_t(w >> (24 - 8 * i));
        ihdr[size_t(4 + i)] = uint8_t(h >> (24 - 8 * i));
    }
    Bytes head = chunk("IHDR", ihdr);
    std::copy(head.begin(), head.end(), bytes.begin() + 8);
    return bytes;
}

TEST(CodecPng, BombsAreRefusedByTheirHeader)
{
    PngOptions o;
    Bytes small = make_png(o, 9).bytes;
    Decoder d(mr__codec_png);
    auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(d.header(with_size(small, 50000, 50000)), MR_E_LIMIT);
    EXPECT_STREQ(d.error.text, "the header declares 50000 x 50000 pixels, but limits.max_pixels is "
                               "178956970");
    EXPECT_EQ(d.header(with_size(small, 0x7fffffff, 1)), MR_E_LIMIT);
    EXPECT_NE(strstr(d.error.text, "limits.max_side"), nullptr) << d.error.text;
    EXPECT_LT(d.header(with_size(small, 0xffffffff, 0xffffffff)), 0);
    EXPECT_EQ(d.header(with_size(small, 0, 7)), MR_E_DATA);
    EXPECT_EQ(d.header(with_size(small, 7, 0)), MR_E_DATA);
    o.interlaced = true;
    mr_limits l = wide_limits();
    l.max_decode_bytes = 1 << 20;
    Decoder narrow(mr__codec_png, l);
    Picture got;
    Bytes wide = with_size(make_png(o, 9).bytes, 10000, 40);
    EXPECT_EQ(narrow.decode(wide, {0, 0, 10000, 40}, 3, 8, got), MR_E_LIMIT);
    EXPECT_NE(strstr(narrow.error.text, "limits.max_decode_bytes"), nullptr) << narrow.error.text;
    std::chrono::duration<double, std::milli> ms = std::chrono::steady_clock::now() - start;
    EXPECT_LT(ms.count(), 50);
}

// A profile that inflates to 40 MB is skipped, not inflated.
TEST(CodecPng, ChunksBesideThePixelsAreIgnored)
{
    PngOptions o;
    Png f = make_png(o, 10);
    Bytes zeros(size_t(40) << 20), packed(compressBound(uLong(zeros.size())));
    uLongf n = uLongf(packed.size());
    ASSERT_EQ(compress2(packed.data(), &n, zeros.data(), uLong(zeros.size()), 1), Z_OK);
    Bytes profile = {'x', 0, 0};
    profile.insert(profile.end(), packed.begin(), packed.begin() + long(n));
    for (const char *type : {"iCCP", "zTXt"}) {
        Bytes bomb = chunk(type, profile);
        f.bytes.insert(f.bytes.begin() + 33, bomb.begin(), bomb.end());
    }
    Decoder d(mr__codec_png);
    Picture got;
    mr_rect all = {0, 0, o.w, o.h};
    auto start = std::chrono::steady_clock::now();
    testing::internal::CaptureStderr();
    ASSERT_EQ(d.decode(f.bytes, all, 3, 8, got), MR_OK) << d.error.text;
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    EXPECT_TRUE(got.pixels == expected(f, o, all, 3, 8));
    std::chrono::duration<double, std::milli> ms = std::chrono::steady_clock::now() - start;
    EXPECT_LT(ms.count(), 100);
}

TEST(CodecPng, DamageIsQuietAndSafe)
{
    std::mt19937 rng(11);
    PngOptions o;
    o.type = PNG_COLOR_TYPE_PALETTE;
    o.transparent = true;
    Png f = make_png(o, 12);
    Decoder d(mr__codec_png);
    testing::internal::CaptureStderr();
    for (int i = 0; i < 3000; i++) {
        Bytes bytes = f.bytes;
        for (unsigned k = 0; k <= rng() % 3; k++)
            bytes[rng() % bytes.size()] = uint8_t(rng());
        Picture got;
        if (d.header(bytes) == MR_OK && d.info.w <= 2000 && d.info.h <= 2000)
            d.decode_after_header(random_rect(rng, d.info.w, d.info.h), 3, 8, got);
    }
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

} // namespace
