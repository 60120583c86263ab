// SPDX-License-Identifier: Apache-2.0
//
// Columns whose numbers the source reads when they are wanted: the index has their shape, in one
// data set and in several.
#include <gtest/gtest.h>

extern "C" {
#include "base/index.h"
#include "base/shape.h"
}

#include <cstring>
#include <fcntl.h>
#include <functional>
#include <string>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

namespace
{

using Shape = std::vector<int64_t>;
using Bytes = std::vector<uint8_t>;

// An index of tensors "x", and what becomes of it.
struct Tensors {
    mr_errbuf e = {};
    mr_index_builder *b = nullptr;
    mr_index index = {};
    int fd = -1;

    Tensors()
    {
        mr__index_builder_new(&b, &e);
    }
    ~Tensors()
    {
        mr__index_builder_free(b);
        mr__index_unmap(&index);
        close(fd);
    }
    int add(mr_index_builder *to, const Shape &shape, uint64_t samples, mr_dtype dtype = MR_F32)
    {
        int column = mr__index_add_tensor(to, "x", dtype, shape.data(), (int)shape.size(), &e);
        return column < 0 ? column : mr__index_repeat(to, column, samples, &e);
    }
    mr_index_builder *part(const char *name)
    {
        mr_index_builder *p = nullptr;
        EXPECT_EQ(mr__index_add_part(b, name, &p, &e), MR_OK) << e.text;
        return p;
    }
    int finish()
    {
        fd = mr__index_memfd(&e);
        int rc = mr__index_finish(b, fd, &e);
        return rc < 0 ? rc : mr__index_map(&index, fd, &e);
    }
    Shape shape()
    {
        int64_t sides[MR_MAX_DIMS];
        int n = mr__index_shape(&index, mr__index_column(&index, "x"), sides);
        return Shape(sides, sides + n);
    }
};

uint64_t hash_of(const Shape &shape, uint64_t samples, mr_dtype dtype = MR_F32)
{
    Tensors t;
    EXPECT_EQ(t.add(t.b, shape, samples, dtype), MR_OK) << t.e.text;
    EXPECT_EQ(t.finish(), MR_OK) << t.e.text;
    return t.index.head->hash;
}

int map_bytes(const Bytes &bytes)
{
    mr_errbuf e = {};
    mr_index index;
    int fd = mr__index_memfd(&e);
    EXPECT_EQ(write(fd, bytes.data(), bytes.size()), (ssize_t)bytes.size());
    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
    int rc = mr__index_map(&index, fd, &e);
    mr__index_unmap(&index);
    close(fd);
    return rc;
}

} // namespace

TEST(IndexTensor, HasAShapeAndTakesNoRoom)
{
    Tensors t;
    const uint64_t many = 1000000000;
    ASSERT_EQ(t.add(t.b, {3, 1000, 1000}, many), MR_OK) << t.e.text;
    ASSERT_EQ(t.finish(), MR_OK) << t.e.text;
    EXPECT_LT(lseek(t.fd, 0, SEEK_END), 1 << 16);
    EXPECT_EQ(t.index.head->samples, many);
    EXPECT_EQ(t.shape(), (Shape{3, 1000, 1000}));
    EXPECT_EQ(t.index.head->column[0].width, 3000000u);
    EXPECT_FALSE(mr__index_is_whole(&t.index.head->column[0]));
    char *name = mr__index_name(&t.index, 0, 17);
    EXPECT_STREQ(name, "sample 17");
    free(name);
    mr_index copy;
    ASSERT_EQ(mr__index_copy(&copy, t.fd, &t.e), MR_OK) << t.e.text;
    mr__index_unmap(&copy);

    uint64_t hash = hash_of({3, 4}, 10);
    EXPECT_EQ(hash_of({3, 4}, 10), hash);
    for (uint64_t other :
         {hash_of({4, 3}, 10), hash_of({12}, 10), hash_of({3, 4}, 11), hash_of({3, 4}, 10, MR_I32)})
        EXPECT_NE(other, hash) << "shape, type and count are of the data";
}

TEST(IndexTensor, WhatCannotBeIsRefused)
{
    Tensors t;
    EXPECT_EQ(t.add(t.b, {}, 1), MR_E_USAGE);
    EXPECT_EQ(t.add(t.b, {1, 1, 1, 1, 1, 1, 1, 1}, 1), MR_E_USAGE);
    EXPECT_EQ(t.add(t.b, {3, 0}, 1), MR_E_LIMIT);
    EXPECT_EQ(t.add(t.b, {3, -1}, 1), MR_E_LIMIT);
    EXPECT_EQ(t.add(t.b, {1 << 16, 1 << 16}, 1), MR_E_LIMIT);
    EXPECT_EQ(t.add(t.b, {INT64_MAX, INT64_MAX}, 1), MR_E_LIMIT);
    ASSERT_EQ(mr__index_add_tensor(t.b, "x", MR_U8, Shape{UINT32_MAX}.data(), 1, &t.e), 0);
    uint8_t one = 1;
    EXPECT_EQ(mr__index_add_numbers(t.b, 0, &one, 1, &t.e), MR_E_USAGE);
    EXPECT_EQ(mr__index_add_path(t.b, 0, "a", 1, &t.e), MR_E_USAGE);
}

TEST(IndexTensor, DamageIsFoundWhenMapped)
{
    Tensors t;
    ASSERT_EQ(t.add(t.b, {3, 5}, 7), MR_OK);
    ASSERT_EQ(t.finish(), MR_OK);
    Bytes good((size_t)lseek(t.fd, 0, SEEK_END));
    ASSERT_EQ(pread(t.fd, good.data(), good.size(), 0), (ssize_t)good.size());
    ASSERT_EQ(map_bytes(good), MR_OK);
    auto column = [](Bytes &b) { return &((mr_index_head *)b.data())->column[0]; };
    auto sides = [&](Bytes &b) { return (int64_t *)(b.data() + column(b)->data); };
    const std::vector<std::function<void(Bytes &)>> damages = {
        [&](Bytes &b) { column(b)->width = 14; },
        [&](Bytes &b) { column(b)->max_entries = 0; },
        [&](Bytes &b) { column(b)->max_entries = 1; },
        [&](Bytes &b) { column(b)->max_entries = 8; },
        [&](Bytes &b) { column(b)->max_entries = ~0u; },
        [&](Bytes &b) { column(b)->data = b.size() + 64; },
        [&](Bytes &b) { column(b)->data += 8; },
        [&](Bytes &b) { column(b)->data = 0; },
        [&](Bytes &b) { column(b)->offsets = 64; },
        [&](Bytes &b) { column(b)->kind = MR_COL_MADE; },
        [&](Bytes &b) { sides(b)[0] = -3, sides(b)[1] = -5; },
        [&](Bytes &b) { sides(b)[0] = 4; },
        [&](Bytes &b) { sides(b)[0] = 0; },
        [&](Bytes &b) { sides(b)[0] = (1ll << 62) + 3, sides(b)[1] = 5; },
    };
    for (size_t i = 0; i < damages.size(); i++) {
        Bytes bad = good;
        damages[i](bad);
        EXPECT_EQ(map_bytes(bad), MR_E_CORRUPT) << "damage " << i;
    }
}

TEST(IndexTensor, PartsHaveOneShape)
{
    Tensors t;
    mr_index_builder *numbers = t.part("numbers");
    int64_t label = 7;
    ASSERT_EQ(mr__index_add_column(numbers, "label", MR_COL_FIXED, MR_I64, 1, &t.e), 0);
    mr__index_add_numbers(numbers, 0, &label, 1, &t.e);
    ASSERT_EQ(t.add(t.part("one"), {2, 3}, 5), MR_OK);
    ASSERT_EQ(t.add(t.part("two"), {2, 3}, 1000), MR_OK);
    ASSERT_EQ(t.finish(), MR_OK) << t.e.text;
    EXPECT_EQ(t.index.head->samples, 1006u);
    EXPECT_EQ(t.shape(), (Shape{2, 3}));
    EXPECT_EQ(mr__index_parts(&t.index)[0].column[mr__index_column(&t.index, "x")],
              MR_INDEX_NO_COLUMN);
}

TEST(IndexTensor, PartsThatDifferAreNamed)
{
    Tensors t;
    ASSERT_EQ(t.add(t.part("one"), {2, 3}, 5), MR_OK);
    ASSERT_EQ(t.add(t.part("two"), {3, 2}, 5), MR_OK);
    EXPECT_EQ(t.finish(), MR_E_CONFIG);
    EXPECT_STREQ(t.e.text, "the column 'x' is float32 [2, 3] in part 'one' and float32 [3, 2] in "
                           "part 'two': give them one type, or the columns two names");
}

TEST(Shape, IsWrittenAsInConfigs)
{
    char text[32];
    const int64_t sides[] = {3, 32, 32};
    mr__shape_text("float32", sides, 3, text, sizeof text);
    EXPECT_STREQ(text, "float32 [3, 32, 32]");
    mr__shape_text(nullptr, sides, 1, text, sizeof text);
    EXPECT_STREQ(text, "[3]");
    mr__shape_text("uint8", nullptr, 0, text, sizeof text);
    EXPECT_STREQ(text, "uint8 []");
    mr__shape_text("float32", sides, 3, text, 8);
    EXPECT_STREQ(text, "float32");
}
