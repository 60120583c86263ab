// SPDX-License-Identifier: Apache-2.0
//
// mr_pack() and mr_unpack() as a C program calls them; tests/cli/pack_test.py has the rest.
#include "millrace/millrace.h"
#include "millrace/pack.h"

#include "temp_tree.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

namespace
{

const char kConfig[] = "version: 1\nsource: {type: synthetic, samples: 200, size: [40, 30]}\n";

struct Heard {
    std::vector<mr_pack_progress> steps;
    uint64_t stop_at = ~0ul;
    static int step(void *user, const mr_pack_progress *p)
    {
        Heard *h = static_cast<Heard *>(user);
        h->steps.push_back(*p);
        return p->done >= h->stop_at;
    }
};

mr_pack_options options(Heard *heard, const char *config = kConfig)
{
    mr_pack_options o = {};
    o.size = sizeof o;
    o.config_text = config;
    o.shard_bytes = 60000;
    o.progress = Heard::step;
    o.user = heard;
    return o;
}

TEST(PackCall, tells_how_far_it_is)
{
    TempTree tree;
    Heard heard;
    mr_pack_options o = options(&heard);
    mr_pack_progress result = {};
    std::string out = tree.path("out");
    ASSERT_EQ(mr_pack(nullptr, out.c_str(), &o, &result), MR_OK) << mr_error(nullptr);
    EXPECT_EQ(result.samples, 200u);
    EXPECT_EQ(result.done, 200u);
    EXPECT_GT(result.shards, 2u);
    ASSERT_GE(heard.steps.size(), result.shards);
    for (size_t i = 1; i < heard.steps.size(); i++)
        EXPECT_GE(heard.steps[i].done, heard.steps[i - 1].done);
    EXPECT_EQ(memcmp(&heard.steps.back(), &result, sizeof result), 0);
}

TEST(PackCall, is_ended_by_its_caller_and_goes_on)
{
    TempTree tree;
    Heard heard;
    heard.stop_at = 150;
    mr_pack_options o = options(&heard);
    mr_pack_progress result = {};
    std::string out = tree.path("out");
    ASSERT_EQ(mr_pack(nullptr, out.c_str(), &o, &result), MR_E_CLOSED);
    EXPECT_TRUE(strstr(mr_error(nullptr), "ended by the caller")) << mr_error(nullptr);
    EXPECT_LT(result.done, 200u);
    for (auto &f : std::filesystem::directory_iterator(out))
        EXPECT_NE(f.path().extension(), ".part");
    heard.stop_at = ~0ul;
    ASSERT_EQ(mr_pack(nullptr, out.c_str(), &o, &result), MR_OK) << mr_error(nullptr);
    EXPECT_EQ(result.done, 200u);
    EXPECT_GT(result.kept, 0u);
}

TEST(PackCall, refuses)
{
    TempTree tree;
    Heard heard;
    std::string out = tree.path("out");
    mr_pack_options o = options(&heard);
    o.size--;
    EXPECT_EQ(mr_pack(nullptr, out.c_str(), &o, nullptr), MR_E_USAGE);
    EXPECT_TRUE(strstr(mr_error(nullptr), "sizeof")) << mr_error(nullptr);
    EXPECT_EQ(mr_pack(nullptr, out.c_str(), nullptr, nullptr), MR_E_USAGE);
    o = options(&heard);
    EXPECT_EQ(mr_pack(nullptr, nullptr, &o, nullptr), MR_E_USAGE);
    o.threads = -1;
    EXPECT_EQ(mr_pack(nullptr, out.c_str(), &o, nullptr), MR_E_USAGE);
    o = options(&heard, "version: 1\nsource: {type: foldr}\n");
    EXPECT_EQ(mr_pack(nullptr, out.c_str(), &o, nullptr), MR_E_CONFIG);
    EXPECT_EQ(mr_unpack(nullptr, out.c_str(), &o, nullptr), MR_E_CONFIG);
    EXPECT_FALSE(std::filesystem::exists(out));
}

} // namespace
