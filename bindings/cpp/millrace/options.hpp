// SPDX-License-Identifier: Apache-2.0
//
// millrace/options.hpp: what a loader takes beside its config.
#ifndef MILLRACE_OPTIONS_HPP
#define MILLRACE_OPTIONS_HPP

#include <millrace/error.hpp>

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace millrace
{

struct options {
    std::vector<std::string> set; // "key.path=value"
    std::string state;            // from loader::save_state(); empty: the beginning
    std::string weights;          // from loader::save_weights(), for a sampler that learns
    std::string text;             // the config itself instead of a file
    std::string warden;           // path of the warden program; empty: found
    // Log lines, from inside other calls on the loader: it must not call the loader. What it throws
    // is dropped.
    std::function<void(mr_log_level, std::string_view)> log;
    const mr_commander *commander = nullptr; // context: fork
    const mr_producer *producer = nullptr;
};

namespace detail
{

// struct options as the C API takes it; looks into the struct, which must stay.
class c_options
{
  public:
    explicit c_options(const options &from)
    {
        for (auto &one : from.set)
            set_.push_back(one.c_str());
        set_.push_back(nullptr);
        o.size = sizeof o;
        o.set = set_.data();
        o.state = from.state.empty() ? nullptr : from.state.c_str();
        o.weights = from.weights.empty() ? nullptr : from.weights.c_str();
        o.config_text = from.text.empty() ? nullptr : from.text.c_str();
        o.warden = from.warden.empty() ? nullptr : from.warden.c_str();
        o.commander = from.commander;
        o.producer = from.producer;
        if (from.log) {
            o.log = pass_log;
            o.log_user =
                const_cast<std::function<void(mr_log_level, std::string_view)> *>(&from.log);
        }
    }
    c_options(const c_options &) = delete;
    c_options &operator=(const c_options &) = delete;
    mr_options o = {};

  private:
    // An exception must not pass through the C library.
    static void pass_log(void *log, mr_log_level level, const char *line)
    {
        try {
            (*static_cast<const std::function<void(mr_log_level, std::string_view)> *>(log))(level,
                                                                                             line);
        } catch (...) {
        }
    }
    std::vector<const char *> set_;
};

// A text of the C library's becomes a string, and is freed.
inline std::string take(char *text)
{
    std::unique_ptr<char, void (*)(void *)> owned(text, mr_free);
    return text ? std::string(text) : std::string();
}

} // namespace detail

} // namespace millrace

#endif
