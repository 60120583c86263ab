// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

extern "C" {
#include "base/message.h"
}

#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace
{

// Memory of exactly `cap` bytes, so that the address sanitizer sees one byte too many.
struct Memory {
    explicit Memory(size_t cap) : words(new uint64_t[cap / 8 + 1]), bytes(cap)
    {
        memset(words.get(), 0xAB, cap / 8 * 8);
        m = mr__message_init(words.get(), cap, 3, 7, 9);
    }
    std::unique_ptr<uint64_t[]> words;
    size_t bytes;
    mr_message *m;
};

void fill(mr_message *m)
{
    const double floats[] = {0.5, -1.0, 3.25};
    const int64_t ints[] = {1, 2};
    ASSERT_EQ(mr_message_set_i64(m, "index", -5), MR_OK);
    ASSERT_EQ(mr_message_set_f64(m, "angle", 0.25), MR_OK);
    ASSERT_EQ(mr_message_set_str(m, "path", "a/b.jpg"), MR_OK);
    ASSERT_EQ(mr_message_set_bytes(m, "raw", "\0\1\2", 3), MR_OK);
    ASSERT_EQ(mr_message_set_f64s(m, "floats", floats, 3), MR_OK);
    ASSERT_EQ(mr_message_begin_list(m, "list"), MR_OK);
    ASSERT_EQ(mr_message_set_i64s(m, NULL, ints, 2), MR_OK);
    ASSERT_EQ(mr_message_begin_list(m, NULL), MR_OK);
    ASSERT_EQ(mr_message_set_str(m, "deep", "x"), MR_OK);
    ASSERT_EQ(mr_message_end_list(m), MR_OK);
    ASSERT_EQ(mr_message_set_str(m, NULL, ""), MR_OK);
    ASSERT_EQ(mr_message_end_list(m), MR_OK);
    ASSERT_EQ(mr_message_set_i64(m, "last", 1), MR_OK);
}

} // namespace

TEST(Message, HeaderTellsWhereTheRowStands)
{
    Memory mem(256);
    EXPECT_EQ(mr_message_epoch(mem.m), 3u);
    EXPECT_EQ(mr_message_position(mem.m), 7u);
    EXPECT_EQ(mr_message_sample(mem.m), 9u);
    EXPECT_EQ(mr_message_set_sample(mem.m, 11), MR_OK);
    EXPECT_EQ(mr_message_sample(mem.m), 11u);
    EXPECT_EQ(mr__message_bytes(mem.m), MR_MESSAGE_HEADER);
    EXPECT_EQ(mr__message_check(mem.m, 256), MR_OK);
    EXPECT_EQ(mr__message_check(mem.m, 255), MR_E_CORRUPT);
}

TEST(Message, WhatIsSetIsGot)
{
    Memory mem(1024);
    fill(mem.m);
    int64_t i = 0;
    double d = 0;
    const char *s = nullptr;
    const void *raw = nullptr;
    const double *floats = nullptr;
    const int64_t *ints = nullptr;
    size_t n = 0;
    EXPECT_EQ(mr_message_get_i64(mem.m, "index", &i), MR_OK);
    EXPECT_EQ(i, -5);
    EXPECT_EQ(mr_message_get_f64(mem.m, "angle", &d), MR_OK);
    EXPECT_EQ(d, 0.25);
    EXPECT_EQ(mr_message_get_f64(mem.m, "index", &d), MR_OK) << "a whole number is a good double";
    EXPECT_EQ(d, -5.0);
    EXPECT_EQ(mr_message_get_str(mem.m, "path", &s), MR_OK);
    EXPECT_STREQ(s, "a/b.jpg");
    EXPECT_EQ(mr_message_get_bytes(mem.m, "raw", &raw, &n), MR_OK);
    ASSERT_EQ(n, 3u);
    EXPECT_EQ(memcmp(raw, "\0\1\2", 3), 0);
    EXPECT_EQ(mr_message_get_f64s(mem.m, "floats", &floats, &n), MR_OK);
    ASSERT_EQ(n, 3u);
    EXPECT_EQ(floats[2], 3.25);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(floats) % 8, 0u);
    EXPECT_EQ(mr_message_get_i64s(mem.m, "index", &ints, &n), MR_OK)
        << "a scalar is an array of one";
    ASSERT_EQ(n, 1u);
    EXPECT_EQ(ints[0], -5);
    EXPECT_EQ(mr__message_check(mem.m, 1024), MR_OK);
}

TEST(Message, AbsentAndOtherTypesLeaveTheOutputsAlone)
{
    Memory mem(1024);
    fill(mem.m);
    int64_t i = 77;
    double d = 77;
    const char *s = nullptr;
    EXPECT_EQ(mr_message_get_i64(mem.m, "nothing", &i), MR_E_USAGE);
    EXPECT_EQ(mr_message_get_i64(mem.m, "angle", &i), MR_E_USAGE);
    EXPECT_EQ(mr_message_get_i64(mem.m, "deep", &i), MR_E_USAGE) << "only top-level keys";
    EXPECT_EQ(mr_message_get_f64(mem.m, "floats", &d), MR_E_USAGE) << "three are not one";
    EXPECT_EQ(mr_message_get_str(mem.m, "raw", &s), MR_E_USAGE);
    EXPECT_EQ(i, 77);
    EXPECT_EQ(d, 77);
    EXPECT_EQ(s, nullptr);
    ASSERT_EQ(mr_message_set_i64(mem.m, "huge", INT64_MAX), MR_OK);
    EXPECT_EQ(mr_message_get_f64(mem.m, "huge", &d), MR_E_USAGE) << "digits would be lost";
}

TEST(Message, WalkGoesThroughListsInOrder)
{
    Memory mem(1024);
    fill(mem.m);
    std::string seen;
    uint64_t cursor = 0;
    mr_entry e;
    int rc;
    while ((rc = mr_message_walk(mem.m, &cursor, &e)) == MR_OK)
        seen += std::to_string(e.depth) + (e.key ? e.key : "-") + ":" + std::to_string(e.type) +
                "x" + std::to_string(e.n) + " ";
    EXPECT_EQ(rc, MR_END);
    EXPECT_EQ(seen, "0index:1x1 0angle:2x1 0path:3x7 0raw:4x3 0floats:2x3 0list:5x3 1-:1x2 1-:5x1 "
                    "2deep:3x1 1-:3x0 0last:1x1 ");
    EXPECT_EQ(mr_message_walk(mem.m, &cursor, &e), MR_END);
}

TEST(Message, WrongUseChangesNothing)
{
    Memory mem(512);
    std::string longest(255, 'k'), longer(256, 'k');
    ASSERT_EQ(mr_message_set_i64(mem.m, "a", 1), MR_OK);
    size_t used = mr__message_bytes(mem.m);
    EXPECT_EQ(mr_message_set_i64(mem.m, "a", 2), MR_E_USAGE);
    EXPECT_EQ(mr_message_set_i64(mem.m, "", 2), MR_E_USAGE);
    EXPECT_EQ(mr_message_set_i64(mem.m, NULL, 2), MR_E_USAGE);
    EXPECT_EQ(mr_message_set_i64(mem.m, longer.c_str(), 2), MR_E_USAGE);
    EXPECT_EQ(mr_message_set_str(mem.m, "s", NULL), MR_E_USAGE);
    EXPECT_EQ(mr_message_set_bytes(mem.m, "s", NULL, 1), MR_E_USAGE);
    EXPECT_EQ(mr_message_end_list(mem.m), MR_E_USAGE);
    EXPECT_EQ(mr__message_bytes(mem.m), used);
    EXPECT_EQ(mr_message_set_i64(mem.m, longest.c_str(), 2), MR_OK);
    int64_t i = 0;
    EXPECT_EQ(mr_message_get_i64(mem.m, longest.c_str(), &i), MR_OK);
    EXPECT_EQ(i, 2);
}

TEST(Message, KeysAreTakenPerList)
{
    Memory mem(512);
    ASSERT_EQ(mr_message_set_i64(mem.m, "a", 1), MR_OK);
    ASSERT_EQ(mr_message_begin_list(mem.m, "l"), MR_OK);
    EXPECT_EQ(mr_message_set_i64(mem.m, "a", 1), MR_OK);
    EXPECT_EQ(mr_message_set_i64(mem.m, "a", 1), MR_E_USAGE);
    EXPECT_EQ(mr_message_set_i64(mem.m, NULL, 1), MR_OK);
    EXPECT_EQ(mr_message_set_i64(mem.m, NULL, 1), MR_OK);
    ASSERT_EQ(mr_message_begin_list(mem.m, "l"), MR_OK);
    EXPECT_EQ(mr_message_set_i64(mem.m, "a", 1), MR_OK);
    EXPECT_EQ(mr__message_check(mem.m, 512), MR_E_USAGE) << "two lists are open";
    EXPECT_EQ(mr_message_end_list(mem.m), MR_OK);
    EXPECT_EQ(mr_message_set_i64(mem.m, "l", 1), MR_E_USAGE);
    EXPECT_EQ(mr_message_end_list(mem.m), MR_OK);
    EXPECT_EQ(mr__message_check(mem.m, 512), MR_OK);
    EXPECT_EQ(mr_message_set_i64(mem.m, "l", 1), MR_E_USAGE);
}

TEST(Message, DepthEndsAtEight)
{
    Memory mem(1024);
    for (int i = 0; i < MR_MESSAGE_DEPTH; i++)
        ASSERT_EQ(mr_message_begin_list(mem.m, i ? NULL : "l"), MR_OK);
    EXPECT_EQ(mr_message_begin_list(mem.m, NULL), MR_E_LIMIT);
    EXPECT_EQ(mr_message_set_i64(mem.m, NULL, 1), MR_OK);
    for (int i = 0; i < MR_MESSAGE_DEPTH; i++)
        ASSERT_EQ(mr_message_end_list(mem.m), MR_OK);
    EXPECT_EQ(mr__message_check(mem.m, 1024), MR_OK);
}

TEST(Message, FullIsALimitAndChangesNothing)
{
    for (size_t cap = MR_MESSAGE_HEADER; cap < 400; cap++) {
        Memory mem(cap);
        ASSERT_NE(mem.m, nullptr);
        int rc = MR_OK;
        int n = 0;
        while (rc == MR_OK && n < 100) {
            size_t used = mr__message_bytes(mem.m);
            rc = n % 2 ? mr_message_set_str(mem.m, ("k" + std::to_string(n)).c_str(), "some text")
                       : mr_message_set_f64(mem.m, ("k" + std::to_string(n)).c_str(), n);
            if (rc < 0) {
                EXPECT_EQ(mr__message_bytes(mem.m), used);
            }
            n++;
        }
        EXPECT_EQ(rc, MR_E_LIMIT);
        EXPECT_LE(mr__message_bytes(mem.m), cap);
        EXPECT_EQ(mr__message_check(mem.m, cap), MR_OK);
        EXPECT_EQ(mr_message_set_i64s(mem.m, "n", (const int64_t *)mem.m, SIZE_MAX / 8),
                  MR_E_LIMIT);
        EXPECT_EQ(mr_message_set_bytes(mem.m, "n", mem.m, SIZE_MAX - 3), MR_E_LIMIT);
    }
}

TEST(Message, InitRefusesWhatCannotHoldAHeader)
{
    alignas(8) uint8_t raw[128];
    EXPECT_EQ(mr__message_init(raw, MR_MESSAGE_HEADER - 1, 0, 0, 0), nullptr);
    EXPECT_EQ(mr__message_init(raw + 1, 100, 0, 0, 0), nullptr);
    EXPECT_EQ(mr__message_init(nullptr, 100, 0, 0, 0), nullptr);
    EXPECT_NE(mr__message_init(raw, MR_MESSAGE_HEADER, 0, 0, 0), nullptr);
}

TEST(Message, CopyIsCheckedAndKeepsItsOwnCapacity)
{
    Memory a(1024), b(512), small(64);
    fill(a.m);
    ASSERT_EQ(mr__message_copy(b.words.get(), 512, a.m, 1024), MR_OK);
    EXPECT_EQ(mr__message_bytes(b.m), mr__message_bytes(a.m));
    EXPECT_EQ(b.m->capacity, 512u);
    const char *s = nullptr;
    EXPECT_EQ(mr_message_get_str(b.m, "path", &s), MR_OK);
    EXPECT_STREQ(s, "a/b.jpg");
    EXPECT_EQ(mr_message_epoch(b.m), 3u);
    EXPECT_EQ(mr__message_copy(small.words.get(), 64, a.m, 1024), MR_E_LIMIT);
    EXPECT_EQ(mr__message_copy(b.words.get(), 512, a.m, 64), MR_E_CORRUPT);
}

// Whatever is scribbled, readers stay inside (the address sanitizer watches) and end.
TEST(Message, ScribbledMemoryIsRefusedNotFollowed)
{
    std::mt19937_64 random(1);
    size_t refused = 0, rounds = 200000;
    for (size_t round = 0; round < rounds; round++) {
        Memory mem(360);
        fill(mem.m);
        auto *bytes = reinterpret_cast<uint8_t *>(mem.words.get());
        for (uint64_t i = 0; i < 1 + random() % 4; i++)
            bytes[24 + random() % 330] = (uint8_t)random();
        if (mr__message_check(mem.m, 360) != MR_OK) {
            refused++;
            if (mem.m->capacity > 360) // only a reader that was told the real size may go on
                continue;
        }
        uint64_t cursor = 0;
        mr_entry e;
        size_t steps = 0;
        while (mr_message_walk(mem.m, &cursor, &e) == MR_OK)
            ASSERT_LT(++steps, 64u);
        const char *s;
        (void)mr_message_get_str(mem.m, "path", &s);
        (void)mr_message_set_i64(mem.m, "more", 1);
        (void)mr_message_end_list(mem.m);
    }
    EXPECT_GT(refused, rounds / 4);
}
