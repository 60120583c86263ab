// SPDX-License-Identifier: Apache-2.0
//
// Deaths: whatever is killed, the stream stays the same or ends with a sentence, and nothing is
// left behind.
#include "loader_testing.hpp"

#include <chrono>
#include <csignal>
#include <random>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>

static const std::string job = main_config("epochs: 6\nproducers: 3\nslots: 3\n");

static std::vector<Delivered> undisturbed()
{
    static const std::vector<Delivered> all = Loader(job).read();
    return all;
}

static void kill_one(const std::string &name, int signal, std::minstd_rand &random)
{
    std::vector<pid_t> pids = processes(name);
    if (!pids.empty())
        kill(pids[random() % pids.size()], signal);
}

TEST(LoaderDeath, KilledProducersAreReplacedAndTheStreamIsTheSame)
{
    std::minstd_rand random(1);
    Loader l(job);
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    std::vector<Delivered> got = l.read(SIZE_MAX, [&](size_t done) {
        if (done % 2 == 1)
            kill_one("mr-producer", SIGKILL, random);
    });
    EXPECT_EQ(l.rc, MR_END) << l.error;
    EXPECT_EQ(got, undisturbed());
    mr_stats s = {};
    s.size = sizeof s;
    mr_get_stats(l.handle, &s);
    EXPECT_GE(s.respawns, 3u);
    ASSERT_FALSE(l.log.empty());
    EXPECT_NE(l.log[0].find("was killed by signal 9"), std::string::npos) << l.log[0];
}

TEST(LoaderDeath, AKilledCommanderGoesOnWhereItStood)
{
    std::minstd_rand random(2);
    Loader l(job);
    std::vector<Delivered> got = l.read(SIZE_MAX, [&](size_t done) {
        if (done % 4 == 2)
            kill_one("mr-commander", SIGKILL, random);
    });
    EXPECT_EQ(l.rc, MR_END) << l.error;
    EXPECT_EQ(got, undisturbed());
}

TEST(LoaderDeath, KillsAtRandomTimes)
{
    std::minstd_rand random(3);
    Loader l(job);
    std::atomic<bool> stop{false};
    std::thread killer([&] {
        while (!stop) {
            std::this_thread::sleep_for(std::chrono::microseconds(random() % 20000));
            kill_one(random() % 8 ? "mr-producer" : "mr-commander", SIGKILL, random);
        }
    });
    std::vector<Delivered> got;
    // The trainer is slow enough for the killer to hit every phase, and never lets five die without
    // a row.
    got = l.read(SIZE_MAX,
                 [&](size_t) { std::this_thread::sleep_for(std::chrono::milliseconds(5)); });
    stop = true;
    killer.join();
    if (l.rc == MR_E_DIED) { // allowed: five deaths in a row before any row was finished
        EXPECT_NE(l.error.find("with no row finished between them"), std::string::npos) << l.error;
        got.resize(std::min(got.size(), undisturbed().size()));
        EXPECT_TRUE(std::equal(got.begin(), got.end(), undisturbed().begin()));
        return;
    }
    EXPECT_EQ(l.rc, MR_END) << l.error;
    EXPECT_EQ(got, undisturbed());
}

TEST(LoaderDeath, KillsDuringACancel)
{
    std::minstd_rand random(4);
    Loader l(main_config("epochs: 0\nproducers: 3\n"));
    for (int i = 0; i < 20; i++) {
        std::vector<Delivered> got = l.read(2);
        ASSERT_EQ(got.size(), 2u) << l.error;
        EXPECT_EQ(got[0].epoch, (uint64_t)i);
        EXPECT_EQ(got[0].batch, 0u);
        ASSERT_EQ(mr_end_epoch(l.handle), MR_OK) << mr_error(l.handle);
        kill_one(i % 2 ? "mr-commander" : "mr-producer", SIGKILL, random);
    }
}

TEST(LoaderDeath, ADeadWardenIsAnErrorWithinASecond)
{
    Loader l(main_config("epochs: 0\n"));
    l.read(2);
    for (pid_t pid : processes("mr-warden"))
        kill(pid, SIGKILL);
    auto from = std::chrono::steady_clock::now();
    l.read();
    EXPECT_EQ(l.rc, MR_E_DIED);
    EXPECT_NE(l.error.find("the warden died"), std::string::npos) << l.error;
    EXPECT_LT(std::chrono::steady_clock::now() - from, std::chrono::seconds(1));
    EXPECT_TRUE(eventually([] { return processes("mr-").empty(); }, 1000));
}

// Without a process nothing can be left: the memory has no name, and the kernel frees it with the
// last of its holders.
TEST(LoaderDeath, AKilledTrainerLeavesNothing)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1); // so that orphans stay our descendants and can be seen
    for (int i = 0; i < 10; i++) {
        int pipe_fd[2];
        ASSERT_EQ(pipe(pipe_fd), 0);
        pid_t trainer = fork();
        if (trainer == 0) {
            Loader l(main_config("epochs: 0\n", ""));
            l.read((size_t)i);
            if (write(pipe_fd[1], "x", 1) != 1)
                _exit(1);
            l.read();
            _exit(0);
        }
        char byte;
        ASSERT_EQ(read(pipe_fd[0], &byte, 1), 1);
        kill(trainer, SIGKILL);
        auto gone = [] {
            while (waitpid(-1, nullptr, WNOHANG) > 0)
                ;
            return processes("mr-").empty();
        };
        EXPECT_TRUE(eventually(gone, 1000)) << "round " << i;
        close(pipe_fd[0]);
        close(pipe_fd[1]);
    }
    prctl(PR_SET_CHILD_SUBREAPER, 0);
}

TEST(LoaderDeath, ATrainerThatIsProcessOneWorks)
{
    // As in a container: a pid namespace of its own, where this very program is process 1.
    if (system("unshare -pf --mount-proc true 2>/dev/null") != 0)
        GTEST_SKIP() << "no pid namespaces here";
    std::string run =
        "unshare -pf --mount-proc " MR_BINARY_DIR "/bin/millrace run --quiet --epochs 1 "
        "--set source.path=" MR_SAMPLE "/images " MR_SOURCE_DIR "/configs/quickstart.yaml";
    EXPECT_EQ(system((run + " > /dev/null").c_str()), 0);
    // And a config that can be read only once.
    std::string pipe = "sed 's|path: .*}|path: " MR_SAMPLE "/images}|' " MR_SOURCE_DIR
                       "/configs/quickstart.yaml | " MR_BINARY_DIR
                       "/bin/millrace run --quiet --epochs 1 /dev/stdin > /dev/null";
    EXPECT_EQ(system(pipe.c_str()), 0);
}

TEST(LoaderDeath, AWardenThatIsNoneIsAnErrorThatSaysSo)
{
    setenv("MILLRACE_WARDEN", "/bin/true", 1);
    Loader l(job);
    unsetenv("MILLRACE_WARDEN");
    EXPECT_EQ(l.rc, MR_E_DIED);
    EXPECT_NE(l.error.find("before it was ready"), std::string::npos) << l.error;
}

TEST(LoaderDeath, RelativePathsStartAtTheConfigsFolderInEveryProcess)
{
    std::string run =
        "cd / && mkdir -p " MR_BINARY_DIR "/tests/relative && sed 's|path: .*}|path: "
        "../sample/images}|' " MR_SOURCE_DIR "/configs/quickstart.yaml > " MR_BINARY_DIR
        "/tests/relative/c.yaml && " MR_BINARY_DIR
        "/bin/millrace run --quiet --epochs 1 " MR_BINARY_DIR "/tests/relative/c.yaml > /dev/null";
    EXPECT_EQ(system(run.c_str()), 0);
}
