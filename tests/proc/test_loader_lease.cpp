// SPDX-License-Identifier: Apache-2.0
//
// Leases: what a batch is good for, how long, and what misuse says.
#include "loader_testing.hpp"

#include <chrono>
#include <cstring>
#include <poll.h>
#include <sys/wait.h>
#include <thread>

using Clock = std::chrono::steady_clock;

TEST(LoaderLease, ReleasingTwiceIsAnErrorAndChangesNothing)
{
    Loader l(main_config());
    mr_batch *a, *b;
    ASSERT_EQ(mr_next(l.handle, &a, 30000), MR_OK);
    EXPECT_EQ(mr_release(a), MR_OK);
    EXPECT_EQ(mr_release(a), MR_E_STALE);
    EXPECT_STREQ(mr_error(l.handle), "the batch was released already");
    EXPECT_EQ(mr_field(a, "image"), nullptr);
    EXPECT_EQ(mr_sample_ids(a), nullptr);
    ASSERT_EQ(mr_next(l.handle, &b, 30000), MR_OK);
    EXPECT_EQ(mr_release(a), MR_E_STALE) << "an old handle must not release a newer lease";
    EXPECT_NE(mr_field(b, "image"), nullptr);
    EXPECT_EQ(mr_release(b), MR_OK);
}

TEST(LoaderLease, AHeldBatchDoesNotChangeWhileAHundredPass)
{
    Loader l(main_config("epochs: 0\n"));
    mr_batch *held, *b;
    ASSERT_EQ(mr_next(l.handle, &held, 30000), MR_OK);
    Delivered before = describe(held);
    for (int i = 0; i < 100; i++) {
        int rc = mr_next(l.handle, &b, 30000);
        ASSERT_GE(rc, 0);
        if (rc == MR_OK)
            mr_release(b);
    }
    EXPECT_EQ(describe(held), before);
    mr_release(held);
}

TEST(LoaderLease, AllSlotsLeasedIsAnErrorAtOnce)
{
    Loader l(main_config("slots: 2\n"));
    mr_batch *a, *b, *c;
    ASSERT_EQ(mr_next(l.handle, &a, 30000), MR_OK);
    ASSERT_EQ(mr_next(l.handle, &b, 30000), MR_OK);
    auto from = Clock::now();
    EXPECT_EQ(mr_next(l.handle, &c, MR_FOREVER), MR_E_LEASED);
    EXPECT_LT(Clock::now() - from, std::chrono::seconds(1));
    EXPECT_EQ(c, nullptr);
    mr_release(b);
    EXPECT_EQ(mr_next(l.handle, &c, 30000), MR_OK);
    mr_release(a);
    mr_release(c);
}

TEST(LoaderLease, CloseEndsTheProcessesAndLeavesLeasedBatchesReadable)
{
    Loader l(main_config());
    mr_batch *a, *b;
    ASSERT_EQ(mr_next(l.handle, &a, 30000), MR_OK);
    ASSERT_EQ(mr_next(l.handle, &b, 30000), MR_OK);
    Delivered before = describe(a);
    mr_close(&l.handle);
    EXPECT_EQ(l.handle, nullptr);
    EXPECT_TRUE(processes("mr-").empty());
    EXPECT_EQ(describe(a), before);
    EXPECT_EQ(mr_release(b), MR_OK);
    EXPECT_EQ(describe(a), before);
    EXPECT_EQ(mr_release(a), MR_OK); // frees the memory: the sanitizers look for leaks
}

TEST(LoaderLease, TimeoutsGiveTheTimeAndLoseNothing)
{
    Loader l(main_config("epochs: 1\n"));
    mr_batch *b;
    int timeouts = 0, rc;
    size_t batches = 0;
    while ((rc = mr_next(l.handle, &b, 0)) != MR_END) {
        ASSERT_TRUE(rc >= 0 || rc == MR_E_TIMEOUT) << mr_error(l.handle);
        timeouts += rc == MR_E_TIMEOUT;
        if (rc == MR_OK) {
            batches++;
            mr_release(b);
        }
        struct pollfd p = {mr_fd(l.handle), POLLIN, 0};
        if (rc == MR_E_TIMEOUT) {
            EXPECT_EQ(poll(&p, 1, 20000), 1) << "mr_fd must tell of the next batch";
        }
    }
    EXPECT_EQ(batches, 8u);
    EXPECT_GT(timeouts, 0);
}

TEST(LoaderLease, AForkedChildCannotConsumeByAccident)
{
    Loader l(main_config());
    mr_batch *b;
    ASSERT_EQ(mr_next(l.handle, &b, 30000), MR_OK);
    Delivered before = describe(b);
    pid_t pid = fork();
    if (pid == 0) {
        mr_batch *mine;
        bool right = mr_next(l.handle, &mine, 1000) == MR_E_FORKED &&
                     mr_release(b) == MR_E_FORKED && mr_field(b, "image") == nullptr &&
                     mr_end_epoch(l.handle) == MR_E_FORKED;
        mr_close(&l.handle); // must not end the parent's processes
        _exit(right ? 0 : 1);
    }
    int status;
    waitpid(pid, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    EXPECT_EQ(describe(b), before);
    mr_release(b);
    EXPECT_EQ(l.read(3).size(), 3u);
}

TEST(LoaderLease, PoisonMarksReleasedSlots)
{
    setenv("MILLRACE_POISON", "1", 1);
    Loader l(main_config("slots: 1\n"));
    unsetenv("MILLRACE_POISON");
    mr_batch *b;
    ASSERT_EQ(mr_next(l.handle, &b, 30000), MR_OK);
    Delivered first = describe(b);
    mr_release(b);
    // The slot is filled again at once, so the pattern itself is a race to see; the stream must not
    // notice it.
    Loader plain(main_config("slots: 1\n"));
    EXPECT_EQ(plain.read(1)[0], first);
    EXPECT_EQ(plain.read(3), l.read(3));
}

TEST(LoaderLease, ManyThreadsShareOneLoader)
{
    Loader l(main_config("epochs: 4\nslots: 6\n"));
    std::atomic<int> rows{0}, ends{0};
    auto work = [&] {
        mr_batch *b;
        int rc;
        while ((rc = mr_next(l.handle, &b, 30000)) >= 0 && rc != MR_END) {
            if (rc == MR_END_EPOCH)
                ends++;
            else {
                rows += (int)mr_field(b, "image")->shape[0];
                mr_release(b);
            }
        }
        EXPECT_EQ(rc, MR_END) << mr_error(l.handle);
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; i++)
        threads.emplace_back(work);
    for (std::thread &t : threads)
        t.join();
    EXPECT_EQ(rows, 240);
    EXPECT_EQ(ends, 4);
}

TEST(LoaderLease, CloseWhileOtherThreadsWait)
{
    Loader l(main_config("slots: 1\n"), {"producers=1"});
    mr_batch *b;
    // Nothing can come while the only producer is stopped.
    ASSERT_EQ(mr_next(l.handle, &b, 30000), MR_OK);
    for (pid_t pid : processes("mr-producer"))
        kill(pid, SIGSTOP);
    mr_release(b);
    mr_loader *handle = l.handle;
    std::atomic<int> closed{0};
    std::vector<std::thread> waiters; // one polls, the others wait for it
    for (int i = 0; i < 3; i++)
        waiters.emplace_back([&, i] {
            mr_batch *none;
            closed += mr_next(handle, &none, i % 2 ? MR_FOREVER : 60000) == MR_E_CLOSED;
        });
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    mr_close(&l.handle);
    for (std::thread &t : waiters)
        t.join();
    EXPECT_EQ(closed, 3);
    EXPECT_TRUE(processes("mr-").empty());
}

TEST(LoaderLease, TwoLoadersInOneProcess)
{
    Loader train(main_config("epochs: 1\n")), val(main_config("epochs: 1\n"), {"seed=1"});
    EXPECT_EQ(train.read(2).size(), 2u);
    EXPECT_EQ(val.read().size(), 8u);
    EXPECT_EQ(train.read().size(), 6u);
}

TEST(LoaderLease, TheDescriptorShowsWhatIsLeftAndTheWardensDeath)
{
    Loader l(main_config("epochs: 1\nslots: 4\n"));
    size_t batches = 0;
    mr_batch *b;
    int rc = MR_OK;
    while (rc != MR_END) { // an event loop: one call for each time the descriptor is readable
        struct pollfd p = {mr_fd(l.handle), POLLIN, 0};
        ASSERT_EQ(poll(&p, 1, 20000), 1) << "after " << batches << " batches";
        while ((rc = mr_next(l.handle, &b, 0)) == MR_OK) {
            batches++;
            mr_release(b);
        }
        ASSERT_TRUE(rc >= 0 || rc == MR_E_TIMEOUT) << mr_error(l.handle);
    }
    EXPECT_EQ(batches, 8u);

    Loader dying(main_config("epochs: 0\nslots: 1\n"));
    ASSERT_EQ(mr_next(dying.handle, &b, 30000), MR_OK);
    mr_batch *none;
    EXPECT_EQ(mr_next(dying.handle, &none, 0), MR_E_LEASED);
    for (pid_t pid : processes("mr-warden"))
        kill(pid, SIGKILL);
    mr_release(b);
    auto told = [&] { // the slot may be filled once more before the producers are gone
        struct pollfd p = {mr_fd(dying.handle), POLLIN, 0};
        EXPECT_EQ(poll(&p, 1, 2000), 1);
        int last = mr_next(dying.handle, &none, 0);
        if (last == MR_OK)
            mr_release(none);
        return last == MR_E_DIED;
    };
    EXPECT_TRUE(eventually(told, 2000));
}

TEST(LoaderLease, NullIsMisuse)
{
    mr_batch *b;
    uint64_t hash;
    EXPECT_EQ(mr_next(nullptr, &b, 0), MR_E_USAGE);
    EXPECT_EQ(mr_release(nullptr), MR_E_USAGE);
    EXPECT_EQ(mr_fd(nullptr), MR_E_USAGE);
    EXPECT_EQ(mr_end_epoch(nullptr), MR_E_USAGE);
    EXPECT_EQ(mr_stream_hash(nullptr, &hash), MR_E_USAGE);
    EXPECT_EQ(mr_dump(nullptr), nullptr);
    EXPECT_EQ(mr_class_name(nullptr, 0), nullptr);
    mr_close(nullptr);
}
