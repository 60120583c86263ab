// SPDX-License-Identifier: Apache-2.0
//
// The table of verdicts: three parts, one question.
#include <gtest/gtest.h>

extern "C" {
#include "shm/verdict.h"
}

#include <string>
#include <vector>

class Verdicts : public ::testing::Test
{
  protected:
    mr_arena a = {};

    void SetUp() override
    {
        mr_arena_spec spec = {};
        spec.slots = spec.rows = spec.tasks = spec.producers = 1;
        spec.slot_data_bytes = 4096;
        spec.message_bytes = 64;
        spec.listed_max = 50;
        mr_errbuf e;
        ASSERT_EQ(mr__arena_create(&a, &spec, &e), MR_OK) << e.text;
    }
    void TearDown() override
    {
        mr__arena_unmap(&a);
    }
    static mr_verdict at(uint64_t epoch, uint64_t position, uint32_t attempt, uint64_t sample)
    {
        mr_verdict v = {};
        v.epoch = epoch;
        v.position = position;
        v.attempt = attempt;
        v.sample = sample;
        v.reason = MR_E_CRASHED;
        v.cause = MR_CAUSE_SIGNAL;
        v.detail = 11;
        return v;
    }
    bool bad(uint64_t epoch, uint64_t position, uint32_t attempt, uint64_t sample)
    {
        return mr__verdict_find(&a, epoch, position, attempt, sample, nullptr);
    }
};

TEST_F(Verdicts, AnEmptyTableSaysNothing)
{
    EXPECT_FALSE(bad(0, 0, 0, 0));
    EXPECT_FALSE(bad(0, MR_ANYWHERE, 0, 0));
    mr__verdict_list(&a, nullptr, 0);
    EXPECT_FALSE(bad(0, 0, 0, 0));
}

TEST_F(Verdicts, WhatWasMetHoldsAtItsPlaceForItsSampleOnly)
{
    mr_verdict v = at(1, 2, 3, 4), found = {};
    EXPECT_EQ(mr__verdict_add(&a, &v), 1);
    EXPECT_EQ(mr__verdict_add(&a, &v), 0) << "the warden may repeat a step";
    ASSERT_TRUE(mr__verdict_find(&a, 1, 2, 3, 4, &found));
    EXPECT_EQ(found.reason, MR_E_CRASHED);
    EXPECT_EQ(found.detail, 11u);
    EXPECT_FALSE(bad(0, 2, 3, 4));
    EXPECT_FALSE(bad(1, 0, 3, 4));
    EXPECT_FALSE(bad(1, 2, 0, 4));
    EXPECT_FALSE(bad(1, 2, 3, 5)) << "another data set, or another seed";
}

TEST_F(Verdicts, APartThatIsFullRefusesAndKeepsWhatItHas)
{
    for (uint32_t i = 0; i < MR_VERDICTS_MAX; i++) {
        mr_verdict v = at(0, i, 0, i);
        ASSERT_EQ(mr__verdict_give(&a, &v), 1) << i;
    }
    mr_verdict more = at(9, 9, 9, 9);
    EXPECT_EQ(mr__verdict_give(&a, &more), MR_E_LIMIT);
    EXPECT_FALSE(bad(9, 9, 9, 9));
    EXPECT_EQ(mr__verdict_add(&a, &more), 1) << "the other part has room";
    EXPECT_TRUE(bad(9, 9, 9, 9));
    EXPECT_TRUE(bad(0, MR_VERDICTS_MAX - 1, 0, MR_VERDICTS_MAX - 1));
}

TEST_F(Verdicts, TheListHoldsPlacesAndSamples)
{
    std::vector<mr_verdict> list;
    for (uint64_t i = 0; i < 20; i++)
        list.push_back(at(i * 7 % 5, i * 13 % 20, 0, i));
    for (uint64_t i = 100; i > 80; i--) {
        list.push_back(at(3, MR_ANYWHERE, 2, i));
    }
    std::vector<mr_verdict> given = list;
    mr__verdict_list(&a, given.data(), (uint32_t)given.size());
    uint32_t n = 0;
    mr__verdicts(&a, MR_VERDICTS_LISTED, &n);
    EXPECT_EQ(n, 40u);
    for (uint64_t i = 0; i < 20; i++) {
        EXPECT_TRUE(bad(i * 7 % 5, i * 13 % 20, 0, i)) << i;
        EXPECT_FALSE(bad(i * 7 % 5, i * 13 % 20, 0, i + 1)) << i;
        EXPECT_FALSE(bad(77, i, 0, i)) << i;
    }
    for (uint64_t i = 100; i > 80; i--)
        EXPECT_TRUE(bad(i, i * 1000, (uint32_t)i, i)) << i;
    EXPECT_FALSE(bad(0, 0, 0, 80));
    EXPECT_FALSE(bad(0, 0, 0, 101));
}

TEST_F(Verdicts, MoreThanThereIsRoomForIsCut)
{
    std::vector<mr_verdict> list;
    for (uint64_t i = 0; i < 60; i++)
        list.push_back(at(0, i, 0, i));
    mr__verdict_list(&a, list.data(), 60);
    uint32_t n = 0;
    mr__verdicts(&a, MR_VERDICTS_LISTED, &n);
    EXPECT_EQ(n, 50u);
}

TEST_F(Verdicts, AScribbledCountIsNotBelieved)
{
    mr_verdict v = at(1, 2, 3, 4);
    mr__verdict_add(&a, &v);
    for (int part = 0; part < MR_VERDICT_PARTS; part++)
        a.control->verdicts[part] = 0xffffffff;
    uint32_t n;
    for (int part = 0; part < MR_VERDICT_PARTS; part++) {
        mr__verdicts(&a, (mr_verdict_part)part, &n);
        EXPECT_LE(n, (uint32_t)MR_VERDICTS_MAX);
    }
    EXPECT_TRUE(bad(1, 2, 3, 4));
}

TEST_F(Verdicts, EveryCauseHasANameAndASentence)
{
    char text[MR_VERDICT_TEXT];
    mr_verdict v = at(0, 0, 0, 0);
    for (uint32_t cause = 0; cause < MR_CAUSES; cause++) {
        v.cause = cause;
        EXPECT_EQ(mr__cause_of(mr__cause_name(cause)), (int)cause);
        EXPECT_GT(std::string(mr__verdict_describe(&v, text, sizeof text)).size(), 10u);
    }
    v.cause = MR_CAUSE_SIGNAL;
    EXPECT_NE(std::string(mr__verdict_describe(&v, text, sizeof text)).find("SIGSEGV"),
              std::string::npos);
    v.cause = MR_CAUSE_TIMEOUT;
    v.detail = 30000;
    EXPECT_NE(std::string(mr__verdict_describe(&v, text, sizeof text)).find("30 s"),
              std::string::npos);
    EXPECT_EQ(mr__cause_of("weather"), -1);
}
