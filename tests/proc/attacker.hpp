// SPDX-License-Identifier: Apache-2.0
//
// attacker.hpp: a thread that strikes a running loader's processes at random moments.
#ifndef ATTACKER_HPP
#define ATTACKER_HPP

#include "fault_testing.hpp"

#include <atomic>
#include <thread>

struct Faults { // what was done
    uint64_t kills = 0, stops = 0, timeouts = 0, crashes = 0;
    uint64_t doubles = 0; // of these: before the loader had got over the one before
    uint64_t commanders = 0;
    uint64_t all() const
    {
        return kills + stops + timeouts + crashes;
    }
    void add(const Faults &o);
};

#ifdef __SANITIZE_ADDRESS__
constexpr bool can_crash = false; // its own handler makes exits with a report of them
#else
constexpr bool can_crash = true;
#endif

struct Attack {
    uint64_t faults;          // so many, then the thread ends by itself
    uint64_t pause_us = 0;    // between two bursts, at random up to twice as long
    bool timeouts = false;    // leave some stopped until sample_timeout ends them
    bool crashes = can_crash; // SEGV, BUS, ABRT, ... as well
    uint64_t seed = 1;
};

class Attacker
{
  public:
    Attacker(mr_loader *loader, const Attack &attack);
    ~Attacker(); // ends and joins
    bool done() const
    {
        return finished;
    }
    const Faults &end(); // ends, joins; nothing is stopped any more

  private:
    void run();
    void burst();
    bool strike();
    void stop_for_a_while(int pidfd);
    void recover(uint64_t deaths);
    bool wait(bool (Attacker::*what)(), int timeout_ms);
    bool replaced()
    {
        return respawns(loader) >= want;
    }
    bool row_made()
    {
        return rows_made(loader) > want;
    }

    mr_loader *loader;
    Attack attack;
    Random random;
    Faults faults;
    uint64_t want = 0;
    std::atomic<bool> leave{false}, finished{false};
    std::thread thread;
};

#endif
