// SPDX-License-Identifier: Apache-2.0
//
// Commanders in Lua: what they say arrives, a successor goes on where one was killed, a saved state
// brings them back, and the built-in producers make what they choose.
#include "script_testing.hpp"

#include <csignal>
#include <fstream>
#include <map>

static std::string read_file(const std::string &path)
{
    std::ifstream f(path);
    return std::string(std::istreambuf_iterator<char>(f), {});
}

static std::string index_config(const std::string &commander)
{
    return "version: 1\nepochs: 3\nbatch: {size: 4, last: short}\nproducers: 2\n"
           "commander: {" +
           commander +
           ", params: {max_index: 90}}\n"
           "producer: {plugin: " MR_EXAMPLE_PLUGIN "}\n"
           "fields: {image: {dtype: uint16, shape: [8, 8, 3]}}\n";
}

static const std::string in_lua = "script: " MR_SOURCE_DIR "/examples/lua/index_commander.lua";
static const std::string in_c = "plugin: " MR_INDEX_COMMANDER;

static void kill_commander(size_t)
{
    for (pid_t pid : processes("mr-commander"))
        kill(pid, SIGKILL);
}

TEST(LuaCommander, TheExamplesInLuaAndInCGiveTheSameStreamKilledOrNot)
{
    std::vector<Delivered> expected;
    for (const std::string &commander : {std::string("plugin: " MR_EXAMPLE_PLUGIN), in_c, in_lua}) {
        Loader calm(index_config(commander));
        std::vector<Delivered> got = calm.read();
        ASSERT_EQ(calm.rc, MR_END) << commander << calm.error;
        ASSERT_EQ(got.size(), 3u * 23);
        if (expected.empty())
            expected = got;
        EXPECT_EQ(got, expected) << commander;
    }
    for (const std::string &commander : {in_c, in_lua}) {
        Loader l(index_config(commander));
        EXPECT_EQ(l.read(SIZE_MAX,
                         [](size_t done) {
                             if (done % 20 == 7)
                                 kill_commander(done);
                         }),
                  expected)
            << commander << l.error;
        EXPECT_EQ(l.rc, MR_END) << l.error;
    }
}

TEST(LuaCommander, ASavedStateBringsTheCommanderBack)
{
    for (const std::string &commander : {in_c, in_lua}) {
        Loader whole(index_config(commander));
        std::vector<Delivered> expected = whole.read();
        for (size_t at : {0, 1, 22, 23, 40, 68}) { // 22 is the last of its epoch
            Loader first(index_config(commander));
            first.read(at);
            std::string state = first.state();
            std::vector<Delivered> rest(expected.begin() + (long)at, expected.end());
            Loader second(index_config(commander), {"producers=1", "slots=2"}, state.c_str());
            ASSERT_EQ(second.rc, MR_OK) << state << second.error;
            EXPECT_EQ(second.state(), state) << "nothing was delivered since";
            EXPECT_EQ(second.read(), rest) << commander << at;
            // Back and forth in the same loader, and from its end.
            ASSERT_EQ(mr_load_state(second.handle, state.c_str()), MR_OK) << mr_error(nullptr);
            EXPECT_EQ(second.read(), rest) << commander << at;
        }
    }
}

TEST(LuaCommander, AStateGoesOnWhenTheCommanderIsKilledBehindIt)
{
    Loader whole(index_config(in_lua));
    std::vector<Delivered> expected = whole.read();
    Loader first(index_config(in_lua));
    first.read(30);
    std::string state = first.state();
    Loader second(index_config(in_lua), {"slots=1", "spares=0"}, state.c_str());
    std::vector<Delivered> rest(expected.begin() + 30, expected.end());
    EXPECT_EQ(second.read(SIZE_MAX,
                          [](size_t done) {
                              if (done % 15 == 0)
                                  kill_commander(done);
                          }),
              rest)
        << second.error;
}

TEST(LuaCommander, StatesThatCannotBeAreRefused)
{
    Script deaf("return {next = function(m) m.n = 1 end}");
    Loader l(deaf.echo());
    ASSERT_EQ(messages(l, 4).size(), 4u) << l.error;
    char text[1024];
    size_t bytes;
    EXPECT_EQ(mr_save_state(l.handle, text, sizeof text, &bytes), MR_E_UNSUPPORTED);
    EXPECT_NE(std::string(mr_error(nullptr)).find("save and load"), std::string::npos);
    Loader good(index_config(in_lua));
    good.read(3);
    std::string state = good.state();
    size_t at = state.rfind("\"]}");
    ASSERT_NE(at, std::string::npos) << state;
    std::string damaged = std::string(state).replace(at - 2, 2, "");
    Loader other(index_config(in_lua), {}, damaged.c_str());
    other.read();
    EXPECT_EQ(other.rc, MR_E_CODE) << other.error;
    EXPECT_NE(other.error.find("the saved state is"), std::string::npos) << other.error;
}

TEST(LuaCommander, MessagesArriveAsTheyWereWritten)
{
    Script s(R"(
local n = 0
return {next = function(m)
    n = n + 1
    if n == 3 then return millrace.END end
    if n == 2 then return {z = 1, a = 2.5, sample = 41} end
    m.whole, m.float, m.text, m.yes = -5, 0.1, 'two words', true
    m.list, m.floats, m.empty = {1, 2, 3}, {1, 2.5}, {}
    m.nested = {{1, 2}, {'x', {3.5}}, name = 'n', at = {depth = {5}}}
    m.bytes = 'a\0b'
end})");
    Loader l(s.echo(), {"message_bytes=1024"});
    std::vector<std::string> got = messages(l);
    EXPECT_EQ(l.rc, MR_END) << l.error;
    ASSERT_EQ(got.size(), 3u);
    EXPECT_EQ(got[0], "0 bytes=3 bytes;0 empty=list of 0;0 float=0.10000000000000001f;0 floats=1f "
                      "2.5f;0 list=1 2 3;0 nested=list of 4;1 =1 2;1 =list of 2;2 ='x';2 =3.5f;1 "
                      "at=list of 1;2 depth=5;1 name='n';0 text='two words';0 whole=-5;0 yes=1;");
    EXPECT_EQ(got[1], "0 a=2.5f;0 z=1;");
    EXPECT_EQ(got[2], "--");
}

TEST(LuaCommander, ParamsAndTheRunAreThere)
{
    Script s(R"(
local p
return {build = function(params) p = params end,
        next = function(m)
            m.whole, m.float, m.text, m.list, m.deep = p.n, p.x, p.s, p.l, p.d[2].k[1]
            m.run = {millrace.seed, millrace.batch, millrace.epochs, millrace.rank, millrace.world}
            m.data = tostring(dataset)
            m.place = {m.epoch, m.position}
        end})");
    Loader l(s.echo(", params: {n: 10, x: 0.5, s: hey, l: [1, 2], d: [a, {k: [y, z]}]}"),
             {"rank=1", "world=3", "batch.last=drop", "message_bytes=1024"});
    std::vector<std::string> got = messages(l, 4);
    ASSERT_EQ(got.size(), 4u) << l.error;
    EXPECT_EQ(got[2], "0 data='nil';0 deep='y';0 float=0.5f;0 list=1 2;0 place=0 6;0 run=7 4 2 1 "
                      "3;0 text='hey';0 whole=10;");
}

TEST(LuaCommander, RandomNumbersRepeatWhereverTheyAreDrawn)
{
    Script s(R"(
return {next = function(m)
    if m.position == 40 then return millrace.END_EPOCH end
    m.x, m.n = math.random(), math.random(1, 6)
    m.p = millrace.permute(m.position, 40, m.epoch)
end, save = function() end, load = function() end})");
    Loader calm(s.echo());
    std::vector<std::string> expected = messages(calm);
    ASSERT_EQ(expected.size(), 82u) << calm.error;
    EXPECT_NE(expected[0], expected[1]);
    EXPECT_NE(expected[0], expected[41]);
    std::vector<std::string> got;
    Loader l(s.echo());
    for (int i = 0; i < 10; i++) {
        std::vector<std::string> some = messages(l, 8);
        got.insert(got.end(), some.begin(), some.end());
        kill_commander(0);
    }
    std::vector<std::string> rest = messages(l);
    got.insert(got.end(), rest.begin(), rest.end());
    EXPECT_EQ(got, expected) << l.error;
}

// Lua's own order of texts differs from process to process.
TEST(LuaCommander, PairsGoesByTheKeys)
{
    Script s(R"(
local mixed = {[3] = 1, [2.5] = 1, [-1] = 1, [true] = 1, [false] = 1, b = 1, a = 1, ['a\0'] = 1}
local function keys(t)
    local all = {}
    for k, v in pairs(t) do
        all[#all + 1] = tostring(k):gsub('\0', '0')
        t[k] = nil -- as Lua allows
    end
    assert(not pairs(t)(t))
    return table.concat(all, ' ')
end
return {build = function(params) many = params.weights end,
        next = function(m)
            if m.position > 0 then return millrace.END end
            local gone = {10, 20, 30, 40}
            for k in pairs(gone) do gone[k + 1] = nil m.last = k end
            m.list, m.mixed, m.many = keys({7, 8, 9}), keys(mixed), keys(many)
            local own = setmetatable({}, {__pairs = function() return next, {meta = 1}, nil end})
            for k in pairs(own) do m.meta = k end
        end})");
    std::string weights, sorted;
    for (int i = 0; i < 26; i++) {
        weights += std::string(i ? ", " : "") + char('z' - i) + "ey: 1";
        sorted += std::string(i ? " " : "") + char('a' + i) + "ey";
    }
    Loader l(s.echo(", params: {weights: {" + weights + "}}"), {"message_bytes=1024"});
    std::vector<std::string> got = messages(l);
    ASSERT_EQ(got.size(), 2u) << l.error;
    EXPECT_EQ(got[0], "0 last=3;0 list='1 2 3';0 many='" + sorted +
                          "';0 meta='meta';0 mixed='-1 2.5 3 a a0 b false true';");
}

TEST(LuaCommander, ItChoosesSamplesOfADataSet)
{
    Script s(read_file(MR_SOURCE_DIR "/configs/class_turns.lua"));
    Loader l(s.pictures());
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    std::map<uint64_t, int> seen;
    std::vector<Delivered> all;
    mr_batch *b;
    int64_t turn = 0;
    while ((l.rc = mr_next(l.handle, &b, 30000)) >= 0 && l.rc != MR_END) {
        if (l.rc == MR_END_EPOCH) {
            turn = 0;
            continue;
        }
        const int64_t *labels = (const int64_t *)mr_field(b, "label")->data;
        all.push_back(describe(b));
        for (int i = 0; i < all.back().rows; i++) {
            EXPECT_EQ(labels[i], turn++ % 3);
            seen[all.back().ids[(size_t)i]]++;
        }
        mr_release(b);
    }
    EXPECT_EQ(l.rc, MR_END) << mr_error(l.handle);
    ASSERT_EQ(all.size(), 16u);
    EXPECT_EQ(seen.size(), 60u);
    // Resumed in the middle, with the commander killed.
    Loader first(s.pictures());
    first.read(11);
    Loader second(s.pictures(), {"producers=1"}, first.state().c_str());
    EXPECT_EQ(second.read(SIZE_MAX, kill_commander),
              std::vector<Delivered>(all.begin() + 11, all.end()))
        << second.error;
}

TEST(LuaCommander, ASampleThatIsNoneEndsTheRun)
{
    Script s("return {next = function(m) m.sample = m.position + 50 end}");
    Loader l(s.pictures());
    std::vector<Delivered> got = l.read();
    EXPECT_EQ(got.size(), 1u);
    EXPECT_EQ(l.rc, MR_E_CODE);
    EXPECT_NE(l.error.find("wants sample 60 at position 10 of epoch 0, and the data set has "
                           "samples 0 to 59"),
              std::string::npos)
        << l.error;
}

TEST(LuaCommander, RanksHaveCommandersOfTheirOwn)
{
    Script s(R"(return {next = function(m)
    if m.position >= 24 then return millrace.END_EPOCH end
    m.at = m.position
end})");
    std::vector<std::string> all(24);
    for (int rank = 0; rank < 3; rank++) {
        Loader l(s.echo(),
                 {"world=3", "rank=" + std::to_string(rank), "batch.last=drop", "epochs=1"});
        std::vector<std::string> got = messages(l);
        ASSERT_EQ(got.size(), 9u) << l.error;
        for (int i = 0; i < 8; i++)
            all[(size_t)((i / 4 * 3 + rank) * 4 + i % 4)] = got[(size_t)i];
    }
    for (int i = 0; i < 24; i++)
        EXPECT_EQ(all[(size_t)i], "0 at=" + std::to_string(i) + ";");
}
