// SPDX-License-Identifier: Apache-2.0
//
// storm_loops.hpp: the two deaths that end a run. Each returns the program's exit status.
#ifndef STORM_LOOPS_HPP
#define STORM_LOOPS_HPP

#include <cstdint>

// Kills n trainers at random moments: a second later nothing may be left.
int kill_trainers(uint64_t n, uint64_t seed);
// Kills n wardens: the trainer gets a clear error within a second, and nothing is left.
int kill_wardens(uint64_t n, uint64_t seed);

#endif
