// SPDX-License-Identifier: Apache-2.0
//
// Completion order, early ends, saved states.
#include "loader_testing.hpp"

#include <algorithm>
#include <map>
#include <set>

TEST(LoaderOrder, CompletionOrderDeliversTheSameBatchesAndNeverAcrossAnEpochsEnd)
{
    Loader ordered(main_config("epochs: 3\n"));
    std::vector<Delivered> expected = ordered.read();
    Loader free(main_config("epochs: 3\ndeterministic: false\n"), {"producers=3"});
    std::vector<Delivered> got = free.read();
    ASSERT_EQ(free.rc, MR_END) << free.error;
    EXPECT_EQ(free.epochs_ended, 3);
    EXPECT_TRUE(std::is_sorted(got.begin(), got.end(), [](const Delivered &a, const Delivered &b) {
        return a.epoch < b.epoch;
    }));
    auto by_place = [](const Delivered &a, const Delivered &b) {
        return std::pair(a.epoch, a.batch) < std::pair(b.epoch, b.batch);
    };
    std::sort(got.begin(), got.end(), by_place);
    EXPECT_EQ(got, expected);
}

TEST(LoaderOrder, StreamHashIsTheOrdersOwn)
{
    uint64_t hashes[2][2];
    for (int order = 0; order < 2; order++)
        for (int producers = 0; producers < 2; producers++) {
            Loader l(main_config("epochs: 2\n"),
                     {order ? "deterministic=true" : "deterministic=false",
                      "producers=" + std::to_string(1 + 2 * producers)});
            ASSERT_EQ(mr_stream_hash_begin(l.handle), MR_OK);
            l.read();
            hashes[order][producers] = l.stream_hash();
            EXPECT_NE(hashes[order][producers], 0u);
        }
    EXPECT_EQ(hashes[0][0], hashes[0][1]);
    EXPECT_EQ(hashes[1][0], hashes[1][1]);
}

TEST(LoaderOrder, EndingAnEpochEarlyGoesOnWithTheNext)
{
    Loader whole(main_config("epochs: 3\n"));
    std::vector<Delivered> all = whole.read();
    Loader l(main_config("epochs: 3\n"));
    std::vector<Delivered> got = l.read(3);
    ASSERT_EQ(mr_end_epoch(l.handle), MR_OK) << mr_error(l.handle);
    ASSERT_EQ(mr_end_epoch(l.handle), MR_OK) << "saying it twice ends one epoch";
    mr_batch *b;
    EXPECT_EQ(mr_next(l.handle, &b, 30000), MR_END_EPOCH);
    std::vector<Delivered> rest = l.read();
    EXPECT_EQ(l.rc, MR_END) << l.error;
    EXPECT_EQ(std::vector<Delivered>(all.begin(), all.begin() + 3), got);
    EXPECT_EQ(std::vector<Delivered>(all.begin() + 8, all.end()), rest);
}

TEST(LoaderOrder, EndingManyEpochsInARowNeverHangsOrMixesStreams)
{
    Loader l(main_config("epochs: 0\n"), {"producers=3"});
    mr_batch *held = nullptr;
    for (int i = 0; i < 40; i++) {
        std::vector<Delivered> got = l.read((size_t)(i % 4));
        for (const Delivered &d : got)
            EXPECT_EQ(d.epoch, (uint64_t)i) << d;
        if (i == 10) {
            ASSERT_EQ(mr_next(l.handle, &held, 30000), MR_OK);
        }
        ASSERT_EQ(mr_end_epoch(l.handle), MR_OK) << mr_error(l.handle);
        ASSERT_EQ(mr_next(l.handle, &(mr_batch *&)*std::make_unique<mr_batch *>(), 30000),
                  MR_END_EPOCH);
    }
    EXPECT_EQ(mr_release(held), MR_OK) << "a lease outlives a cancel";
}

TEST(LoaderOrder, AStateResumesTheVerySameStreamAtEveryBatch)
{
    Loader whole(main_config("epochs: 2\n"));
    std::vector<Delivered> all = whole.read();
    for (size_t stop : {0, 1, 7, 8, 11, 16}) {
        Loader first(main_config("epochs: 2\n"), {"producers=2"});
        first.read(stop);
        std::string state = first.state();
        EXPECT_LT(state.size(), 1024u);
        Loader second(main_config("epochs: 2\n"), {"producers=3", "slots=2"}, state.c_str());
        ASSERT_EQ(second.rc, MR_OK) << second.error;
        std::vector<Delivered> rest = second.read();
        EXPECT_EQ(rest, std::vector<Delivered>(all.begin() + (long)stop, all.end())) << stop;
        ASSERT_EQ(mr_load_state(first.handle, state.c_str()), MR_OK) << mr_error(first.handle);
        EXPECT_EQ(first.read(), rest) << "loaded in the same loader, at " << stop;
    }
}

TEST(LoaderOrder, AStateOfAnotherConfigOrSeedIsRefusedWithTheReason)
{
    Loader a(main_config("epochs: 2\n"));
    a.read(2);
    std::string state = a.state();
    Loader seed(main_config("epochs: 2\n"), {"seed=43"}, state.c_str());
    EXPECT_EQ(seed.rc, MR_E_CONFIG);
    EXPECT_EQ(seed.error, "the state is of seed 42, the config has seed 43");
    Loader size(main_config("epochs: 2\nbatch: {size: 4}\n"), {}, state.c_str());
    EXPECT_EQ(size.rc, MR_E_CONFIG);
    EXPECT_NE(size.error.find("another config"), std::string::npos) << size.error;
    EXPECT_EQ(mr_load_state(a.handle, "{}"), MR_E_CONFIG);
    EXPECT_EQ(mr_load_state(a.handle, "{\"millrace_state\":9}"), MR_E_VERSION);
    EXPECT_EQ(a.read(1).size(), 1u) << "nothing changed";
    Loader data(main_config("epochs: 2\n"), {"source.path=" MR_SAMPLE "/masks"}, state.c_str());
    EXPECT_EQ(data.rc, MR_E_CONFIG);
    EXPECT_NE(data.error.find("another data set"), std::string::npos) << data.error;
}
