// SPDX-License-Identifier: Apache-2.0
//
// fault_testing.hpp: what the fault-injection programs share: a tiny job, its undisturbed stream,
// and looking at a loader's processes from outside and inside. No GoogleTest: these are programs.
#ifndef FAULT_TESTING_HPP
#define FAULT_TESTING_HPP

extern "C" {
#include "loader_inside.h"
}

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

constexpr uint64_t ref_epochs = 6; // epochs of the undisturbed stream that is compared with

// Ends the program with a sentence on standard error and, when there is a loader, its mr_dump.
[[noreturn]] void give_up(mr_loader *loader, const std::string &sentence);

// A delivered batch. The hash covers ids, valid bytes, fields and ragged counts.
struct Piece {
    uint64_t epoch, batch, hash;
    int32_t rows, valid;
    bool operator==(const Piece &o) const
    {
        return epoch == o.epoch && batch == o.batch && hash == o.hash && rows == o.rows &&
               valid == o.valid;
    }
};
Piece look_at(mr_batch *batch);
std::string to_text(const Piece &p);

struct Job { // what may differ without changing the stream
    int producers = 2, threads = 1, slots = 3;
    bool in_order = true, fork = false;
    double sample_timeout = 30;
    uint64_t epochs = 0;
    std::string folder = MR_TINY "/images";
    std::string more = ""; // lines of config
    std::string sampler = "shuffle";
};
std::string to_text(const Job &job);
mr_loader *open_job(const Job &job, const char *state = nullptr); // NULL: mr_error(nullptr) says
std::string state_of(mr_loader *loader);

// ref_epochs epochs of the stream, batch by batch in order, as nothing disturbed it. Made once.
const std::vector<Piece> &undisturbed();
// The batch of that number in it; gives up when there is none.
const Piece &expected(uint64_t epoch, uint64_t batch);
uint64_t batches_per_epoch();

// ---- processes ----
int lanes_of(mr_loader *loader); // warden, commander, producers
// The process that sits in a lane: a living child of the warden and its pidfd, or -1.
int open_lane(mr_loader *loader, int lane);
bool send(int pidfd, int signal);
bool has_ended(int pidfd, int timeout_ms);
uint64_t rows_made(mr_loader *loader);
uint64_t respawns(mr_loader *loader);
pid_t pid_in_lane(mr_loader *loader, int lane);
pid_t child_of(pid_t parent);  // a living one, 0: none
int children_of(pid_t parent); // dead and unreaped ones, too
// Ends what nothing_left has found, so that the next test begins with nothing.
void kill_descendants();
// As a child subreaper: waits until this process has no descendants. False: some are left.
bool nothing_left(int timeout_ms);

// ---- small things ----
double seconds();
void sleep_us(uint64_t us);

class Random // xorshift64*, so that a seed repeats a storm on any library
{
    uint64_t x;

  public:
    explicit Random(uint64_t seed) : x(seed * 2654435769u + 88172645463325252ull)
    {
    }
    uint64_t below(uint64_t n)
    {
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        return (x * 2685821657736338717ull >> 33) % n;
    }
    bool chance(int percent)
    {
        return below(100) < (uint64_t)percent;
    }
};

#endif
