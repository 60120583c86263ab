// SPDX-License-Identifier: Apache-2.0
//
// Packed JPEGs from an enemy, and read in ranges: no byte is trusted, and no more is asked for than
// a crop needs.
#include "packed_testing.h"

namespace
{

// A body whose bytes beyond those asked for are not there, and which counts what is asked for.
struct Ranges {
    const Bytes &body;
    uint64_t asked = 0, calls = 0;
    uint64_t fails_at = UINT64_MAX; // the number of the call
    std::vector<Bytes> given;       // each with 64 bytes that are something else
    mr_ranges ranges = {};

    explicit Ranges(const Bytes &b) : body(b)
    {
        ranges = {b.size(), get, this};
    }
    Ranges(const Ranges &) = delete;
    Ranges &operator=(const Ranges &) = delete;

    static int get(void *ctx, uint64_t at, uint64_t n, const uint8_t **data, mr_errbuf *e)
    {
        auto r = static_cast<Ranges *>(ctx);
        EXPECT_GE(n, 1u);
        if (at + n > r->body.size() || r->calls == r->fails_at)
            return mr__fail(e, MR_E_DATA, "the shard 'a.mrs' is damaged");
        r->calls++;
        r->asked += n;
        r->given.emplace_back(r->body.begin() + long(at), r->body.begin() + long(at + n));
        r->given.back().resize(n + 64, 0xee);
        *data = r->given.back().data();
        return MR_OK;
    }
};

int decode(Decoder &d, void *self, Ranges &r, const mr_rect &roi, Bytes &pixels)
{
    mr_image_info info;
    d.error = {};
    int rc = mr__codec_packed.header_ranges(self, &r.ranges, &info, &d.error);
    if (rc < 0)
        return rc;
    pixels.assign(size_t(roi.w) * roi.h * 3, 0);
    mr_view view = {pixels.data(), roi.w, roi.h, 3, 8, int64_t(roi.w) * 3};
    return mr__codec_packed.decode(self, &roi, &view, &d.error);
}

} // namespace

// Row by row where a row has much that the crop does not need, all rows in one where it has not.
TEST(PackedRanges, ACropAsksForWhatItNeeds)
{
    struct {
        int w, h; // of the picture
        mr_rect roi;
        uint64_t one_of; // so many times what is asked for is less than the body
        uint64_t calls;
    } const cases[] = {
        {1500, 900, {700, 400, 100, 80}, 7, 5},
        {1500, 900, {0, 400, 1500, 80}, 7, 5},
        {9000, 300, {4000, 100, 100, 80}, 30, 20},
        {9000, 300, {4000, 100, 3000, 80}, 2, 5},
    };
    for (const auto &k : cases) {
        Packed all;
        Bytes jpeg = encode_jpeg(make_picture(k.w, k.h, 3));
        ASSERT_EQ(all.make(jpeg), MR_OK) << all.error.text;
        SCOPED_TRACE(std::to_string(all.body.size()) + " bytes");
        for (mr_decode_engine engine : {MR_DECODE_AUTO, MR_DECODE_LIBJPEG}) {
            Decoder d(mr__codec_packed, limits_of(engine)), file(mr__codec_jpeg);
            void *self = nullptr;
            mr_limits limits = limits_of(engine);
            ASSERT_EQ(mr__codec_packed.open(&self, &limits, &d.error), MR_OK);
            const mr_rect &roi = k.roi;
            Ranges r(all.body);
            Bytes pixels;
            Picture want;
            ASSERT_EQ(decode(d, self, r, roi, pixels), MR_OK) << d.error.text;
            ASSERT_EQ(file.decode(jpeg, roi, 3, 8, want), MR_OK);
            EXPECT_TRUE(want.pixels == pixels);
            mr_decode_cost cost;
            mr__codec_packed.cost(self, &cost);
            EXPECT_LT(r.asked, all.body.size() / k.one_of);
            EXPECT_GE(cost.bytes, r.asked - 4096);
            EXPECT_LE(r.calls, k.calls) << "few and large";
            EXPECT_EQ(r.calls > 5, k.calls > 5) << "not all of a row";
            // Any of them may fail, and its sentence is the answer.
            for (uint64_t n = r.calls, i = 0; i < n; i++) {
                Ranges bad(all.body);
                bad.fails_at = i;
                EXPECT_EQ(decode(d, self, bad, roi, pixels), MR_E_DATA);
                EXPECT_STREQ(d.error.text, "the shard 'a.mrs' is damaged") << i;
            }
            mr__codec_packed.close(self);
        }
    }
}

class DamageOfCodings : public testing::TestWithParam<mr_packed_coding>
{
};

INSTANTIATE_TEST_SUITE_P(Packed, DamageOfCodings,
                         testing::Values(MR_PACKED_HUFFMAN, MR_PACKED_STREAMS),
                         [](const testing::TestParamInfo<mr_packed_coding> &coding) {
                             return coding.param == MR_PACKED_HUFFMAN ? "Huffman" : "Streams";
                         });

// Every byte of head and index, and some of the rest: an answer or a sentence, and a decoder that
// goes on.
TEST_P(DamageOfCodings, EveryByteOfTheHead)
{
    Packed all(GetParam());
    std::mt19937 rng(7);
    Bytes jpeg = encode_jpeg(make_picture(170, 40, 3));
    ASSERT_EQ(all.make(jpeg, 32), MR_OK) << all.error.text;
    const Bytes good = all.body;
    const mr_rect roi = {30, 5, 100, 30};
    Picture want, got;
    Decoder own(mr__codec_packed, limits_of(MR_DECODE_AUTO));
    Decoder turbo(mr__codec_packed, limits_of(MR_DECODE_LIBJPEG));
    ASSERT_EQ(own.decode(good, roi, 3, 8, want), MR_OK);
    int refused = 0, decoded = 0;
    for (size_t at = 0; at < good.size(); at += at < 1200 ? 1 : 13) {
        for (int bit = int(rng() % 3); bit < 8; bit += 3) {
            Bytes bad = good;
            bad[at] ^= uint8_t(1 << bit);
            for (Decoder *d : {&own, &turbo}) {
                int rc = d->header(bad);
                if (rc == MR_OK && d->info.w >= 130 && d->info.h >= 35 && d->info.w < 2000 &&
                    d->info.h < 2000)
                    rc = d->decode_after_header(roi, 3, 8, got);
                EXPECT_TRUE(rc == MR_OK || d->error.text[0]);
                (rc == MR_OK ? decoded : refused)++;
            }
            mr_buf out = {};
            mr_errbuf e = {};
            int rc = mr__packed_to_jpeg(bad.data(), bad.size(), &out, &e);
            EXPECT_TRUE(rc == MR_OK || e.text[0]);
            mr__buf_free(&out);
        }
    }
    EXPECT_GT(refused, 500);
    EXPECT_GT(decoded, 500);
    ASSERT_EQ(own.decode(good, roi, 3, 8, got), MR_OK) << "it goes on";
    EXPECT_TRUE(want.pixels == got.pixels);
}

TEST(PackedDamage, EveryLength)
{
    Packed all;
    ASSERT_EQ(all.make(encode_jpeg(make_picture(70, 40, 3))), MR_OK);
    Decoder own(mr__codec_packed, limits_of(MR_DECODE_AUTO));
    for (size_t n = 0; n < all.body.size(); n++) {
        Bytes cut(all.body.begin(), all.body.begin() + long(n));
        EXPECT_EQ(own.header(cut), MR_E_DATA) << n;
        EXPECT_EQ(std::string(own.error.text).find("a damaged packed JPEG: "), 0u);
    }
}

TEST(PackedDamage, SaysWhatIsWrong)
{
    Packed all;
    ASSERT_EQ(all.make(encode_jpeg(make_picture(170, 40, 3)), 32), MR_OK);
    Decoder own(mr__codec_packed, limits_of(MR_DECODE_AUTO));
    auto said = [&](size_t at, uint8_t value) {
        Bytes bad = all.body;
        bad[at] = value;
        EXPECT_EQ(own.header(bad), MR_E_DATA);
        return std::string(own.error.text);
    };
    EXPECT_EQ(said(4, 2), "a packed JPEG of version 2, but this build reads version 1: a newer "
                          "Millrace reads it");
    EXPECT_EQ(said(0, 'X'), "a damaged packed JPEG: it does not begin with 'MRJ1'");
    EXPECT_EQ(said(5, 7), "a damaged packed JPEG: its coding, components or orientation");
    EXPECT_EQ(said(28, 0), "a damaged packed JPEG: it is not as long as it says");
    EXPECT_EQ(said(34, 9), "a damaged packed JPEG: its components or its segments");
    Bytes bad = all.body;
    std::fill(bad.end() - 1200, bad.end() - 100, uint8_t(0xff)); // no code is all ones
    Picture got;
    EXPECT_EQ(own.decode(bad, {0, 0, 170, 40}, 3, 8, got), MR_E_DATA);
    EXPECT_EQ(std::string(own.error.text).find("a damaged packed JPEG: segment "), 0u)
        << own.error.text;
}

// A JPEG that fails while it is written is thrown away once, however large it has become; the next
// one goes into the same buffer.
TEST(PackedDamage, MarkersThatEndBadlyAfterManyBytes)
{
    Bytes jpeg = encode_jpeg(make_picture(70, 40, 3));
    Bytes marker = {0xff, 0xe1, 5002 >> 8, 5002 & 255};
    marker.resize(5004, 'x');
    jpeg.insert(jpeg.begin() + 2, marker.begin(), marker.end());
    Packed all;
    ASSERT_EQ(all.make(jpeg), MR_OK) << all.error.text;
    Bytes bad = all.body;
    bad.push_back(0);
    for (size_t i = 0; i < 4; i++)
        bad[28 + i] = uint8_t(bad.size() >> 8 * i); // where the markers end
    mr_buf out = {};
    for (int round = 0; round < 3; round++) {
        mr_errbuf e = {};
        EXPECT_EQ(mr__packed_to_jpeg(bad.data(), bad.size(), &out, &e), MR_E_DATA);
        EXPECT_STREQ(e.text, "a damaged packed JPEG: its markers");
        EXPECT_EQ(out.n, 0u);
        ASSERT_EQ(mr__packed_to_jpeg(all.body.data(), all.body.size(), &out, &e), MR_OK) << e.text;
        EXPECT_TRUE(markers_of(Bytes(out.data, out.data + out.n)) == markers_of(jpeg));
    }
    mr__buf_free(&out);
}
