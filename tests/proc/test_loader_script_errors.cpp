// SPDX-License-Identifier: Apache-2.0
//
// Scripts that are wrong, and scripts that want out: each gets a sentence.
#include "script_testing.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>

#include <sys/stat.h>

struct Wrong {
    const char *script, *says, *more;
};

static std::string next(const std::string &body)
{
    return "return {next = function(m)\n" + body + "\nend}\n";
}

static void expect_says(const std::string &script, const std::string &says,
                        const std::string &more = "")
{
    Script s(script);
    std::string error = s.check(more);
    EXPECT_NE(error.find(says), std::string::npos) << script << "\n-> " << error;
    EXPECT_EQ(error.find("test.yaml:8:1: error: "), 0u) << error;
}

TEST(LuaErrors, AreNamedByFileAndLine)
{
    expect_says("local x = \nreturn {", "sampler.lua:2: unexpected symbol near 'return'");
    expect_says("error('no data today')", "sampler.lua:1: no data today");
    expect_says("error({})", "was called with a table, not with a text");
    expect_says("x = 5", "has returned nothing: end it with 'return {next = ...}'");
    expect_says("return 5", "has returned number: end it");
    expect_says("return {}", "has no function 'next'");
    expect_says("return {next = 5}", "'next' of the script's table is a number, not a function");
    expect_says("return {next = print, build = 5}", "'build' of the script's table is a number");
    expect_says("return {next = print, save = print}", "has 'save' without 'load'");
    expect_says("return {next = print, build = function(p) local a = p.x.y end}",
                "the commander's build failed: sampler.lua:1: attempt to index a nil value "
                "(field 'x')");
    expect_says("local function f() local n = nil\n return n + 1 end\n" + next("f()\nreturn {}"),
                "the commander's next failed: position 0 of epoch 0: sampler.lua:2: attempt to "
                "perform arithmetic on a nil value (local 'n'); called from sampler.lua:4");
    expect_says("return {next = function() end, save = function() return print end, load = print}",
                "the commander's save failed: save has returned a function");
    expect_says("return {next = function() end, save = function() return {[1.5] = 1} end, "
                "load = print}",
                "a table with a number as a key");
    expect_says("return {next = function() end, save = function() return ('x'):rep(70000) end, "
                "load = print}",
                "save has returned more than fits into 65536 bytes");
    expect_says("local t = {} t.t = t\nreturn {next = function() end, save = function() return t "
                "end, load = print}",
                "nested more than 32 deep");
    Script missing("");
    std::string nowhere = missing.tree.path("nowhere.lua");
    Loader l(missing.echo(), {"commander.script=" + nowhere});
    EXPECT_EQ(l.rc, MR_E_CONFIG);
    EXPECT_NE(l.error.find(nowhere), std::string::npos) << l.error;
}

TEST(LuaErrors, NonsenseIsNamedWithItsMessage)
{
    expect_says(next("return 5"), "position 0 of epoch 0: next has returned 5 (a number): it "
                                  "returns the message's table, nothing when it has filled");
    expect_says(next("return {5}"), "entries without a name");
    expect_says(next("m.f = print"), "message.f is a function: a message holds numbers, texts");
    expect_says(next("m.a = {{x = coroutine.create(print)}}"), "message.a[1].x is a thread");
    expect_says(next("m.a = {1, nil, 3}\nm.a[10] = 1"), "message.a has a hole");
    expect_says(next("m.a = {[true] = 1}"), "message.a has a hole, or a key that is neither");
    expect_says(next("local t = {} t.t = t m.t = t"), "is nested more than 8 lists deep");
    expect_says(next("m.sample = -1"), "message.sample is negative");
    expect_says(next("m.sample = 'x'"), "message.sample has to be a whole number");
    expect_says(next("m.position = 5"), "message.position was changed");
    expect_says(next("m['a\\0b'] = 5"), "a key has a NUL byte");
    expect_says(next("m[('k'):rep(300)] = 5"), "is no key: one has 1 to 255 bytes");
    expect_says(next("m.big = ('x'):rep(300)"),
                "message.big does not fit: the message is larger than 'message_bytes'");
}

// The run ends with the same sentence, and what was planned before is delivered.
TEST(LuaErrors, NothingIsLostWhenAScriptFailsInTheMiddle)
{
    Script s(next("if m.position == 9 then m.x = nil + 1 end\nm.n = m.position"));
    Loader l(s.echo());
    std::vector<std::string> got = messages(l);
    EXPECT_EQ(got.size(), 8u) << "a failure comes where its batch would";
    EXPECT_EQ(l.rc, MR_E_CODE);
    EXPECT_NE(l.error.find("the commander's next failed: position 9 of epoch 0: sampler.lua:2: "
                           "attempt to perform arithmetic on a nil value"),
              std::string::npos)
        << l.error;
}

static const char over_limit[] = "instructions for one call of 'next'";

TEST(LuaLimits, LoopsEndWhoeverCatchesThem)
{
    const std::string loops[] = {
        "while true do end",
        "repeat local ok = pcall(function() while true do end end) until false",
        "for i = 1, 1e9 do pcall(error) end",
        "pcall(function() while true do end end)\nm.n = 1",
        "while not xpcall(function() while true do end end, function() while true do end end) do "
        "end",
        "coroutine.wrap(function() while true do end end)()",
        "while true do coroutine.wrap(function() for i = 1, 100 do end end)() end",
        "while true do coroutine.resume(coroutine.create(function() while true do end end)) end",
        "local function deep(n) coroutine.wrap(function() while true do pcall(deep, n + 1) end "
        "end)() end deep(1)",
        "local mt = {__index = function(t, k) return t[k + 1] end}\nlocal t = setmetatable({}, mt)"
        "\nwhile true do pcall(function() return t[1] end) end",
        "local co = coroutine.create(function() local x <close> = setmetatable({}, {__close = "
        "function() while true do end end}) while true do end end) coroutine.resume(co) "
        "coroutine.close(co)",
        "coroutine.wrap(function() local x <close> = setmetatable({}, {__close = function() while "
        "true do end end}) while true do end end)()",
        "do local x <close> = setmetatable({}, {__close = function() while true do end end}) end",
        "table.sort({1, 2, 3}, function() while true do end end)",
        "string.gsub('abc', '.', function() while true do end end)",
        "load('while true do end')()",
        "while true do local s = ('x'):rep(1000):rep(1000) end",
    };
    for (const std::string &loop : loops)
        expect_says(next(loop), over_limit, ", max_instructions: 100000");
    expect_says("while true do end", "instructions for one call of 'build'",
                ", max_instructions: 1000");
    expect_says(next("while true do end"),
                "sampler.lua:2: more than 100000 instructions for one call of 'next': a loop "
                "without end, or 'commander.max_instructions' has to be larger",
                ", max_instructions: 100000");
    Script enough(next("for i = 1, 300000 do end\nm.n = 1"));
    EXPECT_EQ(enough.check(", max_instructions: 1000000"), "");
}

TEST(LuaLimits, ALibraryFunctionThatDoesNotEndIsEnded)
{
    Script s(next("if m.position == 9 then string.find(('a'):rep(5000), ('.-'):rep(30) .. 'b') end "
                  "m.n = 1"));
    Loader l(s.echo(", max_instructions: 100000"));
    EXPECT_EQ(messages(l).size(), 8u);
    EXPECT_EQ(l.rc, MR_E_CODE);
    EXPECT_NE(l.error.find("more than 3 s of processor time"), std::string::npos) << l.error;
    mr_close(&l.handle);
    EXPECT_TRUE(eventually([] { return processes("mr-commander").empty(); }))
        << "it ends though nothing of the script may be called any more";
}

TEST(LuaLimits, CoroutinesAreWhatTheyAreInLua)
{
    Script s(next(R"(
local closed = 0
local function closing(n)
    return setmetatable({}, {__close = function() closed = closed + n end}) end
local co = coroutine.wrap(function(a, b)
    local c, d = coroutine.yield(a + b) return c * d, 'end' end)
assert(co(2, 3) == 5)
local product, text = co(4, 5)
assert(product == 20 and text == 'end')
local ok, why = pcall(co)
assert(not ok and why:find('dead coroutine'), why)
local ok, why = pcall(coroutine.wrap(function() local x <close> = closing(1) error('broken') end))
assert(not ok and why:find('sampler.lua:%d+: broken') and closed == 1, why)
local ok, why = pcall(coroutine.wrap(function() error({code = 7}) end))
assert(not ok and why.code == 7)
local ok, why = pcall(coroutine.wrap(function()
    local x <close> = setmetatable({}, {__close = function() error('worse') end})
    error('broken') end))
assert(not ok and why:find('worse'), why)
local half = coroutine.create(function() local x <close> = closing(10) coroutine.yield() end)
coroutine.resume(half)
assert(coroutine.close(half) and closed == 11 and coroutine.status(half) == 'dead')
local sum = 0
for i in coroutine.wrap(function() for i = 1, 5 do coroutine.yield(i) end end) do sum = sum + i end
assert(sum == 15 and not pcall(coroutine.wrap, 5))
m.n = 1)"));
    EXPECT_EQ(s.check(", max_instructions: 100000"), "");
}

TEST(LuaLimits, MemoryIsBounded)
{
    const std::string more = ", max_memory_bytes: 4000000";
    const char says[] = "the script needs more than 4.0 MB of memory "
                        "('commander.max_memory_bytes')";
    expect_says(next("m.x = #string.rep('x', 1 << 30)"), says, more);
    expect_says(next("local s = 'x' while true do s = s .. s end"), says, more);
    expect_says(next("local t = {} for i = 1, 1e8 do t[i] = i end"), says, more);
    expect_says(next("local t = {} for i = 1, 1e6 do t[i] = coroutine.create(print) end"), says,
                more);
    Script caught(next("m.ok = pcall(string.rep, 'x', 1 << 30)"));
    EXPECT_EQ(caught.check(more), "") << "an error like others: the script may do with less";
}

TEST(LuaSandbox, WhatReachesOutIsNotThere)
{
    for (const char *name : {"io", "os", "debug", "package", "dofile", "loadfile", "collectgarbage",
                             "string.dump", "math.randomseed", "ffi", "jit"})
        EXPECT_EQ(Script(next("if " + std::string(name) + " then error('there') end")).check(), "")
            << name;
    expect_says(next("os.execute('id')"), "attempt to index a nil value (global 'os')");
    expect_says(next("io.open('/etc/passwd')"), "attempt to index a nil value (global 'io')");
    expect_says(next("load('\\27Lua')()"), "attempt to call a nil value");
    expect_says(next("assert(load('\\27Lua'))"), "attempt to load a binary chunk");
    expect_says(next("load('return 1', 'x', 'b')"), "load takes texts only");
    expect_says(next("load('return 1', 'x', 'bt')"), "load takes texts only");
    expect_says(next("setmetatable({}, {__gc = function() while true do end end})"),
                "have no finalizers");
    Script handled(next("local ok, a, b = xpcall(function(x, y) return x + y, 7 end, print, 2, 3)\n"
                        "assert(ok and a == 5 and b == 7)\n"
                        "local bad, why = xpcall(error, function(e) return e .. '!' end, 'no')\n"
                        "assert(not bad and why == 'no!')\nm.n = 1"));
    EXPECT_EQ(handled.check(), "");
    Script text(next("m.n = load('return 1 + 1')() + load('return x', 'c', 't', {x = 5})()"));
    EXPECT_EQ(text.check(), "");
}

TEST(LuaSandbox, RequireStaysInTheScriptsFolder)
{
    Script s("local util, deep = require 'util', require 'sub.deep'\n"
             "assert(util == require('util'))\n" +
             next("m.n = util.n + deep"));
    s.tree.file("util.lua", "return {n = 5}");
    s.tree.file("sub/deep.lua", "return 7");
    EXPECT_EQ(s.check(), "");
    for (const char *name :
         {"/etc/passwd", "../x", "..x", "sub/deep", "sub..deep", ".util", "", "util.", "a\\0b"})
        expect_says(next("require('" + std::string(name) + "')"),
                    "require takes names of Lua files in the script's folder");
    expect_says(next("require 'nothing'"), "cannot read 'nothing.lua' in the script's folder");
    auto fails = [&](const std::string &name, const std::string &says) {
        s.tree.file("sampler.lua", next("require '" + name + "'"));
        std::string error = s.check();
        EXPECT_NE(error.find(says), std::string::npos) << error;
    };
    s.tree.link("passwd.lua", "/etc/passwd");
    fails("passwd", "cannot read 'passwd.lua'");
    s.tree.link("out", "/etc");
    fails("out.passwd", "cannot read 'out/passwd.lua'");
    s.tree.file("bytes.lua", "\x1bLua");
    fails("bytes", "attempt to load a binary chunk");
    s.tree.file("round.lua", "require 'round'");
    fails("round", "'round' requires itself");
    s.tree.file("wrong.lua", "local t\nreturn t.x");
    fails("wrong", "wrong.lua:2: attempt to index a nil value");
    ASSERT_EQ(mkfifo(s.tree.path("pipe.lua").c_str(), 0600), 0);
    fails("pipe", "'pipe.lua' is not a file");
    s.tree.folder("folder.lua");
    fails("folder", "'folder.lua' is not a file");
}

TEST(LuaSandbox, TheModuleMayBeMissing)
{
    Script s(next("m.n = 1"));
    setenv("MILLRACE_LUA", "/nowhere/x.so", 1);
    std::string error = s.check();
    unsetenv("MILLRACE_LUA");
    EXPECT_NE(error.find("test.yaml:8:1: error: 'commander.script': MILLRACE_LUA names "
                         "'/nowhere/x.so', which cannot be read"),
              std::string::npos)
        << error;
}

// What the process could do if the interpreter were broken.
TEST(LuaSandbox, TheProcessIsConfined)
{
    Script s(next("if m.position == 4000 then return millrace.END end m.n = m.position"));
    Loader l(s.echo(), {"slots=1"});
    ASSERT_FALSE(messages(l, 4).empty()) << l.error;
    std::vector<pid_t> pids = processes("mr-commander");
    ASSERT_EQ(pids.size(), 1u);
    auto lines = [&](const char *file, const char *key) {
        std::ifstream f("/proc/" + std::to_string(pids[0]) + "/" + file);
        std::string line, all;
        while (std::getline(f, line))
            if (line.find(key) != std::string::npos)
                all += line + "\n";
        return all;
    };
    EXPECT_NE(lines("status", "Name:"), "");
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    EXPECT_EQ(lines("status", "NoNewPrivs"), "NoNewPrivs:\t1\n");
    EXPECT_EQ(lines("status", "Seccomp:"), "Seccomp:\t2\n");
    EXPECT_NE(lines("limits", "Max file size").find(" 0 "), std::string::npos);
    Loader off(s.echo(), {"sandbox=off"});
    ASSERT_FALSE(messages(off, 4).empty()) << off.error;
#endif
    for (const std::string &line : l.log)
        EXPECT_EQ(line.find("the script runs without seccomp"), std::string::npos) << line;
}

TEST(LuaSandbox, PrintIsALineOfTheLog)
{
    Script s(next("if m.position == 0 then print('hello', 5, {} ~= nil) end m.n = 1"));
    Loader l(s.echo());
    ASSERT_EQ(messages(l, 4).size(), 4u) << l.error;
    EXPECT_NE(std::find(l.log.begin(), l.log.end(), "hello 5 true"), l.log.end());
}
