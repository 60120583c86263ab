// SPDX-License-Identifier: Apache-2.0
//
// Deadlines: every wait of mr_next ends, mr_dump tells why without waiting itself, and nothing is
// lost by either.
#include "loader_testing.hpp"

extern "C" {
#include "loader_inside.h"
#include "shm/slot.h"
}

#include <chrono>
#include <csignal>
#include <thread>

using Clock = std::chrono::steady_clock;

static long ms_since(Clock::time_point from)
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - from).count();
}

static void signal_all(const char *name, int number)
{
    for (pid_t pid : processes(name))
        kill(pid, number);
}

// They get their names a moment after they are started.
static void stop_both_producers()
{
    ASSERT_TRUE(eventually([] { return processes("mr-producer").size() == 2; }, 20000));
    signal_all("mr-producer", SIGSTOP);
}

static size_t count(const std::string &text, const std::string &what)
{
    size_t n = 0;
    for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
        n++;
    return n;
}

static std::string dump(Loader &l)
{
    auto from = Clock::now();
    char *text = mr_dump(l.handle);
    EXPECT_LT(ms_since(from), 5000) << "mr_dump waits for what hangs";
    std::string copy = text ? text : "";
    mr_free(text);
    return copy;
}

TEST(LoaderDeadline, HoldsForEveryThreadAndLosesNothing)
{
    const std::string config = main_config("epochs: 2\nslots: 3\nproducers: 2\n");
    std::vector<Delivered> expected = Loader(config).read();
    Loader l(config);
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    std::vector<Delivered> got = l.read(2);
    stop_both_producers();
    while (true) { // what was finished before
        mr_batch *b;
        int rc = mr_next(l.handle, &b, 300);
        if (rc != MR_OK)
            break;
        got.push_back(describe(b));
        mr_release(b);
    }
    std::vector<std::thread> threads;
    for (long timeout : {50L, 700L, 300L, 0L, 500L})
        threads.emplace_back([&l, timeout] {
            mr_batch *b;
            auto from = Clock::now();
            EXPECT_EQ(mr_next(l.handle, &b, timeout), MR_E_TIMEOUT) << mr_error(l.handle);
            EXPECT_EQ(b, nullptr);
            EXPECT_GE(ms_since(from), timeout - 1);
            EXPECT_LT(ms_since(from), timeout + 20000);
        });
    std::string text = dump(l); // while they wait
    for (std::thread &t : threads)
        t.join();
    EXPECT_EQ(count(text, "\n  producer "), 2u) << text;
    EXPECT_EQ(count(text, "commander"), 1u) << text;
    EXPECT_EQ(count(text, "warden"), 1u) << text;
    EXPECT_GE(count(text, "\n  slot "), 3u) << text;
    EXPECT_NE(text.find("RESERVED"), std::string::npos) << text;
    signal_all("mr-producer", SIGCONT);
    for (Delivered &d : l.read())
        got.push_back(std::move(d));
    EXPECT_EQ(l.rc, MR_END) << l.error;
    EXPECT_EQ(got, expected);
}

TEST(LoaderDeadline, DumpAnswersWhileEverybodyIsStopped)
{
    Loader l(main_config("epochs: 1\n"));
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    for (const char *name : {"mr-warden", "mr-commander", "mr-producer"})
        signal_all(name, SIGSTOP);
    std::string text = dump(l);
    EXPECT_NE(text.find("loader: epoch 0"), std::string::npos) << text;
    for (const char *name : {"mr-producer", "mr-commander", "mr-warden"})
        signal_all(name, SIGCONT);
    EXPECT_EQ(l.read().size(), 8u);
    EXPECT_EQ(l.rc, MR_END) << l.error;
}

TEST(LoaderDeadline, HoldsWhileWakesKeepComing)
{
    Loader l(main_config("epochs: 1\nslots: 2\nproducers: 2\n"));
    mr_batch *a, *b;
    ASSERT_EQ(mr_next(l.handle, &a, 30000), MR_OK);
    stop_both_producers();
    while (mr_next(l.handle, &b, 300) == MR_OK) // what was finished before
        mr_release(b);
    std::atomic<bool> stop{false};
    std::thread ringer([&] {
        while (!stop)
            mr__signal_ready(arena_of(l.handle));
    });
    auto from = Clock::now();
    EXPECT_EQ(mr_next(l.handle, &b, 200), MR_E_TIMEOUT);
    EXPECT_LT(ms_since(from), 20000);
    stop = true;
    ringer.join();
    signal_all("mr-producer", SIGCONT);
    mr_release(a);
    EXPECT_EQ(l.read().size() > 0, true);
    EXPECT_EQ(l.rc, MR_END) << l.error;
}

TEST(LoaderDeadline, AStoppedCommanderDoesNotHoldTheTrainer)
{
    Loader l(main_config("epochs: 3\n"));
    mr_batch *b;
    ASSERT_EQ(mr_next(l.handle, &b, 30000), MR_OK);
    mr_release(b);
    signal_all("mr-commander", SIGSTOP);
    EXPECT_EQ(mr_end_epoch(l.handle), MR_OK);
    EXPECT_EQ(mr_next(l.handle, &b, 1000), MR_END_EPOCH);
    EXPECT_EQ(mr_next(l.handle, &b, 200), MR_E_TIMEOUT);
    EXPECT_NE(dump(l).find("commander"), std::string::npos);
    signal_all("mr-commander", SIGCONT);
    EXPECT_EQ(l.read().size(), 16u);
    EXPECT_EQ(l.rc, MR_END) << l.error;
}
