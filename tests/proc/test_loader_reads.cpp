// SPDX-License-Identifier: Apache-2.0
//
// Reading ahead: nobody sees it but the clock. The slow disk is in this program (context: fork, so
// that producers are copies of it): read() and posix_fadvise() below do what a disk would do that
// needs `delay_ms` to find a file, and several files in the same time.
#include "faulty.hpp"

#include <atomic>
#include <cerrno>
#include <ctime>
#include <fstream>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace
{

constexpr size_t kFiles = 1024;

struct File {
    std::atomic<uint64_t> inode, ready_ms; // ready_ms 0: nobody asked for it
    std::atomic<uint32_t> asked;
};

struct Disk { // shared by all processes
    std::atomic<int> delay_ms, hangs;
    File file[kFiles];
};

Disk *disk;

uint64_t now_ms()
{
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return uint64_t(t.tv_sec) * 1000 + uint64_t(t.tv_nsec) / 1000000;
}

void sleep_ms(uint64_t ms)
{
    timespec t = {time_t(ms / 1000), long(ms % 1000) * 1000000};
    while (nanosleep(&t, &t) < 0 && errno == EINTR)
        ;
}

// nullptr: no file of a data set.
File *file_of(int fd)
{
    struct stat st;
    if (!disk || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return nullptr;
    for (size_t i = 0; i < kFiles; i++) {
        File *f = &disk->file[(st.st_ino + i) % kFiles];
        uint64_t none = 0;
        if (f->inode == st.st_ino || f->inode.compare_exchange_strong(none, st.st_ino) ||
            f->inode == st.st_ino)
            return f;
    }
    return nullptr;
}

} // namespace

extern "C" int posix_fadvise(int fd, off_t at, off_t n, int advice) noexcept
{
    File *f = file_of(fd);
    if (f && advice == POSIX_FADV_WILLNEED && at == 0) {
        f->asked++;
        f->ready_ms = now_ms() + uint64_t(disk->delay_ms);
        if (disk->hangs-- > 0)
            sleep_ms(1000000);
        disk->hangs++;
    }
    return syscall(SYS_fadvise64, fd, at, n, advice) < 0 ? errno : 0;
}

extern "C" ssize_t read(int fd, void *to, size_t n)
{
    File *f = disk && disk->delay_ms ? file_of(fd) : nullptr;
    if (f && lseek(fd, 0, SEEK_CUR) == 0) {
        uint64_t now = now_ms(), none = 0;
        f->ready_ms.compare_exchange_strong(none, now + uint64_t(disk->delay_ms));
        if (uint64_t ready = f->ready_ms.exchange(0); ready > now)
            sleep_ms(ready - now);
    }
    return syscall(SYS_read, fd, to, n);
}

namespace
{

class LoaderReads : public ::testing::Test
{
  protected:
    void SetUp() override
    {
        void *p =
            mmap(nullptr, sizeof *disk, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        ASSERT_NE(p, MAP_FAILED);
        disk = static_cast<Disk *>(p);
    }
    void TearDown() override
    {
        munmap(disk, sizeof *disk);
        disk = nullptr;
    }
    struct Asked {
        size_t files = 0;
        uint32_t most = 0; // times that one was
    };
    static Asked asked()
    {
        Asked all;
        for (const File &f : disk->file) {
            all.files += f.asked > 0;
            all.most = std::max<uint32_t>(all.most, f.asked);
        }
        return all;
    }
};

const std::string kMasks = "source: {type: manifest, path: " MR_SAMPLE "/manifest.csv}\n"
                           "fields: {image: {}, mask: {}, label: {}}\n";

TEST_F(LoaderReads, TheStreamIsTheSameHoweverFarAhead)
{
    for (const std::string &source : {std::string(), kMasks}) {
        const std::string job = main_config("epochs: 2\nproducers: 3\n", source);
        const std::vector<Delivered> calm = Loader(job, {"read_ahead=off"}).read();
        for (const char *ahead : {"read_ahead=off", "read_ahead=auto", "read_ahead=1",
                                  "read_ahead=16", "read_ahead=4096"}) {
            SCOPED_TRACE(ahead);
            Loader l(job, {ahead, "producers={count: 2, threads: 2}"});
            ASSERT_EQ(l.rc, MR_OK) << l.error;
            EXPECT_EQ(l.read(), calm) << all_lines(l);
            mr_stats s = stats_of(l);
            EXPECT_EQ(s.respawns, 0u) << all_lines(l); // what the sandbox forbids kills
            EXPECT_EQ(s.reads, source.empty() ? 120u : 240u);
            EXPECT_LE(s.read_aheads, 120u);
            bool off = std::string(ahead) == "read_ahead=off";
            EXPECT_EQ(s.read_ahead == 0, off);
            EXPECT_EQ(s.read_aheads == 0, off);
        }
    }
}

TEST_F(LoaderReads, EachFileIsAskedForOnceOverAllProducers)
{
    const std::string job = main_config("context: fork\nslots: 8\nread_ahead: 16\n", kMasks);
    Loader l(job, {"producers=4"});
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    l.read(1);
    // All slots are planned before long, and then whoever claims a row finds rows to ask for.
    ASSERT_TRUE(eventually([] { return asked().files > 0; }, 60000));
    l.read();
    EXPECT_EQ(l.rc, MR_END) << l.error;
    EXPECT_EQ(asked().most, 1u);
    EXPECT_EQ(asked().files, 2 * stats_of(l).read_aheads); // image and mask
    EXPECT_GE(asked().files, 60u);
}

TEST_F(LoaderReads, WhatIsNoFileIsFoundWhenItIsRead)
{
    std::string root = "/tmp/millrace-reads-" + std::to_string(getpid());
    std::filesystem::remove_all(root);
    std::filesystem::create_directories(root + "/folder.jpg");
    ASSERT_EQ(mkfifo((root + "/fifo.jpg").c_str(), 0600), 0);
    std::ofstream(root + "/empty.jpg");
    std::ofstream list(root + "/list.csv");
    list << "image,label\n";
    std::vector<std::string> good;
    for (const auto &entry : std::filesystem::recursive_directory_iterator(MR_SAMPLE "/images"))
        if (entry.is_regular_file())
            good.push_back(entry.path());
    for (size_t i = 0; i < 20; i++) {
        const char *const odd[] = {"folder.jpg", "fifo.jpg", "empty.jpg", "gone.jpg", "/dev/zero"};
        list << odd[i % 5] << ",0\n" << good[i] << ",1\n";
    }
    list.close();
    const std::string job =
        main_config("max_bad: 100%\nbatch: {size: 8, last: drop}\nproducers: 2\n",
                    "source: {type: manifest, path: " + root + "/list.csv}\n");
    std::vector<std::vector<Delivered>> streams;
    std::vector<uint64_t> bad;
    for (const char *ahead : {"read_ahead=off", "read_ahead=auto", "read_ahead=32"}) {
        Loader l(job, {ahead});
        ASSERT_EQ(l.rc, MR_OK) << l.error;
        streams.push_back(l.read());
        EXPECT_EQ(l.rc, MR_END) << l.error << all_lines(l);
        bad.push_back(stats_of(l).bad_samples);
        EXPECT_EQ(stats_of(l).respawns, 0u) << all_lines(l);
    }
    EXPECT_EQ(streams[0], streams[1]);
    EXPECT_EQ(streams[0], streams[2]);
    EXPECT_GE(bad[0], 20u);
    EXPECT_EQ(bad, std::vector<uint64_t>(3, bad[0]));
    std::filesystem::remove_all(root);
}

TEST_F(LoaderReads, WhatIsKnownToBeBadIsNotTouched)
{
    std::string list = "/tmp/millrace-reads-" + std::to_string(getpid()) + ".csv";
    std::ofstream text(list);
    text << "path\n";
    std::vector<std::string> known;
    for (const auto &entry : std::filesystem::recursive_directory_iterator(MR_SAMPLE "/images"))
        if (entry.is_regular_file() && known.size() < 30)
            known.push_back(entry.path());
    for (const std::string &path : known)
        text << path << "\n";
    text.close();
    Loader l(main_config("context: fork\nmax_bad: 100%\non_error: skip\nproducers: 2\n"),
             {"read_ahead=16", "bad_list_in=" + list});
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    l.read();
    EXPECT_EQ(l.rc, MR_END) << l.error;
    EXPECT_EQ(stats_of(l).bad_samples, 30u) << all_lines(l);
    for (const std::string &path : known) {
        int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
        ASSERT_GE(fd, 0);
        EXPECT_EQ(file_of(fd)->asked, 0u) << path;
        close(fd);
    }
    EXPECT_GT(asked().files, 0u);
    std::filesystem::remove(list);
}

// The row in whose time it happened is not to blame, and nobody tries it again.
TEST_F(LoaderReads, WhoHangsWhileAskingIsReplacedAndNoSampleIsBad)
{
    const std::string job = main_config("context: fork\nepochs: 2\nproducers: 2\n");
    const std::vector<Delivered> calm = Loader(job).read();
    disk->hangs = 1000;
    Loader l(job, {"sample_timeout=1.5", "read_ahead=4"});
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    EXPECT_EQ(l.read(), calm) << all_lines(l);
    EXPECT_EQ(l.rc, MR_END) << l.error << all_lines(l);
    mr_stats s = stats_of(l);
    EXPECT_EQ(s.bad_samples, 0u) << all_lines(l);
    EXPECT_GE(s.timeouts, 1u);
    EXPECT_LE(s.timeouts, 2u + 2u)
        << all_lines(l); // at a time; and who a busy machine kept waiting
    EXPECT_NE(line_with(l, "(reading ahead for other rows)"), "") << all_lines(l);
}

TEST_F(LoaderReads, ASlowDiskIsSeenAndReadAhead)
{
    const std::string job = main_config("context: fork\nepochs: 6\nproducers: 4\nslots: 8\n");
    disk->delay_ms = 20;
    mr_stats s[2];
    std::vector<Delivered> streams[2];
    for (int ahead : {0, 1}) {
        Loader l(job, {ahead ? "read_ahead=auto" : "read_ahead=off"});
        ASSERT_EQ(l.rc, MR_OK) << l.error;
        streams[ahead] = l.read();
        s[ahead] = stats_of(l);
        EXPECT_EQ(s[ahead].reads, 360u);
        EXPECT_LE(s[ahead].read_wait_ns, s[ahead].read_ns);
    }
    EXPECT_EQ(streams[0], streams[1]);
    EXPECT_EQ(s[0].reads_waited, 360u);
    EXPECT_GE(s[0].read_wait_ns, 360 * 19000000ull);
    EXPECT_LT(s[1].read_wait_ns, s[0].read_wait_ns / 2);
    EXPECT_GE(s[1].read_aheads, 180u);
}

// 16 rows per thread, eight times as many where the kernel cannot tell, and more for each read that
// had to wait after all.
TEST_F(LoaderReads, WhatIsInMemoryIsSoonNotAskedForAnyMore)
{
    Loader(main_config("producers: 3\n")).read();
    Loader l(main_config("epochs: 20\nproducers: 3\n"));
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    l.read();
    mr_stats s = stats_of(l);
    EXPECT_EQ(s.reads, 1200u);
    EXPECT_LE(s.read_aheads, 8 * (3 * 16 + 64 * s.reads_waited));
    RecordProperty("waited", int(s.reads_waited));
}

} // namespace
