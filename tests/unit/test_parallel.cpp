// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

extern "C" {
#include "base/parallel.h"
}

#include <atomic>
#include <string>
#include <vector>

namespace
{

struct Work {
    std::vector<std::atomic<int>> seen;
    std::vector<uint64_t> by_worker; // written without a lock: a worker is one thread
    explicit Work(uint64_t n) : seen(n), by_worker(MR_PARALLEL_MAX)
    {
    }
    static void one(void *ctx, int worker, uint64_t i)
    {
        Work *w = static_cast<Work *>(ctx);
        w->seen.at(i)++;
        w->by_worker.at(size_t(worker))++;
    }
};

} // namespace

TEST(Parallel, EveryPieceIsDoneOnce)
{
    for (uint64_t n : {0u, 1u, 3u, 10000u}) {
        for (int threads : {-1, 0, 1, 4, 1000}) {
            Work w(n);
            mr__parallel(n, threads, Work::one, &w);
            uint64_t all = 0;
            for (auto &count : w.seen)
                ASSERT_EQ(count, 1);
            for (int k = 0; k < MR_PARALLEL_MAX; k++) {
                all += w.by_worker[size_t(k)];
                EXPECT_TRUE(k < threads || k == 0 || w.by_worker[size_t(k)] == 0);
            }
            EXPECT_EQ(all, n);
        }
    }
}

TEST(Parallel, OneFailureIsKept)
{
    mr_first_error first = {};
    mr__parallel(
        1000, 8,
        [](void *ctx, int, uint64_t i) {
            mr_errbuf e = {};
            mr__fail(&e, MR_E_IO, "piece %llu", static_cast<unsigned long long>(i));
            mr__first_error(static_cast<mr_first_error *>(ctx), &e);
        },
        &first);
    EXPECT_EQ(first.e.code, MR_E_IO);
    EXPECT_EQ(std::string(first.e.text).rfind("piece ", 0), 0u) << first.e.text;
}
