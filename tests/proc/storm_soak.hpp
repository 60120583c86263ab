// SPDX-License-Identifier: Apache-2.0
//
// storm_soak.hpp: the storm at a moderate rate for a long time, in one loader, while the memory,
// descriptors and children of its processes are sampled.
#ifndef STORM_SOAK_HPP
#define STORM_SOAK_HPP

// Prints a summary line and writes the samples to `json` (NULL: nowhere). 1: something grew.
int run_soak(double minutes, const char *json);

#endif
