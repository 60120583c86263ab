// SPDX-License-Identifier: Apache-2.0
//
// What the machine does not give: descriptors, processes, file sizes, memory. Each is an error that
// names the number and the knob, at open and later; never SIGBUS, never a signal's death.
#include "loader_testing.hpp"

#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fs = std::filesystem;

namespace
{

struct Answer {
    int status; // of the child
    std::string text;
};

// Runs `what` in a child of its own, which may take limits and another user; its answer's text.
Answer in_child(const std::function<std::string()> &what)
{
    int fds[2];
    Answer a;
    EXPECT_EQ(pipe(fds), 0);
    fflush(nullptr);
    pid_t pid = fork();
    if (pid == 0) {
        for (int fd = 3; fd < 1024; fd++)
            if (fd != fds[1])
                close(fd);
        dup2(fds[1], 3);
        fcntl(3, F_SETFD, FD_CLOEXEC);
        if (fds[1] != 3)
            close(fds[1]);
        std::string text = what();
        _exit(write(3, text.data(), text.size()) == (ssize_t)text.size() ? 0 : 1);
    }
    close(fds[1]);
    char part[1024];
    ssize_t n;
    while ((n = read(fds[0], part, sizeof part)) > 0)
        a.text.append(part, (size_t)n);
    close(fds[0]);
    waitpid(pid, &a.status, 0);
    return a;
}

void limit(__rlimit_resource_t which, rlim_t n)
{
    struct rlimit r = {n, n};
    if (setrlimit(which, &r) < 0)
        _exit(3);
}

// "" when everything worked, else the sentence.
std::string open_and_read(const std::string &config, std::vector<std::string> set = {},
                          size_t expected = 8)
{
    Loader l(config, std::move(set));
    if (l.rc < 0)
        return l.error;
    size_t n = l.read().size();
    if (l.rc != MR_END)
        return l.error;
    return n == expected ? "" : "wrong number of batches: " + std::to_string(n);
}

const std::string job = main_config("epochs: 1\nproducers: 2\n");

bool is_sanitized()
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return true;
#else
    return false;
#endif
}

} // namespace

TEST(LoaderResources, EveryNumberOfDescriptorsIsEnoughOrSaysSo)
{
    int enough = 0;
    for (rlim_t n = 5; n < 48 && enough < 3; n++) {
        Answer a = in_child([n] {
            limit(RLIMIT_NOFILE, n);
            return open_and_read(job);
        });
        ASSERT_EQ(a.status, 0) << n << " descriptors: " << a.text;
        enough += a.text.empty();
        if (!a.text.empty()) {
            EXPECT_NE(a.text.find("ulimit -n"), std::string::npos) << n << ": " << a.text;
        }
    }
    EXPECT_EQ(enough, 3) << "48 descriptors are not enough";
}

TEST(LoaderResources, EveryNumberOfProcessesIsEnoughOrSaysSo)
{
    if (getuid() || is_sanitized())
        GTEST_SKIP() << "needs to become another user, and the sanitizers a process to themselves";
    int enough = 0;
    for (rlim_t n = 1; n < 12 && enough < 2; n++) {
        Answer a = in_child([n]() -> std::string {
            if (setgid(65534) < 0 || setuid(65534) < 0 || access(MR_SAMPLE, R_OK | X_OK) < 0 ||
                access(MR_BINARY_DIR "/bin/millrace-warden", X_OK) < 0)
                return "skip";
            limit(RLIMIT_NPROC, n);
            return open_and_read(job);
        });
        if (a.text == "skip")
            GTEST_SKIP() << "another user may not read the build";
        ASSERT_EQ(a.status, 0) << n << " processes: " << a.text;
        enough += a.text.empty();
        if (!a.text.empty()) {
            EXPECT_NE(a.text.find("ulimit -u"), std::string::npos) << n << ": " << a.text;
        }
    }
    EXPECT_EQ(enough, 2) << "12 processes are not enough";
}

TEST(LoaderResources, NoProcessForARespawnIsAWarningAndTriedAgain)
{
    if (getuid() || is_sanitized())
        GTEST_SKIP() << "needs to become another user, and the sanitizers a process to themselves";
    Answer a = in_child([]() -> std::string {
        if (setgid(65534) < 0 || setuid(65534) < 0 || access(MR_SAMPLE, R_OK | X_OK) < 0)
            return "skip";
        Loader l(main_config("epochs: 2\nproducers: 1\nslots: 1\n"));
        if (l.rc < 0)
            return l.error;
        size_t got = l.read(2).size();
        struct rlimit none, old;
        pid_t warden = processes("mr-warden").at(0);
        prlimit(warden, RLIMIT_NPROC, nullptr, &old);
        none = {1, old.rlim_max};
        if (prlimit(warden, RLIMIT_NPROC, &none, nullptr) < 0)
            return "the warden's limit cannot be set";
        for (pid_t pid : processes("mr-producer"))
            kill(pid, SIGKILL);
        mr_batch *b;
        int rc;
        while ((rc = mr_next(l.handle, &b, 2000)) == MR_OK || rc == MR_END_EPOCH) {
            got += rc == MR_OK;
            if (rc == MR_OK)
                mr_release(b);
        }
        if (rc != MR_E_TIMEOUT)
            return "mr_next gave " + std::to_string(rc);
        bool said = false;
        for (const std::string &line : l.log)
            said |= line.find("ulimit -u") != std::string::npos;
        if (!said)
            return "nothing was said of the limit";
        prlimit(warden, RLIMIT_NPROC, &old, nullptr);
        got += l.read().size();
        return l.rc == MR_END && got == 16 ? "" : "after the limit: " + l.error;
    });
    if (a.text == "skip")
        GTEST_SKIP() << "another user may not read the build";
    EXPECT_EQ(a.status, 0);
    EXPECT_EQ(a.text, "");
}

TEST(LoaderResources, AFileSizeLimitHoldsForSharedMemoryAndSaysSo)
{
    char name[] = "/tmp/millrace-large-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    std::string csv = std::string(name) + "/large.csv"; // the index is larger than the arena
    {
        std::ofstream f(csv);
        f << "image,label:i64\n";
        for (int i = 0; i < 60000; i++)
            f << MR_SAMPLE "/images/none/a_long_name_for_a_file_that_nobody_reads.jpg," << i
              << '\n';
    }
    const std::string config = main_config("batch: {size: 1}\nslots: 1\nproducers: 1\n",
                                           "source: {type: manifest, path: " + csv + "}\n");
    int said = 0;
    for (rlim_t n = 1000; n < 100000000; n *= 3) {
        Answer a = in_child([&config, n]() -> std::string {
            limit(RLIMIT_FSIZE, n);
            Loader l(config);
            return l.rc < 0 ? l.error : "";
        });
        ASSERT_EQ(a.status, 0) << n << " bytes: " << a.text;
        said += !a.text.empty();
        if (!a.text.empty()) {
            EXPECT_NE(a.text.find("ulimit -f"), std::string::npos) << n << ": " << a.text;
        }
    }
    EXPECT_GT(said, 5);
    fs::remove_all(name);
}

// A cgroup with 64 MB for the child that it is made for; "" where there is none to be had.
static std::string small_cgroup()
{
    std::ifstream f("/proc/self/cgroup");
    std::string line, folder;
    while (std::getline(f, line))
        if (line.find(":memory:") != std::string::npos)
            folder = "/sys/fs/cgroup/memory" + line.substr(line.rfind(':') + 1);
    folder += "/millrace-test-" + std::to_string(getpid());
    std::error_code failed;
    if (getuid() || !fs::create_directory(folder, failed))
        return "";
    std::ofstream(folder + "/memory.limit_in_bytes") << (64 << 20);
    return folder;
}

static std::string open_in(const std::string &folder, bool hidden)
{
    std::ofstream(folder + "/cgroup.procs") << getpid() << std::flush;
    if (hidden && (unshare(CLONE_NEWNS) < 0 ||
                   mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0 ||
                   umount2("/sys/fs/cgroup", MNT_DETACH) < 0))
        return "skip";
    return open_and_read(main_config("epochs: 1\nslots: 24\nbatch: {size: 60}\nproducers: 1\n"),
                         {"ops.0.random_resized_crop.size=160"}, 1);
}

TEST(LoaderResources, ACgroupsLimitIsAnErrorWhetherItCanBeSeenOrNot)
{
    if (is_sanitized())
        GTEST_SKIP() << "the sanitizers' own memory does not fit the cgroup";
    std::string folder = small_cgroup();
    if (folder.empty())
        GTEST_SKIP() << "no memory cgroup (v1) can be made here";
    Answer seen = in_child([&] { return open_in(folder, false); });
    EXPECT_EQ(seen.status, 0) << "the trainer was killed";
    EXPECT_NE(seen.text.find("the cgroup's memory.limit_in_bytes"), std::string::npos) << seen.text;
    EXPECT_NE(seen.text.find("'slots'"), std::string::npos) << seen.text;
    Answer hidden = in_child([&] { return open_in(folder, true); });
    RecordProperty("hidden", hidden.text);
    if (hidden.text != "skip") {
        EXPECT_EQ(hidden.status, 0) << "the OOM killer took the trainer";
        EXPECT_NE(hidden.text.find("the kernel's OOM killer"), std::string::npos) << hidden.text;
        EXPECT_NE(hidden.text.find("'slots'"), std::string::npos) << hidden.text;
    }
    EXPECT_TRUE(eventually([&] { return rmdir(folder.c_str()) == 0; }, 20000));
}
