// SPDX-License-Identifier: Apache-2.0
//
// feedback_testing.hpp: what the tests of feedback share: a small job with a sampler that learns,
// a made-up loss, and an oracle that plays the commander.
#ifndef FEEDBACK_TESTING_HPP
#define FEEDBACK_TESTING_HPP

#include "loader_testing.hpp"

#include <filesystem>

// 60 images, 3 classes, 7 batches of 8 an epoch and, unless `last` is drop, one of 4; endless.
std::string learning_config(const std::string &sampler, const std::string &more = "",
                            const std::string &last = "short");

// What the trainers of these tests say of a sample at their n-th batch; negative: nothing.
using Loss = std::function<double(uint64_t n, int row, uint64_t sample)>;
double some_loss(uint64_t n, int row, uint64_t sample);

// Reads `batches` batches from number `from` on, says what `loss` says, calls `before` with the
// batch in hand and its number. Ends of epochs are passed over.
std::vector<Delivered> learn(Loader &l, uint64_t from, uint64_t batches, const Loss &loss,
                             const std::function<void(uint64_t)> &before = nullptr);

// A loader that goes on from a state and its weights file; "": none.
class Resumed : public Loader
{
  public:
    Resumed(const std::string &config, std::vector<std::string> set, const std::string &state,
            const std::string &weights);
};

// The ids of the first `batches` batches, planned here, from the sampler's table alone.
std::vector<std::vector<uint64_t>> oracle(const std::string &config, uint64_t batches,
                                          const Loss &loss);

#endif
