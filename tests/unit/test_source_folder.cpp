// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

extern "C" {
#include "base/descriptor.h"
}

#include "temp_tree.hpp"

#include <cstring>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <vector>

extern "C" const struct mr_source mr__source_folder;

namespace
{

struct Params { // as struct folder_params in folder.c
    const char *path;
    mr_strs extensions;
};

struct Listed {
    int rc;
    std::string error;
    std::vector<std::string> paths;
    std::vector<int64_t> labels;
    std::vector<std::string> classes;
    uint64_t skipped = 0;
};

Listed list(const std::string &path, std::vector<const char *> more = {})
{
    Listed l;
    mr_errbuf e = {};
    mr_index_builder *b;
    Params params = {path.c_str(), {(int)more.size(), more.data()}};
    EXPECT_EQ(mr__index_builder_new(&b, &e), MR_OK);
    l.rc = mr__source_folder.index(&params, b, &e);
    l.error = e.text;
    if (l.rc == MR_OK) {
        mr_index index;
        int fd = mr__index_memfd(&e);
        EXPECT_EQ(mr__index_finish(b, fd, &e), MR_OK) << e.text;
        EXPECT_EQ(mr__index_map(&index, fd, &e), MR_OK) << e.text;
        close(fd);
        for (uint64_t i = 0; i < index.head->samples; i++) {
            size_t n;
            uint64_t one;
            const char *text = mr__index_path(&index, 0, i, &n);
            l.paths.emplace_back(text, n);
            l.labels.push_back(*(const int64_t *)mr__index_numbers(&index, 1, i, &one));
        }
        for (uint64_t i = 0; i < index.head->classes; i++) {
            size_t n;
            const char *text = mr__index_class(&index, i, &n);
            l.classes.emplace_back(text, n);
        }
        l.skipped = index.head->skipped;
        mr__index_unmap(&index);
    }
    mr__index_builder_free(b);
    return l;
}

using Strings = std::vector<std::string>;
using Labels = std::vector<int64_t>;

} // namespace

TEST(Folder, ClassesAndFilesAreSortedByBytes)
{
    TempTree t;
    for (auto name : {"dog/b.jpg", "dog/a.JPEG", "cat/z.jpg", "Zebra/1.jpg", "cat/deep/er/1.jpg",
                      "cat/deep-er/1.jpg", "cat/10.jpg", "cat/9.jpg"})
        t.file(name);
    Listed l = list(t.root);
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    EXPECT_EQ(l.classes, (Strings{"Zebra", "cat", "dog"}));
    EXPECT_EQ(l.paths,
              (Strings{"Zebra/1.jpg", "cat/10.jpg", "cat/9.jpg", "cat/z.jpg", "cat/deep-er/1.jpg",
                       "cat/deep/er/1.jpg", "dog/a.JPEG", "dog/b.jpg"}));
    EXPECT_EQ(l.labels, (Labels{0, 1, 1, 1, 1, 1, 2, 2}));
    EXPECT_EQ(l.skipped, 0u);
}

TEST(Folder, ExtensionsChooseAndCanBeWidened)
{
    TempTree t;
    for (auto name : {"a/1.jpg", "a/2.Bmp", "a/3.txt", "a/4", "a/.jpg", "a/.hidden.jpg", "a/jpg",
                      ".git/5.jpg", "b/6.jpg.part"})
        t.file(name);
    EXPECT_EQ(list(t.root).paths, (Strings{"a/1.jpg"}));
    EXPECT_EQ(list(t.root).classes, (Strings{"a", "b"}));
    EXPECT_EQ(list(t.root, {"bmp"}).paths, (Strings{"a/1.jpg", "a/2.Bmp"}));
    EXPECT_EQ(list(t.root, {".jpg.part"}).paths, (Strings{"a/1.jpg", "b/6.jpg.part"}));
    EXPECT_EQ(list(t.root, {"*"}).paths,
              (Strings{"a/1.jpg", "a/2.Bmp", "a/3.txt", "a/4", "a/jpg", "b/6.jpg.part"}));
}

TEST(Folder, WhatIsNoExtensionIsRefused)
{
    mr_errbuf e = {};
    for (const char *wrong : {"", "a/b", "*.jpg"}) {
        Params params = {"/", {1, &wrong}};
        EXPECT_EQ(mr__source_folder.d.check(&params, &e), MR_E_CONFIG) << wrong;
    }
    const char *good = ".jpg";
    Params params = {"/", {1, &good}};
    EXPECT_EQ(mr__source_folder.d.check(&params, &e), MR_OK);
}

TEST(Folder, AFlatFolderIsOneClass)
{
    TempTree t;
    t.file("photos/2.jpg");
    t.file("photos/1.jpg");
    t.folder("photos/empty");
    Listed l = list(t.path("photos"));
    EXPECT_EQ(l.paths, (Strings{"1.jpg", "2.jpg"}));
    EXPECT_EQ(l.labels, (Labels{0, 0}));
    EXPECT_EQ(l.classes, (Strings{"photos"}));
}

TEST(Folder, FilesBesideTheClassesHaveNone)
{
    TempTree t;
    t.file("stray.jpg");
    t.file("a/1.jpg");
    t.folder("b"); // empty, but a class: the numbers behind it must not move
    t.file("c/1.jpg");
    Listed l = list(t.root);
    EXPECT_EQ(l.paths, (Strings{"a/1.jpg", "c/1.jpg"}));
    EXPECT_EQ(l.labels, (Labels{0, 2}));
    EXPECT_EQ(l.classes, (Strings{"a", "b", "c"}));
    EXPECT_EQ(l.skipped, 1u);
}

TEST(Folder, LinksAreResolved)
{
    TempTree t, other;
    other.file("far/1.jpg");
    other.file("2.jpg");
    t.file("cat/own.jpg");
    t.file("pool/3.jpg");
    t.link("cat/a.jpg", other.path("2.jpg"));    // leaves the root: absolute
    t.link("cat/b.jpg", "../pool/3.jpg");        // stays: relative
    t.link("cat/far", other.path("far"));        // a folder outside
    t.link("dog", "pool");                       // a class that is a link
    t.link("cat/broken.jpg", "/nowhere/at/all"); // counted
    Listed l = list(t.root);
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    EXPECT_EQ(l.paths, (Strings{other.path("2.jpg"), "pool/3.jpg", "cat/own.jpg",
                                other.path("far/1.jpg"), "pool/3.jpg", "pool/3.jpg"}));
    EXPECT_EQ(l.labels, (Labels{0, 0, 0, 0, 1, 2}));
    EXPECT_EQ(l.classes, (Strings{"cat", "dog", "pool"}));
    EXPECT_EQ(l.skipped, 1u);
}

TEST(Folder, TheRootMayBeALink)
{
    TempTree t;
    t.file("real/a/1.jpg");
    t.link("link", "real");
    EXPECT_EQ(list(t.path("link")).paths, (Strings{"a/1.jpg"}));
    EXPECT_EQ(list(t.path("real/../link/")).paths, (Strings{"a/1.jpg"}));
}

TEST(Folder, CirclesOfLinksEnd)
{
    TempTree t;
    t.file("a/1.jpg");
    t.link("a/self", ".");
    t.link("a/up", "..");
    t.link("a/deep/up", "..");
    t.link("loop.jpg", "loop.jpg");
    t.link("b", ".");
    t.link("a/l1", "l2");
    t.link("a/l2", "l1");
    Listed l = list(t.root);
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    EXPECT_EQ(l.paths, (Strings{"a/1.jpg"}));
    EXPECT_EQ(l.classes, (Strings{"a", "b"}));
    EXPECT_EQ(l.skipped, 5u); // self, up, deep/up, loop.jpg, b; l1 and l2 are named like no image
}

TEST(Folder, OnlyFilesAreTaken)
{
    TempTree t;
    t.file("a/1.jpg");
    ASSERT_EQ(mkfifo(t.path("a/fifo.jpg").c_str(), 0600), 0);
    t.folder("a/folder.jpg");
    t.file("a/folder.jpg/inside.jpg");
    t.link("a/device.jpg", "/dev/null");
    int s = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address = {AF_UNIX, {}};
    ASSERT_LT(t.path("a/socket.jpg").size(), sizeof address.sun_path);
    strcpy(address.sun_path, t.path("a/socket.jpg").c_str());
    ASSERT_EQ(bind(s, (sockaddr *)&address, sizeof address), 0);
    Listed l = list(t.root);
    close(s);
    EXPECT_EQ(l.paths, (Strings{"a/1.jpg"}));
    EXPECT_EQ(l.skipped, 4u);
}

TEST(Folder, AFolderThatMayNotBeReadIsCounted)
{
    TempTree t;
    t.file("a/1.jpg");
    t.file("b/2.jpg");
    chmod(t.root.c_str(), 0755);
    chmod(t.path("b").c_str(), 0);
    uid_t self = geteuid(); // root may read everything, so it becomes nobody for this
    ASSERT_EQ(seteuid(self ? self : 65534), 0);
    Listed l = list(t.root);
    ASSERT_EQ(seteuid(self), 0);
    chmod(t.path("b").c_str(), 0700);
    EXPECT_EQ(l.paths, (Strings{"a/1.jpg"}));
    EXPECT_EQ(l.skipped, 1u);
}

TEST(Folder, NamesMayHoldAnyByte)
{
    TempTree t;
    t.file("a\nb/\xff\xfe.jpg");
    t.file("a\nb/\x1b[31m\n.jpg");
    t.file("a\nb/\xe2\x82\xac .jpg");
    Listed l = list(t.root);
    EXPECT_EQ(l.paths,
              (Strings{"a\nb/\x1b[31m\n.jpg", "a\nb/\xe2\x82\xac .jpg", "a\nb/\xff\xfe.jpg"}));
    EXPECT_EQ(l.classes, (Strings{"a\nb"}));
}

TEST(Folder, NothingFoundSaysWhereAndWhat)
{
    TempTree t;
    t.file("a/readme.txt");
    Listed l = list(t.root, {"bmp"});
    EXPECT_EQ(l.rc, MR_E_IO);
    EXPECT_NE(l.error.find("'" + t.root.string() + "'"), std::string::npos) << l.error;
    EXPECT_NE(l.error.find(".jpg"), std::string::npos) << l.error;
    EXPECT_NE(l.error.find(".bmp"), std::string::npos) << l.error;
    EXPECT_EQ(list(t.path("nowhere")).rc, MR_E_IO);
    EXPECT_EQ(list(t.path("a/readme.txt")).rc, MR_E_IO);
}
