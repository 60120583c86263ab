// SPDX-License-Identifier: Apache-2.0
//
// An index in a file: what goes in comes out, and nothing of a file that is not as it was written.
#include <gtest/gtest.h>

extern "C" {
#include "base/index_file.h"
#include "base/index_format.h"
#include "base/origin.h"
#include "base/whole_file.h"
}

#include "temp_tree.hpp"

#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

namespace fs = std::filesystem;

namespace
{

const uint64_t key[2] = {7, 9}, other_key[2] = {7, 8};
const char origins[] = "some origin", roots[] = "/a\0/b";

// 3000 samples with a path, a label and some boxes: more than one page, less than a block. With
// `rows` of a mebibyte, several blocks.
mr_index built(uint64_t samples, uint32_t width = 1)
{
    mr_errbuf e = {};
    mr_index_builder *b;
    mr_index index;
    std::vector<int64_t> numbers(width, 5);
    EXPECT_EQ(mr__index_builder_new(&b, &e), MR_OK);
    EXPECT_EQ(mr__index_set_root(b, "/data", &e), MR_OK);
    mr__index_add_column(b, "image", MR_COL_PATH, MR_U8, 1, &e);
    mr__index_add_column(b, "label", MR_COL_FIXED, MR_I64, width, &e);
    mr__index_add_column(b, "boxes", MR_COL_RAGGED, MR_F32, 4, &e);
    for (uint64_t i = 0; i < samples; i++) {
        std::string path = "folder/" + std::to_string(i) + ".jpg";
        float boxes[8] = {(float)i, 2, 3, 4, 5, 6, 7, 8};
        numbers[0] = (int64_t)i;
        mr__index_add_path(b, 0, path.data(), path.size(), &e);
        mr__index_add_numbers(b, 1, numbers.data(), 1, &e);
        mr__index_add_numbers(b, 2, boxes, i % 3, &e);
    }
    mr__index_add_class(b, "cat", 3, &e);
    int fd = mr__index_memfd(&e);
    EXPECT_EQ(mr__index_finish(b, fd, &e), MR_OK) << e.text;
    mr__index_builder_free(b);
    EXPECT_EQ(mr__index_map(&index, fd, &e), MR_OK) << e.text;
    close(fd);
    return index;
}

class IndexFile : public ::testing::Test
{
  protected:
    TempTree tree;
    std::string dir = tree.root, path = dir + "/x.mrindex";
    mr_errbuf e = {};
    int write(const mr_index &index)
    {
        mr_out out;
        mr_index_rest rest = {};
        rest.origins = (const uint8_t *)origins;
        rest.origins_bytes = 8;
        rest.roots = (const uint8_t *)roots;
        rest.roots_bytes = sizeof roots;
        fs::remove(path);
        EXPECT_EQ(mr__out_begin(&out, path.c_str()), 0);
        EXPECT_FALSE(mr__index_file_complete(out.fd, key));
        int rc = mr__index_file_write(out.fd, key, &index, &rest, &e);
        EXPECT_EQ(mr__index_file_complete(out.fd, key), rc == MR_OK);
        EXPECT_FALSE(mr__index_file_complete(out.fd, other_key));
        if (rc == MR_OK) {
            EXPECT_EQ(mr__out_publish(&out, path.c_str()), 0);
        }
        mr__out_drop(&out);
        return rc;
    }
    // Opened and read to the end.
    int look(const uint64_t k[2] = key)
    {
        mr_index_file f;
        int rc = mr__index_file_open(&f, path.c_str(), k, &e);
        if (rc != MR_OK)
            return rc;
        rc = mr__index_file_verify(&f, 2, &e);
        mr__index_file_close(&f);
        return rc;
    }
    std::string bytes()
    {
        std::ifstream f(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(f), {}};
    }
    void put(const std::string &b)
    {
        fs::remove(path);
        std::ofstream(path, std::ios::binary) << b;
        fs::permissions(path, fs::perms(0644));
    }
    void ticket(mr_index *index, bool copy)
    {
        mr_index_file f;
        ASSERT_EQ(mr__index_file_open(&f, path.c_str(), key, &e), MR_OK) << e.text;
        int fd = mr__index_memfd(&e);
        ASSERT_EQ(mr__index_ticket_write(fd, path.c_str(), &f.head, &e), MR_OK) << e.text;
        ASSERT_EQ((copy ? mr__index_copy : mr__index_map)(index, fd, &e), MR_OK) << e.text;
        EXPECT_EQ(mr__index_is_file(index), !copy);
        mr__index_file_close(&f);
        close(fd);
    }
};

std::string first_class(const mr_index &index)
{
    size_t n;
    const char *name = mr__index_class(&index, 0, &n);
    return {name, n};
}

void expect_same(const mr_index &a, const mr_index &b)
{
    ASSERT_EQ(a.head->samples, b.head->samples);
    EXPECT_EQ(a.head->hash, b.head->hash);
    size_t n, m;
    for (uint64_t i = a.head->samples; i-- > 0;) { // backwards: a copy reads as it is asked
        const char *x = mr__index_path(&a, 0, i, &n), *y = mr__index_path(&b, 0, i, &m);
        ASSERT_EQ(std::string(x, n), std::string(y, m));
        ASSERT_EQ(mr__index_whole(&a, 1, i), mr__index_whole(&b, 1, i));
        uint64_t p, q;
        const void *v = mr__index_numbers(&a, 2, i, &p), *w = mr__index_numbers(&b, 2, i, &q);
        ASSERT_EQ(p, q);
        ASSERT_EQ(memcmp(v, w, p * 16), 0);
    }
    EXPECT_EQ(first_class(a), "cat");
}

} // namespace

TEST_F(IndexFile, WhatGoesInComesOut)
{
    mr_index index = built(3000), mapped, copied;
    EXPECT_EQ(look(), MR_INDEX_FILE_NONE);
    ASSERT_EQ(write(index), MR_OK) << e.text;
    EXPECT_EQ(look(), MR_OK) << e.text;
    EXPECT_EQ(look(other_key), MR_E_VERSION);
    EXPECT_EQ(fs::status(path).permissions() & fs::perms(0222), fs::perms::none);
    ticket(&mapped, false);
    ticket(&copied, true);
    expect_same(mapped, index);
    expect_same(copied, index);
    fs::resize_file(path, 5000); // who has mapped it must not look now; a copy may
    fs::resize_file(path, 100);
    EXPECT_EQ(first_class(copied), "cat");
    mr__index_unmap(&mapped);
    mr__index_unmap(&copied);
    mr__index_unmap(&index);
}

// Pages that were not asked for before the file was cut are zeros: nothing, and no signal.
TEST_F(IndexFile, ACopyOutlivesItsFile)
{
    mr_index index = built(100000), copied;
    ASSERT_EQ(write(index), MR_OK) << e.text;
    ticket(&copied, true);
    fs::resize_file(path, 4096);
    size_t n;
    uint64_t entries;
    mr__index_path(&copied, 0, 99999, &n);
    EXPECT_EQ(n, 0u);
    mr__index_numbers(&copied, 2, 99998, &entries);
    EXPECT_EQ(entries, 0u);
    mr__index_unmap(&copied);
    mr__index_unmap(&index);
}

// Each byte that counts, turned over.
TEST_F(IndexFile, EveryByteIsCovered)
{
    mr_index index = built(40);
    ASSERT_EQ(write(index), MR_OK) << e.text;
    const std::string whole = bytes();
    size_t end = MR_INDEX_FILE_AT + index.bytes, rest = (end + 63) / 64 * 64;
    for (size_t i = 0; i < whole.size(); i += i < sizeof(mr_index_file_head) ? 1 : 3) {
        if ((i >= sizeof(mr_index_file_head) && i < MR_INDEX_FILE_AT) || (i >= end && i < rest))
            continue; // padding
        std::string damaged = whole;
        damaged[i] ^= (char)(1 << i % 8);
        put(damaged);
        ASSERT_LT(look(), 0) << "byte " << i;
    }
    for (size_t n : {size_t(0), size_t(1), size_t(100), size_t(4096), rest, whole.size() - 1}) {
        put(whole.substr(0, n));
        ASSERT_EQ(look(), MR_E_CORRUPT) << "cut at " << n;
    }
    put(whole + "x");
    EXPECT_EQ(look(), MR_E_CORRUPT);
    put(whole);
    EXPECT_EQ(look(), MR_OK) << e.text;
    mr__index_unmap(&index);
}

TEST_F(IndexFile, SeveralBlocks)
{
    mr_index index = built(700, 1000); // 5.6 MB
    ASSERT_EQ(write(index), MR_OK) << e.text;
    EXPECT_EQ(look(), MR_OK) << e.text;
    const std::string whole = bytes();
    for (size_t i = MR_INDEX_FILE_AT + 100; i < MR_INDEX_FILE_AT + index.bytes; i += 500000) {
        std::string damaged = whole;
        damaged[i] ^= 1;
        put(damaged);
        ASSERT_EQ(look(), MR_E_CORRUPT) << "byte " << i;
    }
    mr__index_unmap(&index);
}

TEST_F(IndexFile, OtherMachinesAndVersionsAreTold)
{
    mr_index index = built(3);
    ASSERT_EQ(write(index), MR_OK) << e.text;
    std::string whole = bytes(), turned = whole, newer = whole;
    for (int i = 0; i < 8; i++)
        turned[i] = whole[7 - i];
    put(turned);
    EXPECT_EQ(look(), MR_E_CORRUPT);
    EXPECT_NE(strstr(e.text, "byte order"), nullptr) << e.text;
    newer[8]++;
    put(newer);
    EXPECT_EQ(look(), MR_E_VERSION);
    put("");
    EXPECT_EQ(look(), MR_E_CORRUPT);
    fs::remove(path);
    ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
    EXPECT_EQ(look(), MR_E_CORRUPT); // and does not hang
    fs::remove(path);
    fs::create_directory(path);
    EXPECT_LT(look(), 0);
    mr__index_unmap(&index);
}

TEST_F(IndexFile, OthersFilesAreNotBelieved)
{
    mr_index index = built(3);
    ASSERT_EQ(write(index), MR_OK) << e.text;
    ASSERT_EQ(chmod(path.c_str(), 0664), 0);
    EXPECT_EQ(look(), MR_E_CORRUPT);
    ASSERT_EQ(chmod(path.c_str(), 0646), 0);
    EXPECT_EQ(look(), MR_E_CORRUPT);
    ASSERT_EQ(chmod(path.c_str(), 0644), 0);
    EXPECT_EQ(look(), MR_OK) << e.text;
    if (geteuid() == 0) {
        ASSERT_EQ(chown(path.c_str(), 12345, 12345), 0);
        EXPECT_EQ(look(), MR_E_CORRUPT);
        EXPECT_NE(strstr(e.text, "another user"), nullptr) << e.text;
    }
    mr__index_unmap(&index);
}

// A file whose checksums are right and whose offsets lead anywhere: what is found is nothing.
TEST_F(IndexFile, NoOffsetLeadsOut)
{
    mr_index index = built(50);
    std::vector<uint64_t> memory(index.bytes / 8 + 1);
    for (uint64_t wrong : {UINT64_MAX, uint64_t(1) << 40, index.bytes, UINT64_MAX / 4}) {
        memcpy(memory.data(), index.base, index.bytes);
        uint8_t *base = (uint8_t *)memory.data();
        const mr_index_head *head = (const mr_index_head *)base;
        mr_index hostile = {}, mapped;
        hostile.head = head;
        hostile.base = base;
        hostile.bytes = index.bytes;
        for (int column : {0, 2})
            for (int i = 1; i < 50; i += 2)
                ((uint64_t *)(base + head->column[column].offsets))[i] = wrong;
        ((uint64_t *)(base + head->class_offsets))[1] = wrong;
        ASSERT_EQ(write(hostile), MR_OK) << e.text;
        ticket(&mapped, false);
        size_t n;
        uint64_t entries;
        for (uint64_t i = 0; i < 50; i++) {
            mr__index_path(&mapped, 0, i, &n);
            EXPECT_LE(n, index.bytes);
            mr__index_numbers(&mapped, 2, i, &entries);
            EXPECT_LE(entries, head->column[2].max_entries);
            free(mr__index_full_path(&mapped, 0, i));
        }
        mr__index_class(&mapped, 0, &n);
        EXPECT_EQ(n, 0u);
        mr__index_unmap(&mapped);
    }
    mr__index_unmap(&index);
}

// The file may not become as long as it has to: an error, and nothing in the folder.
TEST_F(IndexFile, NoRoom)
{
    rlimit before, small;
    mr_index index = built(700, 1000);
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 2 << 20;
    auto handler = signal(SIGXFSZ, SIG_IGN);
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    int rc = write(index);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, handler);
    EXPECT_EQ(rc, MR_E_IO);
    EXPECT_TRUE(fs::is_empty(dir));
    mr__index_unmap(&index);
}

// ---- origins ----

namespace
{

class Origins : public ::testing::Test
{
  protected:
    TempTree tree;
    std::string dir = tree.root;
    mr_buf list = {};
    char changed[256];
    void SetUp() override
    {
        tree.folder("f");
        std::ofstream(dir + "/m.csv") << "one";
        note();
    }
    void TearDown() override
    {
        mr__buf_free(&list);
    }
    void note()
    {
        struct stat st;
        list.n = 0;
        for (const char *name : {"/m.csv", "/f"}) {
            ASSERT_EQ(stat((dir + name).c_str(), &st), 0);
            EXPECT_TRUE(mr__origin_add(&list, (dir + name).c_str(), &st));
        }
        EXPECT_TRUE(mr__origin_add(&list, (dir + "/not").c_str(), nullptr));
        EXPECT_TRUE(mr__origin_add_real(&list, (dir + "/f/..").c_str(), real(dir).c_str()));
    }
    static std::string real(const std::string &path)
    {
        return fs::canonical(path);
    }
    bool same()
    {
        return mr__origins_same(list.data, list.n, changed, sizeof changed);
    }
};

} // namespace

TEST_F(Origins, WhatChangesShows)
{
    EXPECT_TRUE(same()) << changed;
    // A clock of the kernel that ticks 100 times a second has to move on for a change to show.
    EXPECT_FALSE(mr__origins_too_new(list.data, list.n));
    std::ofstream(dir + "/m.csv") << "two"; // as long
    EXPECT_FALSE(same());
    EXPECT_NE(strstr(changed, "m.csv"), nullptr);
    note();
    EXPECT_TRUE(same());
    mr__origins_too_new(list.data, list.n);
    std::ofstream(dir + "/f/new") << "";
    EXPECT_FALSE(same());
    note();
    std::ofstream(dir + "/not") << "";
    EXPECT_FALSE(same());
    EXPECT_NE(strstr(changed, "not"), nullptr);
    fs::remove(dir + "/not");
    EXPECT_TRUE(same()) << changed;
    fs::remove(dir + "/m.csv");
    EXPECT_FALSE(same());
}

// Somebody sets the time back: the status's time is not his to set.
TEST_F(Origins, ATimeThatWasSetBackShows)
{
    struct stat st;
    ASSERT_EQ(stat((dir + "/m.csv").c_str(), &st), 0);
    mr__origins_too_new(list.data, list.n);
    std::ofstream(dir + "/m.csv") << "two";
    timespec times[2] = {st.st_atim, st.st_mtim};
    ASSERT_EQ(utimensat(AT_FDCWD, (dir + "/m.csv").c_str(), times, 0), 0);
    EXPECT_FALSE(same());
}

TEST_F(Origins, WhereALinkLeadsShows)
{
    fs::create_directory_symlink(dir + "/f", dir + "/link");
    list.n = 0;
    ASSERT_TRUE(mr__origin_add_real(&list, (dir + "/link").c_str(), real(dir + "/f").c_str()));
    EXPECT_TRUE(same());
    fs::create_directory(dir + "/g");
    fs::remove(dir + "/link");
    EXPECT_FALSE(same());
    fs::create_directory_symlink(dir + "/g", dir + "/link");
    EXPECT_FALSE(same());
}

TEST_F(Origins, DamagedListsAreNotFollowed)
{
    for (size_t cut = 1; cut < list.n; cut++)
        EXPECT_FALSE(mr__origins_same(list.data, list.n - cut, changed, sizeof changed) &&
                     cut % 8 != 0)
            << cut;
    for (size_t i = 0; i < list.n; i++) {
        std::vector<uint8_t> damaged(list.data, list.data + list.n);
        damaged[i] ^= 0x80;
        mr__origins_same(damaged.data(), damaged.size(), changed, sizeof changed);
        mr__origins_too_new(damaged.data(), damaged.size());
    }
}
