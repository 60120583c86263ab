// SPDX-License-Identifier: Apache-2.0
#include "codec_testing.h"

#include <gtest/gtest.h>

#include <chrono>

extern "C" {
extern const struct mr_codec mr__codec_jpeg;
}

namespace {

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
            JpegOptions o = jpeg_variant(s, variant);
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

TEST(CodecJpeg, EveryOrientationIsAppliedToCrops)
{
    std::mt19937 rng(10);
    Decoder d(mr__codec_jpeg);
    for (int orientation = 1; orientation <= 8; orientation++) {
        JpegOptions o;
        o.h_samp = o.v_samp = 2;
        o.progressive = orientation & 1;
        o.exif = exif_block(orientation, orientation & 2);
        Bytes bytes = encode_jpeg(make_picture(150, 83, 3), o);
        Picture full = turn_picture(golden_jpeg(bytes), orientation);
        ASSERT_EQ(d.header(bytes), MR_OK);
        EXPECT_EQ(d.info.orientation, orientation);
        EXPECT_EQ(d.info.w, full.w);
        EXPECT_EQ(d.info.h, full.h);
        expect_crops_equal(d, bytes, full, 60, rng, "orientation " + std::to_string(orientation));
    }
}

// What decode gives for a colour pixel in every format, by the rules in descriptor.h.
void expect_formats(Decoder &d, const Bytes &bytes, const Picture &rgb, bool gray)
{
    mr_rect all = {3, 2, rgb.w - 5, rgb.h - 4};
    Picture crop = crop_picture(rgb, all), got;
    for (int c : {1, 3, 4}) {
        for (int bits : {8, 16}) {
            ASSERT_EQ(d.decode(bytes, all, c, bits, got), MR_OK) << d.error.text;
            for (size_t i = 0; i < size_t(all.w) * all.h; i++) {
                const uint8_t *p = &crop.pixels[i * 3];
                int luma = gray ? p[0] : (19595 * p[0] + 38470 * p[1] + 7471 * p[2] + 0x8000) >> 16;
                int want[4] = {c == 1 ? luma : p[0], p[1], p[2], 255};
                for (int k = 0; k < c; k++) {
                    int v = got.pixels[i * c + k];
                    if (bits == 16) {
                        uint16_t v16;
                        memcpy(&v16, &got.pixels[(i * c + k) * 2], 2);
                        v = v16;
                    }
                    ASSERT_EQ(v, want[k] * (bits == 16 ? 257 : 1)) << c << " channels " << bits;
                }
            }
        }
    }
}

TEST(CodecJpeg, ChannelsAndBitsAreConverted)
{
    Decoder d(mr__codec_jpeg);
    for (int orientation : {1, 6}) {
        JpegOptions o;
        o.exif = exif_block(orientation);
        for (int c : {1, 3}) {
            Bytes bytes = encode_jpeg(make_picture(61, 40, c), o);
            Picture gray = golden_jpeg(bytes, c == 1 ? JCS_GRAYSCALE : JCS_RGB), rgb = gray;
            if (c == 1) {
                rgb = Picture{gray.w, gray.h, 3, {}};
                for (uint8_t v : gray.pixels)
                    rgb.pixels.insert(rgb.pixels.end(), 3, v);
            }
            expect_formats(d, bytes, turn_picture(rgb, orientation), c == 1);
            EXPECT_EQ(d.info.c, c);
            EXPECT_EQ(d.info.bits, 8);
        }
    }
}

TEST(CodecJpeg, CmykIsReadAsAdobeWritesIt)
{
    std::mt19937 rng(11);
    Decoder d(mr__codec_jpeg);
    for (J_COLOR_SPACE space : {JCS_CMYK, JCS_YCCK}) {
        JpegOptions o;
        o.space = space;
        o.h_samp = space == JCS_YCCK ? 2 : 1;
        Bytes bytes = encode_jpeg(make_picture(90, 70, 4), o);
        Picture ink = golden_jpeg(bytes, JCS_CMYK), rgb{ink.w, ink.h, 3, {}};
        for (size_t i = 0; i < ink.pixels.size(); i += 4) {
            int k = ink.pixels[i + 3];
            for (int j = 0; j < 3; j++) { // Pillow's cmyk2rgb on inverted values
                int t = (255 - ink.pixels[i + j]) * k + 128;
                rgb.pixels.push_back(uint8_t(std::clamp(k - (((t >> 8) + t) >> 8), 0, 255)));
            }
        }
        expect_crops_equal(d, bytes, rgb, 40, rng, "CMYK");
        EXPECT_EQ(d.info.c, 4);
        expect_formats(d, bytes, rgb, false);
    }
}

// Only some scans of a progressive file: libjpeg smooths what is missing, looking far around.
TEST(CodecJpeg, CropsOfUnfinishedProgressiveFilesEqualTheFullDecode)
{
    const jpeg_scan_info scans[] = {{3, {0, 1, 2}, 0, 0, 0, 1}, {1, {0}, 1, 5, 0, 2}};
    std::mt19937 rng(12);
    Decoder d(mr__codec_jpeg);
    for (int n = 1; n <= 2; n++) {
        JpegOptions o;
        o.h_samp = o.v_samp = 2;
        o.scans = scans;
        o.nscans = n;
        Bytes bytes = encode_jpeg(make_picture(160, 120, 3), o);
        expect_crops_equal(d, bytes, golden_jpeg(bytes), 80, rng, "unfinished");
    }
}

size_t find_marker(const Bytes &bytes, uint8_t marker, int count)
{
    for (size_t i = 0; i + 1 < bytes.size(); i++) {
        if (bytes[i] == 0xff && bytes[i + 1] == marker && --count == 0)
            return i;
    }
    ADD_FAILURE() << "marker not found";
    return 0;
}

TEST(CodecJpeg, AComponentWithoutDataIsAnError)
{
    const jpeg_scan_info scans[] = {
        {1, {0}, 0, 63, 0, 0}, {1, {1}, 0, 63, 0, 0}, {1, {2}, 0, 63, 0, 0}};
    JpegOptions o;
    o.scans = scans;
    o.nscans = 3;
    Bytes bytes = encode_jpeg(make_picture(40, 40, 3), o);
    std::mt19937 rng(13);
    Decoder d(mr__codec_jpeg);
    expect_crops_equal(d, bytes, golden_jpeg(bytes), 20, rng, "three scans");
    bytes.resize(find_marker(bytes, 0xda, 3));
    bytes.insert(bytes.end(), {0xff, 0xd9});
    Picture got;
    EXPECT_EQ(d.decode(bytes, {0, 0, 8, 8}, 3, 8, got), MR_E_DATA);
    EXPECT_STREQ(d.error.text, "there is no data for component 3");
}

// A crop whose data is there is decoded; one whose data is not there is refused: never gray pixels.
TEST(CodecJpeg, EveryPrefixIsRefusedOrRight)
{
    std::mt19937 rng(14);
    for (int variant = 0; variant < 6; variant++) {
        JpegOptions o;
        o.h_samp = o.v_samp = 1 + variant % 2;
        o.progressive = variant / 2 == 1;
        o.restart_rows = variant / 2 == 2;
        o.exif = exif_block(1);
        Bytes bytes = encode_jpeg(make_picture(72, 56, 3), o);
        Picture full = golden_jpeg(bytes);
        Decoder d(mr__codec_jpeg);
        int good = 0, tried = 0;
        for (size_t n = 0; n < bytes.size(); n++) {
            Bytes part(bytes.begin(), bytes.begin() + long(n));
            for (int i = 0; i < 4; i++) {
                mr_rect r =
                    i == 0 ? mr_rect{0, 0, full.w, full.h} : random_rect(rng, full.w, full.h);
                Picture got;
                int rc = d.decode(part, r, 3, 8, got);
                ASSERT_TRUE(rc == MR_OK || rc == MR_E_DATA) << rc << " " << d.error.text;
                ASSERT_TRUE(rc == MR_OK || d.error.text[0]);
                ASSERT_TRUE(rc != MR_OK || got.pixels == crop_picture(full, r).pixels)
                    << "variant " << variant << ", " << n << " of " << bytes.size();
                good += rc == MR_OK;
                tried++;
            }
        }
        EXPECT_GT(tried, good);
        EXPECT_GT(good, o.progressive ? 0 : tried / 20) << "crops above the damage are good";
    }
}

// One damaged byte: any answer is allowed but a crash, a hang, or output on stderr.
TEST(CodecJpeg, DamageIsQuietAndSafe)
{
    std::mt19937 rng(15);
    JpegOptions o;
    o.progressive = true;
    Bytes progressive = encode_jpeg(make_picture(48, 48, 3), o),
          plain = encode_jpeg(make_picture(48, 48, 3));
    Decoder d(mr__codec_jpeg);
    testing::internal::CaptureStderr();
    testing::internal::CaptureStdout();
    for (int i = 0; i < 4000; i++) {
        Bytes bytes = i & 1 ? progressive : plain;
        for (unsigned k = 0; k <= rng() % 3; k++)
            bytes[rng() % bytes.size()] = uint8_t(rng());
        Picture got;
        if (d.header(bytes) == MR_OK && d.info.w <= 2000 && d.info.h <= 2000)
            d.decode_after_header(random_rect(rng, d.info.w, d.info.h), 3, 8, got);
    }
    std::string text =
        testing::internal::GetCapturedStderr() + testing::internal::GetCapturedStdout();
    EXPECT_EQ(text, "");
}

// Motion JPEG frames have no Huffman tables; what another file left behind must not be used for
// them.
TEST(CodecJpeg, NothingIsLeftOverFromTheImageBefore)
{
    JpegOptions optimized;
    optimized.optimize = true;
    Bytes plain = encode_jpeg(make_picture(64, 48, 3, 1));
    Bytes other = encode_jpeg(make_picture(64, 48, 3, 2), optimized), bare = plain;
    for (size_t at = 2; bare[at + 1] != 0xda;) {
        size_t n = 2 + (size_t(bare[at + 2]) << 8 | bare[at + 3]);
        if (bare[at + 1] == 0xc4)
            bare.erase(bare.begin() + long(at), bare.begin() + long(at + n));
        else
            at += n;
    }
    mr_rect all = {0, 0, 64, 48};
    Decoder fresh(mr__codec_jpeg), used(mr__codec_jpeg);
    Picture a, b;
    int rc = fresh.decode(bare, all, 3, 8, a);
    ASSERT_EQ(used.decode(other, all, 3, 8, b), MR_OK);
    EXPECT_EQ(used.decode(bare, all, 3, 8, b), rc);
    if (rc == MR_OK) {
        EXPECT_TRUE(a.pixels == b.pixels);
        EXPECT_TRUE(a.pixels == golden_jpeg(plain).pixels);
    }
}

class Stopwatch {
public:
    double ms() const
    {
        return std::chrono::duration<double, std::milli>(clock::now() - start_).count();
    }

private:
    using clock = std::chrono::steady_clock;
    clock::time_point start_ = clock::now();
};

Bytes with_size(Bytes bytes, uint8_t sof, int w, int h)
{
    size_t at = find_marker(bytes, sof, 1);
    bytes[at + 5] = uint8_t(h >> 8), bytes[at + 6] = uint8_t(h);
    bytes[at + 7] = uint8_t(w >> 8), bytes[at + 8] = uint8_t(w);
    return bytes;
}

TEST(CodecJpeg, BombsAreRefusedByTheirHeader)
{
    Bytes small = encode_jpeg(make_picture(16, 16, 3));
    Decoder d(mr__codec_jpeg);
    Stopwatch watch;
    EXPECT_EQ(d.header(with_size(small, 0xc0, 65500, 65500)), MR_E_LIMIT);
    EXPECT_NE(strstr(d.error.text, "limits.max_pixels"), nullptr) << d.error.text;
    mr_limits l = wide_limits();
    l.max_side = 5000;
    Decoder narrow(mr__codec_jpeg, l);
    EXPECT_EQ(narrow.header(with_size(small, 0xc0, 5001, 1)), MR_E_LIMIT);
    EXPECT_NE(strstr(narrow.error.text, "limits.max_side"), nullptr) << narrow.error.text;
    EXPECT_EQ(narrow.header(with_size(small, 0xc0, 5000, 1)), MR_OK);
    EXPECT_EQ(d.header(with_size(small, 0xc0, 0, 16)), MR_E_DATA);
    EXPECT_EQ(d.header(with_size(small, 0xc0, 16, 0)), MR_E_DATA);
    EXPECT_LT(watch.ms(), 50);
}

TEST(CodecJpeg, MemoryOfAProgressiveFileIsLimited)
{
    JpegOptions o;
    o.progressive = true;
    Bytes big = with_size(encode_jpeg(make_picture(16, 16, 3), o), 0xc2, 12000, 12000);
    mr_limits l = wide_limits();
    l.max_decode_bytes = 64 << 20;
    Decoder d(mr__codec_jpeg, l);
    Stopwatch watch;
    Picture got;
    EXPECT_EQ(d.decode(big, {0, 0, 8, 8}, 3, 8, got), MR_E_LIMIT);
    EXPECT_NE(strstr(d.error.text, "limits.max_decode_bytes"), nullptr) << d.error.text;
    EXPECT_LT(watch.ms(), 50);
}

// Every coefficient in a scan of its own, bit by bit: legal, cheap to write, dear to read.
TEST(CodecJpeg, TooManyScansAreRefused)
{
    std::vector<jpeg_scan_info> scans = {{1, {0}, 0, 0, 0, 0}};
    for (int k = 1; k < 64; k++) {
        scans.push_back({1, {0}, k, k, 0, 3});
        for (int bit = 3; bit > 0; bit--)
            scans.push_back({1, {0}, k, k, bit, bit - 1});
    }
    JpegOptions o;
    o.scans = scans.data();
    o.nscans = int(scans.size());
    Bytes bomb = encode_jpeg(make_picture(400, 400, 1), o);
    Decoder d(mr__codec_jpeg);
    Picture got;
    EXPECT_EQ(d.decode(bomb, {0, 0, 8, 8}, 3, 8, got), MR_E_LIMIT);
    EXPECT_STREQ(d.error.text, "the JPEG has more than 100 scans, which is limits.max_scans");
    mr_limits l = wide_limits();
    l.max_scans = o.nscans;
    Decoder enough(mr__codec_jpeg, l);
    std::mt19937 rng(16);
    expect_crops_equal(enough, bomb, golden_jpeg(bomb, JCS_GRAYSCALE), 5, rng, "many scans");
}

TEST(CodecJpeg, WrongUseIsAnErrorThatChangesNothing)
{
    Bytes bytes = encode_jpeg(make_picture(20, 10, 3));
    Decoder d(mr__codec_jpeg);
    Picture got;
    EXPECT_EQ(d.decode_after_header({0, 0, 4, 4}, 3, 8, got), MR_E_USAGE);
    EXPECT_EQ(d.decode(bytes, {17, 0, 4, 4}, 3, 8, got), MR_E_USAGE);
    EXPECT_STREQ(d.error.text, "the crop 17,0 4 x 4 is not inside the 20 x 10 image");
    EXPECT_EQ(d.decode_after_header({16, 0, 4, 4}, 2, 8, got), MR_E_USAGE);
    EXPECT_EQ(d.decode_after_header({16, 0, 4, 4}, 3, 8, got), MR_OK);
    EXPECT_EQ(d.decode_after_header({16, 0, 4, 4}, 3, 8, got), MR_E_USAGE);
    EXPECT_EQ(d.header({}), MR_E_DATA);
    EXPECT_STREQ(d.error.text, "the file is empty");
}

} // namespace
