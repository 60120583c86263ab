// SPDX-License-Identifier: Apache-2.0
//
// Whether reading had to wait, told of whole files and of files that are read in parts.
#include <gtest/gtest.h>

extern "C" {
#include "pipe/read_clock.h"
}

#include <ctime>
#include <memory>

static void wait_ms(long ms)
{
    const timespec t = {0, ms * 1000000};
    nanosleep(&t, nullptr);
}

// Without giving up the processor.
static void work_ms(uint64_t ms)
{
    for (uint64_t until = mr__now_ns() + ms * 1000000; mr__now_ns() < until;)
        ;
}

struct ReadClock : testing::Test {
    std::unique_ptr<mr_lane> lane{new mr_lane()};
    mr_read_clock clock = {};
    uint64_t now = 0;
    uint64_t counted(mr_counter c) const
    {
        return lane->count[c];
    }
};

TEST_F(ReadClock, KnowsWaitingFromWorking)
{
    mr__read_begin(&clock);
    work_ms(2);
    EXPECT_FALSE(mr__read_end(&clock, lane.get()));
    EXPECT_GE(counted(MR_COUNT_READ_NS), 2000000u);
    EXPECT_EQ(counted(MR_COUNT_READ_WAIT_NS), 0u);
    mr__read_begin(&clock);
    wait_ms(2);
    EXPECT_TRUE(mr__read_end(&clock, lane.get()));
    EXPECT_GE(counted(MR_COUNT_READ_WAIT_NS), 2000000u);
}

TEST_F(ReadClock, OfParts)
{
    mr__read_parts_begin(&clock);
    uint64_t from = mr__read_part_begin(&clock);
    wait_ms(2);
    EXPECT_TRUE(mr__read_part_end(&clock, lane.get(), &now));
    EXPECT_GE(now - from, 2000000u);
    EXPECT_EQ(counted(MR_COUNT_READ_NS), now - from);
    EXPECT_EQ(counted(MR_COUNT_READ_WAIT_NS), now - from);
    from = mr__read_part_begin(&clock); // one wait is told of once
    work_ms(2);
    EXPECT_FALSE(mr__read_part_end(&clock, lane.get(), &now));
    EXPECT_GE(now - from, 2000000u);
    mr__read_part_begin(&clock);
    wait_ms(1);
    EXPECT_TRUE(mr__read_part_end(&clock, lane.get(), &now)) << "the next one again";
}
