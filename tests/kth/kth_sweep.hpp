// SPDX-License-Identifier: Apache-2.0
//
// kth_sweep.hpp: one run of the library, as the sweep repeats it with another failure each time.
#ifndef KTH_SWEEP_HPP
#define KTH_SWEEP_HPP

#include <cstdint>
#include <string>

struct Outcome {
    int rc = 0;            // of the first call that failed; 0: everything worked
    const char *what = ""; // that call
    char sentence[1024] = {};
    uint64_t hash = 0; // of what was delivered, when everything worked
};

using Scenario = Outcome (*)();

Scenario find_scenario(const std::string &name);

#endif
