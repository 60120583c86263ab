// SPDX-License-Identifier: Apache-2.0
//
// codec_testing.h: what the codec tests share: pictures, encoders, photographs, and a decoder
// opened for a test.
#ifndef MR_TESTS_CODEC_TESTING_H
#define MR_TESTS_CODEC_TESTING_H

extern "C" {
#include "base/descriptor.h"
}

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include <jpeglib.h>

using Bytes = std::vector<uint8_t>;

struct Picture { // interleaved, 8 bits
    int w = 0, h = 0, c = 0;
    Bytes pixels;
};

// Smooth shapes and some noise: every coefficient of a JPEG block is in use, and no two places look
// alike.
inline Picture make_picture(int w, int h, int c, unsigned seed = 1)
{
    Picture p{w, h, c, Bytes(size_t(w) * h * c)};
    std::mt19937 rng(seed);
    for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++) {
            for (int i = 0; i < c; i++) {
                int v = (x * (3 + i) + y * (5 - i) + x * y / 16) % 256;
                v = (v < 128 ? 2 * v : 510 - 2 * v) + int(rng() % 33) - 16;
                p.pixels[(size_t(y) * w + x) * c + i] = uint8_t(std::clamp(v, 0, 255));
            }
        }
    }
    return p;
}

struct JpegOptions {
    int h_samp = 1, v_samp = 1;     // of the first component
    int h_chroma = 1, v_chroma = 1; // of the others
    bool progressive = false;
    int restart_rows = 0;
    unsigned restart_mcus = 0;
    int quality = 85;
    bool optimize = false;
    J_COLOR_SPACE space = JCS_UNKNOWN; // of the file; JCS_UNKNOWN: libjpeg's choice
    Bytes exif;                        // TIFF block, put behind "Exif\0\0"
    const jpeg_scan_info *scans = nullptr;
    int nscans = 0;
};

// Components and how each is sampled: c of them, the first h x v, the others ch x cv.
struct JpegKind {
    const char *name;
    int c, h, v, ch, cv;
};
inline const JpegKind jpeg_kinds[] = {
    {"gray", 1, 1, 1, 1, 1},          {"gray 2x2", 1, 2, 2, 1, 1},   {"444", 3, 1, 1, 1, 1},
    {"444 by 2x1", 3, 2, 1, 2, 1},    {"422", 3, 2, 1, 1, 1},        {"420", 3, 2, 2, 1, 1},
    {"440", 3, 1, 2, 1, 1},           {"411", 3, 4, 1, 1, 1},        {"410", 3, 4, 2, 1, 1},
    {"chroma larger", 3, 1, 1, 2, 1}, {"422 by 2x2", 3, 2, 2, 1, 2}, {"440 by 2x2", 3, 2, 2, 2, 1},
    {"4:2 across", 3, 4, 1, 2, 1},    {"3 across", 3, 3, 1, 1, 1},
};

inline JpegOptions options_of(const JpegKind &k, int quality)
{
    JpegOptions o;
    o.h_samp = k.h;
    o.v_samp = k.v;
    o.h_chroma = k.ch;
    o.v_chroma = k.cv;
    o.quality = quality;
    return o;
}

struct Sampling {
    const char *name;
    int h, v;
};
inline const Sampling samplings[] = {{"444", 1, 1}, {"422", 2, 1}, {"420", 2, 2},
                                     {"440", 1, 2}, {"411", 4, 1}, {"410", 4, 2}};

// Four ways to code a sampling: bit 0, progressive; bit 1, with restart markers.
inline JpegOptions jpeg_variant(const Sampling &s, int variant)
{
    JpegOptions o;
    o.h_samp = s.h;
    o.v_samp = s.v;
    o.progressive = variant & 1;
    o.restart_rows = variant & 2 ? 1 : 0;
    return o;
}

inline Bytes encode_jpeg(const Picture &p, const JpegOptions &o = {})
{
    jpeg_compress_struct cinfo;
    jpeg_error_mgr err;
    cinfo.err = jpeg_std_error(&err);
    jpeg_create_compress(&cinfo);
    unsigned char *out = nullptr;
    unsigned long n = 0;
    jpeg_mem_dest(&cinfo, &out, &n);
    cinfo.image_width = JDIMENSION(p.w);
    cinfo.image_height = JDIMENSION(p.h);
    cinfo.input_components = p.c;
    cinfo.in_color_space = p.c == 1 ? JCS_GRAYSCALE : p.c == 3 ? JCS_RGB : JCS_CMYK;
    jpeg_set_defaults(&cinfo);
    if (o.space != JCS_UNKNOWN)
        jpeg_set_colorspace(&cinfo, o.space);
    jpeg_set_quality(&cinfo, o.quality, TRUE);
    cinfo.comp_info[0].h_samp_factor = o.h_samp;
    cinfo.comp_info[0].v_samp_factor = o.v_samp;
    for (int i = 1; i < cinfo.num_components && o.h_chroma * o.v_chroma > 1; i++) {
        cinfo.comp_info[i].h_samp_factor = o.h_chroma;
        cinfo.comp_info[i].v_samp_factor = o.v_chroma;
    }
    cinfo.restart_in_rows = o.restart_rows;
    cinfo.restart_interval = o.restart_mcus;
    cinfo.optimize_coding = o.optimize;
    if (o.scans) {
        cinfo.scan_info = o.scans;
        cinfo.num_scans = o.nscans;
    } else if (o.progressive) {
        jpeg_simple_progression(&cinfo);
    }
    jpeg_start_compress(&cinfo, TRUE);
    if (!o.exif.empty()) {
        Bytes app = {'E', 'x', 'i', 'f', 0, 0};
        app.insert(app.end(), o.exif.begin(), o.exif.end());
        jpeg_write_marker(&cinfo, JPEG_APP0 + 1, app.data(), unsigned(app.size()));
    }
    while (cinfo.next_scanline < cinfo.image_height) {
        JSAMPROW row = const_cast<uint8_t *>(&p.pixels[size_t(cinfo.next_scanline) * p.w * p.c]);
        jpeg_write_scanlines(&cinfo, &row, 1);
    }
    jpeg_finish_compress(&cinfo);
    jpeg_destroy_compress(&cinfo);
    Bytes bytes(out, out + n);
    free(out);
    return bytes;
}

// What libjpeg makes of the whole file: the golden decode. `space`: JCS_RGB, JCS_GRAYSCALE or
// JCS_CMYK; `scale`: so many times smaller. Only for good files.
inline Picture golden_jpeg(const Bytes &bytes, J_COLOR_SPACE space = JCS_RGB, int scale = 1)
{
    jpeg_decompress_struct cinfo;
    jpeg_error_mgr err;
    cinfo.err = jpeg_std_error(&err);
    jpeg_create_decompress(&cinfo);
    jpeg_mem_src(&cinfo, const_cast<uint8_t *>(bytes.data()), bytes.size());
    jpeg_read_header(&cinfo, TRUE);
    cinfo.out_color_space = space;
    cinfo.scale_denom = unsigned(scale);
    jpeg_start_decompress(&cinfo);
    Picture p{int(cinfo.output_width), int(cinfo.output_height), cinfo.output_components, {}};
    p.pixels.resize(size_t(p.w) * p.h * p.c);
    while (cinfo.output_scanline < cinfo.output_height) {
        JSAMPROW row = &p.pixels[size_t(cinfo.output_scanline) * p.w * p.c];
        jpeg_read_scanlines(&cinfo, &row, 1);
    }
    jpeg_finish_decompress(&cinfo);
    jpeg_destroy_decompress(&cinfo);
    return p;
}

// A TIFF block with one directory entry: the orientation.
inline Bytes exif_block(int orientation, bool big = false, int type = 3)
{
    auto u16 = [&](Bytes &b, unsigned v) {
        b.push_back(uint8_t(big ? v >> 8 : v));
        b.push_back(uint8_t(big ? v : v >> 8));
    };
    auto u32 = [&](Bytes &b, unsigned v) {
        u16(b, big ? v >> 16 : v & 0xffff);
        u16(b, big ? v & 0xffff : v >> 16);
    };
    Bytes b = {uint8_t(big ? 'M' : 'I'), uint8_t(big ? 'M' : 'I')};
    u16(b, 42);
    u32(b, 8);
    u16(b, 1);
    u16(b, 0x0112);
    u16(b, unsigned(type));
    u32(b, 1);
    if (type == 4) {
        u32(b, unsigned(orientation));
    } else {
        u16(b, unsigned(orientation));
        u16(b, 0);
    }
    u32(b, 0);
    return b;
}

// Pillow's ImageOps.exif_transpose written down pixel by pixel.
inline Picture turn_picture(const Picture &p, int orientation)
{
    bool swap = orientation >= 5;
    Picture q{swap ? p.h : p.w, swap ? p.w : p.h, p.c, Bytes(p.pixels.size())};
    for (int y = 0; y < q.h; y++) {
        for (int x = 0; x < q.w; x++) {
            int sx = 0, sy = 0;
            switch (orientation) {
            case 1: sx = x, sy = y; break;
            case 2: sx = p.w - 1 - x, sy = y; break;
            case 3: sx = p.w - 1 - x, sy = p.h - 1 - y; break;
            case 4: sx = x, sy = p.h - 1 - y; break;
            case 5: sx = y, sy = x; break;
            case 6: sx = y, sy = p.h - 1 - x; break;
            case 7: sx = p.w - 1 - y, sy = p.h - 1 - x; break;
            case 8: sx = p.w - 1 - y, sy = x; break;
            }
            for (int i = 0; i < p.c; i++)
                q.pixels[(size_t(y) * q.w + x) * p.c + i] =
                    p.pixels[(size_t(sy) * p.w + sx) * p.c + i];
        }
    }
    return q;
}

inline Picture crop_picture(const Picture &p, const mr_rect &r)
{
    Picture q{r.w, r.h, p.c, Bytes(size_t(r.w) * r.h * p.c)};
    for (int y = 0; y < r.h; y++)
        memcpy(&q.pixels[size_t(y) * r.w * p.c], &p.pixels[(size_t(r.y + y) * p.w + r.x) * p.c],
               size_t(r.w) * p.c);
    return q;
}

inline mr_limits wide_limits()
{
    mr_limits l = {};
    l.max_pixels = 178956970;
    l.max_side = 100000;
    l.max_scans = 100;
    l.max_decode_bytes = int64_t(1) << 30;
    l.max_file_bytes = int64_t(1) << 30;
    return l;
}

// One codec's decoder. Rows are decoded into memory with a guard behind each, and the guard is
// checked.
class Decoder
{
  public:
    explicit Decoder(const mr_codec &codec, const mr_limits &limits = wide_limits()) : codec_(codec)
    {
        if (codec_.open(&self_, &limits, &error) < 0)
            abort();
    }
    ~Decoder()
    {
        codec_.close(self_);
    }
    Decoder(const Decoder &) = delete;
    Decoder &operator=(const Decoder &) = delete;

    int header(const Bytes &bytes)
    {
        error = {};
        info = {};
        return codec_.header(self_, bytes.data(), bytes.size(), &info, &error);
    }

    int decode(const Bytes &bytes, const mr_rect &roi, int c, int bits, Picture &out)
    {
        int rc = header(bytes);
        return rc < 0 ? rc : decode_after_header(roi, c, bits, out);
    }

    // The size in `shrunk`.
    int shrink(const Bytes &bytes, int scale)
    {
        int rc = header(bytes);
        return rc < 0 ? rc : codec_.shrink(self_, scale, &shrunk, &error);
    }

    // The rows that are handed on, if it may be `most` at once; `begun` is how often they began,
    // `largest` how many came at once.
    int rows_after_header(const mr_rect &roi, int c, int bits, Picture &out)
    {
        struct Taker {
            Picture *out;
            size_t row;
            int begun, largest;
        } taker = {&out, size_t(roi.w) * c * (bits / 8), 0, 0};
        mr_row_taker to = {};
        to.ctx = &taker;
        to.most = most;
        to.begin = [](void *ctx, mr_errbuf *) {
            auto t = static_cast<Taker *>(ctx);
            t->begun++;
            t->out->pixels.clear();
            return int(MR_OK);
        };
        to.rows = [](void *ctx, const void *data, int64_t stride, int32_t n) {
            auto t = static_cast<Taker *>(ctx);
            t->largest = std::max(t->largest, n);
            for (int32_t i = 0; i < n; i++) {
                auto from = static_cast<const uint8_t *>(data) + i * stride;
                t->out->pixels.insert(t->out->pixels.end(), from, from + t->row);
            }
        };
        out = Picture{roi.w, roi.h, c * (bits / 8), {}};
        int rc = codec_.rows(self_, &roi, c, bits, &to, &error);
        begun = taker.begun;
        largest = taker.largest;
        return rc;
    }

    mr_decode_cost cost() const
    {
        mr_decode_cost c = {};
        codec_.cost(self_, &c);
        return c;
    }

    int decode_after_header(const mr_rect &roi, int c, int bits, Picture &out)
    {
        const size_t row = size_t(roi.w) * c * (bits / 8), guard = 24;
        Bytes memory((row + guard) * roi.h, 0xa5);
        mr_view dst = {memory.data(), roi.w, roi.h, c, bits, int64_t(row + guard)};
        int rc = codec_.decode(self_, &roi, &dst, &error);
        out = Picture{roi.w, roi.h, c * (bits / 8), Bytes(row * roi.h)};
        for (int y = 0; y < roi.h; y++) {
            uint8_t *at = &memory[(row + guard) * y];
            memcpy(&out.pixels[row * y], at, row);
            guard_kept &=
                std::all_of(at + row, at + row + guard, [](uint8_t v) { return v == 0xa5; });
        }
        return rc;
    }

    mr_errbuf error = {};
    mr_image_info info = {};
    mr_shrunk shrunk = {};
    int most = 0, begun = 0, largest = 0;
    bool guard_kept = true;

  private:
    const mr_codec &codec_;
    void *self_ = nullptr;
};

// Any rectangle, small and large ones, often touching an edge.
inline mr_rect random_rect(std::mt19937 &rng, int w, int h)
{
    auto span = [&](int size, int &at, int &n) {
        n = 1 + int(rng() % unsigned(size));
        if (rng() % 3 == 0)
            n = 1 + int(rng() % unsigned(std::min(size, 24)));
        at = int(rng() % unsigned(size - n + 1));
        if (rng() % 6 == 0)
            at = rng() % 2 ? 0 : size - n;
    };
    mr_rect r = {};
    span(w, r.x, r.w);
    span(h, r.y, r.h);
    return r;
}

inline Bytes read_file(const std::string &path)
{
    std::ifstream f(path, std::ios::binary);
    return Bytes(std::istreambuf_iterator<char>(f), {});
}

struct NamedBytes {
    std::string name;
    Bytes bytes;
};

// `n` photographs, spread over the folder; where there is none, pictures of that size made here.
inline std::vector<NamedBytes> photographs(size_t n)
{
    const char *folder = getenv("MR_PHOTOS");
    std::vector<std::string> all;
    std::error_code ec;
    for (const auto &f :
         std::filesystem::recursive_directory_iterator(folder ? folder : MR_PHOTOS, ec)) {
        std::string ext = f.path().extension().string();
        if (ext == ".jpg" || ext == ".jpeg" || ext == ".JPEG")
            all.push_back(f.path().string());
    }
    std::sort(all.begin(), all.end());
    std::vector<NamedBytes> some;
    for (size_t i = 0; i < n && i < all.size(); i++) {
        const std::string &path = all[i * all.size() / std::min(n, all.size())];
        some.push_back({path, read_file(path)});
    }
    const size_t made = 100; // at most: they get smaller and smaller
    for (size_t i = 0; all.empty() && i < std::min(n, made); i++) {
        JpegOptions o;
        o.h_samp = 1 + int(i % 2);
        o.v_samp = 1 + int(i / 2 % 2);
        Picture p = make_picture(300 + int(i) * 7, 420 - int(i) * 3, 3, unsigned(i));
        some.push_back({"synthetic " + std::to_string(i), encode_jpeg(p, o)});
    }
    return some;
}

#endif
