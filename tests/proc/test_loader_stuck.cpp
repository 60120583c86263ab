// SPDX-License-Identifier: Apache-2.0
//
// Processes that cannot be killed. Two stand-ins for a dead disk: a tracer that holds a process at
// its exit, and, for root, a frozen cgroup.
#include "faulty.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>

#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

namespace
{

using Clock = std::chrono::steady_clock;

// Holds processes at their exit from the moment of construction: SIGKILL does not end them.
class Holder
{
  public:
    ~Holder()
    {
        let_go();
    }

    bool hold(pid_t pid)
    {
        if (ptrace(PTRACE_SEIZE, pid, nullptr, PTRACE_O_TRACEEXIT) < 0)
            return false;
        held.push_back(pid);
        return true;
    }

    void let_go()
    {
        for (pid_t pid : held)
            let_one_go(pid);
        held.clear();
    }

    std::vector<pid_t> held;

  private:
    static void let_one_go(pid_t pid)
    {
        int status;
        pid_t seen = waitpid(pid, &status, __WALL | WNOHANG);
        if (seen == 0) { // it lives
            ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr);
            seen = waitpid(pid, &status, __WALL);
            ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
            if (seen == pid && WIFSTOPPED(status) && status >> 16 != PTRACE_EVENT_EXIT)
                return;
            seen = waitpid(pid, &status, __WALL);
        }
        // It stops at its exit, goes on, and is the tracer's to reap before its parent's.
        while (seen == pid && WIFSTOPPED(status)) {
            ptrace(PTRACE_CONT, pid, nullptr, nullptr);
            seen = waitpid(pid, &status, __WALL);
        }
    }
};

// Slots are few, so the batch that is stuck is needed at once.
const std::string kSmall = "slots: 2\nspares: 1\nsample_timeout: 2\n";

bool hold_all(Holder *holder)
{
    std::vector<pid_t> both; // a new process has its name a moment later
    EXPECT_TRUE(eventually(
        [&] {
            both = processes("mr-producer");
            return both.size() == 2;
        },
        60000));
    for (pid_t pid : both)
        if (!holder->hold(pid))
            return false;
    return true;
}

TEST(LoaderStuck, TheBatchMovesAndTheSlotComesBackWhenTheProcessEnds)
{
    Holder holder;
    Loader l(faulty_config({"block", 1, 13}, kSmall));
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    if (!hold_all(&holder))
        GTEST_SKIP() << "other processes cannot be traced here";
    std::vector<Delivered> got = l.read(6);
    EXPECT_EQ(got.size(), 6u) << l.error << all_lines(l);
    EXPECT_NE(line_with(l, "cannot be ended within 2000 ms"), "") << all_lines(l);
    EXPECT_EQ(stats_of(l).quarantines, 1u);
    char *text = mr_dump(l.handle);
    std::string dump = text;
    mr_free(text);
    EXPECT_NE(dump.find("QUARANTINED (its batch has moved)"), std::string::npos) << dump;
    EXPECT_NE(dump.find("and not gone yet"), std::string::npos) << dump;
    holder.let_go();
    EXPECT_TRUE(eventually(
        [&] {
            mr_free(mr_dump(l.handle));
            for (const Delivered &d : l.read(1))
                got.push_back(d);
            return line_with(l, "has ended at last") != "" || l.rc == MR_END;
        },
        60000));
    for (const Delivered &d : l.read())
        got.push_back(d);
    EXPECT_EQ(l.rc, MR_END) << l.error << all_lines(l);
    EXPECT_EQ(got, faultless()) << all_lines(l);
    EXPECT_NE(line_with(l, "has ended at last"), "") << all_lines(l);
    text = mr_dump(l.handle);
    dump = text;
    mr_free(text);
    EXPECT_EQ(dump.find("QUARANTINED"), std::string::npos) << dump;
}

// Both producers hang in the same batch or in two: the second has no spare slot.
TEST(LoaderStuck, TwoWithOneSpareEndTheRunWithTheKeysName)
{
    Holder holder;
    Loader l(faulty_config({"block", -1, 13}, kSmall));
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    if (!hold_all(&holder))
        GTEST_SKIP() << "other processes cannot be traced here";
    std::vector<pid_t> first = holder.held;
    // The successors are held, too, as soon as they are there.
    Clock::time_point until = Clock::now() + std::chrono::seconds(60);
    mr_batch *batch;
    int rc = MR_E_TIMEOUT;
    while (rc != MR_E_LIMIT && Clock::now() < until) {
        for (pid_t pid : processes("mr-producer"))
            if (std::find(holder.held.begin(), holder.held.end(), pid) == holder.held.end())
                holder.hold(pid);
        rc = mr_next(l.handle, &batch, 50);
        if (rc == MR_OK && batch)
            mr_release(batch);
    }
    EXPECT_EQ(rc, MR_E_LIMIT) << mr_error(l.handle) << all_lines(l);
    EXPECT_NE(std::string(mr_error(l.handle)).find("'spares'"), std::string::npos)
        << mr_error(l.handle);
}

// As root: a frozen container. The process is idle in the kernel, killed, and there.
TEST(LoaderStuck, AFrozenProducerMovesItsBatchAndEndsWhenItThaws)
{
    std::string folder = "/sys/fs/cgroup/freezer/millrace-test-" + std::to_string(getpid());
    std::error_code failed;
    if (!std::filesystem::create_directory(folder, failed) || failed)
        GTEST_SKIP() << "no freezer cgroup to write to";
    {
        Loader l(faulty_config({"block", 1, 13}, "slots: 2\nspares: 1\nsample_timeout: 2\n"));
        ASSERT_EQ(l.rc, MR_OK) << l.error;
        ASSERT_TRUE(eventually([] { return processes("mr-producer").size() == 2; }, 60000));
        for (pid_t pid : processes("mr-producer"))
            std::ofstream(folder + "/tasks") << pid << std::flush;
        EXPECT_EQ(l.read(3).size(), 3u) << l.error;
        ASSERT_TRUE(eventually([] { return std::filesystem::exists(last_tally); }, 60000));
        std::ofstream(folder + "/freezer.state") << "FROZEN" << std::flush;
        std::vector<Delivered> got = l.read(5);
        EXPECT_EQ(got.size(), 5u) << l.error << all_lines(l);
        std::ofstream(folder + "/freezer.state") << "THAWED" << std::flush;
        for (const Delivered &d : l.read())
            got.push_back(d);
        EXPECT_EQ(l.rc, MR_END) << l.error << all_lines(l);
        got.insert(got.begin(), faultless().begin(), faultless().begin() + 3);
        EXPECT_EQ(got, faultless()) << all_lines(l);
        EXPECT_GE(stats_of(l).quarantines, 1u) << all_lines(l);
    }
    EXPECT_TRUE(
        eventually([&] { return std::filesystem::remove(folder, failed) && !failed; }, 10000));
}

} // namespace
