// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

extern "C" {
#include "base/json_writer.h"
#include "base/number.h"
}

#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>
#include <cstring>

namespace
{

std::string take(mr_json *j)
{
    char *text = mr__json_take(j);
    std::string s = text ? text : "(failed)";
    free(text);
    return s;
}

std::string quoted(const char *text)
{
    mr_json j = {};
    mr__json_str(&j, text);
    return take(&j);
}

std::string number(double v)
{
    char text[MR_NUMBER_TEXT];
    return mr__number_text(v, text);
}

} // namespace

TEST(Json, CommasAndBracketsAreKept)
{
    mr_json j = {};
    mr__json_begin_object(&j);
    mr__json_key(&j, "a");
    mr__json_u64(&j, UINT64_MAX);
    mr__json_key(&j, "b");
    mr__json_begin_array(&j);
    mr__json_i64(&j, INT64_MIN);
    mr__json_begin_object(&j);
    mr__json_end_object(&j);
    mr__json_f64(&j, 0.1);
    mr__json_f64(&j, std::nan(""));
    mr__json_f64(&j, -HUGE_VAL);
    mr__json_end_array(&j);
    mr__json_key(&j, "c");
    mr__json_bool(&j, true);
    mr__json_key(&j, "d");
    mr__json_str(&j, NULL);
    mr__json_end_object(&j);
    EXPECT_EQ(take(&j),
              "{\"a\": 18446744073709551615, \"b\": [-9223372036854775808, {}, 0.1, null, null], "
              "\"c\": true, \"d\": null}");
}

TEST(Json, IndentedForPeople)
{
    mr_json j = {};
    j.indent = 2;
    mr__json_begin_object(&j);
    mr__json_key(&j, "a");
    mr__json_begin_array(&j);
    mr__json_end_array(&j);
    mr__json_key(&j, "b");
    mr__json_begin_array(&j);
    mr__json_u64(&j, 1);
    mr__json_u64(&j, 2);
    mr__json_end_array(&j);
    mr__json_end_object(&j);
    EXPECT_EQ(take(&j), "{\n  \"a\": [],\n  \"b\": [\n    1,\n    2\n  ]\n}");
}

TEST(Json, TextIsEscapedAndAlwaysUtf8)
{
    EXPECT_EQ(quoted("a\"b\\c\n\t\x01"), "\"a\\\"b\\\\c\\n\\t\\u0001\"");
    EXPECT_EQ(quoted("k\xc3\xa4se \xf0\x9f\x90\xb1"), "\"k\xc3\xa4se \xf0\x9f\x90\xb1\"");
    EXPECT_EQ(quoted("\xff.jpg"), "\"\\ufffd.jpg\"");
    EXPECT_EQ(quoted("\xc0\xaf"), "\"\\ufffd\\ufffd\"") << "overlong";
    EXPECT_EQ(quoted("\xed\xa0\x80"), "\"\\ufffd\\ufffd\\ufffd\"") << "surrogate";
    EXPECT_EQ(quoted("\xe2\x82"), "\"\\ufffd\\ufffd\"") << "cut off";
    EXPECT_EQ(quoted("\xf4\x90\x80\x80"), "\"\\ufffd\\ufffd\\ufffd\\ufffd\"") << "beyond Unicode";
}

TEST(Json, WrongUseFailsInsteadOfLying)
{
    mr_json open = {};
    mr__json_begin_object(&open);
    EXPECT_EQ(take(&open), "(failed)");
    mr_json wrong = {};
    mr__json_begin_object(&wrong);
    mr__json_end_array(&wrong);
    mr__json_end_object(&wrong);
    EXPECT_EQ(take(&wrong), "(failed)");
    mr_json key = {};
    mr__json_begin_array(&key);
    mr__json_key(&key, "x");
    mr__json_null(&key);
    mr__json_end_array(&key);
    EXPECT_EQ(take(&key), "(failed)");
    mr_json deep = {};
    for (int i = 0; i < 100; i++)
        mr__json_begin_array(&deep);
    for (int i = 0; i < 100; i++)
        mr__json_end_array(&deep);
    EXPECT_EQ(take(&deep), "(failed)");
}

TEST(Number, TextIsShortestAndReadsBack)
{
    EXPECT_EQ(number(0.1), "0.1");
    EXPECT_EQ(number(1.0 / 3), "0.3333333333333333");
    EXPECT_EQ(number(1e300), "1e+300");
    EXPECT_EQ(number(178956970), "178956970");
    EXPECT_EQ(number(-0.5), "-0.5");
    std::mt19937_64 random(7);
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = random();
        double v, back = 0;
        memcpy(&v, &bits, sizeof v);
        if (!std::isfinite(v))
            continue;
        ASSERT_EQ(mr__number_float(number(v).c_str(), &back), MR_NUMBER_OK) << number(v);
        ASSERT_EQ(v, back);
    }
}

TEST(Number, OnlyDecimalNumbersAreNumbers)
{
    double d = 7;
    int64_t i = 7;
    for (const char *good : {"0", "-1", "+1", "1.5", ".5", "5.", "1e3", "1.5E-3", "-0.0"})
        EXPECT_EQ(mr__number_float(good, &d), MR_NUMBER_OK) << good;
    for (const char *bad : {"", "-", ".", "e3", "1e", "1e+", "nan", "inf", ".inf", "0x10", "1_0",
                            " 1", "1 ", "1,5", "--1"})
        EXPECT_EQ(mr__number_float(bad, &d), MR_NUMBER_NOT) << bad;
    EXPECT_EQ(mr__number_float("1e400", &d), MR_NUMBER_TOO_BIG);
    EXPECT_EQ(mr__number_float("1e-400", &d), MR_NUMBER_OK) << "too small to tell from 0";
    for (const char *bad : {"", "-", "1.0", "1e3", "007", "0x1", "1_0", " 1", "1 ", "+-1"})
        EXPECT_EQ(mr__number_int(bad, &i), MR_NUMBER_NOT) << bad;
    EXPECT_EQ(i, 7) << "nothing is stored on an error";
    EXPECT_EQ(mr__number_int("-9223372036854775808", &i), MR_NUMBER_OK);
    EXPECT_EQ(i, INT64_MIN);
    EXPECT_EQ(mr__number_int("9223372036854775808", &i), MR_NUMBER_TOO_BIG);
    EXPECT_EQ(mr__number_int("-0", &i), MR_NUMBER_OK);
    EXPECT_EQ(i, 0);
}
