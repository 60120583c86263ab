// SPDX-License-Identifier: Apache-2.0
//
// Names of unpacked files lead nowhere but below the folder that they are unpacked into, whatever a
// shard says that its files and its columns were called.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <unistd.h>

extern "C" {
#include "pack/unpack_files.h"
}

namespace
{

std::string unpacked(const char *column, const char *path)
{
    mr_errbuf e = {};
    mr_index_builder *b;
    mr_index index = {};
    EXPECT_EQ(mr__index_builder_new(&b, &e), MR_OK);
    EXPECT_EQ(mr__index_add_column(b, column, MR_COL_PATH, MR_U8, 1, &e), 0) << e.text;
    EXPECT_EQ(mr__index_add_path(b, 0, path, strlen(path), &e), MR_OK) << e.text;
    int fd = mr__index_memfd(&e);
    EXPECT_EQ(mr__index_finish(b, fd, &e), MR_OK) << e.text;
    EXPECT_EQ(mr__index_map(&index, fd, &e), MR_OK) << e.text;
    char *name = mr__unpack_name(&index, 0, 0, "jpg");
    std::string is = name;
    free(name);
    mr__index_unmap(&index);
    mr__index_builder_free(b);
    close(fd);
    return is;
}

TEST(UnpackName, StaysBelowTheFolder)
{
    EXPECT_EQ(unpacked("image", "a/b.jpg"), "a/b.jpg");
    EXPECT_EQ(unpacked("image", "/a//./b.png"), "a/b.png.jpg");
    EXPECT_EQ(unpacked("image", "../../b.jpg"), "_/_/b.jpg");
    EXPECT_EQ(unpacked("image", "."), "image/00000000.jpg");
    EXPECT_EQ(unpacked("../../x", "."), "_/_/x/00000000.jpg");
    EXPECT_EQ(unpacked("/tmp/x", "/."), "tmp/x/00000000.jpg");
}

} // namespace
