// SPDX-License-Identifier: Apache-2.0
//
// A user's commander is sent to another epoch, ends one early, and is saved there; and what ranks
// may do with what it has saved.
#include "script_testing.hpp"

#include <cstddef>
#include <cstdlib>

static const char counting[] = R"(
local index, turns = 0, 0
return {
    next = function(m)
        if index == (millrace.epochs == 0 and -1 or 40) then
            index = 0
            return millrace.END_EPOCH
        end
        m.at, index = m.epoch * 100 + index, index + 1
    end,
    save = function() return index end,
    load = function(state) index = state end,
    set_epoch = function(epoch) index = 0 end,
})";

static std::vector<std::string> numbers(int from, int to)
{
    std::vector<std::string> all;
    for (int i = from; i < to; i++)
        all.push_back("0 at=" + std::to_string(i) + ";");
    return all;
}

using Texts = std::vector<std::string>;

static Texts operator+(Texts a, const Texts &b)
{
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

TEST(ScriptEpochs, AnEpochEndsEarlyAndAnyEpochCanBeGoneTo)
{
    Script s(counting);
    Loader l(s.echo(), {"epochs=3"});
    EXPECT_EQ(messages(l, 12), numbers(0, 12)) << l.error;
    ASSERT_EQ(mr_end_epoch(l.handle), MR_OK) << mr_error(nullptr);
    EXPECT_EQ(messages(l, 13), Texts{"--"} + numbers(100, 112)) << l.error;
    ASSERT_EQ(mr_set_epoch(l.handle, 0), MR_OK) << mr_error(nullptr);
    EXPECT_EQ(messages(l, 8), numbers(0, 8)) << l.error;
    ASSERT_EQ(mr_set_epoch(l.handle, 2), MR_OK) << mr_error(nullptr);
    EXPECT_EQ(messages(l), numbers(200, 240) + Texts{"--"}) << l.error;
    EXPECT_EQ(l.rc, MR_END);
    ASSERT_EQ(mr_set_epoch(l.handle, 2), MR_OK) << "back from the end: " << mr_error(nullptr);
    EXPECT_EQ(messages(l, 4), numbers(200, 204)) << l.error;
    ASSERT_EQ(mr_end_epoch(l.handle), MR_OK) << "the last one";
    EXPECT_EQ(messages(l), Texts{"--"}) << l.error;
    EXPECT_EQ(l.rc, MR_END);
    EXPECT_EQ(mr_set_epoch(l.handle, 3), MR_E_USAGE);
}

TEST(ScriptEpochs, AnEpochWithoutEndCanBeEnded)
{
    Script s(counting);
    Loader l(s.echo(), {"epochs=0"});
    ASSERT_EQ(mr_set_epoch(l.handle, 7), MR_OK) << "before anything came: " << mr_error(nullptr);
    EXPECT_EQ(messages(l, 40), numbers(700, 740)) << l.error;
    ASSERT_EQ(mr_end_epoch(l.handle), MR_OK) << mr_error(nullptr);
    EXPECT_EQ(messages(l, 5), Texts{"--"} + numbers(800, 804)) << l.error;
}

TEST(ScriptEpochs, AStateIsGoodAtOnceBehindARequest)
{
    Script s(counting);
    Loader l(s.echo(), {"epochs=3"});
    messages(l, 20);
    ASSERT_EQ(mr_end_epoch(l.handle), MR_OK) << mr_error(nullptr);
    std::string state = l.state();
    Texts rest = numbers(100, 140) + Texts{"--"} + numbers(200, 240) + Texts{"--"};
    for (int again = 0; again < 2; again++) {
        Loader other(s.echo(), {"epochs=3", "producers=2"}, state.c_str());
        ASSERT_EQ(other.rc, MR_OK) << state << other.error;
        EXPECT_EQ(other.state(), state);
        EXPECT_EQ(messages(other), rest) << other.error;
        ASSERT_EQ(mr_load_state(other.handle, state.c_str()), MR_OK) << mr_error(nullptr);
        EXPECT_EQ(messages(other, 4), numbers(100, 104)) << other.error;
    }
    EXPECT_EQ(messages(l), Texts{"--"} + rest) << l.error;
}

TEST(ScriptEpochs, ACommanderKilledBehindARequestGoesOn)
{
    Script s(counting);
    Loader l(s.echo(), {"epochs=0"});
    for (int epoch = 0; epoch < 5; epoch++) {
        EXPECT_EQ(messages(l, 8), numbers(100 * epoch, 100 * epoch + 8)) << l.error;
        ASSERT_EQ(mr_end_epoch(l.handle), MR_OK) << mr_error(nullptr);
        for (pid_t pid : processes("mr-commander"))
            kill(pid, SIGKILL);
        EXPECT_EQ(messages(l, 1), Texts{"--"}) << l.error;
    }
}

TEST(ScriptEpochs, WithoutTheHookItIsRefusedAndNothingIsLost)
{
    Script s("return {next = function(m) m.at = m.position end}");
    Loader l(s.echo());
    EXPECT_EQ(mr_set_epoch(l.handle, 1), MR_E_UNSUPPORTED);
    EXPECT_NE(std::string(mr_error(nullptr)).find("no set_epoch hook"), std::string::npos)
        << mr_error(nullptr);
    EXPECT_EQ(messages(l, 8), numbers(0, 8)) << l.error;
    EXPECT_EQ(mr_end_epoch(l.handle), MR_E_UNSUPPORTED);
    EXPECT_EQ(messages(l, 8), numbers(8, 16)) << l.error;
}

// A commander that was compiled before there was such a hook.
TEST(ScriptEpochs, AnOlderStructHasNoSuchHook)
{
    struct {
        mr_commander c;
        int64_t n;
    } own = {};
    own.c.size = offsetof(mr_commander, set_epoch);
    own.c.abi = MR_PLUGIN_ABI;
    own.c.user = &own.n;
    own.c.next = [](void *self, mr_message *m) {
        return mr_message_set_i64(m, "at", (*(int64_t *)self)++);
    };
    own.c.set_epoch = [](void *, uint64_t) -> int { abort(); }; // lies behind the struct's end
    std::string config = "version: 1\ncontext: fork\nbatch: {size: 4}\nproducers: 1\n"
                         "producer: {plugin: " MR_ECHO_PLUGIN "}\n"
                         "fields: {text: {dtype: uint8, shape: [512]}}\n";
    Loader l(config, {}, nullptr, &own.c);
    EXPECT_EQ(messages(l, 8), numbers(0, 8)) << l.error;
    EXPECT_EQ(mr_end_epoch(l.handle), MR_E_UNSUPPORTED);
    own.c.size--;
    Loader none(config, {}, nullptr, &own.c);
    EXPECT_EQ(none.rc, MR_E_USAGE);
}

TEST(ScriptEpochs, WhatWasSavedIsItsRanksAndNothingAtAllIsAnybodys)
{
    Script s(counting);
    Loader first(s.echo(), {"rank=1", "world=2", "batch.last=drop"});
    messages(first, 8);
    std::string state = first.state();
    Loader same(s.echo(), {"rank=1", "world=2", "batch.last=drop"}, state.c_str());
    EXPECT_EQ(messages(same, 4), numbers(8, 12)) << same.error;
    Loader other(s.echo(), {"rank=0", "world=2", "batch.last=drop"}, state.c_str());
    EXPECT_EQ(other.rc, MR_E_CONFIG);
    EXPECT_NE(other.error.find("the state is of rank 1 of 2, and this is rank 0 of 2"),
              std::string::npos)
        << other.error;
    // By the position alone: 2 ranks make 2 steps, 3 ranks go on.
    Script by_place("return {next = function(m) m.at = m.position end,"
                    " save = function() end, load = function() end}");
    Loader two(by_place.echo(), {"rank=1", "world=2", "batch.last=drop"});
    EXPECT_EQ(messages(two, 8), numbers(4, 8) + numbers(12, 16)) << two.error;
    state = two.state();
    for (int rank = 0; rank < 3; rank++) {
        Loader l(by_place.echo(), {"rank=" + std::to_string(rank), "world=3", "batch.last=drop"},
                 state.c_str());
        EXPECT_EQ(messages(l, 4), numbers(16 + 4 * rank, 20 + 4 * rank)) << l.error;
    }
}

TEST(ScriptEpochs, ALauncherTellsTheScriptItsRank)
{
    Script s("return {next = function(m) m.at = millrace.rank * 10 + millrace.world end}");
    setenv("RANK", "2", 1);
    setenv("WORLD_SIZE", "5", 1);
    {
        Loader l(s.echo(), {"batch.last=drop"});
        EXPECT_EQ(messages(l, 4), Texts(4, "0 at=25;")) << l.error;
        Loader alone(s.echo(), {"world=1"});
        EXPECT_EQ(messages(alone, 4), Texts(4, "0 at=1;")) << alone.error;
    }
    unsetenv("RANK");
    unsetenv("WORLD_SIZE");
}
