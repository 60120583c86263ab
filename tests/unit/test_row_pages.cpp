// SPDX-License-Identifier: Apache-2.0
//
// The pages of rows that another process has made, got by one call instead of a fault each.
#include <gtest/gtest.h>

extern "C" {
#include "shm/row_pages.h"
}

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static long faults()
{
    rusage u;
    getrusage(RUSAGE_THREAD, &u);
    return u.ru_minflt;
}

// Two mappings of one memory, as two processes have them.
struct Memory {
    static constexpr size_t bytes = 1 << 20;
    int fd = memfd_create("rows", MFD_CLOEXEC);
    uint8_t *one, *other;
    Memory()
    {
        EXPECT_EQ(ftruncate(fd, bytes), 0);
        one = map();
        other = map();
    }
    ~Memory()
    {
        munmap(one, bytes);
        munmap(other, bytes);
        close(fd);
    }
    uint8_t *map() const
    {
        return static_cast<uint8_t *>(
            mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    }
    // How many faults it takes to write a byte to each page.
    static long write(uint8_t *at, uint8_t value)
    {
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        long before = faults();
        for (size_t i = 0; i < bytes; i += page)
            *(volatile uint8_t *)(at + i) = value;
        return faults() - before;
    }
};

TEST(RowPages, SpareFaults)
{
    Memory m;
    long pages = (long)(Memory::bytes / (size_t)sysconf(_SC_PAGESIZE));
    if (madvise(m.one, Memory::bytes, 22) < 0)
        GTEST_SKIP() << "this kernel has no MADV_POPULATE_READ (Linux 5.14)";
    Memory::write(m.one, 1);
    mr__row_pages_get(m.other + 100, Memory::bytes - 200);
    EXPECT_LT(Memory::write(m.other, 2), pages / 4);
    EXPECT_EQ(m.one[Memory::bytes - 1000], 0) << "nothing is written";
    EXPECT_EQ(m.one[4096], 2) << "the memory is the same";
}

TEST(RowPages, OfFewBytesAreLeftAlone)
{
    Memory m;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (size_t i = 0; i < Memory::bytes; i += page)
        mr__row_pages_get(m.one + i, page);
    EXPECT_GE(Memory::write(m.one, 1), (long)(Memory::bytes / page));
}

TEST(RowPages, AreWantedOnce)
{
    mr_arena a = {};
    mr_row_pages p;
    a.shape.slots = 3;
    a.shape.rows = 5;
    mr__row_pages_begin(&p, &a);
    for (uint32_t slot = 0; slot < 3; slot++)
        for (uint32_t row = 0; row < 5; row++) {
            EXPECT_TRUE(mr__row_pages_first(&p, slot, row));
            EXPECT_FALSE(mr__row_pages_first(&p, slot, row));
        }
    mr__row_pages_end(&p);
    EXPECT_FALSE(mr__row_pages_first(&p, 0, 0)) << "without memory for it nothing is done";
}
