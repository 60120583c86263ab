// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "millrace/types.h"

TEST(Types, DtypesHaveSizesAndNames)
{
    EXPECT_EQ(mr_dtype_size(MR_U8), 1u);
    EXPECT_EQ(mr_dtype_size(MR_BF16), 2u);
    EXPECT_EQ(mr_dtype_size(MR_F32), 4u);
    EXPECT_EQ(mr_dtype_size(MR_F64), 8u);
    EXPECT_STREQ(mr_dtype_name(MR_U8), "uint8");
    EXPECT_STREQ(mr_dtype_name(MR_F64), "float64");
    EXPECT_EQ(mr_dtype_size(MR_DTYPE_COUNT), 0u);
    EXPECT_EQ(mr_dtype_name((mr_dtype)-1), nullptr);
}

TEST(Types, EveryCodeHasAText)
{
    EXPECT_STREQ(mr_strerror(MR_E_TIMEOUT), "the time given was not enough");
    for (int code = MR_E_SLOW; code <= MR_END; code++)
        EXPECT_STRNE(mr_strerror(code), "unknown code") << code;
    EXPECT_STREQ(mr_strerror(77), "unknown code");
}
