// SPDX-License-Identifier: Apache-2.0
//
// What is made by many is taken by one, in order, and never is more of it held than there may be.
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

extern "C" {
#include "pack/pack_line.h"
}

namespace
{

struct Work {
    size_t bytes = 100;       // of what is made
    uint64_t fails_at = ~0ul; // `take` does, at this sample
    unsigned slow = 0;        // microseconds that the first one of all takes
    std::atomic<uint64_t> begun{0}, held{0}, most_held{0}, most_ahead{0}, taken{0};
    std::atomic<int> taking{0};
    std::vector<uint64_t> order;
    mr_errbuf e = {};
    std::mt19937 rng{7};

    static void make(void *ctx, int worker, mr_pack_made *made)
    {
        Work *w = static_cast<Work *>(ctx);
        EXPECT_LT(worker, 8);
        EXPECT_EQ(made->body[0].n, 0u) << "what was here before is gone";
        w->begun++;
        uint64_t ahead = made->sample - w->taken, most = w->most_ahead;
        while (made->sample >= w->taken && ahead > most &&
               !w->most_ahead.compare_exchange_weak(most, ahead))
            ;
        if (made->sample == 0 && w->slow)
            std::this_thread::sleep_for(std::chrono::microseconds(w->slow));
        std::vector<uint8_t> body(w->bytes, uint8_t(made->sample));
        EXPECT_TRUE(mr__buf_append(&made->body[0], body.data(), body.size()));
        uint64_t held = w->held += w->bytes;
        most = w->most_held;
        while (held > most && !w->most_held.compare_exchange_weak(most, held))
            ;
        made->rc = made->sample % 5 == 3 ? MR_E_DATA : MR_OK;
    }

    static int take(void *ctx, mr_pack_made *made, mr_errbuf *e)
    {
        Work *w = static_cast<Work *>(ctx);
        EXPECT_EQ(w->taking++, 0) << "two at a time";
        EXPECT_EQ(made->rc, made->sample % 5 == 3 ? MR_E_DATA : MR_OK);
        EXPECT_EQ(made->body[0].n, w->bytes);
        EXPECT_EQ(made->body[0].data[w->bytes - 1], uint8_t(made->sample));
        w->order.push_back(made->sample);
        w->held -= w->bytes;
        w->taken = made->sample + 1;
        w->taking--;
        return made->sample == w->fails_at ? mr__fail(e, MR_E_IO, "the disk is full") : MR_OK;
    }

    int run(uint64_t first, uint64_t end, int threads)
    {
        const mr_pack_work work = {make, take, this};
        return mr__pack_line(first, end, threads, &work, &e);
    }
};

TEST(PackLine, takes_all_in_order)
{
    for (int threads : {1, 2, 8}) {
        Work w;
        ASSERT_EQ(w.run(1000, 4000, threads), MR_OK);
        ASSERT_EQ(w.order.size(), 3000u);
        for (uint64_t i = 0; i < 3000; i++)
            ASSERT_EQ(w.order[i], 1000 + i);
    }
}

TEST(PackLine, holds_so_many_and_no_more)
{
    Work w;
    w.slow = 300000; // the others could make everything meanwhile
    ASSERT_EQ(w.run(0, 5000, 4), MR_OK);
    EXPECT_EQ(w.order.size(), 5000u);
    EXPECT_LE(w.most_ahead, uint64_t(MR_PACK_PLACES));
}

TEST(PackLine, holds_so_many_bytes_and_no_more)
{
    Work w;
    w.slow = 300000;
    w.bytes = 5 << 20;
    ASSERT_EQ(w.run(0, 60, 4), MR_OK);
    EXPECT_EQ(w.order.size(), 60u);
    EXPECT_LE(w.most_held, MR_PACK_HELD + 5 * (5u << 20));
}

TEST(PackLine, ends_with_the_first_failure)
{
    for (int threads : {1, 4}) {
        Work w;
        w.fails_at = 700;
        EXPECT_EQ(w.run(0, 100000, threads), MR_E_IO);
        EXPECT_STREQ(w.e.text, "the disk is full");
        EXPECT_EQ(w.order.back(), 700u);
        EXPECT_LE(w.begun, 701u + MR_PACK_PLACES);
    }
}

TEST(PackLine, nothing_to_do)
{
    Work w;
    EXPECT_EQ(w.run(7, 7, 4), MR_OK);
    EXPECT_TRUE(w.order.empty());
}

} // namespace
