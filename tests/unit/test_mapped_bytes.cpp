// SPDX-License-Identifier: Apache-2.0
//
// Files looked at where they lie: what is cut under the look has not been seen, and nobody dies.
#include "small_arena.hpp"
#include "temp_tree.hpp"

#include <gtest/gtest.h>

extern "C" {
#include "base/mapped_bytes.h"
#include "base/stream_copy.h"
#include "proc/crash.h"
}

#include <cstring>
#include <sys/mman.h>
#include <thread>
#include <vector>

namespace
{

std::string pattern(size_t n)
{
    std::string s(n, 0);
    for (size_t i = 0; i < n; i++)
        s[i] = char(i * 7 + i / 251 + i / 65536);
    return s;
}

void on_bus(int signo, siginfo_t *info, void *)
{
    mr__mapped_fault_here(signo, info);
    _exit(17); // it was nobody's
}

// A file, and a handler as producers have it.
class Mapped : public ::testing::Test
{
  protected:
    TempTree t;
    std::string content = pattern(900000);
    struct sigaction before = {};
    int fd = -1;

    void SetUp() override
    {
        if (!MR_STREAM_COPY)
            GTEST_SKIP() << "nothing is mapped on this kind of processor";
        t.file("f", content);
        fd = open(t.path("f").c_str(), O_RDWR | O_CLOEXEC);
        struct sigaction ours = {};
        ours.sa_sigaction = on_bus;
        ours.sa_flags = SA_SIGINFO | SA_NODEFER;
        sigaction(SIGBUS, &ours, &before);
        mr__mapped_allow(true);
    }
    void TearDown() override
    {
        mr__mapped_allow(false);
        sigaction(SIGBUS, &before, nullptr);
        close(fd);
    }
    static void keep(void *ctx, const uint8_t *bytes)
    {
        auto *s = static_cast<std::string *>(ctx);
        mr__stream_copy(&(*s)[0], bytes, s->size());
    }
    // Bytes [at, at + n) as they are seen; "" when they are not.
    std::string see(uint64_t at, size_t n)
    {
        std::string s(n, 'x');
        return mr__mapped_bytes(fd, at, n, keep, &s) ? s : "";
    }
};

} // namespace

TEST_F(Mapped, AnyPlaceIsSeen)
{
    for (size_t at : {0, 1, 63, 4095, 4096, 4097, 70000})
        for (size_t n : {262144, 262145, 800000})
            EXPECT_EQ(see(at, n), content.substr(at, n)) << at << " " << n;
    EXPECT_EQ(see(0, MR_MAPPED_LEAST - 1), "") << "it does not pay";
    EXPECT_EQ(see(200000, 700000), content.substr(200000));
}

TEST_F(Mapped, NobodyLooksWithoutAHandler)
{
    mr__mapped_allow(false);
    EXPECT_EQ(see(0, 400000), "");
}

TEST_F(Mapped, WhatCannotBeMappedIsNotSeen)
{
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    std::swap(fd, ends[0]);
    EXPECT_EQ(see(0, 400000), "");
    std::swap(fd, ends[0]);
    close(ends[0]);
    close(ends[1]);
}

TEST_F(Mapped, ACutFileIsNotSeenAndNobodyDies)
{
    ASSERT_EQ(ftruncate(fd, 390000), 0);
    EXPECT_EQ(see(1000, 700000), "");
    EXPECT_EQ(see(0, 380000), "") << "the handler may be gone";
    mr__mapped_allow(true);
    EXPECT_EQ(see(0, 380000), content.substr(0, 380000)) << "the signal is not blocked";
    EXPECT_EQ(see(1000, 700000), "") << "a second time";
}

TEST_F(Mapped, AThreadsFaultIsItsOwn)
{
    std::string good(700000, 'x'), cut(700000, 'x');
    TempTree other;
    other.file("f", content);
    int whole = open(other.path("f").c_str(), O_RDONLY | O_CLOEXEC);
    ASSERT_EQ(ftruncate(fd, 390000), 0);
    bool seen = false, seen_cut = true;
    std::thread a([&] {
        for (int i = 0; i < 200; i++) {
            mr__mapped_allow(true);
            seen = mr__mapped_bytes(whole, 5, good.size(), keep, &good) || seen;
        }
    });
    std::thread b([&] {
        for (int i = 0; i < 200; i++) {
            mr__mapped_allow(true);
            seen_cut = mr__mapped_bytes(fd, 5, cut.size(), keep, &cut);
        }
    });
    a.join();
    b.join();
    close(whole);
    EXPECT_TRUE(seen);
    EXPECT_FALSE(seen_cut);
    EXPECT_EQ(good, content.substr(5, good.size()));
}

TEST_F(Mapped, OtherFaultsAreNotItsOwn)
{
    EXPECT_EXIT(
        {
            void *beyond = mmap(nullptr, 8192, PROT_READ, MAP_SHARED, fd, 897024);
            std::string s(400000, 'x');
            // A fault within a use, but elsewhere than in what is looked at.
            mr__mapped_bytes(
                fd, 0, 400000,
                [](void *ctx, const uint8_t *) { *static_cast<volatile char *>(ctx); },
                static_cast<char *>(beyond) + 4096);
        },
        ::testing::ExitedWithCode(17), "");
}

// With the handlers that producers have: alone, and before somebody else's.
TEST_F(Mapped, ProducersSurvive)
{
    for (bool chain : {false, true}) {
        auto run = [&] {
            mr_arena a = {};
            mr_errbuf e;
            mr_crash_stack stack;
            mr__mapped_allow(false); // the handlers are what allows it
            struct sigaction theirs = {};
            theirs.sa_handler = chain ? [](int) { _exit(3); } : SIG_DFL;
            sigaction(SIGBUS, &theirs, nullptr);
            if (small_arena(&a, &e) < 0 || mr__crash_stack_new(&stack, &e) < 0)
                _exit(4);
            mr__crash_install(&a, 1, chain);
            bool whole = see(0, 400000) == content.substr(0, 400000);
            if (ftruncate(fd, 390000) < 0)
                _exit(5);
            bool cut = see(1000, 700000).empty();
            bool crash = mr__lane(&a, 1)->crash.signo || a.control->doubt;
            _exit(whole && cut && !crash ? 17 : 6);
        };
        EXPECT_EXIT(run(), ::testing::ExitedWithCode(17), "") << chain;
        ASSERT_EQ(ftruncate(fd, 0), 0);
        t.file("f", content);
    }
}

// Whole blocks, what is before and behind them, and not a byte more.
TEST(StreamCopy, IsMemcpy)
{
    const size_t block = 4 * 4096;
    std::string from = pattern(3 * block + 200);
    std::vector<char> to(from.size() + 200);
    for (size_t shift_to : {0, 1, 16, 63, 64, 100})
        for (size_t shift_from : {0, 1, 7, 64})
            for (size_t n : {size_t(0), size_t(1), size_t(4096), block - 1, block, block + 1,
                             block + 63, 2 * block, 2 * block + 100, 3 * block}) {
                std::fill(to.begin(), to.end(), 'x');
                mr__stream_copy(&to[shift_to], &from[shift_from], n);
                ASSERT_EQ(memcmp(&to[shift_to], &from[shift_from], n), 0)
                    << shift_to << " " << shift_from << " " << n;
                for (size_t i = 0; i < to.size(); i++)
                    ASSERT_TRUE((i >= shift_to && i < shift_to + n) || to[i] == 'x') << i;
            }
}
