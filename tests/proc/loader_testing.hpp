// SPDX-License-Identifier: Apache-2.0
//
// loader_testing.hpp: what the tests of running loaders share: configs over the sample data set,
// and reading streams.
#ifndef LOADER_TESTING_HPP
#define LOADER_TESTING_HPP

#include <gtest/gtest.h>

#include "millrace/millrace.h"

#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

// The main job in small over MR_SAMPLE: 60 images, 3 classes. `more` goes behind the top-level
// keys.
std::string main_config(const std::string &more = "", const std::string &source = "");

struct Delivered {
    uint64_t epoch, batch, hash;
    int32_t rows, valid;
    std::vector<uint64_t> ids;
    std::vector<uint8_t> flags; // valid bytes
    bool operator==(const Delivered &o) const
    {
        return epoch == o.epoch && batch == o.batch && hash == o.hash && ids == o.ids &&
               flags == o.flags;
    }
};
std::ostream &operator<<(std::ostream &out, const Delivered &d);

// A loader that is closed at the end of the test. Overrides are "key=value".
class Loader
{
  public:
    explicit Loader(const std::string &config, std::vector<std::string> set = {},
                    const char *state = nullptr, const mr_commander *commander = nullptr,
                    const mr_producer *producer = nullptr, const char *weights = nullptr);
    ~Loader();
    Loader(const Loader &) = delete;
    Loader &operator=(const Loader &) = delete;

    int rc;            // of mr_open
    std::string error; // of mr_open
    mr_loader *handle = nullptr;
    std::vector<std::string> log;

    // Reads until `batches` were delivered or the run ends; ends holds MR_END_EPOCH per epoch's
    // end. Stops at an error, which is in `rc`.
    std::vector<Delivered> read(size_t batches = SIZE_MAX,
                                const std::function<void(size_t)> &before = nullptr);
    uint64_t stream_hash();
    std::string state();
    int epochs_ended = 0;
};

Delivered describe(mr_batch *batch);
// Living pids of the loader's processes by name ("mr-producer-0", ...), children of this process
// and theirs.
std::vector<pid_t> processes(const std::string &name_prefix);
bool eventually(const std::function<bool()> &what, int timeout_ms = 2000);

#endif
