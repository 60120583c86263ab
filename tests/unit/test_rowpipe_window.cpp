// SPDX-License-Identifier: Apache-2.0
//
// A picked window: the ops see an image that was cut to it, whatever the file is, and what is cut
// are the pixels of the whole decode.
#include "png_testing.h"
#include "rowpipe_testing.h"

#include <gtest/gtest.h>

extern "C" {
#include "pipe/pick.h"
#include "base/message.h"
#include "pipe/rowpipe_types.h"
}

namespace
{

const char *const FIELDS = "image: {dtype: uint8, layout: NHWC}, mask: {dtype: uint8}, "
                           "boxes: {dtype: float32, max: 8}";

std::string same_size(int w, int h) // an op that does nothing to an image of this size
{
    return "  - center_crop: {size: [" + std::to_string(h) + ", " + std::to_string(w) + "]}\n";
}

Picture make_mask(int w, int h)
{
    Picture p{w, h, 1, Bytes(size_t(w) * h)};
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            p.pixels[size_t(y) * w + x] = uint8_t((x / 7 + y / 5) % 4);
    return p;
}

Row cut(Pipe &p, const Bytes &image, const mr_rect &window, const Bytes &mask = {},
        const std::vector<float> &boxes = {})
{
    return p.run(image, 0, mask, boxes, 0xa5, window);
}

// All windows of a grid, put together again.
Picture reassembled(Pipe &p, const Bytes &file, const Bytes &mask, int w, int h, int dx, int dy,
                    bool of_mask)
{
    int c = of_mask ? 1 : 3;
    Picture whole{w, h, c, Bytes(size_t(w) * h * c)};
    for (int y = 0; y < h; y += dy) {
        for (int x = 0; x < w; x += dx) {
            Row row = cut(p, file, {x, y, dx, dy}, mask);
            EXPECT_EQ(row.rc, MR_OK) << row.error;
            EXPECT_TRUE(row.guarded);
            const Bytes &from = of_mask ? row.mask : row.image;
            for (int k = 0; k < dy; k++)
                memcpy(&whole.pixels[(size_t(y + k) * w + x) * c], &from[size_t(k) * dx * c],
                       size_t(dx) * c);
        }
    }
    return whole;
}

} // namespace

TEST(RowpipeWindow, AllWindowsTogetherAreTheWholeDecode)
{
    const int w = 210, h = 156, dx = 35, dy = 26;
    Picture picture = make_picture(w, h, 3);
    Bytes mask = encode_png(make_mask(w, h));
    Pipe p(same_size(dx, dy), FIELDS);
    ASSERT_EQ(p.rc, MR_OK) << p.e.text;
    JpegOptions half, progressive, restart;
    half.h_samp = half.v_samp = 2;
    progressive.h_samp = 2;
    progressive.progressive = true;
    restart.restart_rows = 1;
    for (const JpegOptions &o : {JpegOptions{}, half, progressive, restart}) {
        Bytes file = encode_jpeg(picture, o);
        EXPECT_EQ(reassembled(p, file, mask, w, h, dx, dy, false).pixels,
                  golden_jpeg(file).pixels);
    }
    EXPECT_EQ(reassembled(p, encode_png(picture), mask, w, h, dx, dy, false).pixels,
              picture.pixels);
    EXPECT_EQ(reassembled(p, encode_png(picture), mask, w, h, dx, dy, true).pixels,
              make_mask(w, h).pixels);
}

TEST(RowpipeWindow, ItIsCutFromTheImageAsDisplayed)
{
    JpegOptions turned;
    turned.exif = exif_block(6);
    turned.h_samp = turned.v_samp = 2;
    Bytes file = encode_jpeg(make_picture(120, 90, 3), turned);
    Picture shown = turn_picture(golden_jpeg(file), 6);
    ASSERT_EQ(shown.w, 90);
    Pipe p(same_size(40, 30), "image: {dtype: uint8, layout: NHWC}");
    for (const mr_rect &window : {mr_rect{0, 0, 40, 30}, mr_rect{50, 90, 40, 30}}) {
        Row row = cut(p, file, window);
        ASSERT_EQ(row.rc, MR_OK) << row.error;
        EXPECT_EQ(row.image, crop_picture(shown, window).pixels);
    }
}

// Whatever the ops do, they do it to the window: no pixel around it shines in.
TEST(RowpipeWindow, OpsSeeAnImageOfItsSize)
{
    const char *const lists[] = {
        "  - resize: {size: [50, 70], interpolation: bicubic}\n",
        "  - random_resized_crop: {size: 40}\n  - random_horizontal_flip: {p: 0.5}\n",
        "  - random_crop: {size: 64, padding: 4}\n",
        "  - pad: {padding: 3, padding_mode: reflect}\n  - center_crop: {size: 60}\n",
        "  - color_jitter: {contrast: [0.5, 0.5]}\n  - resize: {size: [20, 20]}\n",
        ("  - random_vertical_flip: {p: 1}\n  - color_jitter: {brightness: 0.3}\n"
         "  - center_crop: {size: [90, 90]}\n"),
    };
    const mr_rect window = {31, 22, 60, 64};
    Picture picture = make_picture(200, 150, 3), mask = make_mask(200, 150);
    Bytes file = encode_png(picture), mask_file = encode_png(mask);
    Bytes small = encode_png(crop_picture(picture, window));
    Bytes small_mask = encode_png(crop_picture(mask, window));
    const std::vector<float> boxes = {40, 30, 50, 60, 0, 0, 31, 22, 90, 80, 120, 140},
                             moved = {9, 8, 19, 38, 59, 58, 89, 118};
    for (const char *ops : lists) {
        Pipe p(ops, FIELDS);
        ASSERT_EQ(p.rc, MR_OK) << p.e.text;
        for (uint64_t position = 0; position < 8; position++) {
            Row a = p.run(file, position, mask_file, boxes, 0xa5, window);
            Row b = p.run(small, position, small_mask, moved);
            ASSERT_EQ(a.rc, b.rc) << ops << a.error;
            EXPECT_EQ(a.image, b.image) << ops;
            EXPECT_EQ(a.mask, b.mask) << ops;
            EXPECT_EQ(a.boxes, b.boxes) << ops;
            EXPECT_EQ(a.draws, b.draws) << ops;
        }
    }
}

TEST(RowpipeWindow, BoxesAreShiftedClippedAndDroppedWhenEmpty)
{
    Pipe p(same_size(50, 40), FIELDS);
    Bytes file = encode_png(make_picture(200, 150, 3)), mask = encode_png(make_mask(200, 150));
    Row row = cut(p, file, {100, 60, 50, 40}, mask,
                  {110, 70, 120, 80, 90, 50, 130, 75, 0, 0, 99, 59, 140, 60, 190, 149,
                   150, 60, 160, 70});
    ASSERT_EQ(row.rc, MR_OK) << row.error;
    EXPECT_EQ(row.boxes, (std::vector<float>{10, 10, 20, 20, 0, 0, 30, 15, 40, 0, 50, 40}));
}

TEST(RowpipeWindow, OnlyItIsDecoded)
{
    Pipe p("  - random_horizontal_flip: {p: 1}\n" + same_size(64, 64));
    mr_row_key key = {1, 0, 3, 0};
    mr_rect window = {500, 300, 64, 64};
    ASSERT_EQ(mr__row_fold(p.work, &key, 1000, 800, &window, nullptr), MR_OK);
    ASSERT_EQ(p.work->nsteps, 1);
    mr_rect needs = mr__resample_needs(&p.work->steps[0].g);
    EXPECT_EQ(needs.x, 500);
    EXPECT_EQ(needs.y, 300);
    EXPECT_EQ(needs.w, 64);
    EXPECT_EQ(needs.h, 64);
}

TEST(RowpipeWindow, OneThatDoesNotLieInTheImageIsABadSample)
{
    Pipe p(same_size(16, 16), "image: {dtype: uint8}");
    Bytes file = encode_png(make_picture(100, 80, 3));
    EXPECT_EQ(cut(p, file, {84, 64, 16, 16}).rc, MR_OK);
    const mr_rect outside[] = {{85, 64, 16, 16},  {84, 65, 16, 16},         {-1, 0, 16, 16},
                               {0, -1, 16, 16},   {0, 0, 101, 16},          {0, 0, 16, 81},
                               {0, 0, -1, -1},    {0, 0, 16, 0},            {INT32_MAX, 0, 16, 16},
                               {-1, -1, -1, -1},  {0, INT32_MAX, 16, 16},   {0, 0, INT32_MAX, 1}};
    for (const mr_rect &window : outside) {
        Row row = cut(p, file, window);
        EXPECT_EQ(row.rc, MR_E_DATA);
        EXPECT_NE(row.error.find("is not inside its"), std::string::npos) << row.error;
        EXPECT_NE(row.error.find("100 x 80"), std::string::npos) << row.error;
    }
}

TEST(Pick, AWindowTravelsInAMessage)
{
    alignas(8) uint8_t memory[MR_MESSAGE_HEADER + MR_PICK_WINDOW_BYTES];
    mr_pick pick = {7, {1, 2, 3, 4}}, back = {};
    mr_errbuf e = {};
    mr_message *m = mr__message_init(memory, sizeof memory, 0, 0, 7);
    ASSERT_EQ(mr__pick_write(m, &pick, &e), MR_OK) << e.text;
    mr__pick_read(m, &back);
    EXPECT_EQ(back.sample, 7u);
    EXPECT_EQ(back.window.x, 1);
    EXPECT_EQ(back.window.y, 2);
    EXPECT_EQ(back.window.w, 3);
    EXPECT_EQ(back.window.h, 4);
    m = mr__message_init(memory, sizeof memory - 8, 0, 0, 7);
    EXPECT_EQ(mr__pick_write(m, &pick, &e), MR_E_LIMIT);
    mr__pick_read(m, &back);
    EXPECT_EQ(back.window.w, 0) << "no entry: the whole image";
}

// A user's commander may write anything.
TEST(Pick, NumbersThatAreNoWindowLieInNoImage)
{
    const std::vector<std::vector<int64_t>> wrong = {
        {0, 0, 5},      {0, 0, 5, 5, 5},         {-1, 0, 5, 5}, {0, 0, 0, 5},
        {0, 0, 5, -5},  {0, 0, 1ll << 33, 5},    {},            {1ll << 40, 0, 5, 5},
    };
    for (const auto &numbers : wrong) {
        alignas(8) uint8_t memory[256];
        mr_message *m = mr__message_init(memory, sizeof memory, 0, 0, 7);
        ASSERT_EQ(mr_message_set_i64s(m, "window", numbers.data(), numbers.size()), MR_OK);
        mr_pick pick = {};
        mr__pick_read(m, &pick);
        EXPECT_LT(pick.window.w, 0);
    }
}
