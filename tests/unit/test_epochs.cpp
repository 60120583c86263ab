// SPDX-License-Identifier: Apache-2.0
//
// How passes become epochs and epochs are dealt to ranks: held against a list made by hand, for
// many sizes, and over chains of states saved by one number of ranks and resumed by another.
#include <gtest/gtest.h>

extern "C" {
#include "pipe/epochs.h"
}

#include <map>
#include <random>
#include <vector>

namespace
{

constexpr uint64_t kNone = UINT64_MAX;
using Batch = std::vector<std::pair<uint64_t, uint64_t>>; // (pass, position in it) or kNone twice

struct Shape {
    uint64_t positions, batch, epoch_batches;
    mr_last last;
};

mr_epochs cut(const Shape &s, uint64_t world, uint64_t rank = 0)
{
    mr_config c = {};
    c.batch.size = (int64_t)s.batch;
    c.batch.last = s.last;
    c.epoch_batches = (int64_t)s.epoch_batches;
    c.world = (int64_t)world;
    c.rank = (int64_t)rank;
    mr_epochs ep;
    mr__epochs_cut(&ep, &c, s.positions);
    return ep;
}

uint64_t steps_of(const Shape &s, uint64_t world, uint64_t base)
{
    mr_epochs ep = cut(s, world);
    return mr__epochs_steps(&ep, base);
}

Batch read(const mr_epochs &ep, uint64_t epoch, uint64_t g)
{
    Batch b;
    for (uint32_t i = 0; i < mr__epochs_rows(&ep, epoch, g); i++) {
        uint64_t pass = kNone, at = kNone;
        bool there = mr__epochs_place(&ep, epoch, g * ep.batch + i, &pass, &at);
        b.emplace_back(there ? pass : kNone, there ? at : kNone);
    }
    return b;
}

// A pass's batches, as the README describes them.
std::vector<Batch> one_pass(const Shape &s, uint64_t pass)
{
    std::vector<Batch> batches;
    for (uint64_t first = 0; first < s.positions; first += s.batch) {
        Batch b;
        for (uint64_t at = first; at < first + s.batch; at++) {
            if (at < s.positions)
                b.emplace_back(pass, at);
            else if (s.last == MR_LAST_PAD)
                b.emplace_back(kNone, kNone);
            else if (s.last == MR_LAST_WRAP)
                b.emplace_back(pass, at % s.positions);
        }
        if (b.size() == s.batch || s.last == MR_LAST_SHORT)
            batches.push_back(b);
    }
    return batches;
}

std::vector<Batch> epoch_by_hand(const Shape &s, uint64_t epoch)
{
    if (!s.epoch_batches)
        return one_pass(s, epoch);
    std::vector<Batch> all;
    for (uint64_t pass = 0; all.size() < (epoch + 1) * s.epoch_batches; pass++)
        for (const Batch &b : one_pass(s, pass))
            all.push_back(b);
    return {all.begin() + (long)(epoch * s.epoch_batches),
            all.begin() + (long)((epoch + 1) * s.epoch_batches)};
}

template <class F> void every_shape(F f)
{
    for (uint64_t positions : {1, 2, 5, 7, 12, 13, 24, 61})
        for (uint64_t batch : {1, 2, 3, 4, 8})
            for (uint64_t epoch_batches : {0, 1, 5, 12})
                for (mr_last last : {MR_LAST_SHORT, MR_LAST_DROP, MR_LAST_PAD, MR_LAST_WRAP})
                    if (last != MR_LAST_DROP || positions >= batch)
                        f(Shape{positions, batch, epoch_batches, last});
}

std::string name(const Shape &s)
{
    return std::to_string(s.positions) + " positions, batch " + std::to_string(s.batch) +
           ", epoch_batches " + std::to_string(s.epoch_batches) + ", last " +
           std::to_string(s.last);
}

} // namespace

TEST(Epochs, AreWhatTheyAreWithoutRanks)
{
    every_shape([](const Shape &s) {
        mr_epochs ep = cut(s, 1);
        for (uint64_t epoch : {0, 1, 2, 5}) {
            std::vector<Batch> expected = epoch_by_hand(s, epoch);
            ASSERT_EQ(mr__epochs_steps(&ep, 0), expected.size()) << name(s);
            for (uint64_t g = 0; g < expected.size(); g++)
                ASSERT_EQ(read(ep, epoch, g), expected[g]) << name(s) << " batch " << g;
        }
    });
}

// The rows that ranks get: each batch of the epoch once, all ranks the same number of steps, and
// what is left out or added is what the policy says, whatever the number of ranks.
TEST(Epochs, AreDealtWholeToAnyNumberOfRanks)
{
    every_shape([](const Shape &s) {
        std::vector<Batch> expected = epoch_by_hand(s, 3);
        for (uint64_t world : {1, 2, 3, 7}) {
            if (s.last == MR_LAST_SHORT && world > 1)
                continue; // refused
            std::map<uint64_t, int> dealt;
            uint64_t steps = steps_of(s, world, 0);
            for (uint64_t rank = 0; rank < world; rank++) {
                mr_epochs ep = cut(s, world, rank);
                ASSERT_EQ(mr__epochs_steps(&ep, 0), steps);
                for (uint64_t step = 0; step < steps; step++) {
                    uint64_t g = step * world + rank;
                    dealt[g]++;
                    Batch b = read(ep, 3, g);
                    if (g < expected.size())
                        ASSERT_EQ(b, expected[g]) << name(s) << " world " << world;
                    else
                        ASSERT_EQ(b.size(), s.batch) << name(s);
                    for (auto &row : b)
                        ASSERT_TRUE(g < expected.size() || s.last != MR_LAST_PAD ||
                                    row.second == kNone);
                }
            }
            for (auto &[g, times] : dealt)
                ASSERT_EQ(times, 1) << name(s) << " batch " << g;
            uint64_t least =
                s.last == MR_LAST_DROP ? expected.size() / world * world : expected.size();
            ASSERT_GE(steps * world, least) << name(s);
            ASSERT_LT(steps * world, least + world) << name(s);
        }
    });
}

TEST(Epochs, ComeWholeWhenTheNumberOfRanksChangesAnywhere)
{
    std::mt19937 random(5);
    every_shape([&](const Shape &s) {
        std::vector<Batch> expected = epoch_by_hand(s, 2);
        for (int trial = 0; trial < 6; trial++) {
            std::map<uint64_t, int> dealt;
            uint64_t base = 0, world;
            bool end = false;
            while (!end) { // each round is one run: some steps, then a state
                world = 1 + random() % 7;
                uint64_t left = steps_of(s, world, base);
                uint64_t steps = random() % 3 ? random() % (left + 1) : left;
                end = steps == left;
                for (uint64_t step = 0; step < steps; step++)
                    for (uint64_t rank = 0; rank < world; rank++)
                        dealt[base + step * world + rank]++;
                base += steps * world;
            }
            uint64_t g = 0;
            for (auto &[batch, times] : dealt) {
                ASSERT_EQ(batch, g++) << name(s) << ": none is left out on the way";
                ASSERT_EQ(times, 1) << name(s);
            }
            if (s.last == MR_LAST_DROP)
                ASSERT_GT(g + world, expected.size()) << name(s);
            else
                ASSERT_GE(g, expected.size()) << name(s);
            ASSERT_LT(g, expected.size() + 7) << name(s);
        }
    });
}

TEST(Epochs, ABaseAtOrBehindTheEndLeavesNothing)
{
    for (mr_last last : {MR_LAST_DROP, MR_LAST_PAD, MR_LAST_WRAP})
        for (uint64_t base : {uint64_t(4), uint64_t(5), uint64_t(1) << 47}) {
            mr_epochs ep = cut({16, 4, 0, last}, 3);
            EXPECT_EQ(mr__epochs_steps(&ep, base), 0u);
        }
}

// Epoch 1000 of a billion is reached by arithmetic.
TEST(Epochs, AreFoundAtOnceHoweverFarTheyAre)
{
    mr_epochs ep = cut({1000000000, 64, 1000, MR_LAST_WRAP}, 3);
    uint64_t pass, at;
    for (uint64_t i = 0; i < 1000; i++) {
        uint64_t epoch = 15625000 + i; // 15,625,000 batches are a pass, 1000 batches an epoch
        ASSERT_TRUE(mr__epochs_place(&ep, epoch, 17, &pass, &at));
        ASSERT_EQ(pass, 1000u);
        ASSERT_EQ(at, i * 64000 + 17);
    }
}
