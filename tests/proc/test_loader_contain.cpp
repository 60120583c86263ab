// SPDX-License-Identifier: Apache-2.0
//
// Runs whose producers are confined: the same batches as without, whatever the data set looks like;
// what is said where a layer is missing; and what the doctor says.
#include "loader_testing.hpp"

extern "C" {
#include "proc/landlock.h"
#include "proc/sandbox.h"
}

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <seccomp.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fs = std::filesystem;

#define NEEDS_SANDBOX()          \
    if (mr__sandbox_by_choice()) \
    GTEST_SKIP() << "a sanitizer's run-time does not survive the sandbox"

// Some layers may be missing here, in a container or an older kernel.
static bool has_all_layers()
{
    uint32_t trap = 0x00030000; // SECCOMP_RET_TRAP
    return mr__landlock_abi() &&
           syscall(SYS_seccomp, 2 /* SECCOMP_GET_ACTION_AVAIL */, 0, &trap) == 0;
}
#define NEEDS_ALL_LAYERS() \
    if (!has_all_layers()) \
    GTEST_SKIP() << "this kernel has no Landlock or no seccomp filters"

static const char picture[] = MR_SAMPLE "/images/red_circle/000002.jpg";

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

TEST(LoaderContain, BatchesAreTheSameWithAndWithout)
{
    NEEDS_ALL_LAYERS();
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

TEST(LoaderContain, ProducersOfARunAreConfined)
{
    NEEDS_SANDBOX();
    NEEDS_ALL_LAYERS();
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
TEST(LoaderContain, AManifestMayNameFilesAnywhere)
{
    NEEDS_ALL_LAYERS();
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

TEST(LoaderContain, AFolderMayHoldLinksAndBeOne)
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

TEST(LoaderContain, AMissingLayerIsAWarningOrWithRequireAnError)
{
    NEEDS_SANDBOX();
    NEEDS_ALL_LAYERS();
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

// What mr_doctor says in a child that lacks a call.
static std::string doctor_without(const char *call, const char *format, int *code)
{
    int out[2];
    EXPECT_EQ(pipe(out), 0);
    pid_t pid = fork();
    if (pid == 0) {
        char *text = nullptr;
        if (call)
            take_away(call, ENOSYS);
        int rc = mr_doctor(format, &text);
        if (text && write(out[1], text, strlen(text)) < 0)
            _exit(97);
        _exit(-rc);
    }
    close(out[1]);
    std::string all;
    char part[4096];
    for (ssize_t n; (n = read(out[0], part, sizeof part)) > 0;)
        all.append(part, (size_t)n);
    close(out[0]);
    int status;
    waitpid(pid, &status, 0);
    *code = WIFEXITED(status) ? -WEXITSTATUS(status) : -1000;
    return all;
}

static std::string line_of(const std::string &text, const std::string &name)
{
    size_t at = text.find("  " + name + " ");
    if (at == std::string::npos)
        return "no line for " + name;
    size_t from = text.rfind('\n', at) + 1;
    return text.substr(from, text.find('\n', at) - from);
}

TEST(LoaderContain, TheDoctorTriesEachLayer)
{
    NEEDS_ALL_LAYERS();
    int code;
    std::string all = doctor_without(nullptr, "text", &code);
    EXPECT_EQ(code, MR_OK);
    EXPECT_EQ(line_of(all, "pidfd").rfind("ok", 0), 0u) << all;
    EXPECT_NE(line_of(all, "warden").find("millrace-warden"), std::string::npos) << all;
    EXPECT_NE(line_of(all, "png").find("libpng 1."), std::string::npos) << all;
    all = doctor_without("pidfd_open", "text", &code);
    EXPECT_EQ(code, MR_E_SYSTEM);
    EXPECT_EQ(line_of(all, "pidfd").rfind("BAD", 0), 0u) << all;
    if (mr__sandbox_by_choice())
        return;
    all = doctor_without("landlock_create_ruleset", "text", &code);
    EXPECT_EQ(code, MR_OK);
    EXPECT_EQ(line_of(all, "landlock").rfind("less", 0), 0u) << all;
    EXPECT_EQ(line_of(all, "seccomp").rfind("ok", 0), 0u) << all;
    all = doctor_without("seccomp", "json", &code);
    EXPECT_NE(all.find("\"seccomp\": {\n    \"verdict\": \"weaker\""), std::string::npos) << all;
}

TEST(LoaderContain, RequireIsNothingForAProducerOfYourOwn)
{
    Loader l("version: 1\nbatch: 4\nproducer: {plugin: " MR_EXAMPLE_PLUGIN "}\n"
             "commander: {plugin: " MR_EXAMPLE_PLUGIN "}\n"
             "fields: {x: {dtype: int64, shape: []}}\nsandbox: require\n");
    EXPECT_EQ(l.rc, MR_E_CONFIG);
    EXPECT_EQ(l.error.rfind("test.yaml:6:10: error: 'sandbox: require'", 0), 0u) << l.error;
}

TEST(LoaderContain, WorksForAnotherUser)
{
    NEEDS_SANDBOX();
    NEEDS_ALL_LAYERS();
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
