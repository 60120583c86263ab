// SPDX-License-Identifier: Apache-2.0
//
// The sandbox of built-in producers, from inside: what is forbidden is tried and fails or kills,
// layer by layer; what is needed works; and batches are the same with and without it.
#include "loader_testing.hpp"

extern "C" {
#include "proc/callfilter.h"
#include "proc/landlock.h"
#include "proc/sandbox.h"
}

#include <arpa/inet.h>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <functional>
#include <seccomp.h>
#include <memory>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace fs = std::filesystem;

#define NEEDS_SANDBOX()          \
    if (mr__sandbox_by_choice()) \
    GTEST_SKIP() << "a sanitizer's run-time does not survive the sandbox"

#define NEEDS_LANDLOCK()     \
    if (!mr__landlock_abi()) \
    GTEST_SKIP() << "this kernel has no Landlock, or it is switched off"

static bool has_seccomp()
{
    uint32_t trap = 0x00030000; // SECCOMP_RET_TRAP
    return syscall(SYS_seccomp, 2 /* SECCOMP_GET_ACTION_AVAIL */, 0, &trap) == 0;
}
#define NEEDS_SECCOMP() \
    if (!has_seccomp()) \
    GTEST_SKIP() << "this kernel has no seccomp filters"

struct Ended {
    int status;
    uint32_t refused;
    bool died_of(int signal) const
    {
        return WIFSIGNALED(status) && WTERMSIG(status) == signal;
    }
    int code() const
    {
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
};

static std::ostream &operator<<(std::ostream &out, const Ended &e)
{
    char call[96] = "no call";
    if (e.refused)
        mr__callfilter_name(e.refused, call, sizeof call);
    return out << "status " << std::hex << e.status << std::dec << ", refused " << call;
}

// A data set of one picture that a broken sandbox may spoil.
#define DATA MR_BINARY_DIR "/tests/sandbox_data"
static const char picture[] = DATA "/picture.jpg";

static mr_sandbox_spec spec_of(unsigned layers, const std::string &root = DATA)
{
    fs::create_directories(DATA);
    fs::copy_file(MR_SAMPLE "/images/red_circle/000002.jpg", picture,
                  fs::copy_options::overwrite_existing);
    static std::string kept; // its NUL is the list's end
    kept = root;
    mr_sandbox_spec spec = {};
    spec.layers = layers;
    spec.roots = kept.c_str();
    spec.roots_bytes = kept.size() + 1;
    spec.threads = 1;
    spec.keep_fd = -1;
    return spec;
}

#define LAYER(name) (1u << MR_LAYER_##name)

// Runs `body` in a confined child; its value is the exit code. Nothing of gtest's works in there.
static Ended confined(const mr_sandbox_spec &spec, const std::function<int()> &body)
{
    mr_errbuf e = {};
    mr_sandbox *sandbox;
    auto *refused =
        (uint32_t *)mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    EXPECT_EQ(mr__sandbox_new(&sandbox, &spec, &e), MR_OK) << e.text;
    for (int i = 0; i < MR_LAYERS; i++)
        EXPECT_EQ(mr__sandbox_missing(sandbox, (mr_layer)i), nullptr)
            << mr__sandbox_missing(sandbox, (mr_layer)i);
    pid_t pid = fork();
    if (pid == 0) {
        if (mr__sandbox_enter(sandbox, refused) != 0)
            _exit(99);
        _exit(body());
    }
    Ended ended = {};
    waitpid(pid, &ended.status, 0);
    ended.refused = *refused;
    munmap(refused, 4096);
    mr__sandbox_free(sandbox);
    return ended;
}

static int error_of(long rc)
{
    return rc < 0 ? errno : 0;
}

static bool can_read(const char *path)
{
    char byte;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && read(fd, &byte, 1) == 1 && close(fd) == 0;
}

// ---- Landlock alone ----

struct FileCase {
    const char *name;
    std::function<long()> attempt;
    int error, from_abi;
};

TEST(LoaderSandbox, LandlockLetsReadTheDataSetAndNothingElse)
{
    NEEDS_SANDBOX();
    NEEDS_LANDLOCK();
    static pid_t parent;
    parent = getpid();
    static sockaddr_in port = {};
    port.sin_family = AF_INET;
    port.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const std::vector<FileCase> cases = {
        {"open of the data", [] { return open(picture, O_RDONLY); }, 0, 1},
        {"open of /etc/passwd", [] { return open("/etc/passwd", O_RDONLY); }, EACCES, 1},
        {"open of /proc/self/maps", [] { return open("/proc/self/maps", O_RDONLY); }, EACCES, 1},
        {"open for writing", [] { return open(picture, O_WRONLY); }, EACCES, 1},
        {"a new file", [] { return open(DATA "/x", O_WRONLY | O_CREAT, 0600); }, EACCES, 1},
        {"unlink", [] { return unlink(picture); }, EACCES, 1},
        {"mkdir", [] { return mkdir(DATA "/x", 0700); }, EACCES, 1},
        {"a list of the folder", [] { return open(DATA, O_RDONLY | O_DIRECTORY); }, EACCES, 1},
        {"truncate", [] { return truncate(picture, 0); }, EACCES, 3},
        {"a program",
         [] {
             char *argv[] = {(char *)"true", nullptr};
             return execv("/bin/true", argv);
         },
         EACCES, 1},
        {"a connection",
         [] { return connect(socket(AF_INET, SOCK_STREAM, 0), (sockaddr *)&port, sizeof port); },
         EACCES, 4},
        {"a port",
         [] { return bind(socket(AF_INET, SOCK_STREAM, 0), (sockaddr *)&port, sizeof port); },
         EACCES, 4},
        {"a signal to the parent", [] { return kill(parent, 0); }, EPERM, 6},
        {"a signal to itself", [] { return kill(getpid(), 0); }, 0, 1},
    };
    port.sin_port = htons(7);
    for (const FileCase &c : cases) {
        if (mr__landlock_abi() < c.from_abi)
            continue;
        Ended e =
            confined(spec_of(LAYER(PRIVS) | LAYER(FILES)), [&] { return error_of(c.attempt()); });
        EXPECT_EQ(e.code(), c.error) << c.name << ": " << e;
    }
    EXPECT_TRUE(fs::exists(picture));
}

TEST(LoaderSandbox, LandlockFollowsALinkedRootAndNoLinkOutOfIt)
{
    NEEDS_SANDBOX();
    NEEDS_LANDLOCK();
    std::string dir = MR_BINARY_DIR "/tests/sandbox_links";
    fs::remove_all(dir);
    fs::create_directories(dir + "/real");
    fs::create_symlink("real", dir + "/root");
    fs::create_symlink("/etc/passwd", dir + "/real/out");
    std::ofstream(dir + "/real/in") << "x";
    Ended e = confined(spec_of(LAYER(PRIVS) | LAYER(FILES), dir + "/root"), [&] {
        return can_read((dir + "/root/in").c_str()) + 2 * can_read((dir + "/real/out").c_str());
    });
    EXPECT_EQ(e.code(), 1) << e;
}

TEST(LoaderSandbox, TheIndexHelperOnlyReads)
{
    NEEDS_SANDBOX();
    NEEDS_LANDLOCK();
    spec_of(0);
    pid_t pid = fork();
    if (pid == 0) {
        mr__sandbox_read_only(false);
        char *argv[] = {(char *)"true", nullptr};
        int memory = memfd_create("index", 0);
        bool reads = can_read("/etc/passwd") && open(DATA, O_RDONLY | O_DIRECTORY) >= 0;
        bool fills = write(memory, "x", 1) == 1;
        bool writes = open(picture, O_WRONLY) >= 0 || errno != EACCES;
        bool runs = execv("/bin/true", argv) == 0 || errno != EACCES;
        _exit(reads + 2 * fills + 4 * writes + 8 * runs);
    }
    int status;
    waitpid(pid, &status, 0);
    EXPECT_EQ(WEXITSTATUS(status), 3);
}

// ---- seccomp alone ----

static int ring()
{
    return (int)syscall(425 /* io_uring_setup */, 1, nullptr);
}

// No page begins there: what is allowed after all does no harm.
static void *page()
{
    return (void *)1;
}

TEST(LoaderSandbox, RootIsAnOrdinaryUserThatMayReadAll)
{
    NEEDS_SANDBOX();
    if (getuid() != 0)
        GTEST_SKIP() << "only root has something to lose";
    Ended e = confined(spec_of(LAYER(PRIVS)), [] {
        chmod(picture, 0);
        bool reads = can_read(picture);
        bool gives = chown(picture, 65534, 65534) == 0 || errno != EPERM;
        return reads + 2 * gives;
    });
    EXPECT_EQ(e.code(), 1) << e;
}

TEST(LoaderSandbox, AForbiddenCallKillsAndIsNamed)
{
    NEEDS_SANDBOX();
    NEEDS_SECCOMP();
    static pid_t parent;
    parent = getpid();
    const struct {
        const char *call;
        std::function<long()> attempt;
    } cases[] = {
        {"socket", [] { return socket(AF_INET, SOCK_STREAM, 0); }},
        {"execve",
         [] {
             char *argv[] = {(char *)"true", nullptr};
             return execv("/bin/true", argv);
         }},
        {"kill", [] { return kill(parent, 0); }},
        {"tgkill", [] { return syscall(SYS_tgkill, parent, parent, 0); }},
        {"ptrace", [] { return ptrace(PTRACE_ATTACH, parent, nullptr, nullptr); }},
        {"process_vm_readv",
         [] { return syscall(SYS_process_vm_readv, parent, nullptr, 0, nullptr, 0, 0); }},
        {"io_uring_setup", [] { return ring(); }},
        {"clone", [] { return (long)syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, 0); }},
        {"openat", [] { return open("/tmp/x", O_WRONLY | O_CREAT, 0600); }},
        {"openat", [] { return open("/tmp", O_RDWR | O_TMPFILE, 0600); }},
        {"unlink", [] { return unlink("/tmp/millrace-no-such-file"); }},
        {"mmap",
         [] {
             return (long)(mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
                                -1, 0) == MAP_FAILED);
         }},
        {"madvise", [] { return (long)madvise(page(), 4096, MADV_REMOVE); }},
        {"madvise", [] { return (long)madvise(page(), 4096, 100 /* MADV_HWPOISON */); }},
        {"write", [] { return write(STDOUT_FILENO, "x", 1); }},
        {"rt_sigaction", [] { return (long)(signal(SIGSYS, SIG_IGN) == SIG_ERR); }},
        {"setrlimit", [] { return syscall(SYS_setrlimit, RLIMIT_DATA, nullptr); }},
        {"seccomp", [] { return syscall(SYS_seccomp, 0, 0, nullptr); }},
    };
    for (const auto &c : cases) {
        if (seccomp_syscall_resolve_name(c.call) < 0)
            continue; // not on this architecture
        Ended e = confined(spec_of(LAYER(PRIVS) | LAYER(CALLS)), [&] {
            sigset_t all; // a blocked SIGSYS does not help
            sigfillset(&all);
            sigprocmask(SIG_BLOCK, &all, nullptr);
            sigprocmask(SIG_UNBLOCK, &all, nullptr);
            c.attempt();
            return 0;
        });
        EXPECT_TRUE(e.died_of(SIGSYS)) << c.call << ": " << e;
        char text[96];
        mr__callfilter_name(e.refused, text, sizeof text);
        EXPECT_NE(std::string(text).find(std::string("(") + c.call + ")"), std::string::npos)
            << text;
    }
}

TEST(LoaderSandbox, ABlockedSignalDoesNotHelp)
{
    NEEDS_SANDBOX();
    NEEDS_SECCOMP();
    Ended e = confined(spec_of(LAYER(PRIVS) | LAYER(CALLS)), [] {
        sigset_t all;
        sigfillset(&all);
        sigprocmask(SIG_BLOCK, &all, nullptr);
        return socket(AF_INET, SOCK_STREAM, 0) < 0;
    });
    EXPECT_TRUE(e.died_of(SIGSYS)) << e;
}

TEST(LoaderSandbox, AbortStaysAbort)
{
    NEEDS_SANDBOX();
    NEEDS_LANDLOCK();
    NEEDS_SECCOMP();
    Ended e = confined(spec_of(MR_LAYERS_ALL), []() -> int { abort(); });
    EXPECT_TRUE(e.died_of(SIGABRT)) << e;
}

TEST(LoaderSandbox, WhatLibcOnlyAsksForIsRefusedAndNoMore)
{
    NEEDS_SANDBOX();
    NEEDS_SECCOMP();
    Ended e = confined(spec_of(LAYER(PRIVS) | LAYER(CALLS)), [] {
        bool name = prctl(PR_SET_NAME, "x") < 0 && errno == EPERM;
        return name + 2 * (isatty(STDERR_FILENO) == 0);
    });
    EXPECT_EQ(e.code(), 3) << e;
}

// ---- limits ----

TEST(LoaderSandbox, MemoryIsLimitedAndSharedMemoryIsNot)
{
    NEEDS_SANDBOX();
    NEEDS_LANDLOCK();
    NEEDS_SECCOMP();
    mr_sandbox_spec spec = spec_of(MR_LAYERS_ALL);
    spec.memory_bytes = 64 << 20;
    int memory = memfd_create("test", MFD_CLOEXEC);
    ASSERT_EQ(ftruncate(memory, 256 << 20), 0);
    auto *shared =
        (uint8_t *)mmap(nullptr, 256 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    Ended e = confined(spec, [&] {
        memset(shared, 7, 128 << 20); // mapped before, written now
        void *fits = malloc(32 << 20), *no = malloc(100 << 20);
        return (fits != nullptr) + 2 * (no == nullptr);
    });
    EXPECT_EQ(e.code(), 3) << e;
    EXPECT_EQ(shared[(128 << 20) - 1], 7);
    munmap(shared, 256 << 20);
    close(memory);
}

TEST(LoaderSandbox, FilesCannotBeWrittenAndOthersAreClosed)
{
    NEEDS_SANDBOX();
    std::string path = MR_BINARY_DIR "/tests/sandbox_file";
    int file = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
    int event = memfd_create("keep", 0);
    mr_sandbox_spec spec = spec_of(LAYER(PRIVS) | LAYER(LIMITS));
    spec.keep_fd = event;
    int low = dup(file), high = fcntl(file, F_DUPFD, 500);
    Ended e = confined(spec, [&] {
        bool kept = fcntl(event, F_GETFD) >= 0;
        bool closed =
            fcntl(file, F_GETFD) < 0 && fcntl(low, F_GETFD) < 0 && fcntl(high, F_GETFD) < 0;
        int again = open(path.c_str(), O_WRONLY);
        bool refused = again >= 0 && write(again, "x", 1) < 0 && errno == EFBIG;
        int n = 0; // few descriptors: some hundred for each thread
        while (n < 1000 && open("/dev/null", O_RDONLY) >= 0)
            n++;
        return kept + 2 * closed + 4 * refused + 8 * (n > 5 && n < 900);
    });
    EXPECT_EQ(e.code(), 15) << e;
    EXPECT_EQ(fs::file_size(path), 0u);
    close(file), close(low), close(high), close(event);
}

TEST(LoaderSandbox, WhatAProducerNeedsWorks)
{
    NEEDS_SANDBOX();
    NEEDS_LANDLOCK();
    NEEDS_SECCOMP();
    mr_sandbox_spec spec = spec_of(MR_LAYERS_ALL);
    spec.memory_bytes = 256 << 20;
    spec.threads = 4;
    int event = memfd_create("none", 0);
    spec.keep_fd = event;
    Ended e = confined(spec, [&] {
        std::atomic<int> good{0};
        std::vector<std::thread> team;
        for (int i = 0; i < 4; i++)
            team.emplace_back([&] {
                std::vector<uint8_t> large(8 << 20, 1);
                timespec t;
                good += can_read(picture) && clock_gettime(CLOCK_MONOTONIC, &t) == 0 &&
                        large.back() == 1;
            });
        for (std::thread &t : team)
            t.join();
        // FSIZE 0 holds for a memfd (an eventfd is no file): refused, but no death.
        return good + 8 * (write(event, "x", 1) < 0 && errno == EFBIG);
    });
    EXPECT_EQ(e.code(), 12) << e;
    close(event);
}

TEST(LoaderSandbox, OneThreadCannotStartAnother)
{
    NEEDS_SANDBOX();
    NEEDS_SECCOMP();
    Ended e = confined(spec_of(LAYER(PRIVS) | LAYER(CALLS)), [] {
        pthread_t thread;
        return pthread_create(
                   &thread, nullptr, [](void *) -> void * { return nullptr; }, nullptr) != 0;
    });
    EXPECT_TRUE(e.died_of(SIGSYS)) << e;
}
