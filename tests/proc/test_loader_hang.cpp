// SPDX-License-Identifier: Apache-2.0
//
// Hangs: a producer that loops, blocks or was stopped is ended and replaced, the stream is the
// same; and a warden that waits for all this sleeps.
#include "faulty.hpp"

#include "millrace/plugin.h"

#include <csignal>
#include <cstring>
#include <fstream>
#include <thread>

#include <sys/mman.h>

namespace
{

struct Hang {
    const char *how, *says;
    std::vector<const char *> limits;
};

const Hang kHangs[] = {
    {"spin", "worked longer than 'sample_timeout' (1.5 s)", {"sample_timeout=1.5"}},
    {"spin",
     "used more processor time than 'sample_cpu_timeout' (0.2 s)",
     {"sample_cpu_timeout=0.2"}},
    {"block", "worked longer than 'sample_timeout'", {"sample_timeout=1.5"}},
    {"stop", "stood still", {"sample_timeout=1.5"}},
};

// A row that a busy machine has kept waiting may be ended, too: no count of these is exact.
TEST(LoaderHang, EveryKindInEveryKindOfProducerCostsNothing)
{
    for (const Hang &hang : kHangs)
        for (bool exec : {false, true}) {
            SCOPED_TRACE(std::string(hang.says) + (exec ? ", a program" : ""));
            Loader l(faulty_config({hang.how, 1, 13, exec ? "batch" : "row", exec}),
                     {hang.limits.begin(), hang.limits.end()});
            ASSERT_EQ(l.rc, MR_OK) << l.error;
            EXPECT_EQ(l.read(), faultless()) << all_lines(l);
            EXPECT_EQ(l.rc, MR_END) << l.error;
            EXPECT_NE(line_with(l, hang.says), "") << all_lines(l);
            mr_stats s = stats_of(l);
            EXPECT_GE(s.timeouts + s.stopped, 1u);
            EXPECT_EQ(s.refills, 0u);
        }
}

TEST(LoaderHang, ASampleThatTakesTooLongTwiceIsSetAside)
{
    Loader l(faulty_config({"spin", -1}, "on_error: skip\n"), {"sample_timeout=1.5"});
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    std::vector<Delivered> got = l.read();
    ASSERT_EQ(got.size(), faultless().size()) << l.error << all_lines(l);
    EXPECT_EQ(got[3].valid, 3);
    EXPECT_EQ(got[13].valid, 3);
    got[3] = faultless()[3], got[13] = faultless()[13];
    EXPECT_EQ(got, faultless()) << all_lines(l);
    EXPECT_GE(stats_of(l).timeouts, 4u);
}

TEST(LoaderHang, OneThatStopsItselfAgainAndAgainIsNoBadSample)
{
    Loader l(faulty_config({"stop", 4}), {"sample_timeout=1.5"});
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    EXPECT_EQ(l.read(), faultless()) << all_lines(l);
    mr_stats s = stats_of(l);
    EXPECT_GE(s.stopped, 4u) << all_lines(l);
    EXPECT_EQ(s.bad_samples, 0u);
}

// The built-in pipeline, whose processes somebody else stops: busy ones and idle ones.
TEST(LoaderHang, StoppedProcessesAreReplacedIdleOrNot)
{
    std::string job = main_config("epochs: 3\nproducers: 2\nslots: 2\nsample_timeout: 1.5\n");
    std::vector<Delivered> calm = Loader(job).read();
    Loader l(job);
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    std::vector<Delivered> got = l.read(4);
    // Nobody takes a batch now, so all are idle before long.
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    for (const char *name : {"mr-producer-0", "mr-commander"})
        for (pid_t pid : processes(name))
            kill(pid, SIGSTOP);
    ASSERT_TRUE(eventually([&] { return stats_of(l).stopped == 2; }, 60000)) << all_lines(l);
    for (Delivered &d : l.read(SIZE_MAX, [&](size_t done) {
             if (done == 3)
                 for (pid_t pid : processes("mr-producer-1"))
                     kill(pid, SIGSTOP);
         }))
        got.push_back(d);
    EXPECT_EQ(l.rc, MR_END) << l.error << all_lines(l);
    EXPECT_EQ(got, calm) << all_lines(l);
}

TEST(LoaderHang, AStoppedProcessThatGoesOnInTimeIsLeftAlone)
{
    Loader l(main_config("epochs: 0\nproducers: 2\nsample_timeout: 5\n"));
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    for (int i = 0; i < 5; i++) {
        l.read(2);
        for (pid_t pid : processes("mr-"))
            kill(pid, SIGSTOP);
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        for (pid_t pid : processes("mr-"))
            kill(pid, SIGCONT);
    }
    EXPECT_EQ(l.read(2).size(), 2u) << l.error;
    EXPECT_EQ(stats_of(l).respawns, 0u) << all_lines(l);
}

TEST(LoaderHang, ThreadsOfAProducerStandStillTogether)
{
    std::string job = main_config("epochs: 4\nproducers: {count: 2, threads: 3}\nslots: 3\n");
    std::vector<Delivered> calm = Loader(job).read();
    Loader l(job, {"sample_timeout=1.5"});
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    std::vector<Delivered> got = l.read(SIZE_MAX, [&](size_t done) {
        if (done % 8 == 3)
            for (pid_t pid : processes("mr-producer"))
                kill(pid, done % 16 == 3 ? SIGSTOP : SIGSEGV);
    });
    EXPECT_EQ(l.rc, MR_END) << l.error << all_lines(l);
    EXPECT_EQ(got, calm) << all_lines(l);
    EXPECT_GE(stats_of(l).stopped, 1u) << all_lines(l);
    EXPECT_EQ(stats_of(l).bad_samples, 0u) << all_lines(l);
    char *text = mr_dump(l.handle);
    EXPECT_NE(std::string(text).find("thread 2: "), std::string::npos) << text;
    mr_free(text);
}

int64_t *spins_left; // shared by all processes

int next_index(void *self, mr_message *m)
{
    auto *index = static_cast<int64_t *>(self);
    return *index == 24 ? MR_END : mr_message_set_i64(m, "index", (*index)++);
}

int fill_or_spin(void *, mr_rows *rows)
{
    int64_t index = 0;
    mr_message_get_i64(mr_rows_message(rows, 0), "index", &index);
    if (index == 5 && __atomic_fetch_sub(spins_left, 1, __ATOMIC_SEQ_CST) > 0)
        for (volatile int forever = 1; forever;)
            ;
    memcpy(mr_rows_field(rows, "image")->data, &index, sizeof index);
    return MR_OK;
}

TEST(LoaderHang, ACallbackThatLoopsIsEndedAndItsRowGivenToAnother)
{
    std::string job = "version: 1\ncontext: fork\nbatch: {size: 4}\nproducers: 2\n"
                      "fields: {image: {dtype: int64, shape: [4]}}\n";
    spins_left = static_cast<int64_t *>(
        mmap(nullptr, sizeof(int64_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    int64_t index = 0;
    mr_commander c = {};
    c.size = sizeof c;
    c.abi = MR_PLUGIN_ABI;
    c.user = &index;
    c.next = next_index;
    mr_producer p = {};
    p.size = sizeof p;
    p.abi = MR_PLUGIN_ABI;
    p.fill = fill_or_spin;
    std::vector<Delivered> calm = Loader(job, {}, nullptr, &c, &p).read();
    EXPECT_EQ(calm.size(), 6u);
    *spins_left = 1;
    Loader l(job, {"sample_timeout=1.5"}, nullptr, &c, &p);
    EXPECT_EQ(l.read(), calm) << l.error << all_lines(l);
    EXPECT_GE(stats_of(l).timeouts, 1u) << all_lines(l);
    munmap(spins_left, sizeof(int64_t));
}

uint64_t sleeps_of(pid_t pid)
{
    std::ifstream f("/proc/" + std::to_string(pid) + "/status");
    std::string key;
    uint64_t value = 0;
    while (f >> key)
        if (key == "voluntary_ctxt_switches:")
            f >> value;
    return value;
}

// A limit of 0.5 s would be six deadlines in the time that is watched.
TEST(LoaderHang, WithNobodyBusyTheWardenSleepsWithoutEnd)
{
    Loader l(main_config("epochs: 0\nproducers: 2\nsample_timeout: 0.5\n"));
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    l.read(2);
    std::vector<pid_t> warden = processes("mr-warden");
    ASSERT_EQ(warden.size(), 1u);
    auto still = [&] {
        uint64_t before = sleeps_of(warden[0]);
        std::this_thread::sleep_for(std::chrono::seconds(3));
        return sleeps_of(warden[0]) == before;
    };
    EXPECT_TRUE(still() || still() || still()) << "it wakes up though nothing happens";
    EXPECT_EQ(l.read(10).size(), 10u);
    for (pid_t pid : processes("mr-producer-0"))
        kill(pid, SIGSTOP); // and still sees what happens
    EXPECT_TRUE(eventually([&] { return stats_of(l).stopped >= 1; }, 60000)) << all_lines(l);
}

TEST(LoaderHang, TheDumpNamesWhatHangs)
{
    Loader l(faulty_config({"block", 1}));
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    EXPECT_EQ(l.read(3).size(), 3u);
    mr_batch *batch;
    EXPECT_EQ(mr_next(l.handle, &batch, 300), MR_E_TIMEOUT);
    char *text = mr_dump(l.handle);
    ASSERT_NE(text, nullptr);
    std::string dump = text;
    mr_free(text);
    EXPECT_NE(dump.find("in user code for "), std::string::npos) << dump;
    EXPECT_NE(dump.find("sequence 3 row 1 (slot "), std::string::npos) << dump;
    EXPECT_NE(dump.find("sample 13, for "), std::string::npos) << dump;
    EXPECT_NE(dump.find("busy 1"), std::string::npos) << dump;
}

} // namespace
