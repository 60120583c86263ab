// SPDX-License-Identifier: Apache-2.0
//
// Chains of geometry ops, folded into as few stages as the rules allow, against the same ops done
// one by one through real images: the same pixels, every one.
#include <gtest/gtest.h>

extern "C" {
#include "augment/geometry.h"
#include "augment/kernel/resample.h"
}

#include <memory>
#include <random>
#include <string>
#include <vector>

namespace
{

struct Image {
    int w = 0, h = 0, c = 3;
    std::vector<uint8_t> px;

    Image(int width, int height, int channels)
        : w(width), h(height), c(channels), px(static_cast<size_t>(width) * height * channels + 64)
    {
    }
    mr_view view()
    {
        return {px.data(), w, h, c, 8, static_cast<int64_t>(w) * c};
    }
    // The largest difference, 256 for images of another shape.
    int distance(const Image &o) const
    {
        int most = 0;
        if (w != o.w || h != o.h || c != o.c)
            return 256;
        for (size_t i = 0; i < px.size(); i++)
            most = std::max(most, std::abs(px[i] - o.px[i]));
        return most;
    }
};

struct Op {
    enum Kind { Crop, Resize, Hflip, Vflip, Pad } kind;
    mr_rect rect;
    mr_filter filter;
    mr_border border;

    void apply(mr_geometry *g) const
    {
        switch (kind) {
        case Crop:
            mr__geometry_crop(g, &rect);
            break;
        case Resize:
            mr__geometry_resize(g, rect.w, rect.h, filter, true);
            break;
        case Hflip:
            mr__geometry_hflip(g);
            break;
        case Vflip:
            mr__geometry_vflip(g);
            break;
        case Pad:
            mr__geometry_pad(g, &border);
            break;
        }
    }
    std::string text() const
    {
        static const char *names[] = {"crop", "resize", "hflip", "vflip", "pad"};
        return std::string(names[kind]) + "(" + std::to_string(rect.x) + "," +
               std::to_string(rect.y) + "," + std::to_string(rect.w) + "," +
               std::to_string(rect.h) + " f" + std::to_string(filter) + ") ";
    }
};

class Geometry : public ::testing::Test
{
  protected:
    mr_resampler *resampler = nullptr;
    std::mt19937 rng{7};

    void SetUp() override
    {
        mr_errbuf e = {};
        ASSERT_EQ(mr__resampler_new(&resampler, &e), MR_OK) << e.text;
    }
    void TearDown() override
    {
        mr__resampler_free(resampler);
    }
    int below(int n)
    {
        return std::uniform_int_distribution<int>(0, n - 1)(rng);
    }
    Image noise(int w, int h, int c)
    {
        Image image(w, h, c);
        for (size_t i = 0; i < static_cast<size_t>(w) * h * c; i++)
            image.px[i] = static_cast<uint8_t>(rng());
        return image;
    }
    Image run(Image &in, const mr_geometry &g)
    {
        Image out(g.out_w, g.out_h, in.c);
        mr_view src = in.view(), dst = out.view();
        mr_rect all = {0, 0, in.w, in.h};
        mr_errbuf e = {};
        EXPECT_EQ(mr__resample_image(resampler, &src, &all, &g, &dst, &e), MR_OK) << e.text;
        return out;
    }
    // A crop that may hang over any side, and now and then lies wholly outside.
    Op random_op(int w, int h)
    {
        Op op = {};
        op.kind = static_cast<Op::Kind>(below(5));
        op.filter = static_cast<mr_filter>(below(6));
        op.rect = {below(w + 12) - 6, below(h + 12) - 6, 1 + below(w + 6), 1 + below(h + 6)};
        if (op.kind == Op::Resize)
            op.rect = {0, 0, 1 + below(2 * w), 1 + below(2 * h)};
        if (op.kind == Op::Crop && below(2) == 0)
            op.rect = {below(w), below(h), 1, 1};
        if (op.kind == Op::Crop && op.rect.w == 1)
            op.rect = {op.rect.x, op.rect.y, 1 + below(std::max(1, w - std::max(op.rect.x, 0))),
                       1 + below(std::max(1, h - std::max(op.rect.y, 0)))};
        double fill = below(3) * 100;
        op.border = {below(4), below(4), below(4), below(4), {fill, 7, fill, 9}, 5};
        return op;
    }
};

TEST_F(Geometry, FoldedChainsGiveThePixelsOfOpAfterOp)
{
    int folded = 0, closed = 0;
    for (int trial = 0; trial < 3000; trial++) {
        int channels[] = {1, 3, 4};
        Image start = noise(1 + below(24), 1 + below(24), channels[below(3)]);
        Image each = start, stages = start;
        mr_geometry g;
        std::string chain = std::to_string(start.w) + "x" + std::to_string(start.h) + ": ";
        mr__geometry_begin(&g, start.w, start.h);
        for (int i = 1 + below(5); i > 0; i--) {
            Op op = random_op(each.w, each.h);
            chain += op.text();
            mr_geometry one;
            mr__geometry_begin(&one, each.w, each.h);
            op.apply(&one);
            ASSERT_FALSE(one.closed) << chain << ": nothing is closed on a fresh stage";
            each = run(each, one);

            mr_geometry before = g;
            op.apply(&g);
            if (g.closed) {
                stages = run(stages, before);
                mr__geometry_begin(&g, stages.w, stages.h);
                op.apply(&g);
                closed++;
            } else {
                folded++;
            }
            ASSERT_EQ(g.out_w, each.w) << chain;
            ASSERT_EQ(g.out_h, each.h) << chain;
        }
        stages = run(stages, g);
        ASSERT_EQ(stages.distance(each), 0) << chain;
    }
    EXPECT_GT(folded, closed); // the rules do fold
    EXPECT_GT(closed, 100);
}

TEST_F(Geometry, TheUsualTrainingChainIsOneStage)
{
    mr_geometry g;
    mr_rect crop = {31, 17, 300, 200};
    mr__geometry_begin(&g, 640, 480);
    mr__geometry_crop(&g, &crop);
    mr__geometry_resize(&g, 224, 224, MR_BILINEAR, true);
    mr__geometry_hflip(&g);
    EXPECT_FALSE(g.closed);
    EXPECT_EQ(g.box.x, 31);
    EXPECT_EQ(g.box.w, 300);
    EXPECT_TRUE(g.resized && g.hflip);
    EXPECT_EQ(g.out_w, 224);
}

TEST_F(Geometry, TheUsualValidationChainIsOneStage)
{
    mr_geometry g;
    mr_rect crop = {58, 16, 224, 224};
    mr__geometry_begin(&g, 640, 480);
    mr__geometry_resize(&g, 341, 256, MR_BILINEAR, true);
    mr__geometry_crop(&g, &crop);
    EXPECT_FALSE(g.closed);
    EXPECT_EQ(g.box.w, 640);
    EXPECT_EQ(g.rw, 341);
    EXPECT_EQ(g.win.x, 58);
    EXPECT_EQ(g.win.w, 224);
}

TEST_F(Geometry, SameSizeIsNoResampling)
{
    mr_geometry g;
    mr__geometry_begin(&g, 20, 10);
    mr__geometry_resize(&g, 20, 10, MR_LANCZOS, true);
    EXPECT_TRUE(mr__geometry_is_identity(&g));
    mr__geometry_hflip(&g);
    EXPECT_FALSE(mr__geometry_is_identity(&g));
}

TEST_F(Geometry, ACropInTheBorderAloneReadsNothing)
{
    mr_geometry g;
    mr_border border = {10, 10, 10, 10, {9, 9, 9, 9}, 0};
    mr_rect corner = {0, 0, 5, 5};
    mr__geometry_begin(&g, 8, 8);
    mr__geometry_pad(&g, &border);
    mr__geometry_crop(&g, &corner);
    ASSERT_FALSE(g.closed);
    EXPECT_EQ(mr__resample_needs(&g).w, 0);
    Image in = noise(8, 8, 1);
    Image out = run(in, g);
    for (int i = 0; i < 25; i++)
        EXPECT_EQ(out.px[static_cast<size_t>(i)], 9);
}

// What a box frames has to be what it framed before: boxes are drawn as filled rectangles into an
// image, the image goes through the stage by nearest neighbour, and where the rectangle then is,
// the box has to be.
TEST_F(Geometry, BoxesFollowThePixels)
{
    for (int trial = 0; trial < 500; trial++) {
        Image image(40, 40, 1);
        int x0 = below(39), y0 = below(39), x1 = x0 + 1 + below(40 - x0),
            y1 = y0 + 1 + below(40 - y0);
        for (int y = y0; y < std::min(y1, 40); y++)
            for (int x = x0; x < std::min(x1, 40); x++)
                image.px[static_cast<size_t>(y * 40 + x)] = 255;
        mr_geometry g;
        mr_rect crop = {below(30) - 5, below(30) - 5, 20, 20};
        mr_border border = {3, 1, 2, 4, {0, 0, 0, 0}, 0};
        mr__geometry_begin(&g, 40, 40);
        if (below(2))
            mr__geometry_hflip(&g);
        mr__geometry_crop(&g, &crop);
        if (below(2) && crop.x >= 0 && crop.y >= 0 && crop.x + 20 <= 40 && crop.y + 20 <= 40 &&
            !g.hflip)
            mr__geometry_resize(&g, 60, 40, MR_NEAREST,
                                true); // whole factors: edges stay on pixels
        if (below(2))
            mr__geometry_vflip(&g);
        mr__geometry_pad(&g, &border);
        ASSERT_FALSE(g.closed);
        Image out = run(image, g);
        float box[4] = {float(x0), float(y0), float(std::min(x1, 40)), float(std::min(y1, 40))};
        uint32_t left = mr__geometry_boxes(&g, box, 1);
        int a = out.w, b = out.h, c = 0, d = 0;
        for (int y = 0; y < out.h; y++)
            for (int x = 0; x < out.w; x++)
                if (out.px[static_cast<size_t>(y * out.w + x)]) {
                    a = std::min(a, x), b = std::min(b, y), c = std::max(c, x + 1),
                    d = std::max(d, y + 1);
                }
        ASSERT_EQ(left, c > a ? 1u : 0u);
        if (!left)
            continue;
        EXPECT_FLOAT_EQ(box[0], static_cast<float>(a));
        EXPECT_FLOAT_EQ(box[1], static_cast<float>(b));
        EXPECT_FLOAT_EQ(box[2], static_cast<float>(c));
        EXPECT_FLOAT_EQ(box[3], static_cast<float>(d));
    }
}

TEST_F(Geometry, EmptyAndUnorderedBoxesAreDropped)
{
    mr_geometry g;
    mr__geometry_begin(&g, 10, 10);
    float nan = std::nanf("");
    float boxes[] = {1,       1,  1, 5, /**/ 5, 5, 2,  8, /**/ nan, 0, 4, 4, /**/ 2, 3, 50, 60,
                     /**/ -9, -9, 0, 5, /**/ 0, 0, 10, 10};
    EXPECT_EQ(mr__geometry_boxes(&g, boxes, 6), 2u);
    float want[] = {2, 3, 10, 10, 0, 0, 10, 10};
    for (int i = 0; i < 8; i++)
        EXPECT_EQ(boxes[i], want[i]);
}

} // namespace
