// SPDX-License-Identifier: Apache-2.0
//
// Ranks: one stream dealt to many, states that any number of ranks goes on from, epochs of any
// length, going to an epoch.
#include "loader_testing.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <random>

namespace
{

using Place = std::pair<uint64_t, uint64_t>; // epoch, batch
using Stream = std::map<Place, Delivered>;

Stream by_place(const std::vector<Delivered> &all)
{
    Stream s;
    for (const Delivered &d : all)
        EXPECT_TRUE(s.emplace(Place(d.epoch, d.batch), d).second) << "twice: " << d;
    return s;
}

std::vector<std::string> rank_set(uint64_t rank, uint64_t world, std::mt19937 &random)
{
    return {"rank=" + std::to_string(rank), "world=" + std::to_string(world),
            "producers=" + std::to_string(1 + random() % 3),
            "slots=" + std::to_string(1 + random() % 4)};
}

struct Ranks { // of all ranks, one after the other
    std::vector<Delivered> batches;
    std::string state;
    bool ended = false;
};

// `steps` steps of every rank from a state on; the ranks must agree on where they stand.
Ranks run_ranks(const std::string &config, uint64_t world, size_t steps, const std::string &state,
                std::mt19937 &random)
{
    Ranks run;
    for (uint64_t rank = 0; rank < world; rank++) {
        bool later = random() % 2 && !state.empty(); // by mr_options.state, or by mr_load_state
        Loader l(config, rank_set(rank, world, random),
                 state.empty() || later ? nullptr : state.c_str());
        EXPECT_EQ(l.rc, MR_OK) << l.error;
        if (!l.handle)
            return run;
        if (later) {
            EXPECT_EQ(mr_load_state(l.handle, state.c_str()), MR_OK) << mr_error(l.handle);
        }
        std::vector<Delivered> got = l.read(steps);
        EXPECT_EQ(got.size() < steps, l.rc == MR_END) << l.error;
        std::string own = l.state();
        EXPECT_LT(own.size(), 1024u);
        if (rank) {
            EXPECT_EQ(own, run.state) << "rank " << rank << " of " << world;
            EXPECT_EQ(got.size(), run.batches.size() / rank) << "all make the same steps";
        }
        run.state = own;
        run.ended = l.rc == MR_END;
        run.batches.insert(run.batches.end(), got.begin(), got.end());
    }
    return run;
}

// Runs of ever other numbers of ranks, each from the state of the one before, until the end.
std::vector<Delivered> chain_of_runs(const std::string &config, std::mt19937 &random)
{
    std::vector<Delivered> merged;
    std::string state, told;
    for (int n = 0; n < 100; n++) {
        uint64_t world = 1 + random() % 3;
        size_t steps = n < 2 ? random() % (8 / world + 2) : SIZE_MAX;
        told += " " + std::to_string(world) + "x" + std::to_string((int)steps);
        Ranks run = run_ranks(config, world, steps, state, random);
        merged.insert(merged.end(), run.batches.begin(), run.batches.end());
        state = run.state;
        if (run.ended || testing::Test::HasFailure())
            break;
    }
    SCOPED_TRACE(told);
    return merged;
}

// MR_SAMPLE has 60 images: 8 batches of 8.
void expect_the_stream(const std::string &more, const char *last, uint64_t epoch_batches)
{
    std::string config = main_config(more);
    SCOPED_TRACE(more);
    std::mt19937 random(7);
    Loader alone(config, {"rank=0", "world=1"});
    Stream whole = by_place(alone.read());
    ASSERT_EQ(alone.rc, MR_END) << alone.error;
    for (int trial = 0; trial < 3; trial++) {
        Stream merged = by_place(chain_of_runs(config, random));
        ASSERT_FALSE(testing::Test::HasFailure());
        for (auto &[place, d] : merged) {
            auto found = whole.find(place);
            bool filler = found == whole.end(); // there to let all ranks make the same steps
            EXPECT_TRUE(filler || d == found->second) << d;
            EXPECT_TRUE(!filler || (place.second >= epoch_batches && strcmp(last, "drop") != 0 &&
                                    (strcmp(last, "pad") != 0 || d.valid == 0)))
                << d;
        }
        for (auto &[place, d] : whole)
            EXPECT_TRUE(merged.count(place) ||
                        (!strcmp(last, "drop") && place.second + 2 >= epoch_batches))
                << "lost: " << d;
    }
}

struct Env { // a variable for the time of a test
    const char *key;
    Env(const char *key_, const char *value) : key(key_)
    {
        setenv(key, value, 1);
    }
    ~Env()
    {
        unsetenv(key);
    }
};

void signal_all(const std::string &name, int number)
{
    for (pid_t pid : processes(name))
        kill(pid, number);
}

} // namespace

TEST(LoaderRanks, AnyNumberOfRanksGoesOnFromAnyStatePad)
{
    expect_the_stream("epochs: 3\nbatch: {size: 8, last: pad}\n", "pad", 8);
}

TEST(LoaderRanks, AnyNumberOfRanksGoesOnFromAnyStateWrap)
{
    expect_the_stream("epochs: 3\nbatch: {size: 8, last: wrap}\n", "wrap", 8);
}

TEST(LoaderRanks, AnyNumberOfRanksGoesOnFromAnyStateDrop)
{
    expect_the_stream("epochs: 3\nbatch: {size: 8, last: drop}\n", "drop", 7);
}

TEST(LoaderRanks, AnyNumberOfRanksGoesOnFromAnyStateInEpochsOfElevenBatches)
{
    expect_the_stream("epochs: 2\nepoch_batches: 11\nbatch: {size: 8, last: pad}\n", "pad", 11);
}

// Seven ranks of a short epoch: most of them get nothing but padding, and all make two steps.
TEST(LoaderRanks, SevenRanksEveryBatchOnceEqualSteps)
{
    std::string config = main_config("epochs: 1\nbatch: {size: 8, last: pad}\n");
    std::mt19937 random(1);
    Ranks run = run_ranks(config, 7, SIZE_MAX, "", random);
    Loader alone(config, {"world=1"});
    Stream whole = by_place(alone.read()), merged = by_place(run.batches);
    ASSERT_EQ(merged.size(), 14u);
    for (auto &[place, d] : whole)
        EXPECT_EQ(merged.at(place), d);
    for (uint64_t g = 8; g < 14; g++)
        EXPECT_EQ(merged.at({0, g}).valid, 0);
}

// The place of a resumed run is in the cursors alone; a new commander has to find its base there.
TEST(LoaderRanks, ACommandersDeathBehindAResumeChangesNothing)
{
    std::string config = main_config("epochs: 3\nbatch: {size: 4, last: wrap}\n");
    std::mt19937 random(3);
    const Ranks first = run_ranks(config, 2, 2, "", random); // 4 of 15 batches
    std::vector<Delivered> calm, shaken;
    {
        Loader l(config, {"rank=1", "world=3", "slots=2"}, first.state.c_str());
        calm = l.read();
    }
    Loader l(config, {"rank=1", "world=3", "slots=2"}, first.state.c_str());
    shaken = l.read(SIZE_MAX, [](size_t n) {
        if (n % 3 == 1)
            signal_all("mr-commander", SIGKILL);
    });
    EXPECT_EQ(l.rc, MR_END) << l.error;
    EXPECT_EQ(shaken, calm);
    ASSERT_FALSE(calm.empty());
    EXPECT_EQ(calm[0].batch, 5u);
    EXPECT_EQ(calm.size(), 4u + 5 + 5) << "11 left for 3 ranks, then 15";
}

TEST(LoaderRanks, AStateOfAnOlderVersionIsGoodForAnyNumberOfRanks)
{
    std::string config = main_config("epochs: 1\nbatch: {size: 8, last: wrap}\n");
    Loader l(config, {"world=1"});
    std::vector<Delivered> all = l.read(3);
    std::string state = l.state();
    std::vector<Delivered> rest = l.read();
    size_t data = state.find(",\"bad\"");
    ASSERT_NE(data, std::string::npos) << state;
    std::string old = "{\"millrace_state\":1" + state.substr(19, data - 19) + "}";
    Stream merged;
    for (const char *rank : {"rank=0", "rank=1"}) {
        Loader other(config, {rank, "world=2"}, old.c_str());
        ASSERT_EQ(other.rc, MR_OK) << other.error << old;
        merged.merge(by_place(other.read()));
    }
    for (const Delivered &d : rest)
        EXPECT_EQ(merged.at({d.epoch, d.batch}), d);
}

// The end of epoch 1000 of a billion samples, which one process never came to.
TEST(LoaderRanks, FarIntoARunTheyGoOnAtOnce)
{
    std::string config = main_config("epochs: 0\nbatch: {size: 8, last: pad}\n",
                                     "source: {type: synthetic, samples: 1000000000, size: [8, 8]}"
                                     "\n");
    std::string state = Loader(config, {"world=1"}).state(), from = "\"epoch\":0,\"batch\":0";
    ASSERT_NE(state.find(from), std::string::npos) << state;
    state.replace(state.find(from), from.size(), "\"epoch\":1000,\"batch\":124999998");
    Loader alone(config, {"world=1"}, state.c_str());
    ASSERT_EQ(alone.rc, MR_OK) << alone.error;
    Stream whole = by_place(alone.read(5)), merged;
    for (const char *rank : {"rank=0", "rank=1", "rank=2"}) {
        Loader l(config, {rank, "world=3"}, state.c_str());
        ASSERT_EQ(l.rc, MR_OK) << l.error;
        merged.merge(by_place(l.read(2)));
    }
    Place filler(1000, 125000000);
    ASSERT_EQ(merged.count(filler), 1u);
    EXPECT_EQ(merged.at(filler).valid, 0);
    merged.erase(filler);
    EXPECT_EQ(merged, whole);
}

// The environment changes behind the trainer's back (its log callback runs before the warden).
TEST(LoaderRanks, TheEnvironmentIsAskedOnceAndTheWardenToldTheAnswer)
{
    Env rank("RANK", "1"), world("WORLD_SIZE", "2"), pmi_rank("PMI_RANK", "0"),
        pmi_size("PMI_SIZE", "1");
    std::string config = main_config("epochs: 1\nbatch: {size: 8, last: pad}\n");
    mr_options o = {};
    o.size = sizeof o;
    o.config_text = config.c_str();
    std::string line;
    o.log_user = &line;
    o.log = [](void *user, mr_log_level, const char *text) {
        *static_cast<std::string *>(user) = text;
        setenv("RANK", "0", 1);
        setenv("WORLD_SIZE", "1", 1);
    };
    mr_loader *l;
    ASSERT_EQ(mr_open(&l, "t.yaml", &o), MR_OK) << mr_error(nullptr);
    EXPECT_EQ(line.substr(0, 52), "RANK=1 and WORLD_SIZE=2 (torchrun) are taken, though");
    mr_batch *b;
    mr_batch_info info;
    ASSERT_EQ(mr_next(l, &b, 30000), MR_OK) << mr_error(l);
    ASSERT_EQ(mr_batch_get_info(b, &info), MR_OK);
    EXPECT_EQ(info.batch, 1u);
    mr_release(b);
    mr_stats s = {};
    s.size = sizeof s;
    ASSERT_EQ(mr_get_stats(l, &s), MR_OK);
    EXPECT_EQ(s.rank, 1);
    EXPECT_EQ(s.world, 2);
    EXPECT_STREQ(s.ranks_from, "RANK and WORLD_SIZE of torchrun");
    EXPECT_EQ(s.batches_per_epoch, 4u);
    mr_close(&l);
}

// ---- epochs --------------------------------------------------------------------------------

// The passes' batches one behind the other, with ends where epoch_batches says.
TEST(LoaderRanks, EpochBatchesCutsTheSamePassesElsewhere)
{
    Loader passes(main_config("epochs: 3\nbatch: {size: 8, last: drop}\n"), {"world=1"});
    std::vector<Delivered> all = passes.read(); // 7 a pass
    Loader l(main_config("epochs: 4\nepoch_batches: 5\nbatch: {size: 8, last: drop}\n"),
             {"world=1"});
    std::vector<Delivered> got = l.read();
    ASSERT_EQ(l.rc, MR_END) << l.error;
    EXPECT_EQ(l.epochs_ended, 4);
    ASSERT_EQ(got.size(), 20u);
    for (size_t i = 0; i < got.size(); i++) {
        EXPECT_EQ(got[i].ids, all[i].ids) << i;
        EXPECT_EQ(got[i].epoch, i / 5);
        EXPECT_EQ(got[i].batch, i % 5);
    }
}

TEST(LoaderRanks, SetEpochGoesAnywhere)
{
    std::string config = main_config("epochs: 4\n");
    Loader whole(config);
    Stream all = by_place(whole.read());
    Loader l(config, {"producers=2"});
    int ended = 0;
    for (uint64_t epoch : {0, 1, 3, 1, 1, 0, 2}) { // next, ahead, back, again
        ASSERT_EQ(mr_set_epoch(l.handle, epoch), MR_OK) << mr_error(l.handle);
        ASSERT_EQ(mr_set_epoch(l.handle, epoch), MR_OK) << "twice is once";
        std::vector<Delivered> got = l.read(epoch == 3 ? 2 : 8);
        for (size_t i = 0; i < got.size(); i++)
            EXPECT_EQ(got[i], all.at({epoch, i}));
        EXPECT_EQ(l.epochs_ended, ended) << "no end of an epoch comes before its first batch";
        if (epoch == 0) { // then the next one comes anyhow, and stays planned
            mr_batch *none;
            ASSERT_EQ(mr_next(l.handle, &none, 30000), MR_END_EPOCH);
        }
    }
    l.read();
    EXPECT_EQ(l.rc, MR_END);
    ASSERT_EQ(mr_set_epoch(l.handle, 3), MR_OK) << "behind the end, too";
    EXPECT_EQ(l.read(1).at(0), all.at({3, 0}));
    EXPECT_EQ(mr_set_epoch(l.handle, 4), MR_E_USAGE);
    EXPECT_STREQ(mr_error(l.handle), "there is no epoch 4: with 'epochs: 4' they go from 0 to 3; 0 "
                                     "makes a run without end");
    EXPECT_EQ(l.read(1).at(0), all.at({3, 1})) << "nothing changed";
}

TEST(LoaderRanks, SetEpochBehindAnEarlyEndTakesItsMarkerAway)
{
    Loader l(main_config("epochs: 0\n"));
    l.read(2);
    ASSERT_EQ(mr_end_epoch(l.handle), MR_OK);
    ASSERT_EQ(mr_set_epoch(l.handle, 1), MR_OK);
    mr_batch *b;
    ASSERT_EQ(mr_next(l.handle, &b, 30000), MR_OK);
    EXPECT_EQ(describe(b).epoch, 1u);
    mr_release(b);
    ASSERT_EQ(mr_set_epoch(l.handle, (uint64_t)1 << 40), MR_OK) << "there is no last one";
    ASSERT_EQ(l.read(1).at(0).epoch, (uint64_t)1 << 40);
    EXPECT_EQ(mr_set_epoch(l.handle, (uint64_t)1 << 48), MR_E_USAGE);
}

TEST(LoaderRanks, AUsersCommanderDecidesItself)
{
    Env rank("RANK", "1"), world("WORLD_SIZE", "2"); // are not looked at
    std::string config = "version: 1\nfields: {image: {dtype: uint16, shape: [2]}}\n"
                         "commander: {plugin: " MR_EXAMPLE_PLUGIN "}\n"
                         "producer: {plugin: " MR_EXAMPLE_PLUGIN "}\n";
    Loader l(config, {"epochs=2"});
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    EXPECT_EQ(mr_set_epoch(l.handle, 0), MR_OK) << "it comes next anyhow";
    EXPECT_EQ(mr_set_epoch(l.handle, 1), MR_E_UNSUPPORTED);
    EXPECT_EQ(l.read(1).at(0).batch, 0u);
    Loader counted(config, {"epoch_batches=3"});
    EXPECT_EQ(counted.rc, MR_E_CONFIG);
    EXPECT_NE(counted.error.find("leave 'epoch_batches' out"), std::string::npos);
}

// Nobody makes a row any more, and still the epoch ends at once.
TEST(LoaderRanks, AnEarlyEndWaitsForNoProducer)
{
    Loader l(main_config("epochs: 2\nslots: 3\n"));
    l.read(2);
    ASSERT_TRUE(eventually([&] { return !processes("mr-producer").empty(); }));
    signal_all("mr-producer", SIGSTOP);
    mr_batch *b;
    EXPECT_EQ(mr_end_epoch(l.handle), MR_OK) << mr_error(l.handle);
    EXPECT_EQ(mr_next(l.handle, &b, 0), MR_END_EPOCH) << mr_error(l.handle);
    signal_all("mr-producer", SIGCONT);
    std::vector<Delivered> rest = l.read();
    EXPECT_EQ(l.rc, MR_END) << l.error;
    ASSERT_EQ(rest.size(), 8u);
    EXPECT_EQ(rest[0].epoch, 1u);
}
