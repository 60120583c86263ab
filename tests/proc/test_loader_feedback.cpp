// SPDX-License-Identifier: Apache-2.0
//
// Feedback steers the stream, and nothing else does: not the number of producers, not the slots,
// not deaths, not the place at which a run was saved and resumed.
#include "../unit/temp_tree.hpp"
#include "feedback_testing.hpp"

#include <cmath>
#include <csignal>
#include <fstream>
#include <thread>

#include <sys/stat.h>

namespace fs = std::filesystem;

namespace
{

const uint64_t batches = 30; // four epochs, nearly

std::vector<std::vector<uint64_t>> ids_of(const std::vector<Delivered> &stream)
{
    std::vector<std::vector<uint64_t>> ids;
    for (const Delivered &d : stream)
        ids.push_back(d.ids);
    return ids;
}

double nothing(uint64_t, int, uint64_t)
{
    return -1;
}

// A folder for weights files.
class Feedback : public ::testing::Test
{
  protected:
    TempTree tree;
    fs::path root = tree.root;
    std::string weights(const std::string &name = "weights") const
    {
        return (root / name).string();
    }
};

} // namespace

TEST_F(Feedback, TheStreamIsTheOraclesForEveryRuleAndAnyProcesses)
{
    for (const char *sampler :
         {"feedback_delay: 1", "feedback_delay: 3, update: ema", "feedback_delay: 5, rule: rank",
          "feedback_delay: 4, rule: class, update: max", "feedback_delay: 40", ""}) {
        std::string config = learning_config(sampler);
        auto expected = oracle(config, batches, some_loss);
        std::vector<Delivered> first;
        for (int producers : {1, 3}) {
            Loader l(config, {"producers=" + std::to_string(producers),
                              "slots=" + std::to_string(producers * 2)});
            auto got = learn(l, 0, batches, some_loss);
            ASSERT_EQ(got.size(), batches) << l.error;
            EXPECT_EQ(ids_of(got), expected) << sampler << ", " << producers << " producers";
            if (first.empty())
                first = got;
            EXPECT_EQ(got, first) << "and so are its pixels";
        }
    }
}

TEST_F(Feedback, OneValueIsSeenExactlyDBatchesLater)
{
    for (uint64_t delay : {1, 2, 6}) {
        std::string config =
            learning_config("floor: 0, feedback_delay: " + std::to_string(delay), "slots: 6\n");
        Loader quiet(config);
        auto expected = learn(quiet, 0, 20, nothing);
        Loader l(config);
        auto got = learn(
            l, 0, 20, [](uint64_t n, int row, uint64_t) { return n == 5 && row == 2 ? 1e30 : -1; });
        ASSERT_EQ(got.size(), 20u) << l.error;
        for (uint64_t b = 0; b < 20; b++) {
            if (b < 5 + delay)
                EXPECT_EQ(got[b], expected[b]) << "delay " << delay << ", batch " << b;
            else
                EXPECT_EQ(got[b].ids, std::vector<uint64_t>(got[b].ids.size(), got[5].ids[2]))
                    << "delay " << delay << ", batch " << b;
        }
    }
}

TEST_F(Feedback, TheLastValueForARowCounts)
{
    std::string config = learning_config("floor: 0, feedback_delay: 1");
    auto twice = [](Loader &l, double first, double second) {
        mr_batch *b;
        EXPECT_EQ(mr_next(l.handle, &b, 30000), MR_OK);
        EXPECT_EQ(mr_feedback(b, 0, first), MR_OK);
        EXPECT_EQ(mr_feedback(b, 0, second), MR_OK);
        EXPECT_EQ(mr_release(b), MR_OK);
        return learn(l, 1, 3, nothing);
    };
    Loader a(config), b(config);
    EXPECT_EQ(twice(a, 1e30, 5), twice(b, 7, 5));
}

// At every step of the training a commander dies: with the batch in hand, before and behind its
// release.
TEST_F(Feedback, AKilledCommandersSuccessorHasTheSameWeights)
{
    for (const char *sampler : {"feedback_delay: 1", "feedback_delay: 5, update: ema"}) {
        std::string config = learning_config(sampler, "max_restarts: 1000\n");
        std::vector<std::string> set;
        Loader probe(config);
        if (probe.rc < 0) // there is no such key
            config = learning_config(sampler);
        auto expected = oracle(config, batches, some_loss);
        Loader l(config);
        int killed = 0;
        auto got = learn(l, 0, batches, some_loss, [&](uint64_t n) {
            if (n % 3 != 1)
                return;
            for (pid_t pid : processes("mr-commander"))
                killed += kill(pid, SIGKILL) == 0;
        });
        ASSERT_EQ(got.size(), batches) << l.error;
        EXPECT_EQ(ids_of(got), expected) << sampler;
        EXPECT_GT(killed, 5);
    }
}

TEST_F(Feedback, AStateAndItsWeightsResumeTheVerySameStream)
{
    std::string config = learning_config("feedback_delay: 3, update: ema", "slots: 5\n");
    Loader whole(config);
    auto all = learn(whole, 0, batches, some_loss);
    for (uint64_t stop : {0, 1, 3, 8, 13, 16}) {
        Loader first(config, {"producers=2"});
        learn(first, 0, stop, some_loss);
        ASSERT_EQ(mr_save_weights(first.handle, weights().c_str()), MR_OK)
            << mr_error(first.handle);
        std::string state = first.state();
        EXPECT_LT(state.size(), 1024u);
        std::vector<Delivered> expected(all.begin() + (long)stop, all.end());
        Resumed second(config, {"producers=3", "slots=2"}, state, weights());
        ASSERT_EQ(second.rc, MR_OK) << second.error;
        EXPECT_EQ(learn(second, stop, batches - stop, some_loss), expected) << stop;
        // In the same loader, which has gone on meanwhile.
        learn(first, stop, 6, some_loss);
        ASSERT_EQ(mr_load_weights(first.handle, weights().c_str()), MR_OK)
            << mr_error(first.handle);
        ASSERT_EQ(mr_load_state(first.handle, state.c_str()), MR_OK) << mr_error(first.handle);
        EXPECT_EQ(learn(first, stop, batches - stop, some_loss), expected) << stop;
    }
}

// A batch that is held at the save is fed for good by what was given until then.
TEST_F(Feedback, WhatWasSaidOfAHeldBatchIsSavedWithIt)
{
    std::string config = learning_config("feedback_delay: 2", "slots: 4\n"), state;
    Loader whole(config);
    auto all = learn(whole, 0, batches, some_loss);
    Loader first(config);
    learn(first, 0, 10, some_loss, [&](uint64_t n) {
        if (n != 7)
            return;
        ASSERT_EQ(mr_save_weights(first.handle, weights().c_str()), MR_OK);
        state = first.state();
    });
    for (int i = 0; i < 2; i++) { // and from a resumed run again
        Loader second(config);
        ASSERT_EQ(mr_load_weights(second.handle, weights().c_str()), MR_OK);
        ASSERT_EQ(mr_load_state(second.handle, state.c_str()), MR_OK) << mr_error(second.handle);
        if (i == 1) {
            ASSERT_EQ(mr_save_weights(second.handle, weights("again").c_str()), MR_OK);
            EXPECT_EQ(second.state(), state);
        }
        EXPECT_EQ(learn(second, 8, batches - 8, some_loss),
                  std::vector<Delivered>(all.begin() + 8, all.end()));
    }
}

TEST_F(Feedback, SavingDoesNotChangeTheStreamAndMayComeAtAnyTime)
{
    std::string config = learning_config("feedback_delay: 4, update: ema");
    auto expected = oracle(config, batches, some_loss);
    Loader l(config);
    auto got = learn(l, 0, batches, some_loss, [&](uint64_t) {
        EXPECT_EQ(mr_save_weights(l.handle, weights().c_str()), MR_OK) << mr_error(l.handle);
    });
    EXPECT_EQ(ids_of(got), expected);
}

// How far the commander was ahead must not be seen: what it has applied too early is taken back.
TEST_F(Feedback, AnEpochThatEndsEarlyLosesNoFeedback)
{
    std::vector<std::vector<Delivered>> streams;
    for (const char *slots : {"slots=2", "slots=9"}) {
        Loader l(learning_config("feedback_delay: 2, update: ema"), {slots, "producers=2"});
        std::vector<Delivered> all;
        uint64_t n = 0;
        for (uint64_t part : {3, 1, 0, 6}) {
            for (const Delivered &d : learn(l, n, part, some_loss))
                all.push_back(d);
            n += part;
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            ASSERT_EQ(mr_end_epoch(l.handle), MR_OK) << mr_error(l.handle);
            ASSERT_EQ(mr_save_weights(l.handle, weights(slots).c_str()), MR_OK);
            EXPECT_EQ(l.state().find("\"weights\":") == std::string::npos, false);
        }
        for (const Delivered &d : learn(l, n, 10, some_loss))
            all.push_back(d);
        streams.push_back(all);
    }
    EXPECT_EQ(streams[0], streams[1]);
    std::ifstream a(weights("slots=2")), b(weights("slots=9"));
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(a), {}),
              std::string(std::istreambuf_iterator<char>(b), {}));
}

// ---- what a trainer may do wrong

TEST_F(Feedback, ATrainerThatHoldsWhatIsWaitedForIsTold)
{
    Loader l(learning_config("feedback_delay: 2", "slots: 6\n"));
    mr_batch *a, *b, *c;
    ASSERT_EQ(mr_next(l.handle, &a, 30000), MR_OK);
    ASSERT_EQ(mr_next(l.handle, &b, 30000), MR_OK);
    for (int i = 0; i < 2; i++) { // waiting for ever, and again
        EXPECT_EQ(mr_next(l.handle, &c, MR_FOREVER), MR_E_LEASED);
        EXPECT_EQ(c, nullptr);
        EXPECT_STREQ(mr_error(l.handle),
                     "the next batch follows the feedback of batch 0 of epoch 0, which is still "
                     "leased: with 'feedback_delay: 2' release it (mr_release) before asking for "
                     "the next, or set 'feedback_delay' to more than the batches that you hold");
    }
    EXPECT_EQ(mr_release(b), MR_OK);
    EXPECT_EQ(mr_next(l.handle, &c, MR_FOREVER), MR_E_LEASED) << "the other one is needed";
    EXPECT_EQ(mr_release(a), MR_OK);
    EXPECT_EQ(mr_next(l.handle, &c, 30000), MR_OK);
    EXPECT_EQ(mr_release(c), MR_OK);
    EXPECT_EQ(learn(l, 3, 10, some_loss).size(), 10u) << "nothing was lost: " << l.error;
}

TEST_F(Feedback, WrongValuesAreRefusedWithBatchAndRow)
{
    Loader l(learning_config(""));
    learn(l, 0, 3, nothing);
    mr_batch *b;
    ASSERT_EQ(mr_next(l.handle, &b, 30000), MR_OK);
    for (double value : {-1.0, (double)NAN, (double)INFINITY, -(double)INFINITY, 1e39}) {
        EXPECT_EQ(mr_feedback(b, 5, value), MR_E_USAGE);
        EXPECT_NE(
            std::string(mr_error(l.handle)).find("row 5 of batch 3 of epoch 0: a feedback of"),
            std::string::npos)
            << mr_error(l.handle);
    }
    for (int row : {-1, 8, 1 << 30}) {
        EXPECT_EQ(mr_feedback(b, row, 1), MR_E_USAGE);
        EXPECT_EQ(mr_error(l.handle),
                  "batch 3 of epoch 0 has no row " + std::to_string(row) + ", it has 8");
    }
    EXPECT_EQ(mr_feedback(b, 0, 0), MR_OK);
    EXPECT_EQ(mr_release(b), MR_OK);
    EXPECT_EQ(mr_feedback(b, 0, 1), MR_E_STALE);
    EXPECT_STREQ(mr_error(l.handle), "feedback for row 0 of batch 3 of epoch 0 comes too late: the "
                                     "batch was released");
    EXPECT_EQ(mr_feedback(nullptr, 0, 1), MR_E_USAGE);
    EXPECT_EQ(learn(l, 4, 3, nothing).size(), 3u) << l.error;
}

TEST_F(Feedback, ARowWithoutASampleTakesNone)
{
    Loader l(learning_config(""), {"batch.last=pad"});
    learn(l, 0, 7, nothing);
    mr_batch *b;
    ASSERT_EQ(mr_next(l.handle, &b, 30000), MR_OK);
    EXPECT_EQ(mr_feedback(b, 3, 1), MR_OK);
    EXPECT_EQ(mr_feedback(b, 4, 1), MR_E_USAGE);
    EXPECT_NE(std::string(mr_error(l.handle)).find("row 4 of batch 7 of epoch 0 holds no sample"),
              std::string::npos);
    mr_release(b);
}

TEST_F(Feedback, ItsMemoryIsCounted)
{
    auto bytes = [](const char *delay) {
        Loader l(learning_config(""), {delay});
        mr_stats s = {};
        s.size = sizeof s;
        EXPECT_EQ(mr_get_stats(l.handle, &s), MR_OK) << l.error;
        return s.arena_bytes;
    };
    EXPECT_GE(bytes("sampler.feedback_delay=202"),
              bytes("sampler.feedback_delay=2") + 200u * 8 * 16)
        << "a place per row of 200 batches of 8";
}

TEST_F(Feedback, OtherSamplersAndOrdersTakeNone)
{
    Loader l(main_config());
    mr_batch *b;
    ASSERT_EQ(mr_next(l.handle, &b, 30000), MR_OK);
    EXPECT_EQ(mr_feedback(b, 0, 1), MR_E_UNSUPPORTED);
    EXPECT_STREQ(mr_error(l.handle),
                 "the sampler 'shuffle' takes no feedback: 'sampler: {type: adaptive}' does");
    mr_release(b);
    EXPECT_EQ(mr_save_weights(l.handle, weights().c_str()), MR_E_UNSUPPORTED);
    EXPECT_EQ(mr_load_weights(l.handle, weights().c_str()), MR_E_UNSUPPORTED);
    Loader unordered(learning_config(""), {"deterministic=false"});
    EXPECT_EQ(unordered.rc, MR_E_CONFIG);
    EXPECT_NE(unordered.error.find("it needs 'deterministic: true'"), std::string::npos)
        << unordered.error;
}

// ---- states

TEST_F(Feedback, AStateAndAWeightsFileBelongTogether)
{
    std::string config = learning_config("");
    Loader l(config);
    char text[1024];
    size_t bytes;
    learn(l, 0, 2, some_loss);
    EXPECT_EQ(mr_save_state(l.handle, text, sizeof text, &bytes), MR_E_USAGE);
    EXPECT_NE(std::string(mr_error(l.handle)).find("mr_save_weights before mr_save_state"),
              std::string::npos);
    ASSERT_EQ(mr_save_weights(l.handle, weights("two").c_str()), MR_OK);
    std::string two = l.state();
    learn(l, 2, 1, some_loss);
    EXPECT_EQ(mr_save_state(l.handle, text, sizeof text, &bytes), MR_E_USAGE) << "it is old now";
    ASSERT_EQ(mr_save_weights(l.handle, weights("three").c_str()), MR_OK);

    EXPECT_EQ(mr_load_state(l.handle, two.c_str()), MR_E_USAGE);
    EXPECT_NE(std::string(mr_error(l.handle)).find("mr_load_weights"), std::string::npos);
    ASSERT_EQ(mr_load_weights(l.handle, weights("three").c_str()), MR_OK);
    EXPECT_EQ(mr_load_state(l.handle, two.c_str()), MR_E_CONFIG);
    EXPECT_NE(std::string(mr_error(l.handle)).find("another state's"), std::string::npos);
    EXPECT_EQ(learn(l, 3, 2, some_loss).size(), 2u) << "nothing has changed";

    Resumed no_weights(config, {}, two, ""), no_state(config, {}, "", weights("two")),
        other(config, {}, two, weights("three"));
    EXPECT_EQ(no_weights.rc, MR_E_USAGE);
    EXPECT_EQ(no_state.rc, MR_E_USAGE);
    EXPECT_EQ(other.rc, MR_E_CONFIG) << other.error;
    EXPECT_NE(no_weights.error.find("a state needs its weights file"), std::string::npos);
    EXPECT_NE(no_state.error.find("no state"), std::string::npos) << no_state.error;
}

TEST_F(Feedback, AWeightsFileOfAnotherRunIsRefusedWithTheReason)
{
    std::string config = learning_config("", "", "wrap"), path = weights();
    Loader l(config);
    learn(l, 0, 12, some_loss);
    ASSERT_EQ(mr_save_weights(l.handle, path.c_str()), MR_OK);
    auto refusal = [&](std::vector<std::string> set) {
        Loader other(config, set);
        EXPECT_EQ(mr_load_weights(other.handle, path.c_str()), MR_E_CONFIG);
        return std::string(mr_error(other.handle));
    };
    EXPECT_EQ(refusal({"seed=7"}), "the weights in '" + path + "' are of another seed");
    EXPECT_NE(refusal({"sampler.feedback_delay=9"}).find("of another config"), std::string::npos);
    EXPECT_NE(refusal({"rank=1", "world=2"}).find("rank 0 of 1, this is rank 1 of 2"),
              std::string::npos);
    EXPECT_NE(refusal({"source.path=" MR_SAMPLE "/masks"}).find("another data set"),
              std::string::npos);
    EXPECT_EQ(mr_load_weights(l.handle, weights("none").c_str()), MR_E_IO);
    EXPECT_EQ(mr_load_weights(l.handle, root.c_str()), MR_E_IO);
    ASSERT_EQ(mkfifo(weights("fifo").c_str(), 0600), 0); // nobody will ever write to it
    EXPECT_EQ(mr_load_weights(l.handle, weights("fifo").c_str()), MR_E_IO);
    EXPECT_EQ(mr_save_weights(l.handle, weights("no/such").c_str()), MR_E_IO);

    std::ifstream in(path, std::ios::binary);
    std::string whole(std::istreambuf_iterator<char>(in), {});
    for (size_t i = 0; i < whole.size(); i += 1 + whole.size() / 60) {
        std::string bad = whole;
        bad[i] = (char)(bad[i] ^ 0x10);
        std::ofstream(path, std::ios::binary) << bad;
        EXPECT_EQ(mr_load_weights(l.handle, path.c_str()), MR_E_CONFIG) << "byte " << i;
    }
    for (size_t n : {(size_t)0, (size_t)50, whole.size() - 1}) {
        std::ofstream(path, std::ios::binary) << whole.substr(0, n);
        EXPECT_EQ(mr_load_weights(l.handle, path.c_str()), MR_E_CONFIG) << n << " bytes";
    }
    std::ofstream(path, std::ios::binary) << whole << "x";
    EXPECT_EQ(mr_load_weights(l.handle, path.c_str()), MR_E_CONFIG);
    EXPECT_EQ(learn(l, 12, 2, some_loss).size(), 2u) << l.error;
}

// A lease outlives the load, but says nothing any more.
TEST_F(Feedback, ABatchOfBeforeALoadTeachesNothing)
{
    Loader l(learning_config("feedback_delay: 2", "slots: 4\n"));
    learn(l, 0, 4, some_loss);
    ASSERT_EQ(mr_save_weights(l.handle, weights().c_str()), MR_OK);
    std::string state = l.state();
    auto expected = learn(l, 4, 6, some_loss);
    mr_batch *held;
    ASSERT_EQ(mr_next(l.handle, &held, 30000), MR_OK);
    ASSERT_EQ(mr_load_weights(l.handle, weights().c_str()), MR_OK);
    ASSERT_EQ(mr_load_state(l.handle, state.c_str()), MR_OK) << mr_error(l.handle);
    EXPECT_EQ(mr_feedback(held, 0, 1e30), MR_E_STALE);
    EXPECT_NE(std::string(mr_error(l.handle)).find("before mr_load_state"), std::string::npos);
    EXPECT_EQ(mr_release(held), MR_OK);
    EXPECT_EQ(learn(l, 4, 6, some_loss), expected);
}

// Each rank has its own weights; the batches are dealt as ever.
TEST_F(Feedback, RanksLearnByThemselves)
{
    std::string config = learning_config("feedback_delay: 2, floor: 0", "", "wrap");
    std::vector<Delivered> streams[2];
    for (int rank = 0; rank < 2; rank++) {
        Loader l(config, {"rank=" + std::to_string(rank), "world=2"});
        streams[rank] = learn(
            l, 0, 9, [&](uint64_t n, int row, uint64_t) { return n == 0 && row == 0 ? 1e30 : -1; });
        ASSERT_EQ(streams[rank].size(), 9u) << l.error;
    }
    for (int rank = 0; rank < 2; rank++)
        for (size_t n = 0; n < 9; n++) {
            const Delivered &d = streams[rank][n];
            EXPECT_EQ(d.batch, n % 4 * 2 + (size_t)rank);
            if (n >= 2) {
                EXPECT_EQ(d.ids, std::vector<uint64_t>(d.ids.size(), streams[rank][0].ids[0]));
            }
        }
}
