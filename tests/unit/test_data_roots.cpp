// SPDX-License-Identifier: Apache-2.0
//
// Which folders the files of an index really lie in.
#include "temp_tree.hpp"

#include <gtest/gtest.h>

extern "C" {
#include "pipe/data_roots.h"
}

#include <algorithm>
#include <string>
#include <vector>

namespace fs = std::filesystem;
using Texts = std::vector<std::string>;

static Texts roots_of(const std::string &root, const Texts &paths, bool resolved = false,
                      const Texts &named = {})
{
    mr_errbuf e = {};
    mr_index_builder *b;
    mr_index index;
    mr_buf text = {};
    EXPECT_EQ(mr__index_builder_new(&b, &e), MR_OK);
    EXPECT_EQ(mr__index_set_root(b, root.c_str(), &e), MR_OK);
    EXPECT_EQ(mr__index_add_column(b, "image", MR_COL_PATH, MR_U8, 1, &e), 0);
    for (const std::string &path : paths)
        EXPECT_EQ(mr__index_add_path(b, 0, path.data(), path.size(), &e), MR_OK);
    int fd = mr__index_memfd(&e);
    EXPECT_EQ(mr__index_finish(b, fd, &e), MR_OK) << e.text;
    mr__index_builder_free(b);
    EXPECT_EQ(mr__index_map(&index, fd, &e), MR_OK) << e.text;
    mr_buf more = {};
    for (const std::string &path : named)
        EXPECT_TRUE(mr__buf_append(&more, path.c_str(), path.size() + 1));
    EXPECT_EQ(mr__data_roots(&index, resolved, &more, &text, nullptr, &e), MR_OK) << e.text;
    mr__buf_free(&more);
    Texts roots;
    for (size_t at = 0; at < text.n; at += roots.back().size() + 1)
        roots.emplace_back((const char *)text.data + at);
    mr__index_unmap(&index);
    close(fd);
    mr__buf_free(&text);
    return roots;
}

TEST(DataRoots, AResolvedSourceIsItsRootAndWhatLiesElsewhere)
{
    EXPECT_EQ(roots_of("/data", {"cat/1.jpg", "dog/2.jpg", "/blobs/aa/3", "/blobs/4"}, true),
              (Texts{"/blobs", "/data"}));
    EXPECT_EQ(roots_of("/data", {"1.jpg"}, true), Texts{"/data"});
    EXPECT_EQ(roots_of("/data", {"", "x/1.jpg"}, true), Texts{"/data"});
}

// A source may open what is in no index: files, folders, links to them; never everything.
TEST(DataRoots, WhatTheSourceNamesIsOpenedToo)
{
    TempTree t;
    t.file("arrays/x.npy");
    t.file("set/1");
    fs::create_symlink(t.path("arrays/x.npy"), t.path("link.npy"));
    EXPECT_EQ(roots_of(t.path("set"), {"1"}, false, {t.path("link.npy"), t.path("gone"), "/"}),
              (Texts{t.path("arrays/x.npy"), t.path("set")}));
    EXPECT_EQ(roots_of(t.path("set"), {"1"}, true, {t.path("set/1"), t.path("arrays")}),
              (Texts{t.path("arrays"), t.path("set")}));
}

// "/" would be everything: of what lies there, it is each file, and of folders there, each folder.
TEST(DataRoots, EverythingIsNeverOpened)
{
    TempTree t;
    t.file("set/1");
    EXPECT_EQ(roots_of("/", {"no-such-file.jpg"}, true), Texts{});
    EXPECT_EQ(roots_of("/", {t.path("set/1").substr(1)}, true), Texts{t.path("set")});
    EXPECT_EQ(roots_of(t.path("set"), {"1", "/no-such-file.jpg"}), Texts{t.path("set")});
    for (const auto &entry : fs::directory_iterator("/")) {
        std::string there = entry.path();
        if (!entry.is_regular_file() || entry.is_symlink())
            continue;
        EXPECT_EQ(roots_of("/data", {there}, true), Texts{there});
        EXPECT_EQ(roots_of("/", {there.substr(1)}), Texts{there});
        fs::create_symlink(there, t.path("set/link"));
        Texts expected{there, t.path("set")};
        std::sort(expected.begin(), expected.end());
        EXPECT_EQ(roots_of(t.path("set"), {"1", "link"}), expected);
        break;
    }
}

TEST(DataRoots, ManyLinksAreWidened)
{
    TempTree t;
    Texts paths;
    t.file("elsewhere/x");
    fs::create_symlink("../elsewhere/x", (fs::create_directories(t.path("set")), t.path("set/x")));
    for (int i = 0; i < 20000; i++) {
        std::string name = std::to_string(i);
        if (i % 4 == 0)
            t.file("blobs/" + name);
        fs::create_symlink("../blobs/" + std::to_string(i / 4 * 4), t.path("set/" + name));
        paths.push_back(name);
    }
    EXPECT_EQ(roots_of(t.path("set"), paths), (Texts{t.path("blobs"), t.path("set")}));
    EXPECT_EQ(roots_of(t.path("set"), {"0", "1", "4", "x"}),
              (Texts{t.path("blobs/0"), t.path("blobs/4"), t.path("elsewhere/x"), t.path("set")}));
}

TEST(DataRoots, NoneLiesBelowAnother)
{
    EXPECT_EQ(roots_of("/x", {"/a/1", "/a-b/2", "/a/b/3", "/a.c/d/4", "/a/b/c/5", "/ab/6"}, true),
              (Texts{"/a", "/a-b", "/a.c/d", "/ab"}));
}

TEST(DataRoots, LinksAreFollowed)
{
    TempTree t;
    for (const char *name : {"set/plain/a", "blobs/1", "deep/er/b", "above/c", "set/many/x"})
        t.file(name);
    fs::create_symlink("../../blobs/1", t.path("set/plain/link"));
    fs::create_symlink(t.path("deep"), t.path("set/folder"));
    fs::create_symlink("nowhere", t.path("set/plain/broken"));
    Texts paths = {"plain/a",    "plain/link", "plain/broken", "folder/er/b",
                   "../above/c", "gone/x",     "plain/gone"};
    EXPECT_EQ(roots_of(t.path("set"), paths),
              (Texts{t.path("above"), t.path("blobs/1"), t.path("deep/er"), t.path("set/plain")}));
    // A folder of many samples is listed instead of asked for each.
    paths = {};
    for (int i = 0; i < 1000; i++)
        paths.push_back("many/" + std::to_string(i));
    EXPECT_EQ(roots_of(t.path("set"), paths), Texts{t.path("set/many")});
    fs::create_symlink("../../blobs/1", t.path("set/many/777"));
    EXPECT_EQ(roots_of(t.path("set"), paths), (Texts{t.path("blobs/1"), t.path("set/many")}));
}

TEST(DataRoots, ThousandsOfFoldersAreWidened)
{
    Texts paths = {"/far/away/1"};
    for (int i = 0; i < 5000; i++)
        paths.push_back("/store/" + std::to_string(i % 50) + "/" + std::to_string(i) + "/blob");
    Texts roots = roots_of("/data", paths, true);
    EXPECT_EQ(roots.size(), 51u);
    EXPECT_EQ(roots[0], "/far/away");
    EXPECT_EQ(roots[1], "/store/0");
}
