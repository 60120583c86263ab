// SPDX-License-Identifier: Apache-2.0
//
// Crashes of producers: whatever they did before, the stream is the same; a sample that does it
// twice is set aside, a signal that somebody sends never counts.
#include "faulty.hpp"

#include <csignal>
#include <thread>

#include <sys/wait.h>

namespace
{

struct Crash {
    const char *how, *says;
    bool refills, real; // real: a fault of the processor's, which a sanitizer handles itself
};

constexpr Crash kCrashes[] = {
    {"segv", "was killed by signal 11", true, true},
    {"abort", "was killed by signal 6", true, false},
    {"ill", "was killed by signal 4", true, false},
    {"bus", "was killed by signal 7", true, true},
    {"fpe", "was killed by signal 8", false, true},
    {"sys", "was killed by signal 31", false, false},
    {"kill", "was killed by signal 9", false, false},
    {"exit", "exited with status 3", false, false},
};

void expect_recovered(const Fault &fault, const Crash &crash)
{
    SCOPED_TRACE(std::string(fault.how) + (fault.exec ? ", a program, " : ", ") + fault.unit);
    Loader l(faulty_config(fault));
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    EXPECT_EQ(l.read(), faultless()) << all_lines(l);
    EXPECT_EQ(l.rc, MR_END) << l.error;
    std::string line = line_with(l, crash.says);
    EXPECT_NE(line, "") << all_lines(l);
    if (strcmp(fault.unit, "row") == 0) {
        EXPECT_NE(line.find("row 1 of batch sequence 3, sample 13"), std::string::npos) << line;
    }
    EXPECT_NE(line.find("given to others"), std::string::npos) << line;
    mr_stats s = stats_of(l);
    EXPECT_EQ(s.respawns, 1u) << all_lines(l);
    EXPECT_GE(s.reissued, 1u);
    EXPECT_EQ(s.refills, crash.refills);
    EXPECT_EQ(s.bad_samples, 0u);
}

TEST(LoaderFault, EveryKindInEveryKindOfProducerCostsNothing)
{
    for (const Crash &crash : kCrashes) {
        if (kSanitized && crash.real)
            continue;
        expect_recovered({crash.how}, crash);
        expect_recovered({crash.how, 1, 13, "batch"}, crash);
        expect_recovered({crash.how, 1, 13, "row", true}, crash);
    }
}

void expect_set_aside(const Fault &fault, int deaths)
{
    Loader l(faulty_config(fault, "on_error: skip\n"));
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    std::vector<Delivered> got = l.read();
    EXPECT_EQ(l.rc, MR_END) << l.error << all_lines(l);
    ASSERT_EQ(got.size(), faultless().size());
    for (size_t i = 0; i < got.size(); i++) {
        if (i % 10 != 3) {
            EXPECT_EQ(got[i], faultless()[i]) << all_lines(l);
            continue;
        }
        EXPECT_EQ(got[i].valid, 3);
        EXPECT_EQ(got[i].flags[1], 0);
    }
    EXPECT_NE(line_with(l, "the sample is set aside"), "") << all_lines(l);
    EXPECT_EQ(stats_of(l).respawns, (uint64_t)deaths);
    EXPECT_EQ(stats_of(l).bad_samples, 2u) << "one in each epoch";
}

TEST(LoaderFault, ASampleThatCrashesTwiceIsSetAsideInEachEpoch)
{
    expect_set_aside({"abort", -1}, 4);
}

TEST(LoaderFault, ASignalThatSomebodySendsNeverCounts)
{
    Loader l(faulty_config({"pause", 4}));
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    std::string tally = last_tally;
    std::thread killer([&] {
        for (uintmax_t i = 1; i <= 4; i++) {
            std::error_code none;
            ASSERT_TRUE(eventually(
                [&] { return std::filesystem::file_size(tally, none) == i && !none; }, 60000));
            // A process that was just started has no last words yet to tell who sent the signal.
            std::this_thread::sleep_for(std::chrono::milliseconds(500));
            // Who of the two pauses is not known; the other one may die, too.
            for (pid_t pid : processes("mr-producer"))
                kill(pid, i % 2 ? SIGSEGV : SIGKILL);
        }
    });
    EXPECT_EQ(l.read(), faultless()) << all_lines(l);
    killer.join();
    EXPECT_EQ(l.rc, MR_END) << l.error;
    mr_stats s = stats_of(l);
    EXPECT_GE(s.respawns, 4u);
    EXPECT_EQ(s.bad_samples, 0u) << all_lines(l);
    EXPECT_EQ(s.refills, 0u) << "a signal from outside has stored nothing";
    if (!kSanitized) {
        EXPECT_NE(line_with(l, "that process " + std::to_string(getpid()) + " sent"), "")
            << all_lines(l);
    }
}

TEST(LoaderFault, CodeThatAlwaysCrashesEndsTheRun)
{
    Loader l(faulty_config({"abort", -1}, "on_error: fail\n"));
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    l.read();
    EXPECT_LT(l.rc, 0) << "a run with `on_error: fail` goes on after a crash";
    EXPECT_NE(l.error.find("signal 6"), std::string::npos) << l.error;
}

TEST(LoaderFault, StoresIntoItsNeighboursRowsAreUndone)
{
    if (kSanitized)
        GTEST_SKIP() << "the sanitizer sees the store before it happens";
    for (int round = 0; round < 5; round++) {
        Loader l(faulty_config({"scribble", 1, 14}));
        ASSERT_EQ(l.rc, MR_OK) << l.error;
        EXPECT_EQ(l.read(), faultless()) << all_lines(l);
        EXPECT_EQ(stats_of(l).refills, 1u) << all_lines(l);
    }
}

TEST(LoaderFault, StoresIntoThePlanCrashAtOnce)
{
    if (kSanitized)
        GTEST_SKIP() << "the sanitizer handles the signal";
    Loader l(faulty_config({"plan"}));
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    EXPECT_EQ(l.read(), faultless()) << all_lines(l);
    EXPECT_NE(line_with(l, "signal 11"), "") << all_lines(l);
}

TEST(LoaderFault, ALeasedBatchThatMayHaveBeenHitIsTainted)
{
    if (kSanitized)
        GTEST_SKIP() << "the sanitizer handles the signal";
    // The fifth batch is planned when others were released, with the first one still held.
    Loader l(faulty_config({"flood", 1, 17}, "slots: 4\n"));
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    mr_batch *held;
    mr_batch_info info;
    ASSERT_EQ(mr_next(l.handle, &held, 60000), MR_OK) << mr_error(l.handle);
    ASSERT_EQ(l.read(2).size(), 2u) << l.error;
    ASSERT_TRUE(eventually([&] { return stats_of(l).refills == 1; }, 60000));
    EXPECT_EQ(stats_of(l).tainted, 1u);
    ASSERT_EQ(mr_batch_get_info(held, &info), MR_OK);
    EXPECT_EQ(info.tainted, 1);
    EXPECT_EQ(mr_release(held), MR_OK);
    std::vector<Delivered> got = l.read();
    ASSERT_EQ(got.size() + 3, faultless().size()) << l.error;
    EXPECT_TRUE(std::equal(got.begin(), got.end(), faultless().begin() + 3)) << all_lines(l);
    EXPECT_NE(line_with(l, "tainted"), "") << all_lines(l);
}

TEST(LoaderFault, StoresIntoTheControlMemoryEndTheRunWithASentence)
{
    if (kSanitized)
        GTEST_SKIP() << "the sanitizer handles the signal";
    Loader l(faulty_config({"control"}));
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    l.read();
    EXPECT_EQ(l.rc, MR_E_CORRUPT) << l.error;
    EXPECT_NE(l.error.find("written into"), std::string::npos) << l.error;
}

} // namespace
