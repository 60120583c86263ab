// SPDX-License-Identifier: Apache-2.0
//
// The row pipeline: what it refuses and how it says so, shapes, and that a row is a pure function
// of its key and its files. What the pixels have to be is held to torchvision by
// tests/oracle/ops_oracle.py.
#include "rowpipe_testing.h"

#include <gtest/gtest.h>

extern "C" {
#include "pipe/rowpipe_types.h"
}

namespace
{

const char *const TRAINING = "  - random_resized_crop: {size: 64}\n"
                             "  - random_horizontal_flip: {p: 0.5}\n"
                             "  - normalize: {mean: [0.5, 0.4, 0.3], std: [0.2, 0.3, 0.4]}\n";

Bytes photo(int w = 200, int h = 150, unsigned seed = 1)
{
    return encode_jpeg(make_picture(w, h, 3, seed));
}

void expect_error(const std::string &ops, const std::string &fields, const char *place,
                  const std::vector<const char *> &words)
{
    Pipe p(ops, fields);
    ASSERT_EQ(p.rc, MR_E_CONFIG) << ops;
    std::string text = p.e.text;
    EXPECT_EQ(text.rfind(place, 0), 0u) << text;
    for (const char *word : words)
        EXPECT_NE(text.find(word), std::string::npos) << "no '" << word << "' in: " << text;
}

TEST(Rowpipe, ASizeThatDiffersFromSampleToSampleIsRefused)
{
    expect_error("  - resize: {size: 256}\n", "image: {dtype: uint8}",
                 "test.yaml:5:", {"resize", "center_crop", "[height, width]"});
    expect_error("", "image: {dtype: uint8}", "test.yaml:4:", {"no ops"});
}

TEST(Rowpipe, SixteenBitsNeedAFieldThatHoldsThem)
{
    expect_error("  - center_crop: {size: 8}\n", "image: {dtype: int16, bits: 16}",
                 "test.yaml:6:", {"16 bits", "int16", "uint16"});
}

TEST(Rowpipe, OpsStandWhereTheyCanWork)
{
    expect_error("  - normalize: {mean: 0.5, std: 0.5}\n  - center_crop: {size: 8}\n",
                 "image: {dtype: float32}", "test.yaml:6:", {"center_crop", "before"});
    expect_error(
        "  - center_crop: {size: 8}\n  - random_erasing: {}\n  - normalize: {mean: 0.5, std: 1}\n"
        "  - random_erasing: {}\n  - to_dtype: {dtype: float32}\n",
        "image: {dtype: float32}", "test.yaml:9:", {"to_dtype", "before"});
    expect_error("  - center_crop: {size: 8}\n  - normalize: {mean: [1, 2], std: 1}\n",
                 "image: {dtype: float32}", "test.yaml:6:", {"'mean'", "2 numbers", "3 channels"});
    expect_error("  - center_crop: {size: 8}\n  - normalize: {mean: 0, std: 1}\n",
                 "image: {dtype: uint8}", "test.yaml:6:", {"uint8", "float32"});
    expect_error("  - center_crop: {size: 8}\n  - to_dtype: {dtype: float16}\n",
                 "image: {dtype: float32}", "test.yaml:7:", {"float32", "float16", "same"});
    expect_error("  - center_crop: {size: 8}\n  - random_erasing: {mode: random}\n",
                 "image: {dtype: float32}", "test.yaml:6:", {"behind 'normalize'"});
    expect_error("  - center_crop: {size: 8}\n  - color_jitter: {hue: 0.1}\n",
                 "image: {dtype: uint16, bits: 16}", "test.yaml:6:", {"bits: 8"});
}

TEST(Rowpipe, FieldsHaveTheShapesOfTheLastOp)
{
    Pipe p("  - center_crop: {size: [6, 9]}\n  - pad: {padding: [1, 2]}\n",
           "image: {dtype: float16, layout: NHWC}, mask: {dtype: int64}, "
           "boxes: {dtype: float32, max: 5}, label: {dtype: int64}, "
           "where: {dtype: float64, shape: [2, 3]}, many: {dtype: int32, max: 7}");
    ASSERT_EQ(p.rc, MR_OK) << p.e.text;
    auto shape = [&](const char *name) {
        const mr_field_plan *f = p.plan(name);
        return std::vector<int64_t>(f->shape, f->shape + f->ndim);
    };
    using Shape = std::vector<int64_t>;
    EXPECT_EQ(shape("image"), (Shape{10, 11, 3}));
    EXPECT_EQ(p.plan("image")->row_bytes, 10u * 11 * 3 * 2);
    EXPECT_EQ(shape("mask"), (Shape{10, 11}));
    EXPECT_EQ(p.plan("mask")->row_bytes, 10u * 11 * 8);
    EXPECT_EQ(shape("boxes"), (Shape{5, 4}));
    EXPECT_EQ(p.plan("boxes")->max_entries, 5u);
    EXPECT_EQ(shape("label"), Shape{});
    EXPECT_EQ(p.plan("label")->row_bytes, 8u);
    EXPECT_EQ(shape("where"), (Shape{2, 3}));
    EXPECT_EQ(shape("many"), Shape{7});
    EXPECT_EQ(p.plan("many")->max_entries, 7u);
}

TEST(Rowpipe, ARowDependsOnItsKeyAndFileAlone)
{
    Pipe a(TRAINING, "image: {dtype: float32}"), b(TRAINING, "image: {dtype: float32}");
    ASSERT_EQ(a.rc, MR_OK) << a.e.text;
    Bytes file = photo(), other = photo(900, 700, 2);
    Row first = a.run(file, 7);
    ASSERT_EQ(first.rc, MR_OK) << first.error;
    b.run(other, 1); // scratch memory and decoders have a past
    b.run(Bytes(100, 0xff), 2);
    Row second = b.run(file, 7, {}, {}, 0x3c);
    EXPECT_EQ(first.image, second.image);
    EXPECT_EQ(first.draws, second.draws);
    EXPECT_TRUE(first.guarded && second.guarded);
    EXPECT_NE(first.image, a.run(file, 8).image);
}

TEST(Rowpipe, OpsOfOneNameDrawApart)
{
    Pipe p("  - center_crop: {size: 32}\n  - random_horizontal_flip: {}\n  - "
           "random_horizontal_flip: {}\n");
    ASSERT_EQ(p.rc, MR_OK) << p.e.text;
    Bytes file = photo();
    int flipped = 0;
    Bytes straight;
    Pipe plain("  - center_crop: {size: 32}\n");
    straight = plain.run(file).image;
    for (uint64_t i = 0; i < 64; i++)
        flipped += p.run(file, i).image != straight; // an odd number of flips
    EXPECT_GT(flipped, 12);
    EXPECT_LT(flipped, 52);
}

TEST(Rowpipe, OnlyTheCropIsDecoded)
{
    Pipe p("  - random_resized_crop: {size: 32, scale: [0.08, 0.1]}\n");
    ASSERT_EQ(p.rc, MR_OK) << p.e.text;
    mr_row_key key = {1, 0, 3, 0};
    mr_rect whole = {};
    ASSERT_EQ(mr__row_fold(p.work, &key, 1000, 800, &whole, nullptr), MR_OK);
    ASSERT_EQ(p.work->nsteps, 1);
    mr_rect needs = mr__resample_needs(&p.work->steps[0].g);
    EXPECT_LT(double(needs.w) * needs.h, 0.12 * 1000 * 800);
}

TEST(Rowpipe, AStageBeforeAnotherMakesOnlyWhatThatReads)
{
    Pipe p("  - random_horizontal_flip: {p: 1}\n"
           "  - random_resized_crop: {size: 32, scale: [0.08, 0.1]}\n");
    ASSERT_EQ(p.rc, MR_OK) << p.e.text;
    mr_row_key key = {1, 0, 3, 0};
    mr_rect whole = {};
    ASSERT_EQ(mr__row_fold(p.work, &key, 1000, 800, &whole, nullptr), MR_OK);
    ASSERT_EQ(p.work->nsteps, 2); // nearest and box would round the other way if flipped afterwards
    mr__row_narrow(p.work->steps, 2);
    mr_rect needs = mr__resample_needs(&p.work->steps[0].g);
    EXPECT_LT(double(needs.w) * needs.h, 0.12 * 1000 * 800);
    EXPECT_EQ(p.work->steps[0].g.out_w, p.work->steps[1].at.w);
}

TEST(Rowpipe, PixelOpsSeeTheWholeStage)
{
    // contrast needs the mean of all pixels, so nothing behind it may narrow what is before it
    Pipe both("  - center_crop: {size: 60}\n  - color_jitter: {contrast: [0.5, 0.5]}\n  - "
              "center_crop: {size: 10}\n");
    Pipe one("  - center_crop: {size: 60}\n  - color_jitter: {contrast: [0.5, 0.5]}\n");
    ASSERT_EQ(both.rc, MR_OK) << both.e.text;
    Bytes file = photo(100, 100), small = both.run(file).image, large = one.run(file).image;
    for (size_t c = 0; c < 3; c++)
        for (size_t y = 0; y < 10; y++)
            for (size_t x = 0; x < 10; x++)
                ASSERT_EQ(small[(c * 10 + y) * 10 + x], large[(c * 60 + y + 25) * 60 + x + 25]);
}

TEST(Rowpipe, BadFilesAreBadSamplesWithAReason)
{
    Pipe p(TRAINING, "image: {dtype: float32}");
    Bytes file = photo(), cut(file.begin(), file.begin() + long(file.size() / 3));
    Row empty = p.run({}), text = p.run(Bytes(300, 'a')), truncated = p.run(cut);
    for (const Row *row : {&empty, &text, &truncated}) {
        EXPECT_EQ(row->rc, MR_E_DATA);
        EXPECT_FALSE(row->error.empty());
        EXPECT_TRUE(row->guarded);
    }
    EXPECT_EQ(p.run(file).rc, MR_OK); // and the next row is well again
}

TEST(Rowpipe, AMaskIsAsLargeAsItsImage)
{
    Pipe p("  - center_crop: {size: 32}\n", "image: {dtype: uint8}, mask: {dtype: uint8}");
    ASSERT_EQ(p.rc, MR_OK) << p.e.text;
    Bytes mask = encode_jpeg(make_picture(90, 80, 1));
    Row row = p.run(photo(), 0, mask);
    EXPECT_EQ(row.rc, MR_E_DATA);
    EXPECT_NE(row.error.find("90 x 80"), std::string::npos) << row.error;
    EXPECT_NE(row.error.find("200 x 150"), std::string::npos) << row.error;
    row = p.run(photo());
    EXPECT_EQ(row.rc, MR_E_DATA);
    EXPECT_NE(row.error.find("mask"), std::string::npos) << row.error;
    EXPECT_EQ(p.run(photo(), 0, encode_jpeg(make_picture(200, 150, 1))).rc, MR_OK);
}

TEST(Rowpipe, ImagesThatDoNotFitAnOpAreBadSamples)
{
    Pipe crop("  - random_crop: {size: 160}\n");
    Row row = crop.run(photo());
    EXPECT_EQ(row.rc, MR_E_DATA);
    EXPECT_NE(row.error.find("pad_if_needed"), std::string::npos) << row.error;

    Pipe thin("  - resize: {size: 60000}\n  - center_crop: {size: 8}\n");
    row = thin.run(encode_jpeg(make_picture(2, 1200, 3)));
    EXPECT_EQ(row.rc, MR_E_DATA);
    EXPECT_NE(row.error.find("max_size"), std::string::npos) << row.error;

    Pipe huge("  - resize: {size: [60000, 60000]}\n  - center_crop: {size: 8}\n");
    row = huge.run(photo());
    EXPECT_EQ(row.rc, MR_E_DATA);
    EXPECT_NE(row.error.find("limits.max_pixels"), std::string::npos) << row.error;
}

TEST(Rowpipe, TinyAndOddImagesGoThroughEveryOp)
{
    Pipe p("  - pad: {padding: [1, 0, 2, 3], padding_mode: reflect}\n"
           "  - random_horizontal_flip: {}\n  - random_vertical_flip: {}\n"
           "  - random_crop: {size: [9, 5], padding: 2, pad_if_needed: true, fill: [1, 2, 3]}\n"
           "  - color_jitter: {brightness: 1, contrast: 1, saturation: 1, hue: 0.5}\n"
           "  - random_resized_crop: {size: 7, ratio: [0.01, 100]}\n"
           "  - resize: {size: 3, max_size: 5, interpolation: lanczos}\n"
           "  - center_crop: {size: 4}\n  - random_erasing: {p: 1}\n"
           "  - normalize: {mean: 0.5, std: 0.1}\n  - random_erasing: {p: 1, mode: random}\n",
           "image: {dtype: bfloat16, layout: NHWC}, mask: {dtype: float64}, "
           "boxes: {dtype: float32, max: 3}");
    ASSERT_EQ(p.rc, MR_OK) << p.e.text;
    int sizes[][2] = {{1, 1}, {1, 2}, {2, 1}, {1, 301}, {257, 1}, {3, 5}, {17, 31}};
    for (auto &size : sizes) {
        Bytes image = encode_jpeg(make_picture(size[0], size[1], 3));
        Bytes mask = encode_jpeg(make_picture(size[0], size[1], 1));
        for (uint64_t i = 0; i < 40; i++) {
            std::vector<float> boxes = {0, 0, 1, 1, -5, -5, 500, 500};
            Row row = p.run(image, i, mask, boxes);
            ASSERT_EQ(row.rc, MR_OK) << row.error;
            ASSERT_TRUE(row.guarded);
            Row again = p.run(image, i, mask, boxes, 0x11);
            ASSERT_EQ(row.image, again.image);
            ASSERT_EQ(row.mask, again.mask);
            ASSERT_EQ(row.boxes, again.boxes);
        }
    }
}

TEST(Rowpipe, SixteenBitsAreKept)
{
    Pipe p("  - center_crop: {size: [150, 200]}\n",
           "image: {dtype: uint16, bits: 16, layout: NHWC}");
    ASSERT_EQ(p.rc, MR_OK) << p.e.text;
    Bytes file = photo(), in = file;
    in.resize(in.size() + 64);
    mr_image_info info;
    const mr_codec *codec;
    void *decoder;
    ASSERT_EQ(mr__row_decoder(p.work, in.data(), file.size(), &codec, &decoder, nullptr), MR_OK);
    ASSERT_EQ(codec->header(decoder, in.data(), file.size(), &info, nullptr), MR_OK);
    std::vector<uint16_t> want(200 * 150 * 3);
    mr_rect all = {0, 0, 200, 150};
    mr_view view = {want.data(), 200, 150, 3, 16, 200 * 3 * 2};
    ASSERT_EQ(codec->decode(decoder, &all, &view, nullptr), MR_OK);
    Row row = p.run(file);
    ASSERT_EQ(row.rc, MR_OK) << row.error;
    EXPECT_EQ(memcmp(row.image.data(), want.data(), row.image.size()), 0);
}

TEST(Rowpipe, ErasedNoiseIsNormal)
{
    const char *ops = "  - center_crop: {size: 128}\n  - normalize: {mean: 0.5, std: 0.5}\n"
                      "  - random_erasing: {p: 1, scale: [0.3, 0.4], mode: random}\n";
    Pipe p(ops, "image: {dtype: float32}");
    Pipe plain("  - center_crop: {size: 128}\n  - normalize: {mean: 0.5, std: 0.5}\n",
               "image: {dtype: float32}");
    ASSERT_EQ(p.rc, MR_OK) << p.e.text;
    Bytes file = photo();
    Row noisy = p.run(file), clean = plain.run(file);
    const float *a = reinterpret_cast<const float *>(noisy.image.data());
    const float *b = reinterpret_cast<const float *>(clean.image.data());
    double sum = 0, squares = 0;
    int n = 0;
    for (size_t i = 0; i < noisy.image.size() / 4; i++) {
        if (a[i] == b[i])
            continue;
        sum += a[i];
        squares += a[i] * a[i];
        n++;
    }
    EXPECT_GT(n, 3 * 128 * 128 * 0.28);
    EXPECT_LT(n, 3 * 128 * 128 * 0.42);
    EXPECT_NEAR(sum / n, 0, 0.05);
    EXPECT_NEAR(squares / n, 1, 0.05);
}

TEST(Rowpipe, MoreBoxesThanTheFieldHoldsIsABadSample)
{
    Pipe p("  - center_crop: {size: 32}\n",
           "image: {dtype: uint8}, boxes: {dtype: float32, max: 1}");
    Row row = p.run(photo(), 0, {}, {0, 0, 200, 150, 90, 70, 110, 80});
    EXPECT_EQ(row.rc, MR_E_DATA);
    EXPECT_NE(row.error.find("max"), std::string::npos);
    row = p.run(photo(), 0, {}, {0, 0, 3, 3, 90, 70, 110, 80}); // the first is cut away
    ASSERT_EQ(row.rc, MR_OK) << row.error;
    EXPECT_EQ(row.boxes, (std::vector<float>{6, 11, 26, 21}));
}

TEST(Rowpipe, ExplainNamesEveryOpAndField)
{
    Pipe p(TRAINING, "image: {dtype: float32}, label: {dtype: int64}");
    ASSERT_EQ(p.rc, MR_OK) << p.e.text;
    char *text = mr__rowpipe_explain(p.pipe);
    ASSERT_NE(text, nullptr);
    for (const char *word : {"random_resized_crop {size: 64", "random_horizontal_flip {p: 0.5}",
                             "normalize", "label: int64 [batch]", "[batch, 3, 64, 64]", "one pass"})
        EXPECT_NE(strstr(text, word), nullptr) << word << " is not in:\n" << text;
    free(text);
}

} // namespace
