// SPDX-License-Identifier: Apache-2.0
//
// faulty.hpp: loaders whose producer does what it must not (fault_plugin.c), and the stream that
// they have to deliver all the same.
#ifndef FAULTY_HPP
#define FAULTY_HPP

#include "loader_testing.hpp"

#include <filesystem>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
#else
constexpr bool kSanitized = false;
#endif

// One fault at index `at` of 40; `times` -1: whenever it comes by.
struct Fault {
    const char *how = "none";
    int times = 1;
    int at = 13;
    const char *unit = "row";
    bool exec = false;
};

inline std::string last_tally; // the file that counts the faults of the last faulty_config

inline std::string faulty_config(const Fault &fault, const std::string &more = "")
{
    static int number = 0;
    last_tally =
        MR_BINARY_DIR "/tests/tally." + std::to_string(getpid()) + "." + std::to_string(++number);
    std::filesystem::remove(last_tally);
    return "version: 1\nepochs: 2\nbatch: {size: 4, last: short}\nseed: 3\n" + more +
           (more.find("producers:") == std::string::npos ? "producers: 2\n" : "") +
           "commander: {plugin: " MR_FAULT_PLUGIN ", params: {max_index: 40}}\n"
           "producer: {" +
           (fault.exec ? "exec: " MR_FAULT_WORKER : "plugin: " MR_FAULT_PLUGIN) +
           ", unit: " + fault.unit + ", params: {how: " + fault.how +
           ", at: " + std::to_string(fault.at) + ", times: " + std::to_string(fault.times) +
           ", tally: " + last_tally +
           "}}\n"
           "fields:\n  image: {dtype: uint16, shape: [8, 8, 3]}\n";
}

// What a loader without a fault delivers.
inline const std::vector<Delivered> &faultless()
{
    static const std::vector<Delivered> all = Loader(faulty_config({})).read();
    return all;
}

inline mr_stats stats_of(const Loader &l)
{
    mr_stats s = {};
    s.size = sizeof s;
    EXPECT_EQ(mr_get_stats(l.handle, &s), MR_OK);
    return s;
}

// The first log line with `text`, "" when there is none.
inline std::string line_with(const Loader &l, const std::string &text)
{
    for (const std::string &line : l.log)
        if (line.find(text) != std::string::npos)
            return line;
    return "";
}

// All lines, for a failure's message.
inline std::string all_lines(const Loader &l)
{
    std::string all;
    for (const std::string &line : l.log)
        all += line + "\n";
    return all;
}

#endif
