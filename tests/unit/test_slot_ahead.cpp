// SPDX-License-Identifier: Apache-2.0
//
// Whose files are asked for next: every planned row once, near enough to the claimed one.
#include "small_arena.hpp"

#include <gtest/gtest.h>

extern "C" {
#include "shm/slot_steps.h"
}

#include <string>
#include <vector>

class SlotAhead : public ::testing::Test
{
  protected:
    mr_arena a = {};
    uint64_t seq = 0;

    void SetUp() override
    {
        mr_errbuf e;
        ASSERT_EQ(small_arena(&a, &e), MR_OK) << e.text;
        a.ready_fd = -1;
    }
    void TearDown() override
    {
        mr__arena_unmap(&a);
    }
    uint32_t plan(uint32_t tasks = 8)
    {
        uint64_t word;
        int slot = mr__commander_take(&a, &word);
        EXPECT_GE(slot, 0);
        mr_plan_head head = {};
        head.rows = head.tasks = tasks;
        mr__plan_write_head(mr__plan_head(&a, (uint32_t)slot), &head);
        mr__commander_publish(&a, (uint32_t)slot, word, ++seq);
        return (uint32_t)slot;
    }
    mr_claim claim()
    {
        mr_claim c = {};
        EXPECT_TRUE(mr__producer_claim(&a, 1, &c));
        return c;
    }
    // "seq.row" of all rows that may be asked for now.
    std::string ask(const mr_claim &c, uint32_t rows, int most = 100)
    {
        std::string all;
        mr_upcoming next;
        while (most-- && mr__producer_upcoming(&a, &c, rows, &next))
            all += (all.empty() ? "" : " ") + std::to_string(mr__slot_seq(next.word)) + "." +
                   std::to_string(next.row);
        return all;
    }
};

TEST_F(SlotAhead, GivesEachRowOnceAndNoneTooFar)
{
    plan();
    plan();
    mr_claim first = claim();
    EXPECT_EQ(ask(first, 3), "1.1 1.2 1.3");
    EXPECT_EQ(ask(first, 3), "");
    EXPECT_EQ(ask(claim(), 3), "1.4");
    EXPECT_EQ(ask(first, 3), "");
    EXPECT_EQ(ask(claim(), 10, 2), "1.5 1.6");
    EXPECT_EQ(ask(first, 10), "1.7 2.0 2.1 2.2");
    EXPECT_EQ(ask(first, 1000), "2.3 2.4 2.5 2.6 2.7");
    plan();
    EXPECT_EQ(ask(first, 16), "3.0");
}

TEST_F(SlotAhead, WhatWasClaimedUnaskedIsLeft)
{
    plan();
    for (int i = 0; i < 5; i++)
        claim();
    mr_claim sixth = claim();
    EXPECT_EQ(ask(sixth, 2), "1.6 1.7");
    EXPECT_EQ(ask(sixth, 100), "");
}

TEST_F(SlotAhead, PassesOverWhatOthersHaveClaimedMeanwhile)
{
    plan();
    mr_claim first = claim();
    claim();
    claim();
    EXPECT_EQ(ask(first, 2), "");
    EXPECT_EQ(ask(first, 4), "1.3 1.4");
}

TEST_F(SlotAhead, PassesOverEndsAndShortBatches)
{
    plan(3);
    plan(0); // an epoch's end
    plan(2);
    plan(8);
    EXPECT_EQ(ask(claim(), 5), "1.1 1.2 3.0 3.1 4.0");
}

TEST_F(SlotAhead, PassesOverWhatIsMadeAlready)
{
    plan(2);
    uint32_t second = plan(2);
    plan(2);
    mr_claim first = claim();
    for (uint32_t i = 0; i < 2; i++)
        mr__slot_rows(&a, second)[i] = mr__row_in(mr__slot(&a, second)->word, 9, MR_ROW_DONE);
    mr__slot_settle(&a, second, mr__slot(&a, second)->word);
    ASSERT_EQ(mr__slot_state(mr__slot(&a, second)->word), MR_SLOT_AVAILABLE);
    EXPECT_EQ(ask(first, 4), "1.1 3.0");
}

TEST_F(SlotAhead, SurvivesScribblings)
{
    plan();
    plan();
    mr_claim first = claim();
    for (uint64_t word : {UINT64_MAX, uint64_t(1) << 63, uint64_t(1000) << 17}) {
        a.control->ahead = word;
        EXPECT_EQ(ask(first, 2), "1.1 1.2") << word;
    }
    a.control->ahead = (uint64_t(1) << 17) | 0x1ffff; // a row that no batch has
    EXPECT_EQ(ask(first, 9), "2.0 2.1");
    MR_SET(mr__plan_head(&a, 0)->tasks, UINT32_MAX);
    a.control->ahead = 0;
    EXPECT_EQ(ask(first, 100).find("1.8"), std::string::npos);
}

TEST_F(SlotAhead, ARowThatWasPlannedAnewIsNoMoreWhatItWas)
{
    plan();
    mr_claim first = claim();
    mr_upcoming next;
    ASSERT_TRUE(mr__producer_upcoming(&a, &first, 1, &next));
    EXPECT_TRUE(mr__upcoming_stays(&a, &next));
    mr__slot(&a, next.slot)->word = mr__slot_word(7, MR_SLOT_RESERVED);
    EXPECT_FALSE(mr__upcoming_stays(&a, &next));
}
