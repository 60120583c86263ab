// SPDX-License-Identifier: Apache-2.0
//
// What stands before the numbers of a .npy file, and what is in an archive: what NumPy writes is
// read, anything else is refused by a sentence.
#include "npy_testing.hpp"
#include "temp_tree.hpp"

#include <gtest/gtest.h>

extern "C" {
#include "loaders/array/npy_header.h"
#include "loaders/array/zip_list.h"
}

namespace
{

int read(const std::string &file, mr_npy *out, std::string *why = nullptr)
{
    mr_errbuf e = {};
    int rc = mr__npy_header((const uint8_t *)file.data(), file.size(), out, &e);
    if (why)
        *why = e.text;
    EXPECT_EQ(rc < 0, e.text[0] != 0);
    return rc;
}

std::string refusal(const std::string &file)
{
    mr_npy out;
    std::string why;
    EXPECT_EQ(read(file, &out, &why), MR_E_DATA) << why;
    return why;
}

std::string refused_header(const std::string &header)
{
    return refusal(npy_with(header, ""));
}

std::string refused_type(const std::string &type)
{
    return refusal(npy(type, "(3,)", ""));
}

} // namespace

TEST(NpyHeader, WhatNumPyWritesIsRead)
{
    mr_npy a;
    std::string file = npy("<f4", "(60000, 3, 32, 32)", "");
    ASSERT_EQ(read(file, &a), MR_OK);
    EXPECT_EQ(a.dtype, MR_F32);
    EXPECT_FALSE(a.swapped);
    EXPECT_EQ(a.ndim, 4);
    EXPECT_EQ(a.shape[0], 60000);
    EXPECT_EQ(a.shape[3], 32);
    EXPECT_EQ(a.row_bytes, 3u * 32 * 32 * 4);
    EXPECT_EQ(a.header_bytes, file.size());
    EXPECT_EQ(file.size() % 64, 0u);
}

TEST(NpyHeader, EveryTypeThatWeHave)
{
    struct {
        const char *type;
        mr_dtype dtype;
        bool swapped;
    } cases[] = {
        {"|b1", MR_U8, false},  {"|u1", MR_U8, false},  {"<u2", MR_U16, false},
        {">u2", MR_U16, true},  {"<i2", MR_I16, false}, {"<i4", MR_I32, false},
        {">i4", MR_I32, true},  {"<i8", MR_I64, false}, {"<f2", MR_F16, false},
        {">f2", MR_F16, true},  {"<f4", MR_F32, false}, {">f4", MR_F32, true},
        {"<f8", MR_F64, false}, {">f8", MR_F64, true},  {"=f4", MR_F32, false},
        {">u1", MR_U8, false},
    };
    for (const auto &c : cases) {
        mr_npy a;
        ASSERT_EQ(read(npy(c.type, "(5,)", ""), &a), MR_OK) << c.type;
        EXPECT_EQ(a.dtype, c.dtype) << c.type;
        EXPECT_EQ(a.swapped, c.swapped) << c.type;
        EXPECT_EQ(a.row_bytes, mr_dtype_size(c.dtype)) << c.type;
    }
}

TEST(NpyHeader, OtherVersionsAndSpellings)
{
    mr_npy a;
    const std::string plain = "{'descr': '<i8', 'fortran_order': False, 'shape': (7, 2), }";
    EXPECT_EQ(read(npy_with(plain, "", 2), &a), MR_OK);
    EXPECT_EQ(read(npy_with(plain, "", 3), &a), MR_OK);
    EXPECT_EQ(a.header_bytes, 12 + plain.size());
    EXPECT_EQ(read(npy_with("{\"shape\":(7,),\"fortran_order\":True,\"descr\":\"<i8\"}\n", ""), &a),
              MR_OK)
        << "Fortran's order of one dimension is C's";
    EXPECT_EQ(
        read(npy_with("{'descr': '<i8', 'fortran_order': False, 'shape': (7L, 2L), }", ""), &a),
        MR_OK)
        << "Python 2";
    EXPECT_EQ(a.shape[1], 2);
}

TEST(NpyHeader, WhatCannotBeReadIsSaidWithWhatToDo)
{
    EXPECT_NE(refused_type("|O").find("never are"), std::string::npos) << refused_type("|O");
    EXPECT_NE(refused_type("<U5").find("text"), std::string::npos);
    EXPECT_NE(refused_type("<M8[ns]").find("dates"), std::string::npos);
    EXPECT_NE(refused_type("<c8").find("complex"), std::string::npos);
    EXPECT_NE(refused_type("<u4").find("x.astype('int64')"), std::string::npos);
    EXPECT_NE(refused_type("|i1").find("x.astype('int16')"), std::string::npos);
    EXPECT_NE(refused_type("<f16").find("float64"), std::string::npos);
    EXPECT_NE(refused_header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,), }")
                  .find("each field"),
              std::string::npos);
    EXPECT_NE(refusal(npy("<f4", "(3, 4)", "", "True")).find("ascontiguousarray"),
              std::string::npos);
    EXPECT_NE(refusal(npy("<f4", "()", "")).find("single number"), std::string::npos);
    EXPECT_NE(refusal(npy("<f4", "(3, 0)", "")).find("no numbers"), std::string::npos);
    EXPECT_NE(refusal(npy("<f4", "(1, 2, 3, 4, 5, 6, 7, 8, 9)", "")).find("8 dimensions"),
              std::string::npos);
    EXPECT_NE(refusal(npy("<f8", "(1, 4611686018427387904, 4)", "")).find("more bytes"),
              std::string::npos);
    EXPECT_NE(refusal(npy_with("", "", 4)).find("version 4.0"), std::string::npos);
}

TEST(NpyHeader, WhatNumPyDoesNotWriteIsRefused)
{
    const char *headers[] = {
        "",
        "[]",
        "{}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3,)",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), } x",
        "{'descr': '<f4', 'fortran_order': False, }",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (3,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), 'extra': 1, }",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (3,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': 3, }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-3,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3.0,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3 4), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775808,), }",
        "{'descr': 'f4', 'fortran_order': False, 'shape': (3,), }",
        "{'descr': '<f', 'fortran_order': False, 'shape': (3,), }",
        "{'descr': '<f999999999999', 'fortran_order': False, 'shape': (3,), }",
        "{'descr': '<f4\\'', 'fortran_order': False, 'shape': (3,), }",
        "{'descr': <f4, 'fortran_order': False, 'shape': (3,), }",
        "{'descr' '<f4', 'fortran_order': False, 'shape': (3,), }",
        "{'descr': '<f4' 'fortran_order': False, 'shape': (3,), }",
        "{'descr': __import__('os'), 'fortran_order': False, 'shape': (3,), }",
    };
    for (const char *h : headers)
        EXPECT_FALSE(refused_header(h).empty()) << h;
    std::string good = npy("<f4", "(3,)", "");
    for (size_t n = 0; n < good.size(); n++)
        EXPECT_FALSE(refusal(good.substr(0, n)).empty()) << n << " bytes of it";
    EXPECT_FALSE(refusal("not an array at all").empty());
    EXPECT_NE(refusal(npy_with(std::string(70000, ' '), "", 2)).find("70000"), std::string::npos);
}

/* ---- archives ---- */

namespace
{

struct Archive {
    TempTree t;
    mr_zip zip = {};
    mr_errbuf e = {};
    int fd = -1;

    explicit Archive(const std::string &bytes)
    {
        t.file("a.npz", bytes);
        fd = open(t.path("a.npz").c_str(), O_RDONLY | O_CLOEXEC);
        rc = mr__zip_open(&zip, fd, bytes.size(), &e);
    }
    ~Archive()
    {
        mr__zip_close(&zip);
        close(fd);
    }
    // Every member's content, or an empty list and an error.
    std::vector<std::string> contents()
    {
        std::vector<std::string> all;
        mr_zip_member m;
        while (rc >= 0 && (rc = mr__zip_next(&zip, &m, &e)) == MR_OK) {
            uint64_t at = 0;
            rc = mr__zip_locate(&zip, fd, &m, &at, &e);
            std::string s(rc < 0 ? 0 : m.bytes, 0);
            EXPECT_EQ(pread(fd, s.data(), s.size(), (off_t)at), (ssize_t)s.size());
            all.push_back(std::string(m.name, m.name_bytes) + "=" + s);
        }
        return rc == MR_END ? all : std::vector<std::string>();
    }
    int rc;
};

} // namespace

TEST(ZipList, MembersAreFoundWhereTheyLie)
{
    const std::vector<ZipMember> two = {{"x.npy", "hello"}, {"y.npy", std::string(1000, 'y')}};
    const std::vector<std::string> contents = {"x.npy=hello", "y.npy=" + std::string(1000, 'y')};
    EXPECT_EQ(Archive(zip(two)).contents(), contents);
    EXPECT_EQ(Archive(zip(two, true)).contents(), contents) << "ZIP64 end";
    EXPECT_EQ(Archive(zip(two, false, "a comment")).contents(), contents);
    std::vector<ZipMember> wide = two;
    wide[0].wide = wide[1].wide = true;
    EXPECT_EQ(Archive(zip(wide)).contents(), contents) << "ZIP64 members";
    EXPECT_EQ(Archive(zip(wide, true)).contents(), contents);
    Archive none(zip({}));
    EXPECT_EQ(none.rc, MR_OK) << none.e.text;
    EXPECT_TRUE(none.contents().empty());
    EXPECT_EQ(none.rc, MR_END);
}

TEST(ZipList, WhatIsCompressedOrEncryptedIsSaid)
{
    Archive deflated(zip({{"x.npy", "hello", 8}}));
    EXPECT_TRUE(deflated.contents().empty());
    EXPECT_NE(std::string(deflated.e.text).find("numpy.savez,"), std::string::npos);
    Archive secret(zip({{"x.npy", "hello", 0, 1}}));
    EXPECT_TRUE(secret.contents().empty());
    EXPECT_STREQ(secret.e.text, "it is encrypted");
}

// Every cut is found at once; every byte changed is an error or other names, contents of the same
// file, and never anything else (a sanitizer watches).
TEST(ZipList, DamageIsFound)
{
    for (bool wide : {false, true}) {
        std::string good = zip({{"x.npy", "hello", 0, 0, wide}, {"y", "you", 0, 0, wide}}, wide);
        for (size_t n = 0; n < good.size(); n++) {
            Archive cut(good.substr(0, n));
            EXPECT_TRUE(cut.contents().empty()) << n;
            EXPECT_EQ(cut.rc, MR_E_DATA) << n;
        }
        for (size_t at = 0; at < good.size(); at++)
            for (int with : {0x01, 0x80, 0xff}) {
                std::string bad = good;
                bad[at] = (char)(bad[at] ^ with);
                Archive a(bad);
                a.contents();
                EXPECT_TRUE(a.rc == MR_END || (a.rc == MR_E_DATA && a.e.text[0])) << at;
            }
    }
}
