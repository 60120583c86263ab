// SPDX-License-Identifier: Apache-2.0
//
// A sample that takes all memory of its cgroup: the kernel ends the producer, twice, and the sample
// is set aside. Needs root and a memory cgroup, as a container with a limit has it.
#include "faulty.hpp"

#include <fstream>

#include <sys/wait.h>
#include <unistd.h>

namespace
{

// A new group below our own; "" where there cannot be one.
std::string make_group(const char **limit_file)
{
    std::ifstream f("/proc/self/cgroup");
    std::string line;
    while (std::getline(f, line)) {
        bool v2 = line.rfind("0::", 0) == 0;
        if (!v2 && line.find(":memory:") == std::string::npos)
            continue;
        std::string own = line.substr(line.rfind(':') + 1);
        std::string folder = (v2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory") + own +
                             "/millrace-test-" + std::to_string(getpid());
        std::error_code failed;
        if (!std::filesystem::create_directory(folder, failed) || failed)
            continue;
        *limit_file = v2 ? "/memory.max" : "/memory.limit_in_bytes";
        if (std::filesystem::exists(folder + *limit_file))
            return folder;
        std::filesystem::remove(folder, failed);
    }
    return "";
}

int run_inside(const std::string &folder)
{
    std::ofstream(folder + "/cgroup.procs") << getpid() << std::flush;
    Loader l(faulty_config({"eat", -1}, "on_error: skip\n"));
    EXPECT_EQ(l.rc, MR_OK) << l.error;
    std::vector<Delivered> got = l.read();
    EXPECT_EQ(l.rc, MR_END) << l.error << all_lines(l);
    EXPECT_EQ(got.size(), 20u);
    for (size_t i = 0; i < got.size(); i++)
        EXPECT_EQ(got[i].valid, i % 10 == 3 ? 3 : 4) << i;
    EXPECT_GE(stats_of(l).oom_kills, 4u) << all_lines(l);
    EXPECT_EQ(stats_of(l).bad_samples, 2u);
    EXPECT_NE(line_with(l, "OOM killer"), "") << all_lines(l);
    return testing::Test::HasFailure();
}

TEST(LoaderOom, ASampleThatTakesAllMemoryTwiceIsSetAside)
{
    const char *limit_file = "";
    if (kSanitized)
        GTEST_SKIP() << "the sanitizer's own memory is beyond any such limit";
    std::string folder = make_group(&limit_file);
    if (folder.empty())
        GTEST_SKIP() << "no memory cgroup to write to";
    std::ofstream(folder + limit_file) << 100000000 << std::flush;
    pid_t inside = fork();
    if (inside == 0)
        _exit(run_inside(folder));
    int status = 0;
    EXPECT_EQ(waitpid(inside, &status, 0), inside);
    EXPECT_TRUE(WIFEXITED(status)) << "the trainer was killed, not the producer";
    EXPECT_EQ(WEXITSTATUS(status), 0);
    EXPECT_TRUE(eventually(
        [&] {
            std::error_code failed;
            return std::filesystem::remove(folder, failed) && !failed;
        },
        10000));
}

} // namespace
