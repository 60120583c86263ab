// SPDX-License-Identifier: Apache-2.0
// The dialect; tests/oracle/csv_oracle.py holds it to Python's csv module on generated files.
#include <gtest/gtest.h>

extern "C" {
#include "loaders/source/csv.h"
}

#include <string>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

namespace
{

using Rows = std::vector<std::vector<std::string>>;

struct Parsed {
    int rc;
    std::string error;
    Rows rows;
    std::vector<std::vector<std::string>> places; // "line:col" of every cell
};

Parsed parse(const std::string &text, char separator = ',')
{
    Parsed p;
    mr_errbuf e = {};
    mr_csv c;
    int fd = memfd_create("csv", MFD_CLOEXEC);
    EXPECT_EQ(write(fd, text.data(), text.size()), (ssize_t)text.size());
    lseek(fd, 0, SEEK_SET);
    p.rc = mr__csv_open(&c, fd, "t.csv", separator, &e);
    while (p.rc == MR_OK && (p.rc = mr__csv_next(&c, &e)) == MR_OK) {
        p.rows.emplace_back();
        p.places.emplace_back();
        for (int i = 0; i < c.ncells; i++) {
            p.rows.back().emplace_back(mr__csv_text(&c, i), c.cell[i].n);
            EXPECT_EQ(mr__csv_text(&c, i)[c.cell[i].n], 0);
            p.places.back().push_back(std::to_string(c.cell[i].line) + ":" +
                                      std::to_string(c.cell[i].col));
        }
    }
    p.error = e.text;
    mr__csv_close(&c);
    close(fd);
    return p;
}

} // namespace

TEST(Csv, LineEndsAndTheLastLine)
{
    Rows want = {{"a", "b"}, {"c", "d"}};
    for (const char *text :
         {"a,b\nc,d\n", "a,b\r\nc,d\r\n", "a,b\rc,d\r", "a,b\nc,d", "\n\na,b\n\r\n\nc,d\n\n",
          "\xef\xbb\xbf"
          "a,b\nc,d"}) {
        Parsed p = parse(text);
        EXPECT_EQ(p.rc, MR_END) << p.error;
        EXPECT_EQ(p.rows, want) << text;
    }
    EXPECT_TRUE(parse("").rows.empty());
    EXPECT_TRUE(parse("\n\n").rows.empty());
}

TEST(Csv, Cells)
{
    EXPECT_EQ(parse("a,,b,\n").rows, (Rows{{"a", "", "b", ""}}));
    EXPECT_EQ(parse(",").rows, (Rows{{"", ""}}));
    EXPECT_EQ(parse("\"\"\n").rows, (Rows{{""}}));
    EXPECT_EQ(parse("\"a,b\",\"say \"\"hi\"\"\",\"\"\"\"\n").rows,
              (Rows{{"a,b", "say \"hi\"", "\""}}));
    EXPECT_EQ(parse("\"two\nlines\",\"and\r\nthree\rfour\"\n").rows,
              (Rows{{"two\nlines", "and\r\nthree\rfour"}}));
    EXPECT_EQ(parse("5\" disk, x\n").rows, (Rows{{"5\" disk", " x"}})); // not quoted: text
    EXPECT_EQ(parse("a\tb,c\td", '\t').rows, (Rows{{"a", "b,c", "d"}}));
    EXPECT_EQ(parse("\xff\xfe"
                    "a",
                    ';')
                  .rc,
              MR_E_CONFIG);
    EXPECT_EQ(parse("a\xff\n").rows, (Rows{{"a\xff"}}));
}

TEST(Csv, EveryCellKnowsItsPlace)
{
    Parsed p = parse("ab,c\r\n\"x\ny\r\nz\",\"q\",r\n\n  s");
    using Places = std::vector<std::vector<std::string>>;
    EXPECT_EQ(p.places, (Places{{"1:1", "1:4"}, {"2:1", "4:4", "4:8"}, {"6:1"}}));
    EXPECT_EQ(parse("\xef\xbb\xbf"
                    "a,b")
                  .places,
              (Places{{"1:1", "1:3"}}));
}

TEST(Csv, Errors)
{
    const struct {
        std::string text, error;
    } wants[] = {
        {"a,b\nc,\"d", "t.csv:2:3: error: this quote is never closed"},
        {"a,\"b\"c\n", "t.csv:1:6: error: text behind a closing quote; a quote inside quotes is "
                       "written twice"},
        {std::string("a\nb\0c\n", 6), "t.csv:2:2: error: a NUL byte: this is no text file"},
        {std::string("\"\0\"", 3), "t.csv:1:2: error: a NUL byte: this is no text file"},
        {"\xff\xfe"
         "a",
         "t.csv:1:1: error: this is UTF-16 text; save it as UTF-8"},
    };
    for (auto &want : wants) {
        Parsed p = parse(want.text);
        EXPECT_EQ(p.rc, MR_E_CONFIG);
        EXPECT_EQ(p.error, want.error);
    }
    EXPECT_EQ(parse(std::string(300, ',')).rc, MR_E_LIMIT);
    EXPECT_EQ(parse("\"" + std::string(MR_CSV_MAX_RECORD + 1, 'x')).rc, MR_E_LIMIT);
}

// A chunk of the reader's (256 KiB) may end anywhere: at a quote, between CR and LF, inside a cell.
TEST(Csv, ChunksEndAnywhere)
{
    const std::string tail = "\"q\"\"r\"\r\n\"s\r\nt\",u\r\nv\n";
    const Rows want = {{"q\"r"}, {"s\r\nt", "u"}, {"v"}};
    for (size_t back = 0; back <= tail.size(); back++) {
        std::string first((256 << 10) - back - 1, 'x');
        Parsed p = parse(first + "\n" + tail);
        ASSERT_EQ(p.rc, MR_END) << p.error;
        ASSERT_EQ(p.rows.size(), 4u);
        EXPECT_EQ(p.rows[0][0], first);
        EXPECT_EQ(Rows(p.rows.begin() + 1, p.rows.end()), want) << back;
        EXPECT_EQ(p.places[2][1], "4:4");
        EXPECT_EQ(p.places[3][0], "5:1");
    }
}
