// SPDX-License-Identifier: Apache-2.0
//
// What was held against its sums counts until somebody touches the file.
#include "temp_tree.hpp"

#include <gtest/gtest.h>

extern "C" {
#include "loaders/shard/checked_rows.h"
}

#include <chrono>
#include <thread>

namespace
{

struct Shard {
    TempTree t;
    mr_shard_file file = {};
    mr_checked checked = {};

    Shard()
    {
        t.file("s", "content");
        file.transport = &mr__shard_local;
        file.fd = open(t.path("s").c_str(), O_RDONLY | O_CLOEXEC);
        EXPECT_TRUE(mr__checked_begin(&checked, 10, 2));
    }
    ~Shard()
    {
        mr__checked_free(&checked);
        close(file.fd);
    }
    bool same(uint64_t shard = 0)
    {
        return mr__checked_same(&checked, &file, shard);
    }
};

} // namespace

TEST(CheckedRows, CountUntilTheFileIsTouched)
{
    Shard s;
    EXPECT_FALSE(s.same()) << "it was written a moment ago";
    std::this_thread::sleep_for(std::chrono::milliseconds(3100));
    EXPECT_TRUE(s.same());
    EXPECT_FALSE(mr__checked_has(&s.checked, 3, 9));
    mr__checked_add(&s.checked, 3, 9);
    mr__checked_add(&s.checked, 3, 10); // there is none
    EXPECT_TRUE(mr__checked_has(&s.checked, 3, 9));
    EXPECT_FALSE(mr__checked_has(&s.checked, 3, 8));
    EXPECT_FALSE(mr__checked_has(&s.checked, 3, 10));
    EXPECT_FALSE(mr__checked_has(&s.checked, 4, 9));
    EXPECT_TRUE(s.same());
    s.t.file("s", "CONTENT");
    EXPECT_FALSE(s.same()) << "as many bytes, other times";
    EXPECT_FALSE(mr__checked_has(&s.checked, 3, 9));
    EXPECT_FALSE(s.same()) << "a moment ago";
}

TEST(CheckedRows, OtherMachinesAreNotBelieved)
{
    Shard s;
    mr_shard_transport far = mr__shard_local;
    s.file.transport = &far;
    EXPECT_FALSE(s.same(1));
}
