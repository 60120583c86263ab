// SPDX-License-Identifier: Apache-2.0
//
// Saved states as text: what is written is read back, older ones are read, all else is refused.
#include <gtest/gtest.h>

extern "C" {
#include "pipe/state_text.h"
}

#include <string>

namespace
{

const char *const kVersion1 = "{\"millrace_state\":1,\"epoch\":3,\"batch\":17,\"seed\":42,"
                              "\"config\":\"00000000deadbeef\",\"data\":\"ffffffffffffffff\"}";

std::string write(const mr_state &s)
{
    mr_text t = {};
    mr__state_write(&t, &s);
    std::string text(t.data, t.n);
    mr__text_free(&t);
    return text;
}

int parse(const std::string &text, std::string *again = nullptr)
{
    mr_state s;
    mr_errbuf e = {};
    int rc = mr__state_parse(text.c_str(), &s, &e);
    if (rc >= 0 && again)
        *again = write(s);
    EXPECT_EQ(rc < 0, e.text[0] != 0) << text;
    mr__state_free(&s);
    return rc;
}

} // namespace

TEST(StateText, Version1IsRead)
{
    mr_state s;
    mr_errbuf e;
    ASSERT_EQ(mr__state_parse(kVersion1, &s, &e), MR_OK) << e.text;
    EXPECT_EQ(s.epoch, 3u);
    EXPECT_EQ(s.batch, 17u);
    EXPECT_EQ(s.seed, 42u);
    EXPECT_EQ(s.config_hash, 0xdeadbeefu);
    EXPECT_EQ(s.data_hash, UINT64_MAX);
    EXPECT_EQ(s.nforced, 0u);
    EXPECT_EQ(s.list_hash, 0u);
    EXPECT_EQ(s.bad, 0u);
}

TEST(StateText, Version2ComesBackWithItsVerdicts)
{
    mr_verdict forced[2] = {};
    forced[0] = {1, 2, 3, 4, MR_E_SLOW, MR_CAUSE_TIMEOUT, 30000, MR_DOING_READ, 1, 0};
    forced[1] = {7, 0, UINT64_MAX - 1, 0, MR_E_MEMORY, MR_CAUSE_OOM, 0, MR_DOING_DECODE, 1, 0};
    mr_state s = {1,      20,    UINT64_MAX, 0x123, 0x456, 9,       0x789, 2,
                  forced, false, 0,          0,     0,     nullptr, 0,     0};
    std::string text = write(s), again;
    EXPECT_EQ(parse(text, &again), MR_OK);
    EXPECT_EQ(again, text);
    EXPECT_NE(text.find("\"forced\":[[1,2,4,3,2,30000,4],"), std::string::npos) << text;
    mr_errbuf e;
    mr_state back;
    std::string spaced;
    for (char c : text)
        spaced +=
            c == ',' || c == ':' || c == '[' ? std::string(" ") + c + "\n" : std::string(1, c);
    ASSERT_EQ(mr__state_parse(spaced.c_str(), &back, &e), MR_OK) << spaced;
    EXPECT_EQ(back.nforced, 2u);
    EXPECT_EQ(back.forced[0].reason, MR_E_SLOW);
    EXPECT_EQ(back.forced[1].sample, UINT64_MAX - 1);
    EXPECT_EQ(back.forced[1].forced, 1u);
    mr__state_free(&back);
}

TEST(StateText, Version3HasWhatACommanderSaved)
{
    uint8_t saved[3] = {0, 0xa5, 255};
    mr_state s = {};
    s.has_commander = true;
    s.pending = MR_END_EPOCH;
    s.rank = 2;
    s.world = 3;
    s.commander = saved;
    s.commander_bytes = 3;
    std::string text = write(s), again;
    EXPECT_NE(text.find(",\"forced\":[],\"commander\":[1,2,3,\"00a5ff\"]}"), std::string::npos)
        << text;
    EXPECT_EQ(parse(text, &again), MR_OK);
    EXPECT_EQ(again, text);
    s.commander_bytes = 0;
    EXPECT_EQ(parse(write(s), &again), MR_OK);
    EXPECT_EQ(again, write(s)) << "a commander that has nothing to save";
    for (size_t n = 0; n < text.size(); n++)
        EXPECT_EQ(parse(text.substr(0, n)), MR_E_CONFIG) << n;
    for (const char *wrong : {"[7,0,1,\"\"]", "[1,0,1,\"0\"]", "[1,0,1,\"0G\"]", "[1,0,1,\"AA\"]",
                              "[1,0,1,5]", "[1,\"\"]", "[1,0,\"\"]", "[]", "{}"})
        EXPECT_EQ(parse(text.substr(0, text.find("[1,")) + wrong + "}"), MR_E_CONFIG) << wrong;
}

TEST(StateText, TheWeightsOfASamplerThatLearnsAreNamed)
{
    mr_state s = {}, back = {};
    mr_errbuf e;
    s.weights_hash = 0xfedc;
    std::string text = write(s), again;
    EXPECT_NE(text.find(",\"weights\":\"000000000000fedc\"}"), std::string::npos) << text;
    EXPECT_EQ(parse(text, &again), MR_OK);
    EXPECT_EQ(again, text);
    ASSERT_EQ(mr__state_parse(text.c_str(), &back, &e), MR_OK);
    EXPECT_EQ(back.weights_hash, 0xfedcu);
    EXPECT_EQ(write(mr_state{}).find("weights"), std::string::npos) << "of others there are none";
    for (size_t n = 0; n < text.size(); n++)
        EXPECT_EQ(parse(text.substr(0, n)), MR_E_CONFIG) << n;
    EXPECT_EQ(parse(text.substr(0, text.size() - 1) + ",\"more\":1}"), MR_E_CONFIG);
}

TEST(StateText, IsShortWhateverItsNumbersAre)
{
    mr_state s = {};
    s.epoch = s.batch = MR_STATE_PLACE_END - 1;
    s.seed = s.config_hash = s.data_hash = s.bad = s.list_hash = s.weights_hash = UINT64_MAX;
    std::string text = write(s);
    EXPECT_EQ(parse(text), MR_OK);
    EXPECT_LT(text.size(), 1023u) << text;
}

TEST(StateText, AsManyVerdictsAsThereCanBe)
{
    mr_verdict *forced = new mr_verdict[MR_STATE_FORCED_MAX + 1]();
    mr_state s = {};
    s.nforced = MR_STATE_FORCED_MAX;
    s.forced = forced;
    EXPECT_EQ(parse(write(s)), MR_OK);
    s.nforced++;
    EXPECT_EQ(parse(write(s)), MR_E_CONFIG);
    delete[] forced;
}

TEST(StateText, OtherVersionsAndOtherTextsAreRefused)
{
    std::string good = write(mr_state{});
    ASSERT_EQ(parse(good), MR_OK);
    EXPECT_EQ(parse("{\"millrace_state\":4,\"epoch\":3}"), MR_E_VERSION);
    EXPECT_EQ(parse("{\"millrace_state\":0}"), MR_E_VERSION);
    for (size_t n = 0; n < good.size(); n++)
        EXPECT_EQ(parse(good.substr(0, n)), MR_E_CONFIG) << n;
    const std::string bad[] = {
        good + "x",
        "x" + good,
        "[]",
        "{}",
        "null",
        "{\"millrace_state\":2,\"epoch\":-1,\"batch\":0}",
        std::string(kVersion1).replace(28, 1, "281474976710656"),
        std::string(kVersion1).replace(28, 1, "99999999999999999999"),
        std::string(kVersion1).replace(std::string(kVersion1).find("dead"), 4, "DEAD"),
        std::string(kVersion1).replace(std::string(kVersion1).find("\"data"), 5, "\"dota"),
        good.substr(0, good.size() - 2) + "[1,2,3,4,2,5]]}",    // one number less
        good.substr(0, good.size() - 2) + "[1,2,3,4,6,5,0]]}",  // no such cause
        good.substr(0, good.size() - 2) + "[1,2,3,4,2,5,99]]}", // no such stage
        good.substr(0, good.size() - 2) + "[1,2,70000,4,2,5,0]]}",
        good.substr(0, good.size() - 2) + "[1,2,3,4,2,4294967296,0]]}",
        good.substr(0, good.size() - 2) + "[1,2,3,4,2,5,0],]}",
    };
    for (const std::string &text : bad)
        EXPECT_EQ(parse(text), MR_E_CONFIG) << text;
    EXPECT_EQ(parse(good.substr(0, good.size() - 2) + "[1,2,3,4,2,5,0]]}"), MR_OK);
}
