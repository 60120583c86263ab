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
#include <memory>
#include <seccomp.h>
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

static mr_sandbox_spec spec_of(unsigned layers, const std::string &root = MR_SAMPLE)
{
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

static const char picture[] = MR_SAMPLE "/images/red_circle/000002.jpg";

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
    if (!mr__landlock_abi())
        GTEST_SKIP() << "this kernel has no Landlock";
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
        {"a new file", [] { return open(MR_SAMPLE "/x", O_WRONLY | O_CREAT, 0600); }, EACCES, 1},
        {"unlink", [] { return unlink(picture); }, EACCES, 1},
        {"mkdir", [] { return mkdir(MR_SAMPLE "/x", 0700); }, EACCES, 1},
        {"a list of the folder", [] { return open(MR_SAMPLE, O_RDONLY | O_DIRECTORY); }, EACCES, 1},
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
    if (!mr__landlock_abi())
        GTEST_SKIP() << "this kernel has no Landlock";
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

// ---- seccomp alone ----

static int ring()
{
    return (int)syscall(425 /* io_uring_setup */, 1, nullptr);
}

TEST(LoaderSandbox, AForbiddenCallKillsAndIsNamed)
{
    NEEDS_SANDBOX();
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
    Ended e = confined(spec_of(MR_LAYERS_ALL), []() -> int { abort(); });
    EXPECT_TRUE(e.died_of(SIGABRT)) << e;
}

TEST(LoaderSandbox, WhatLibcOnlyAsksForIsRefusedAndNoMore)
{
    NEEDS_SANDBOX();
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
        int n = 0; // few descriptors
        while (n < 1000 && open("/dev/null", O_RDONLY) >= 0)
            n++;
        return kept + 2 * closed + 4 * refused + 8 * (n > 5 && n < 100);
    });
    EXPECT_EQ(e.code(), 15) << e;
    EXPECT_EQ(fs::file_size(path), 0u);
    close(file), close(low), close(high), close(event);
}

TEST(LoaderSandbox, WhatAProducerNeedsWorks)
{
    NEEDS_SANDBOX();
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
    Ended e = confined(spec_of(LAYER(PRIVS) | LAYER(CALLS)), [] {
        pthread_t thread;
        return pthread_create(
                   &thread, nullptr, [](void *) -> void * { return nullptr; }, nullptr) != 0;
    });
    EXPECT_TRUE(e.died_of(SIGSYS)) << e;
}

// ---- runs ----

static uint64_t hash_of(const std::string &config, std::vector<std::string> set)
{
    Loader l(config, set);
    EXPECT_EQ(l.rc, MR_OK) << l.error;
    if (l.rc < 0)
        return 0;
    EXPECT_EQ(mr_stream_hash_begin(l.handle), MR_OK);
    EXPECT_FALSE(l.read().empty());
    EXPECT_EQ(l.rc, MR_END) << l.error;
    for (const std::string &line : l.log)
        ADD_FAILURE() << line;
    return l.stream_hash();
}

TEST(LoaderSandbox, BatchesAreTheSameWithAndWithout)
{
    std::string on = mr__sandbox_by_choice() ? "sandbox=auto" : "sandbox=require";
    const std::string sources[] = {"source: {type: folder, path: " MR_SAMPLE
                                   "/images}\n", // JPEG and PNG, mixed
                                   "source: {type: manifest, path: " MR_SAMPLE "/manifest.csv}\n"};
    for (const std::string &source : sources)
        for (const char *threads : {"producers.threads=1", "producers.threads=4"}) {
            std::string config = main_config("epochs: 2\n", source);
            EXPECT_EQ(hash_of(config, {"sandbox=off", threads}), hash_of(config, {on, threads}))
                << source << threads;
        }
    std::string forked = main_config("context: fork\n", sources[0]);
    EXPECT_EQ(hash_of(forked, {"sandbox=off"}), hash_of(forked, {on}));
}

static std::string status_line(pid_t pid, const std::string &key)
{
    std::ifstream f("/proc/" + std::to_string(pid) + "/status");
    std::string line;
    while (std::getline(f, line))
        if (line.rfind(key + ":", 0) == 0)
            return line.substr(line.find('\t') + 1);
    return "";
}

TEST(LoaderSandbox, ProducersOfARunAreConfined)
{
    NEEDS_SANDBOX();
    Loader l(main_config("epochs: 0\nproducers: 2\n"));
    l.read(3);
    std::vector<pid_t> producers = processes("mr-producer");
    ASSERT_EQ(producers.size(), 2u);
    for (pid_t pid : producers) {
        EXPECT_EQ(status_line(pid, "Seccomp"), "2");
        EXPECT_EQ(status_line(pid, "NoNewPrivs"), "1");
        rlimit data, core;
        ASSERT_EQ(prlimit(pid, RLIMIT_DATA, nullptr, &data), 0);
        ASSERT_EQ(prlimit(pid, RLIMIT_CORE, nullptr, &core), 0);
        EXPECT_NE(data.rlim_cur, RLIM_INFINITY);
        EXPECT_EQ(core.rlim_max, 0u);
        int open_files = 0;
        for (const auto &entry : fs::directory_iterator("/proc/" + std::to_string(pid) + "/fd")) {
            (void)entry;
            open_files++;
        }
        EXPECT_LE(open_files, 5); // 0, 1, 2, the eventfd, a picture
    }
    Loader off(main_config("epochs: 0\nproducers: 1\nsandbox: off\n"));
    off.read(1);
    for (pid_t pid : processes("mr-producer"))
        if (std::find(producers.begin(), producers.end(), pid) == producers.end()) {
            EXPECT_EQ(status_line(pid, "Seccomp"), "0");
        }
}

// A data set as people have them: paths through links to folders and to files, absolute ones, and
// ones that climb out of the manifest's folder.
TEST(LoaderSandbox, AManifestMayNameFilesAnywhere)
{
    std::string dir = MR_BINARY_DIR "/tests/sandbox_manifest";
    fs::remove_all(dir);
    for (const char *folder : {"/set/plain", "/blobs/aa", "/elsewhere/deep", "/above"})
        fs::create_directories(dir + folder);
    auto put = [&](const std::string &to) { fs::copy_file(picture, dir + to); };
    put("/set/plain/a.jpg");
    put("/blobs/aa/1");
    put("/elsewhere/deep/b.jpg");
    put("/above/c.jpg");
    fs::create_symlink("../../blobs/aa/1", dir + "/set/plain/linked.jpg");
    fs::create_symlink(dir + "/elsewhere", dir + "/set/folder");
    fs::create_symlink(dir + "/set/plain/linked.jpg", dir + "/above/twice.jpg");
    std::ofstream(dir + "/set/m.csv") << "image,label:i64\n"
                                      << "plain/a.jpg,0\n"
                                      << "plain/linked.jpg,1\n"
                                      << "folder/deep/b.jpg,2\n"
                                      << "../above/c.jpg,3\n"
                                      << dir + "/above/twice.jpg,4\n"
                                      << "plain/not-there.jpg,5\n"
                                      << "no-such-folder/x.jpg,6\n";
    fs::create_symlink("set", dir + "/root");
    for (const char *sandbox : {"sandbox=auto", "sandbox=off"}) {
        Loader l(main_config("on_error: skip\nbatch: {size: 7, last: short}\n",
                             "source: {type: manifest, path: " + dir + "/root/m.csv}\n"),
                 {sandbox});
        ASSERT_EQ(l.rc, MR_OK) << l.error;
        std::vector<Delivered> got = l.read();
        ASSERT_EQ(got.size(), 1u);
        EXPECT_EQ(got[0].valid, 5) << sandbox;
        EXPECT_EQ(l.log.size(), 2u); // the two that are not there
        for (const std::string &line : l.log)
            EXPECT_NE(line.find("there is no file"), std::string::npos) << line;
    }
}

TEST(LoaderSandbox, AFolderMayHoldLinksAndBeOne)
{
    std::string dir = MR_BINARY_DIR "/tests/sandbox_folder";
    fs::remove_all(dir);
    fs::create_directories(dir + "/real/class");
    fs::create_directories(dir + "/blobs");
    fs::create_directories(dir + "/other");
    fs::copy_file(picture, dir + "/blobs/1");
    fs::copy_file(picture, dir + "/other/b.jpg");
    fs::create_symlink("../../blobs/1", dir + "/real/class/a.jpg");
    fs::create_symlink(dir + "/other", dir + "/real/linked");
    fs::create_symlink("real", dir + "/root");
    Loader l(main_config("batch: {size: 2}\non_error: fail\n",
                         "source: {type: folder, path: " + dir + "/root}\n"));
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    EXPECT_EQ(l.read().size(), 1u);
    EXPECT_EQ(l.rc, MR_END) << l.error;
}

// Takes a system call away from this process and its children.
static void take_away(const char *call, int error)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
    seccomp_rule_add(ctx, SCMP_ACT_ERRNO((uint16_t)error), seccomp_syscall_resolve_name(call), 0);
    if (seccomp_load(ctx) < 0)
        _exit(98);
}

TEST(LoaderSandbox, AMissingLayerIsAWarningOrWithRequireAnError)
{
    NEEDS_SANDBOX();
    const struct {
        const char *call, *layer;
    } cases[] = {{"landlock_create_ruleset", "Landlock"}, {"seccomp", "seccomp"}};
    for (const auto &c : cases) {
        pid_t pid = fork();
        if (pid == 0) {
            take_away(c.call, ENOSYS);
            std::string config = main_config("producers: 2\n");
            Loader required(config, {"sandbox=require"});
            bool error =
                required.rc == MR_E_SYSTEM && required.error.find(c.layer) != std::string::npos;
            Loader automatic(config);
            bool warned =
                automatic.log.size() == 1 && automatic.log[0].find(c.layer) != std::string::npos;
            Loader off(config, {"sandbox=off"});
            bool quiet = off.rc == MR_OK && off.log.empty();
            bool same = automatic.read() == off.read();
            if (!error)
                fprintf(stderr, "%d %s\n", required.rc, required.error.c_str());
            for (const std::string &line : automatic.log)
                fprintf(stderr, "%s\n", line.c_str());
            _exit(error + 2 * warned + 4 * quiet + 8 * same);
        }
        int status;
        waitpid(pid, &status, 0);
        EXPECT_TRUE(WIFEXITED(status)) << c.call;
        EXPECT_EQ(WEXITSTATUS(status), 15) << c.call;
    }
}

TEST(LoaderSandbox, RequireIsNothingForAProducerOfYourOwn)
{
    Loader l("version: 1\nbatch: 4\nproducer: {plugin: " MR_EXAMPLE_PLUGIN "}\n"
             "commander: {plugin: " MR_EXAMPLE_PLUGIN "}\n"
             "fields: {x: {dtype: int64, shape: []}}\nsandbox: require\n");
    EXPECT_EQ(l.rc, MR_E_CONFIG);
    EXPECT_EQ(l.error.rfind("test.yaml:6:10: error: 'sandbox: require'", 0), 0u) << l.error;
}

TEST(LoaderSandbox, WorksForAnotherUser)
{
    NEEDS_SANDBOX();
    std::string as = "setpriv --reuid 65534 --regid 65534 --clear-groups ";
    if (getuid() != 0 ||
        system((as + MR_BINARY_DIR "/bin/millrace version >/dev/null 2>&1").c_str()))
        GTEST_SKIP() << "cannot become another user here";
    std::string run = as + MR_BINARY_DIR
                      "/bin/millrace run --quiet --epochs 1 --set sandbox=require "
                      "--set source.path=" MR_SAMPLE "/images " MR_SOURCE_DIR
                      "/configs/quickstart.yaml > /dev/null";
    EXPECT_EQ(system(run.c_str()), 0);
}
