// SPDX-License-Identifier: Apache-2.0
//
// storm_reader.hpp: a trainer that checks every batch it gets against the undisturbed stream, over
// and over: it goes back to the beginning when ref_epochs are over, and at random before.
#ifndef STORM_READER_HPP
#define STORM_READER_HPP

#include "fault_testing.hpp"

#include <atomic>
#include <deque>
#include <memory>
#include <thread>

class StormReader
{
  public:
    StormReader(const Job &job, uint64_t seed);
    ~StormReader();
    mr_loader *loader()
    {
        return handle;
    }
    void step();   // one call of mr_next, checked
    void finish(); // releases, checks, closes
    uint64_t batches = 0, cancels = 0;

  private:
    struct Leased {
        mr_batch *batch;
        Piece piece;
    };
    void take(mr_batch *batch);
    void epoch_ended();
    void go_elsewhere();
    void rewind();
    void release_one();
    void watch(); // the watchdog's thread

    Job job;
    Random random;
    mr_loader *handle;
    std::string beginning;
    std::deque<Leased> leased;
    uint64_t epoch = 0, next = 0; // next: in order, the batch that is due
    bool cut = false;             // mr_end_epoch was called
    std::vector<bool> seen;       // batches of this epoch
    std::atomic<uint64_t> alive{0};
    std::atomic<bool> over{false};
    std::thread watchdog;
};

#endif
