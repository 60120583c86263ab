// SPDX-License-Identifier: Apache-2.0
//
// Misuse of batches and loaders: whatever is stale, foreign, closed or forked is an error that
// changes nothing.
#include "loader_testing.hpp"

#include <cstring>
#include <dirent.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

static const mr_batch_info kNoInfo = {};

static mr_batch *take(Loader &l)
{
    mr_batch *b = nullptr;
    EXPECT_EQ(mr_next(l.handle, &b, 30000), MR_OK) << mr_error(l.handle);
    return b;
}

// Every call that takes a batch answers with `code` and a sentence.
static void expect_refused(mr_batch *b, int code)
{
    mr_batch_info info = kNoInfo;
    uint64_t hash = 5;
    EXPECT_EQ(mr_release(b), code);
    EXPECT_STRNE(mr_error(nullptr), "");
    EXPECT_EQ(mr_field(b, "image"), nullptr);
    EXPECT_EQ(mr_field_at(b, 0), nullptr);
    EXPECT_EQ(mr_field_count(b), 0);
    EXPECT_EQ(mr_sample_ids(b), nullptr);
    EXPECT_EQ(mr_valid(b), nullptr);
    EXPECT_EQ(mr_batch_get_info(b, &info), code);
    EXPECT_EQ(memcmp(&info, &kNoInfo, sizeof info), 0);
    EXPECT_EQ(mr_batch_hash(b, &hash), code);
    EXPECT_EQ(hash, 5u);
}

// Every call that takes a loader answers with `code`.
static void expect_refused(mr_loader *l, int code)
{
    mr_batch *b = reinterpret_cast<mr_batch *>(1);
    uint64_t hash;
    size_t bytes;
    char text[1024];
    mr_stats stats = {};
    stats.size = sizeof stats;
    EXPECT_EQ(mr_next(l, &b, 1000), code);
    EXPECT_EQ(b, nullptr);
    EXPECT_EQ(mr_end_epoch(l), code);
    EXPECT_EQ(mr_set_epoch(l, 0), code);
    EXPECT_EQ(mr_save_state(l, text, sizeof text, &bytes), code);
    EXPECT_EQ(mr_load_state(l, "{}"), code);
    EXPECT_EQ(mr_fd(l), code);
    EXPECT_EQ(mr_get_stats(l, &stats), code);
    EXPECT_EQ(mr_stream_hash_begin(l), code);
    EXPECT_EQ(mr_stream_hash(l, &hash), code);
    EXPECT_EQ(mr_dump(l), nullptr);
    EXPECT_EQ(mr_class_name(l, 0), nullptr);
    EXPECT_EQ(mr_sample_path(l, 0), nullptr);
    EXPECT_STRNE(mr_error(l), "");
}

TEST(LoaderMisuse, AStaleBatchIsRefusedEverywhereAndChangesNothing)
{
    Loader l(main_config());
    mr_batch *stale = take(l), *live = take(l);
    Delivered before = describe(live);
    ASSERT_EQ(mr_release(stale), MR_OK);
    for (int i = 0; i < 20; i++)
        expect_refused(stale, MR_E_STALE);
    expect_refused((mr_batch *)nullptr, MR_E_USAGE);
    EXPECT_EQ(describe(live), before);
    EXPECT_EQ(mr_release(live), MR_OK);
    Loader calm(main_config());
    std::vector<Delivered> all = calm.read(6), rest = l.read(4);
    EXPECT_TRUE(std::equal(rest.begin(), rest.end(), all.begin() + 2)) << "the stream went on";
}

TEST(LoaderMisuse, WhatNeverWasABatchIsRefused)
{
    Loader l(main_config());
    mr_batch *b = take(l);
    char junk[256] = {};
    expect_refused(reinterpret_cast<mr_batch *>(junk), MR_E_STALE);
    expect_refused(reinterpret_cast<mr_batch *>(reinterpret_cast<char *>(b) + 8), MR_E_STALE);
    expect_refused(reinterpret_cast<mr_batch *>(l.handle), MR_E_STALE);
    EXPECT_NE(mr_field(b, "image"), nullptr);
    EXPECT_EQ(mr_release(b), MR_OK);
}

TEST(LoaderMisuse, AfterCloseAndTheLastReleaseEverythingIsStillAnError)
{
    Loader other(main_config(), {"seed=1"}); // or the table would be empty
    mr_loader *copy;
    mr_batch *a, *b;
    {
        Loader l(main_config());
        a = take(l), b = take(l);
        copy = l.handle;
        mr_close(&l.handle);
    }
    expect_refused(copy, MR_E_CLOSED);
    ASSERT_EQ(mr_release(a), MR_OK);
    expect_refused(a, MR_E_STALE);
    ASSERT_EQ(mr_release(b), MR_OK); // frees everything
    expect_refused(a, MR_E_STALE);
    expect_refused(b, MR_E_STALE);
    expect_refused(copy, MR_E_CLOSED);
    mr_close(&copy);
    EXPECT_EQ(other.read(3).size(), 3u);
}

TEST(LoaderMisuse, PlacesForAnswersMustBeThere)
{
    Loader l(main_config());
    mr_batch *b = take(l);
    EXPECT_EQ(mr_next(l.handle, nullptr, 0), MR_E_USAGE);
    EXPECT_EQ(mr_batch_get_info(b, nullptr), MR_E_USAGE);
    EXPECT_EQ(mr_batch_hash(b, nullptr), MR_E_USAGE);
    EXPECT_EQ(mr_field(b, nullptr), nullptr);
    EXPECT_EQ(mr_field_at(b, -1), nullptr);
    EXPECT_EQ(mr_field_at(b, 99), nullptr);
    EXPECT_EQ(mr_stream_hash(l.handle, nullptr), MR_E_USAGE);
    EXPECT_EQ(mr_save_state(l.handle, nullptr, 10, nullptr), MR_E_USAGE);
    EXPECT_EQ(mr_load_state(l.handle, nullptr), MR_E_USAGE);
    EXPECT_EQ(mr_get_stats(l.handle, nullptr), MR_E_USAGE);
    expect_refused((mr_loader *)nullptr, MR_E_USAGE);
    EXPECT_EQ(mr_release(b), MR_OK);
}

TEST(LoaderMisuse, LeasesOfSeveralClosedLoadersAreReleasedByOtherThreads)
{
    std::vector<mr_batch *> batches;
    std::vector<Delivered> before;
    for (int i = 0; i < 3; i++) {
        Loader l(main_config("slots: 3\n"), {"seed=" + std::to_string(i)});
        for (int k = 0; k < 3; k++) {
            batches.push_back(take(l));
            before.push_back(describe(batches.back()));
        }
    }
    EXPECT_TRUE(eventually([] { return processes("mr-").empty(); }, 20000));
    for (size_t i = 0; i < batches.size(); i++)
        EXPECT_EQ(describe(batches[i]), before[i]) << "readable until it is released";
    std::vector<std::thread> threads;
    for (size_t t = 0; t < 3; t++)
        threads.emplace_back([&, t] {
            for (size_t i = t; i < batches.size(); i += 3)
                EXPECT_EQ(mr_release(batches[i]), MR_OK);
        });
    for (std::thread &t : threads)
        t.join();
    for (mr_batch *b : batches)
        EXPECT_EQ(mr_release(b), MR_E_STALE);
}

TEST(LoaderMisuse, PoisonIsSeenInPlaceThroughAStalePointer)
{
    for (bool poison : {true, false}) {
        if (poison)
            setenv("MILLRACE_POISON", "1", 1);
        Loader l(main_config("slots: 3\n"));
        unsetenv("MILLRACE_POISON");
        mr_batch *kept = take(l), *b = take(l);
        Delivered before = describe(kept);
        const mr_tensor *x = mr_field(b, "image");
        const unsigned char *data = static_cast<const unsigned char *>(x->data);
        size_t n = (size_t)(x->shape[0] * x->strides[0]);
        std::vector<unsigned char> was(data, data + n);
        mr_close(&l.handle); // nobody fills the slot again; `kept` keeps the memory
        ASSERT_EQ(mr_release(b), MR_OK);
        std::vector<unsigned char> pattern(n, 0xdb);
        EXPECT_EQ(memcmp(data, poison ? pattern.data() : was.data(), n), 0);
        EXPECT_EQ(describe(kept), before);
        EXPECT_EQ(mr_release(kept), MR_OK);
    }
}

// ---- forked children ----

static int memfds_open()
{
    int n = 0;
    DIR *d = opendir("/proc/self/fd");
    while (struct dirent *entry = d ? readdir(d) : nullptr) {
        char target[64] = {};
        std::string link = std::string("/proc/self/fd/") + entry->d_name;
        if (readlink(link.c_str(), target, sizeof target - 1) > 0)
            n += !strncmp(target, "/memfd:millrace", 15);
    }
    if (d)
        closedir(d);
    return n;
}

// Does everything a child could do by accident; ends in `end`.
static pid_t forked_child(Loader &l, mr_batch *b, void (*end)())
{
    pid_t pid = fork();
    if (pid)
        return pid;
    expect_refused(b, MR_E_FORKED);
    expect_refused(l.handle, MR_E_FORKED);
    EXPECT_EQ(memfds_open(), 0) << "the child would keep the parent's shared memory alive";
    mr_close(&l.handle);
    if (::testing::Test::HasFailure())
        _exit(1);
    end();
    _exit(1);
}

TEST(LoaderMisuse, AForkedChildTouchesNothingHoweverItEnds)
{
    Loader l(main_config("epochs: 2\n"));
    mr_batch *b = take(l);
    Delivered before = describe(b);
    void (*ends[])() = {[] { exit(0); }, [] { _exit(0); }, [] { raise(SIGKILL); },
                        [] { execlp("true", "true", nullptr); }};
    for (auto end : ends) {
        int status;
        pid_t pid = forked_child(l, b, end);
        ASSERT_EQ(waitpid(pid, &status, 0), pid);
        EXPECT_TRUE(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0)
            << status;
        EXPECT_EQ(describe(b), before);
    }
    EXPECT_EQ(mr_release(b), MR_OK);
    EXPECT_EQ(l.read().size(), 15u);
    EXPECT_EQ(l.rc, MR_END) << l.error;
}
