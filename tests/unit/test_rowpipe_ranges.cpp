// SPDX-License-Identifier: Apache-2.0
//
// Files that are given as ranges make the rows that their bytes make, fail with what `get` says,
// and the time that reading takes is not decoding's.
#include "png_testing.h"
#include "rowpipe_testing.h"

#include <gtest/gtest.h>

#include <ctime>

namespace
{

const char *const OPS = "  - random_resized_crop: {size: 24}\n  - random_horizontal_flip: {}\n";
const char *const FIELDS = "image: {dtype: uint8}, mask: {dtype: uint8}";

struct File {
    Bytes bytes; // 64 behind the file's, which are no zeros
    std::vector<std::pair<uint64_t, uint64_t>> asked;
    size_t fails_at = SIZE_MAX; // the number of the call
    uint64_t slow_ns = 0, counted_ns = 0;
    mr_ranges ranges = {};

    explicit File(const Bytes &file) : bytes(file)
    {
        bytes.resize(file.size() + 64, 0x5a);
        ranges = {file.size(), get, this};
    }
    File(const File &) = delete;
    File &operator=(const File &) = delete;

    static int get(void *ctx, uint64_t at, uint64_t n, const uint8_t **data, mr_errbuf *e)
    {
        File *f = (File *)ctx;
        EXPECT_GE(n, 1u);
        EXPECT_LE(at + n, f->ranges.n);
        if (f->asked.size() == f->fails_at)
            return mr__fail(e, MR_E_DATA, "'x.mrs' is damaged");
        f->asked.push_back({at, n});
        timespec begin, now;
        clock_gettime(CLOCK_MONOTONIC, &begin);
        uint64_t ns = 0;
        do {
            clock_gettime(CLOCK_MONOTONIC, &now);
            ns = uint64_t(now.tv_sec - begin.tv_sec) * 1000000000u + uint64_t(now.tv_nsec) -
                 uint64_t(begin.tv_nsec);
        } while (ns < f->slow_ns);
        f->counted_ns += ns;
        *data = f->bytes.data() + at;
        return MR_OK;
    }
};

Picture flat_mask(int w, int h)
{
    Picture p{w, h, 1, Bytes(size_t(w) * h)};
    for (size_t i = 0; i < p.pixels.size(); i++)
        p.pixels[i] = uint8_t(i / 7 % 5);
    return p;
}

} // namespace

TEST(RowpipeRanges, MakeTheRowsOfTheBytes)
{
    Picture picture = make_picture(90, 61, 3);
    Bytes mask = encode_png(flat_mask(90, 61));
    for (const Bytes &image : {encode_jpeg(picture, {}), encode_png(picture)}) {
        Pipe p(OPS, FIELDS);
        ASSERT_EQ(p.rc, MR_OK) << p.e.text;
        for (uint64_t position = 0; position < 8; position++) {
            File file(image), of_mask(mask);
            p.image_ranges = p.mask_ranges = nullptr;
            Row bytes = p.run(image, position, mask);
            p.image_ranges = &file.ranges;
            p.mask_ranges = &of_mask.ranges;
            Row ranges = p.run({}, position, {});
            ASSERT_EQ(bytes.rc, MR_OK) << bytes.error;
            ASSERT_EQ(ranges.rc, MR_OK) << ranges.error;
            EXPECT_EQ(bytes.image, ranges.image);
            EXPECT_EQ(bytes.mask, ranges.mask);
            EXPECT_TRUE(ranges.guarded);
            ASSERT_FALSE(file.asked.empty());
            EXPECT_EQ(file.asked[0].first, 0u);
            EXPECT_LE(file.asked[0].second, 512u) << "a codec is known by its first bytes";
        }
    }
}

TEST(RowpipeRanges, AFailureIsTheSamples)
{
    Bytes image = encode_jpeg(make_picture(90, 61, 3), {}), mask = encode_png(flat_mask(90, 61));
    Pipe p(OPS, FIELDS);
    ASSERT_EQ(p.rc, MR_OK) << p.e.text;
    for (size_t call = 0; call < 2; call++) {
        File file(image), of_mask(mask);
        file.fails_at = call;
        p.image_ranges = &file.ranges;
        p.mask_ranges = &of_mask.ranges;
        Row row = p.run({});
        EXPECT_EQ(row.rc, MR_E_DATA);
        EXPECT_EQ(row.error, "'x.mrs' is damaged");
        File good(image), bad(mask);
        bad.fails_at = call;
        p.image_ranges = &good.ranges;
        p.mask_ranges = &bad.ranges;
        row = p.run({});
        EXPECT_EQ(row.rc, MR_E_DATA);
        EXPECT_EQ(row.error, "mask: 'x.mrs' is damaged");
    }
}

TEST(RowpipeRanges, ReadingIsNotDecoding)
{
    File file(encode_jpeg(make_picture(40, 40, 3), {}));
    Pipe p(OPS);
    ASSERT_EQ(p.rc, MR_OK) << p.e.text;
    file.slow_ns = 50000000;
    p.image_ranges = &file.ranges;
    p.read_ns = &file.counted_ns;
    timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    Row row = p.run({});
    clock_gettime(CLOCK_MONOTONIC, &end);
    ASSERT_EQ(row.rc, MR_OK) << row.error;
    uint64_t wall = uint64_t(end.tv_sec - begin.tv_sec) * 1000000000u + uint64_t(end.tv_nsec) -
                    uint64_t(begin.tv_nsec);
    EXPECT_GE(file.counted_ns, file.slow_ns);
    EXPECT_LE(p.decode_ns + p.augment_ns + file.counted_ns, wall) << "nothing is counted twice";
}
