// SPDX-License-Identifier: Apache-2.0
//
// crash_table.cpp: every crash point of the sources, struck the first time it is reached, the
// second time, and once more in the recovery from the first; with SIGKILL, and some with other
// faults.
//
// A new point gets a line in `points`; the test Complete fails until it has one.
#include "crash_case.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

enum Also { // beside kill
    Segv = 1,
    Abort = 2,
    Stop = 4,
    Spin = 8,
    Once = 16,     // once in a loader's life: the second time is in a second loader
    NoSecond = 32, // no second fault: it would be the first again, or there is no recovery
    OnlyFork = 64,
    OnlySpawn = 128,
    Broken = 256,      // the run fails anyway, and once
    TrainerDies = 512, // by the fault that leads there
    NoAgain = 1024,    // no second time
    NoChain = 2048     // the recovery does not come by again
};

struct Point {
    const char *name; // POINT or POINT@ROLE
    Scenario scenario;
    int also;
    const char *before; // a fault that leads there; NULL: none is needed
};

#include "crash_points.hpp"

static std::string role_of(const Point &p)
{
    std::string name = p.name;
    size_t at = name.find('@');
    return at == std::string::npos ? name.substr(0, name.find('.')) : name.substr(at + 1);
}

static Outcome outcome_of(const Point &p)
{
    std::string role = role_of(p);
    if (role == "trainer" || p.also & TrainerDies)
        return Dies;
    return role == "warden" || role == "index" || p.also & Broken ? Ends : Same;
}

// How the recovery from the first fault is struck once more.
static std::vector<std::pair<std::string, Outcome>> second_faults(const Point &p)
{
    std::string role = role_of(p);
    if (role == "warden" || role == "index" || p.also & NoSecond)
        return {};
    if (role == "trainer" && p.also & Once) // in mr_open and mr_close there may be no warden
        return {};
    if (role == "trainer")
        return {{"warden.stop_set:1:kill", Dies}};
    std::vector<std::pair<std::string, Outcome>> all = {{role + ".started:1:kill", Same},
                                                        {"warden.recovering:1:kill", Ends},
                                                        {"warden.slot_looked_at:2:kill", Ends},
                                                        {"warden.respawning:1:kill", Ends}};
    if (!(p.also & NoChain))
        all.push_back({std::string(p.name) + ":1:kill", Same});
    return all;
}

static std::vector<CrashCase> cases_of(const Point &p)
{
    static const std::pair<int, const char *> actions[] = {
        {Segv, "segv"}, {Abort, "abort"}, {Stop, "stop"}, {Spin, "spin"}};
    std::vector<CrashCase> all;
    std::string before = p.before ? std::string(p.before) + ">" : "", first = before + p.name;
    auto add = [&](const std::string &plan, Scenario s, Outcome o) {
        bool spawn = p.also & OnlySpawn || (!(p.also & OnlyFork) && all.size() % 2);
        all.push_back({plan, s, o, spawn});
    };
    add(first + ":1:kill", p.scenario, outcome_of(p));
    if (p.also & (NoAgain | Broken))
        ;                                         // there is no second time
    else if (p.before && !(p.also & TrainerDies)) // behind a second such fault
        add(before + first + ":1:kill", p.scenario, outcome_of(p));
    else if (!p.before)
        add(first + ":2:kill", p.also & Once ? Twice : p.scenario, outcome_of(p));
    for (const auto &second : second_faults(p))
        add(first + ":1:kill>" + second.first, p.scenario, second.second);
    for (const auto &action : actions)
        if (p.also & action.first)
            add(first + ":1:" + action.second, action.first & (Stop | Spin) ? Hang : p.scenario,
                outcome_of(p));
    return all;
}

static std::vector<CrashCase> table()
{
    std::vector<CrashCase> all;
    for (const Point &p : points)
        for (const CrashCase &c : cases_of(p))
            all.push_back(c);
    all.insert(all.end(), std::begin(meetings), std::end(meetings));
    return all;
}

class CrashPoints : public testing::TestWithParam<CrashCase>
{
};

TEST_P(CrashPoints, Hold)
{
    std::string unlucky;
    EXPECT_EQ(run_case(GetParam(), &unlucky), "") << GetParam();
    if (!unlucky.empty() && !HasFailure())
        GTEST_SKIP() << unlucky;
}

// producer.claimed:1:kill (plain, fork) -> producer_claimed_1_kill__plain__fork_
static std::string test_name(const testing::TestParamInfo<CrashCase> &info)
{
    std::ostringstream text;
    static const char *const ends[] = {"same", "ends", "dies"};
    text << info.param << " " << ends[info.param.outcome];
    return std::regex_replace(text.str(), std::regex("[^A-Za-z0-9]"), "_") + "_" +
           std::to_string(info.index);
}

INSTANTIATE_TEST_SUITE_P(Table, CrashPoints, testing::ValuesIn(table()), test_name);

static std::set<std::string> points_in_sources()
{
    namespace fs = std::filesystem;
    static const std::regex call("MR_CRASH_POINT\\(\"([a-z_.]+)\"\\)");
    std::set<std::string> found;
    for (const char *folder : {"/core", "/loaders", "/augment"})
        for (const auto &entry :
             fs::recursive_directory_iterator(MR_SOURCE_DIR + std::string(folder))) {
            std::ifstream f(entry.path());
            std::stringstream text;
            if (entry.path().extension() != ".c" && entry.path().extension() != ".h")
                continue;
            text << f.rdbuf();
            std::string all = text.str();
            for (std::sregex_iterator i(all.begin(), all.end(), call), end; i != end; ++i)
                found.insert((*i)[1]);
        }
    return found;
}

TEST(CrashPointsTable, Complete)
{
    std::set<std::string> sources = points_in_sources(), tested;
    for (const Point &p : points)
        tested.insert(std::string(p.name).substr(0, std::string(p.name).find('@')));
    for (const std::string &name : sources)
        EXPECT_TRUE(tested.count(name)) << name << " has no line in tests/proc/crash_points.hpp";
    for (const std::string &name : tested)
        EXPECT_TRUE(sources.count(name)) << name << " is in no source";
    EXPECT_GE(sources.size(), 40u);
    printf("%zu points, %zu faults\n", sources.size(), table().size());
}

int main(int argc, char **argv)
{
    testing::InitGoogleTest(&argc, argv);
    char folder[] = "/tmp/mr-crash-XXXXXX";
    if (!mkdtemp(folder))
        return 2;
    setenv("TMPDIR", folder, 1);
    make_data(folder);
    std::filesystem::create_directory(folder + std::string("/empty"));
    std::filesystem::current_path(folder + std::string("/empty"));
    int rc = RUN_ALL_TESTS();
    std::filesystem::current_path("/");
    std::filesystem::remove_all(folder);
    return rc;
}
