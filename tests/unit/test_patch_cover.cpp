// SPDX-License-Identifier: Apache-2.0
//
// The minimum coverage of the sampler `patch`: counts are held to counting, and what the index
// helper finds out about real masks is held to them.
#include "png_testing.h"
#include "temp_tree.hpp"

#include <gtest/gtest.h>

extern "C" {
#include "base/config.h"
#include "loaders/sampler/patch.h"
}

#include <map>
#include <unistd.h>

namespace
{

// Blobs of label 1 to 3 on 0.
Picture make_mask(int w, int h, unsigned seed, int blobs = 5)
{
    Picture p{w, h, 1, Bytes(size_t(w) * h)};
    std::mt19937 rng(seed);
    for (int i = 0; i < blobs; i++) {
        int cx = int(rng() % unsigned(w)), cy = int(rng() % unsigned(h));
        int r = 3 + int(rng() % unsigned(w / 4 + 1)), label = 1 + int(rng() % 3);
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++)
                if ((x - cx) * (x - cx) + (y - cy) * (y - cy) < r * r)
                    p.pixels[size_t(y) * w + x] = uint8_t(label);
    }
    return p;
}

mr_view view_of(Picture &p)
{
    return {p.pixels.data(), p.w, p.h, 1, 8, p.w};
}

int64_t count(const Picture &p, const mr_rect &r)
{
    int64_t n = 0;
    for (int y = r.y; y < r.y + r.h; y++)
        for (int x = r.x; x < r.x + r.w; x++)
            n += p.pixels[size_t(y) * p.w + x] != 0;
    return n;
}

struct Buffer : mr_buf {
    Buffer() : mr_buf{}
    {
    }
    ~Buffer()
    {
        mr__buf_free(this);
    }
    const int32_t *numbers() const
    {
        return reinterpret_cast<const int32_t *>(data);
    }
};

} // namespace

TEST(PatchCover, WindowsOfAGridAreCountedExactly)
{
    std::mt19937 rng(7);
    int kept = 0, left = 0;
    for (int i = 0; i < 60; i++) {
        Picture mask = make_mask(20 + int(rng() % 90), 20 + int(rng() % 90), unsigned(i));
        mr_patch_grid g = {1 + int(rng() % 30), 1 + int(rng() % 30), 1 + int(rng() % 20),
                           1 + int(rng() % 20), rng() % 2 == 0};
        double share = double(rng() % 5) / 4;
        Buffer places;
        mr_view view = view_of(mask);
        ASSERT_TRUE(mr__patch_grid_covered(&g, &view, share, &places));
        std::vector<int32_t> want;
        for (uint64_t k = 0; k < mr__patch_grid_count(&g, mask.w, mask.h); k++) {
            mr_rect r = mr__patch_grid_window(&g, mask.w, mask.h, k);
            if (double(count(mask, r)) >= share * g.w * g.h)
                want.insert(want.end(), {r.x, r.y});
            else
                left++;
        }
        const int32_t *v = places.numbers();
        ASSERT_EQ(std::vector<int32_t>(v, v + places.n / 4), want) << i;
        kept += int(want.size());
    }
    EXPECT_GT(kept, 1000);
    EXPECT_GT(left, 1000);
}

TEST(PatchCover, CellsAreExactAtTheirCornersAndNearElsewhere)
{
    std::mt19937 rng(8);
    for (int i = 0; i < 30; i++) {
        Picture mask = make_mask(20 + int(rng() % 200), 20 + int(rng() % 200), unsigned(i));
        Buffer cells;
        mr_view view = view_of(mask);
        ASSERT_TRUE(mr__patch_cells(&view, &cells));
        for (int k = 0; k < 50; k++) {
            mr_rect r = random_rect(rng, mask.w, mask.h);
            int64_t real = count(mask, r);
            double cut = (2.0 * r.w + 2.0 * r.h) * MR_PATCH_CELL; // pixels of the cells cut
            EXPECT_NEAR(mr__patch_cells_count(cells.numbers(), &r), double(real), cut / 2);
            int32_t right = r.x + r.w, bottom = r.y + r.h;
            r.x = r.x / MR_PATCH_CELL * MR_PATCH_CELL;
            r.y = r.y / MR_PATCH_CELL * MR_PATCH_CELL;
            r.w = std::min((right + 15) / MR_PATCH_CELL * MR_PATCH_CELL, mask.w) - r.x;
            r.h = std::min((bottom + 15) / MR_PATCH_CELL * MR_PATCH_CELL, mask.h) - r.y;
            EXPECT_EQ(mr__patch_cells_count(cells.numbers(), &r), double(count(mask, r)));
        }
    }
}

// ---- masks in files, through the helper's part and the sampler ----

namespace
{

class Covered : public ::testing::Test
{
  protected:
    TempTree tree;
    std::vector<Picture> masks;
    mr_index index = {};
    mr_config *config = nullptr;
    const mr_sampler *s = nullptr;
    void *self = nullptr;
    mr_errbuf e = {};
    bool mask_column = true;

    void SetUp() override
    {
        for (unsigned i = 0; i < 6; i++)
            masks.push_back(make_mask(150 + int(i) * 17, 200 - int(i) * 13, i, i == 4 ? 0 : 4));
        for (size_t i = 0; i < masks.size(); i++) {
            Bytes file = encode_png(masks[i]);
            if (i != 5)
                tree.file(std::to_string(i), std::string(file.begin(), file.end()));
        }
        tree.file("5", "no mask");
    }
    ~Covered() override
    {
        if (self)
            s->close(self);
        mr__index_unmap(&index);
        mr__config_free(config);
    }
    // The helper's work on these masks, then open. The code of what failed.
    int open(const std::string &options, int threads = 3)
    {
        std::string text = "version: 1\nsource: {type: manifest, path: /}\n"
                           "sampler: {type: patch, " +
                           options + "}\n";
        int rc = mr__config_read(&config, "t.yaml", text.c_str(), nullptr, &e);
        if (rc < 0)
            return rc;
        s = static_cast<const mr_sampler *>(config->sampler.desc);
        const mr_sampler_build build = {&config->limits, threads};
        mr_index_builder *b;
        mr__index_builder_new(&b, &e);
        mr__index_set_root(b, tree.root.c_str(), &e);
        mr__index_add_column(b, mask_column ? "mask" : "image", MR_COL_PATH, MR_U8, 1, &e);
        for (size_t i = 0; i < masks.size(); i++) {
            std::string path = std::to_string(i);
            mr__index_add_path(b, 0, path.data(), path.size(), &e);
        }
        int fd = mr__index_memfd(&e);
        rc = s->index(config->sampler.params, &build, b, &e);
        if (rc >= 0) // asked twice, as for two parts of one data set
            rc = s->index(config->sampler.params, &build, b, &e);
        if (rc >= 0)
            rc = mr__index_finish(b, fd, &e);
        if (rc >= 0)
            rc = mr__index_map(&index, fd, &e);
        mr__index_builder_free(b);
        close(fd);
        mr_sampler_env env = {};
        env.index = &index;
        env.seed = 42;
        env.batch = 4;
        if (rc >= 0)
            env.samples = index.head->samples;
        return rc < 0 ? rc : s->open(config->sampler.params, &env, &self, &e);
    }
    mr_pick at(uint64_t epoch, uint64_t position)
    {
        mr_pick p = {};
        EXPECT_EQ(s->at(self, epoch, position, &p, &e), MR_OK);
        return p;
    }
    double share(const mr_pick &p)
    {
        EXPECT_TRUE(p.window.x >= 0 && p.window.x + p.window.w <= masks[p.sample].w);
        EXPECT_TRUE(p.window.y >= 0 && p.window.y + p.window.h <= masks[p.sample].h);
        return double(count(masks[p.sample], p.window)) / (double(p.window.w) * p.window.h);
    }
    std::string note()
    {
        char text[512] = "";
        s->note(self, text, sizeof text);
        return text;
    }
};

} // namespace

TEST_F(Covered, AGridHasTheWindowsWithTheCoverageAndNoOthers)
{
    ASSERT_EQ(open("size: 32, mode: grid, overlap: 8, min_coverage: 0.4"), MR_OK) << e.text;
    mr_patch_grid g = {32, 32, 24, 24, true};
    uint64_t due = 0, all = 0;
    for (size_t i = 0; i < 5; i++) {
        uint64_t n = mr__patch_grid_count(&g, masks[i].w, masks[i].h);
        for (uint64_t k = 0; k < n; k++) {
            mr_rect r = mr__patch_grid_window(&g, masks[i].w, masks[i].h, k);
            due += double(count(masks[i], r)) >= 0.4 * 32 * 32;
        }
        all += n;
    }
    ASSERT_GT(due, 20u);
    ASSERT_LT(due, all);
    ASSERT_EQ(s->length(self), due);
    std::map<std::vector<int64_t>, int> seen;
    for (uint64_t i = 0; i < due; i++) {
        mr_pick p = at(3, i);
        EXPECT_GE(share(p), 0.4);
        seen[{int64_t(p.sample), p.window.x, p.window.y}]++;
        mr_pick other = p;
        s->substitute(self, 3, i, 1, &other);
        EXPECT_GE(share(other), 0.4);
    }
    EXPECT_EQ(seen.size(), due) << "each once";
    EXPECT_NE(note().find("leaves out 2 of 6"), std::string::npos) << note();
    EXPECT_NE(note().find("2 have too little mask"), std::string::npos) << note();
}

TEST_F(Covered, AtRandomWindowsHaveItOrAreTheBestOfMany)
{
    ASSERT_EQ(open("size: 32, per_image: 400, min_coverage: 0.4"), MR_OK) << e.text;
    ASSERT_EQ(s->length(self), 4 * 400u);
    int good = 0;
    std::map<uint64_t, int> images;
    for (uint64_t i = 0; i < 1600; i++) {
        mr_pick p = at(0, i), again = at(0, i);
        EXPECT_EQ(p.window.x, again.window.x);
        good += share(p) >= 0.35; // cells that the edge cuts are estimated
        images[p.sample]++;
    }
    EXPECT_GT(good, 1590);
    EXPECT_EQ(images, (std::map<uint64_t, int>{{0, 400}, {1, 400}, {2, 400}, {3, 400}}));
    EXPECT_NE(note().find("1 have too little mask, 1 could not be read"), std::string::npos)
        << note();
}

TEST_F(Covered, WithoutTheCoverageMostWindowsLackIt) // else the tests above mean little
{
    ASSERT_EQ(open("size: 32, per_image: 400, min_coverage: 0.0001"), MR_OK) << e.text;
    int good = 0;
    for (uint64_t i = 0; i < 1600; i++)
        good += share(at(0, i)) >= 0.4;
    EXPECT_LT(good, 1200);
    EXPECT_GT(good, 100);
}

// The best of 32 draws is taken where nothing has it.
TEST_F(Covered, WhatCannotBeHadIsTheBestThatWasDrawn)
{
    ASSERT_EQ(open("size: 80, per_image: 50, min_coverage: 0.8"), MR_OK) << e.text;
    std::map<uint64_t, double> least;
    int lacking = 0;
    for (uint64_t i = 0; i < s->length(self); i++) {
        mr_pick p = at(1, i);
        double v = share(p);
        if (!least.count(p.sample) || v < least[p.sample])
            least[p.sample] = v;
    }
    for (auto &[sample, v] : least) {
        double most = 0;
        for (int y = 0; y + 80 <= masks[sample].h; y += 4)
            for (int x = 0; x + 80 <= masks[sample].w; x += 4)
                most = std::max(most, double(count(masks[sample], {x, y, 80, 80})) / 6400);
        EXPECT_GT(v, 0.4 * most) << sample;
        lacking += most < 0.8;
    }
    EXPECT_GE(lacking, 1);
}

TEST_F(Covered, ItDoesNotDependOnTheThreads)
{
    ASSERT_EQ(open("size: 32, mode: grid, min_coverage: 0.4", 1), MR_OK) << e.text;
    uint64_t hash = index.head->hash;
    s->close(self);
    mr__index_unmap(&index);
    mr__config_free(config);
    ASSERT_EQ(open("size: 32, mode: grid, min_coverage: 0.4", 16), MR_OK) << e.text;
    EXPECT_EQ(index.head->hash, hash);
}

TEST_F(Covered, MasksMustBeThereAndCoverSomething)
{
    mask_column = false;
    EXPECT_EQ(open("size: 32, min_coverage: 0.4"), MR_E_CONFIG);
    EXPECT_NE(std::string(e.text).find("'sampler.min_coverage'"), std::string::npos) << e.text;
    EXPECT_NE(std::string(e.text).find("'mask'"), std::string::npos) << e.text;
}

TEST_F(Covered, NoneWithEnoughIsAnError)
{
    EXPECT_EQ(open("size: [130, 150], mode: grid, min_coverage: 1"), MR_E_CONFIG);
    for (const char *word : {"150 x 130", "of 6 images", "'sampler.min_coverage'"})
        EXPECT_NE(std::string(e.text).find(word), std::string::npos) << e.text;
}
