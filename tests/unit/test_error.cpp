// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

extern "C" {
#include "base/error.h"
}

#include <string>

TEST(Error, ContextGoesBeforeTheSentence)
{
    mr_errbuf e = {};
    EXPECT_EQ(mr__fail(&e, MR_E_DATA, "truncated at byte %d", 812), MR_E_DATA);
    EXPECT_EQ(mr__context(&e, "cannot decode '%s'", "a.jpg"), MR_E_DATA);
    EXPECT_STREQ(e.text, "cannot decode 'a.jpg': truncated at byte 812");
}

TEST(Error, LongSentencesAreCutNotOverrun)
{
    mr_errbuf e = {};
    std::string text(5000, 'x');
    mr__fail(&e, MR_E_IO, "%s", text.c_str());
    mr__context(&e, "%s", text.c_str());
    EXPECT_EQ(std::string(e.text).size(), sizeof e.text - 1);
}

TEST(Error, NearestNamesWhatWasMeant)
{
    const char *keys[] = {"seed", "epochs", "batch", "slots"};
    EXPECT_STREQ(mr__nearest("sede", keys, 4), "seed");
    EXPECT_STREQ(mr__nearest("epoch", keys, 4), "epochs");
    EXPECT_EQ(mr__nearest("producers", keys, 4), nullptr);
}
