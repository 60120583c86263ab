// SPDX-License-Identifier: Apache-2.0
//
// The sampler `patch`: which windows there are, how often each comes, and that all of it follows
// from (seed, epoch, position).
#include "sampler_testing.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace
{

using Sizes = std::vector<std::vector<double>>; // widths, heights

struct Place {
    uint64_t sample;
    int32_t x, y, w, h;
    bool operator<(const Place &o) const
    {
        return std::tie(sample, y, x, w, h) < std::tie(o.sample, o.y, o.x, o.w, o.h);
    }
    bool operator==(const Place &o) const
    {
        return !(*this < o) && !(o < *this);
    }
};

Place place(const mr_pick &p)
{
    return {p.sample, p.window.x, p.window.y, p.window.w, p.window.h};
}

struct Patch {
    NumberIndex numbers;
    ConfiguredSampler s;
    int rc;
    std::string error;

    Patch(const std::string &options, const Sizes &sizes, uint64_t seed = 42, uint64_t first = 0,
          uint64_t samples = 0, const std::string &prefix = "image_")
        : numbers(sizes[0].size(), {{prefix + "width", sizes[0]}, {prefix + "height", sizes[1]}}),
          s("type: patch, " + options, numbers.index, over(seed, first, samples)), rc(s.rc),
          error(s.e.text)
    {
    }
    static ConfiguredSampler::Over over(uint64_t seed, uint64_t first, uint64_t samples)
    {
        ConfiguredSampler::Over o;
        o.seed = seed;
        o.first = first;
        o.samples = samples;
        return o;
    }
    uint64_t length()
    {
        return s.length();
    }
    Place at(uint64_t epoch, uint64_t position)
    {
        return place(s.pick(epoch, position));
    }
    Place substitute(uint64_t epoch, uint64_t position, uint32_t attempt)
    {
        mr_pick p = s.pick(epoch, position);
        s.desc->substitute(s.self, epoch, position, attempt, &p);
        return place(p);
    }
    std::string note()
    {
        char text[512] = "";
        s.desc->note(s.self, text, sizeof text);
        return text;
    }
};

std::vector<Place> epoch_of(Patch &s, uint64_t epoch)
{
    std::vector<Place> all;
    for (uint64_t i = 0; i < s.length(); i++)
        all.push_back(s.at(epoch, i));
    return all;
}

// How often each pixel of each image is shown by these windows.
std::vector<std::vector<int>> shown(const std::vector<Place> &places, const Sizes &sizes)
{
    std::vector<std::vector<int>> counts;
    for (size_t i = 0; i < sizes[0].size(); i++)
        counts.emplace_back(size_t(sizes[0][i]) * size_t(sizes[1][i]));
    for (const Place &p : places)
        for (int y = p.y; y < p.y + p.h; y++)
            for (int x = p.x; x < p.x + p.w; x++)
                counts.at(p.sample).at(size_t(y) * size_t(sizes[0][p.sample]) + size_t(x))++;
    return counts;
}

int most(const std::vector<int> &v)
{
    return *std::max_element(v.begin(), v.end());
}
int least(const std::vector<int> &v)
{
    return *std::min_element(v.begin(), v.end());
}

} // namespace

TEST(Patch, AGridShowsEveryPixelOnce)
{
    const Sizes sizes = {{12, 20, 4}, {15, 5, 5}};
    Patch s("size: [5, 4], mode: grid", sizes);
    ASSERT_EQ(s.rc, MR_OK) << s.error;
    EXPECT_EQ(s.length(), 9u + 5 + 1);
    for (uint64_t epoch : {0u, 1u, 1000u})
        for (const auto &image : shown(epoch_of(s, epoch), sizes))
            EXPECT_EQ(image, std::vector<int>(image.size(), 1));
    EXPECT_NE(epoch_of(s, 0), epoch_of(s, 1));
    EXPECT_EQ(s.note(), "");
}

TEST(Patch, InOrderItIsImageAfterImageAndRowByRow)
{
    Patch s("size: 4, mode: grid, shuffle: false", {{8, 4}, {8, 12}});
    EXPECT_EQ(epoch_of(s, 3),
              (std::vector<Place>{{0, 0, 0, 4, 4}, {0, 4, 0, 4, 4}, {0, 0, 4, 4, 4},
                                  {0, 4, 4, 4, 4}, {1, 0, 0, 4, 4}, {1, 0, 4, 4, 4},
                                  {1, 0, 8, 4, 4}}));
}

TEST(Patch, AtTheEdgeTheLastWindowIsShiftedOrLeftOut)
{
    const Sizes sizes = {{11, 4}, {9, 6}};
    Patch shift("size: 4, mode: grid, shuffle: false", sizes);
    auto all = epoch_of(shift, 0);
    EXPECT_EQ(all.size(), 9u + 2);
    EXPECT_EQ(all[2], (Place{0, 7, 0, 4, 4}));
    EXPECT_EQ(all[8], (Place{0, 7, 5, 4, 4}));
    for (const auto &image : shown(all, sizes))
        EXPECT_GE(least(image), 1);
    Patch drop("size: 4, mode: grid, edge: drop, shuffle: false", sizes);
    all = epoch_of(drop, 0);
    EXPECT_EQ(all.size(), 4u + 1);
    for (const auto &image : shown(all, sizes))
        EXPECT_LE(most(image), 1);
}

TEST(Patch, OverlapAndStrideSayTheSame)
{
    const Sizes sizes = {{16}, {10}};
    Patch overlap("size: 4, mode: grid, overlap: 1", sizes);
    Patch stride("size: 4, mode: grid, stride: 3", sizes);
    Patch both("size: 4, mode: grid, stride: [2, 3]", sizes);
    ASSERT_EQ(overlap.rc, MR_OK) << overlap.error;
    EXPECT_EQ(epoch_of(overlap, 5), epoch_of(stride, 5));
    EXPECT_EQ(overlap.length(), 5u * 3);
    EXPECT_EQ(both.length(), 5u * 4);
    Patch gaps("size: 4, mode: grid, stride: 6, edge: drop", sizes);
    EXPECT_EQ(gaps.length(), 3u * 2);
}

TEST(Patch, AtRandomEveryImageGivesAsMany)
{
    const Sizes sizes = {{40, 9, 8, 100}, {30, 9, 20, 8}};
    Patch s("size: 8, per_image: 50", sizes);
    ASSERT_EQ(s.rc, MR_OK) << s.error;
    EXPECT_EQ(s.length(), 200u);
    auto first = epoch_of(s, 0), second = epoch_of(s, 1);
    std::map<uint64_t, int> count;
    for (const Place &p : first) {
        count[p.sample]++;
        ASSERT_TRUE(p.x >= 0 && p.x + 8 <= sizes[0][p.sample] && p.w == 8);
        ASSERT_TRUE(p.y >= 0 && p.y + 8 <= sizes[1][p.sample] && p.h == 8);
    }
    EXPECT_EQ(count, (std::map<uint64_t, int>{{0, 50}, {1, 50}, {2, 50}, {3, 50}}));
    EXPECT_NE(first, second);
    EXPECT_FALSE(std::is_sorted(first.begin(), first.end()));
    Patch ordered("size: 8, per_image: 50, shuffle: false", sizes);
    for (uint64_t i = 0; i < 200; i++)
        EXPECT_EQ(ordered.at(0, i).sample, i / 50);
}

// Chi-square of the windows of one image; 0.999 quantile.
TEST(Patch, AtRandomEveryWindowIsAsLikely)
{
    Patch s("size: [2, 3], per_image: 40000", {{8}, {6}}); // 6 x 5 windows
    std::map<Place, int> count;
    for (const Place &p : epoch_of(s, 0))
        count[p]++;
    ASSERT_EQ(count.size(), 30u);
    double chi = 0, due = 40000.0 / 30;
    for (auto &[p, n] : count)
        chi += (n - due) * (n - due) / due;
    EXPECT_LT(chi, 58.3) << "29 degrees of freedom";
}

TEST(Patch, ByAreaAnImageGivesWhatItHas)
{
    Patch s("size: 2, per_image: 20000, weight: area", {{3, 11, 2}, {3, 7, 1}}); // 4, 60, 0 windows
    ASSERT_EQ(s.rc, MR_OK) << s.error;
    ASSERT_EQ(s.length(), 40000u);
    int first = 0;
    for (const Place &p : epoch_of(s, 2))
        first += p.sample == 0;
    EXPECT_NEAR(first, 2500, 5 * std::sqrt(40000 * 0.0625 * 0.9375));
}

TEST(Patch, EverythingFollowsFromSeedEpochAndPosition)
{
    const Sizes sizes = {{40, 9, 8, 100}, {30, 9, 20, 8}};
    for (const char *options : {"size: 8, mode: grid", "size: 8, per_image: 9",
                                "size: 8, per_image: 9, weight: area"}) {
        Patch a(options, sizes), b(options, sizes), other(options, sizes, 43);
        auto whole = epoch_of(a, 7);
        for (uint64_t i = whole.size(); i-- > 0;) { // backwards, other epochs between
            b.at(i % 3, i / 2);
            EXPECT_EQ(b.at(7, i), whole[i]);
            EXPECT_EQ(a.substitute(7, i, 1), b.substitute(7, i, 1));
        }
        EXPECT_NE(epoch_of(other, 7), whole) << options;
    }
}

// Golden: saved states depend on it.
TEST(Patch, TheOrderIsFrozen)
{
    Patch grid("size: 4, mode: grid", {{8, 4}, {8, 12}});
    std::string text;
    for (const Place &p : epoch_of(grid, 1))
        text += std::to_string(p.sample) + ":" + std::to_string(p.x) + "," + std::to_string(p.y) +
                " ";
    EXPECT_EQ(text, "0:4,0 1:0,4 0:4,4 1:0,0 0:0,4 1:0,8 0:0,0 ");
    text.clear();
    Patch random("size: 4, per_image: 3", {{80, 40}, {80, 120}});
    for (const Place &p : epoch_of(random, 1))
        text += std::to_string(p.sample) + ":" + std::to_string(p.x) + "," + std::to_string(p.y) +
                " ";
    EXPECT_EQ(text, "0:45,22 1:8,85 1:24,27 1:30,34 0:60,31 0:35,73 ");
}

TEST(Patch, SubstitutesAreAnyWindowAndDifferByAttempt)
{
    Patch s("size: 2, mode: grid", {{4, 8, 1}, {4, 6, 1}}); // 4, 12 and no windows
    std::map<Place, int> count;
    int repeats = 0;
    for (uint64_t i = 0; i < 16000; i++) {
        Place one = s.substitute(i, i % 16, 1);
        count[one]++;
        repeats += one == s.substitute(i, i % 16, 2);
    }
    EXPECT_EQ(count.size(), 16u);
    for (auto &[p, n] : count)
        EXPECT_NEAR(n, 1000, 5 * std::sqrt(1000.0));
    EXPECT_NEAR(repeats, 1000, 5 * std::sqrt(1000.0));
}

TEST(Patch, APartOfTheIndexIsTakenForTheWhole)
{
    const Sizes sizes = {{4, 8, 12}, {4, 6, 4}}, rest = {{8, 12}, {6, 4}};
    for (const char *options : {"size: 2, mode: grid", "size: 2, per_image: 5"}) {
        Patch part(options, sizes, 42, 1, 2), whole(options, rest);
        auto expected = epoch_of(whole, 1);
        for (Place &p : expected)
            p.sample++;
        EXPECT_EQ(epoch_of(part, 1), expected);
    }
}

TEST(Patch, ImagesWithoutRoomAreLeftOutAndToldOf)
{
    Patch s("size: 8, mode: grid", {{7, 8, 0, 9, 100}, {20, 8, 0, 7, 8}});
    ASSERT_EQ(s.rc, MR_OK) << s.error;
    EXPECT_EQ(s.length(), 1u + 13);
    EXPECT_NE(s.note().find("leaves out 3 of 5"), std::string::npos) << s.note();
    EXPECT_NE(s.note().find("2 are smaller"), std::string::npos) << s.note();
    EXPECT_NE(s.note().find("1 could not be read"), std::string::npos) << s.note();
    Patch none("size: [80, 90]", {{7, 8, 0}, {20, 30, 0}});
    EXPECT_EQ(none.rc, MR_E_CONFIG);
    for (const char *word : {"90 x 80", "of 3", "8 x 30", "sampler.size"})
        EXPECT_NE(none.error.find(word), std::string::npos) << none.error;
    Patch unread("size: 8", {{0, 0}, {0, 0}});
    EXPECT_EQ(unread.rc, MR_E_DATA) << unread.error;
}

TEST(Patch, TheSourceMaySayTheSizes)
{
    Patch s("size: 2, mode: grid", {{4, -4, 8}, {4, 8, 2}}, 42, 0, 0, "");
    ASSERT_EQ(s.rc, MR_OK) << s.error;
    EXPECT_EQ(s.length(), 4u + 4);
    EXPECT_NE(s.note().find("1 could not be read"), std::string::npos) << s.note();
    Patch nothing("size: 2", {{4}, {4}}, 42, 0, 0, "other_");
    EXPECT_EQ(nothing.rc, MR_E_CONFIG);
}

TEST(Patch, OptionsThatContradictAreRefused)
{
    const std::pair<const char *, const char *> wrong[] = {
        {"mode: grid", "size"},
        {"size: 0", "size"},
        {"size: 8, mode: grid, stride: 4, overlap: 4", "'stride' and 'overlap'"},
        {"size: [8, 4], mode: grid, overlap: 4", "'overlap' of 4"},
        {"size: 8, stride: 4", "'stride' means nothing with 'mode: random'"},
        {"size: 8, edge: drop", "'edge'"},
        {"size: 8, mode: grid, per_image: 3", "'per_image' means nothing with 'mode: grid'"},
        {"size: 8, mode: grid, weight: area", "'weight'"},
        {"size: 8, mode: gird", "grid"},
    };
    for (auto &[options, word] : wrong) {
        Patch s(options, {{8}, {8}});
        EXPECT_EQ(s.rc, MR_E_CONFIG) << options;
        EXPECT_NE(s.error.find(word), std::string::npos) << s.error;
        EXPECT_EQ(s.error.rfind("t.yaml:3:", 0), 0u) << s.error;
    }
}
