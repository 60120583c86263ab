// SPDX-License-Identifier: Apache-2.0
//
// Ranks from the environment: which launcher wins, what contradicts it, what makes no sense; and
// that a config goes before it.
#include <gtest/gtest.h>

extern "C" {
#include "base/config.h"
#include "base/rank_env.h"
}

#include <cstdlib>
#include <map>
#include <string>
#include <vector>

namespace
{

const char *const kKeys[] = {"RANK",
                             "WORLD_SIZE",
                             "OMPI_COMM_WORLD_RANK",
                             "OMPI_COMM_WORLD_SIZE",
                             "PMIX_RANK",
                             "PMIX_SIZE",
                             "PMI_RANK",
                             "PMI_SIZE",
                             "SLURM_PROCID",
                             "SLURM_NTASKS",
                             "SLURM_STEP_ID",
                             "SLURM_STEP_NUM_TASKS"};
using Env = std::map<std::string, std::string>;

// The environment of a test: these variables and no other of the known ones.
struct Given {
    Env before;
    explicit Given(const Env &env)
    {
        for (const char *key : kKeys) {
            if (const char *old = getenv(key))
                before[key] = old;
            unsetenv(key);
        }
        for (auto &[key, value] : env)
            setenv(key.c_str(), value.c_str(), 1);
    }
    ~Given()
    {
        for (const char *key : kKeys)
            unsetenv(key);
        for (auto &[key, value] : before)
            setenv(key.c_str(), value.c_str(), 1);
    }
};

// "rank of world, rank key, world key, launcher", the error, or "-"; and the warning behind " ! ".
std::string ask(const Env &env)
{
    Given given(env);
    mr_rank_env found;
    mr_errbuf e = {};
    int rc = mr__rank_env(&found, &e);
    EXPECT_EQ(rc, *e.text ? MR_E_CONFIG : MR_OK);
    std::string text = rc < 0 ? e.text : "-";
    if (rc >= 0 && found.found)
        text = std::to_string(found.rank) + " of " + std::to_string(found.world) + ", " +
               found.rank_key + ", " + found.world_key + ", " + found.launcher;
    return rc >= 0 && *found.warning ? text + " ! " + found.warning : text;
}

const Env kTorch = {{"RANK", "1"}, {"WORLD_SIZE", "4"}};
const Env kOpenMpi = {{"OMPI_COMM_WORLD_RANK", "2"}, {"OMPI_COMM_WORLD_SIZE", "3"}};
const Env kPmix = {{"PMIX_RANK", "5"}, {"PMIX_SIZE", "6"}};
const Env kPmi = {{"PMI_RANK", "0"}, {"PMI_SIZE", "2"}};
const Env kSlurm = {{"SLURM_STEP_ID", "0"}, {"SLURM_PROCID", "7"}, {"SLURM_NTASKS", "8"}};

Env with(Env a, const Env &b)
{
    a.insert(b.begin(), b.end());
    return a;
}

struct Config {
    mr_config *c = nullptr;
    mr_errbuf e = {};
    Config(const std::string &text, std::vector<const char *> set = {})
    {
        set.push_back(nullptr);
        std::string all = text + "batch: {last: drop}\nsource: {type: folder, path: /}\n";
        mr__config_read(&c, "t.yaml", all.c_str(), set.data(), &e);
    }
    ~Config()
    {
        mr__config_free(c);
    }
    std::string ranks() const
    {
        if (!c)
            return e.text;
        return std::to_string(c->rank) + " of " + std::to_string(c->world) +
               (c->ranks_from ? std::string(", ") + c->ranks_from : "") +
               (c->ranks_warning ? std::string(" ! ") + c->ranks_warning : "");
    }
};

} // namespace

TEST(RankEnv, EachLauncherAlone)
{
    EXPECT_EQ(ask({}), "-");
    EXPECT_EQ(ask(kTorch), "1 of 4, RANK, WORLD_SIZE, torchrun");
    EXPECT_EQ(ask(kOpenMpi), "2 of 3, OMPI_COMM_WORLD_RANK, OMPI_COMM_WORLD_SIZE, Open MPI");
    EXPECT_EQ(ask(kPmix), "5 of 6, PMIX_RANK, PMIX_SIZE, PMIx");
    EXPECT_EQ(ask(kPmi), "0 of 2, PMI_RANK, PMI_SIZE, PMI");
    EXPECT_EQ(ask(kSlurm), "7 of 8, SLURM_PROCID, SLURM_NTASKS, SLURM");
}

TEST(RankEnv, SlurmCountsInsideAStepOnly)
{
    Env batch = kSlurm;
    for (const char *step : {"", "4294967291", "4294967290", "batch", "-1"}) {
        batch["SLURM_STEP_ID"] = step;
        EXPECT_EQ(ask(batch), "-") << step;
    }
    batch.erase("SLURM_STEP_ID");
    EXPECT_EQ(ask(batch), "-");
    batch["SLURM_STEP_ID"] = "12";
    batch["SLURM_STEP_NUM_TASKS"] = "9"; // the step's, where the other may be the job's
    EXPECT_EQ(ask(batch), "7 of 9, SLURM_PROCID, SLURM_STEP_NUM_TASKS, SLURM");
}

TEST(RankEnv, TheFirstFoundWinsAndWhatContradictsItIsNamed)
{
    EXPECT_EQ(ask(with(kTorch, {{"PMI_RANK", "1"}, {"PMI_SIZE", "4"}})),
              "1 of 4, RANK, WORLD_SIZE, torchrun");
    EXPECT_EQ(ask(with(kTorch, kSlurm)),
              "1 of 4, RANK, WORLD_SIZE, torchrun ! RANK=1 and WORLD_SIZE=4 (torchrun) are taken, "
              "though SLURM_PROCID=7 and SLURM_NTASKS=8 (SLURM) are there, too; if that is wrong, "
              "set 'rank' and 'world'");
    EXPECT_EQ(ask(with(kOpenMpi, with(kPmix, kPmi))),
              "2 of 3, OMPI_COMM_WORLD_RANK, OMPI_COMM_WORLD_SIZE, Open MPI ! "
              "OMPI_COMM_WORLD_RANK=2 and OMPI_COMM_WORLD_SIZE=3 (Open MPI) are taken, though "
              "PMIX_RANK=5 and PMIX_SIZE=6 (PMIx) are there, too; if that is wrong, set 'rank' and "
              "'world'");
    EXPECT_NE(ask(with(kTorch, {{"PMI_RANK", "x\n"}, {"PMI_SIZE", "2"}})).find("PMI_RANK=x\\n and"),
              std::string::npos)
        << "nonsense of a launcher that is not asked is a contradiction";
    EXPECT_EQ(ask(with({{"PMIX_RANK", "0"}}, kOpenMpi)),
              "2 of 3, OMPI_COMM_WORLD_RANK, OMPI_COMM_WORLD_SIZE, Open MPI");
}

TEST(RankEnv, NonsenseIsAnErrorThatNamesVariableAndText)
{
    for (const char *text : {"one", "-1", "65536", "1.5", "99999999999999999999", " 1"}) {
        EXPECT_EQ(ask({{"RANK", text}, {"WORLD_SIZE", "4"}}),
                  "RANK is '" + std::string(text) +
                      "' in the environment (torchrun), and should be a whole number from 0 to "
                      "65535; correct it, or set 'rank' and 'world'");
    }
    EXPECT_EQ(ask({{"PMI_RANK", "0"}, {"PMI_SIZE", "0"}}),
              "PMI_SIZE is '0' in the environment (PMI), and should be a whole number from 1 to "
              "65536; correct it, or set 'rank' and 'world'");
    EXPECT_EQ(ask({{"RANK", "4"}, {"WORLD_SIZE", "4"}}),
              "RANK is 4 and WORLD_SIZE is 4 in the environment (torchrun), but ranks of 4 go from "
              "0 to 3; correct them, or set 'rank' and 'world'");
}

TEST(RankEnv, HalfOfAPairIsAWarningWhereNothingWholeIsThere)
{
    EXPECT_EQ(ask({{"PMIX_RANK", "3"}, {"PMIX_SIZE", ""}}),
              "- ! PMIX_RANK is set in the environment (PMIx), but PMIX_SIZE is not: this process "
              "takes itself for the only one; if that is wrong, set 'rank' and 'world'");
    EXPECT_EQ(ask({{"WORLD_SIZE", "3"}}).substr(0, 65),
              "- ! WORLD_SIZE is set in the environment (torchrun), but RANK is ");
}

TEST(RankEnv, WhatTheConfigSaysGoesFirst)
{
    Given given(with(kTorch, kSlurm));
    EXPECT_EQ(Config("").ranks().substr(0, 42), "1 of 4, RANK and WORLD_SIZE of torchrun ! ");
    EXPECT_EQ(Config("rank: auto\nworld: auto\n").ranks().substr(0, 8), "1 of 4, ");
    EXPECT_EQ(Config("rank: 0\nworld: 1\n").ranks(), "0 of 1");
    EXPECT_EQ(Config("rank: 2\nworld: 3\n").ranks(), "2 of 3");
    EXPECT_EQ(Config("", {"rank=2", "world=3"}).ranks(), "2 of 3");
    EXPECT_EQ(Config("rank: 2\nworld: 3\n", {"rank=auto", "world=auto"}).ranks().substr(0, 8),
              "1 of 4, ");
    EXPECT_EQ(Config("world: 1\n").ranks(), "0 of 1") << "alone, whatever the launcher says";
}

TEST(RankEnv, HalfByTheConfigHalfByTheLauncher)
{
    Given given(kTorch);
    EXPECT_EQ(Config("rank: 3\n").ranks(), "3 of 4, 'rank', and WORLD_SIZE of torchrun");
    EXPECT_EQ(Config("world: 4\n").ranks(), "1 of 4, 'world', and RANK of torchrun");
    EXPECT_EQ(Config("world: 2\n").ranks(),
              "1 of 2, 'world', and RANK of torchrun ! 'world' is 2, though WORLD_SIZE is 4 in the "
              "environment (torchrun), where the rank is from: set 'rank', too");
    EXPECT_EQ(Config("rank: 5\n").ranks(),
              "t.yaml:1:7: error: 'rank' is 5, but with 'world: 4' (from 'rank', and WORLD_SIZE of "
              "torchrun) ranks go from 0 to 3");
    EXPECT_EQ(Config("", {"batch.last=short"}).ranks(),
              "--set batch.last: error: 'batch.last: short' cannot be used with 'world: 4' (from "
              "RANK and WORLD_SIZE of torchrun): ranks would get different numbers of rows; use "
              "drop, pad or wrap");
}

TEST(RankEnv, WithoutALauncherTheHalfThatIsMissingIsTheOnlyProcess)
{
    Given given(Env{});
    EXPECT_EQ(Config("").ranks(), "0 of 1");
    EXPECT_EQ(Config("world: 4\n").ranks(), "0 of 4");
    EXPECT_EQ(Config("rank: 0\n").ranks(), "0 of 1");
    EXPECT_EQ(Config("rank: 1\n").ranks(),
              "t.yaml:1:7: error: 'rank' is 1, but with 'world: 1' ranks go from 0 to 0");
}

TEST(RankEnv, NonsenseEndsReadingUnlessTheConfigHasBoth)
{
    Given given(Env{{"RANK", "first"}, {"WORLD_SIZE", "4"}});
    EXPECT_EQ(Config("").ranks().substr(0, 15), "RANK is 'first'");
    EXPECT_EQ(Config("rank: 2\nworld: 3\n").ranks(), "2 of 3");
}

TEST(RankEnv, ACommanderOfTheUsersIsNotSharedOut)
{
    Given given(kTorch);
    mr_config *c = nullptr;
    mr_errbuf e = {};
    const char *text = "context: fork\nfields: {x: {dtype: uint8, shape: [4]}}\n";
    ASSERT_EQ(mr__config_read(&c, "t.yaml", text, nullptr, &e), MR_OK) << e.text;
    EXPECT_EQ(c->rank, 0);
    EXPECT_EQ(c->world, 1);
    mr__config_free(c);
}
