// SPDX-License-Identifier: Apache-2.0
//
// millrace/loader.hpp: a loader, and range-for over its batches.
#ifndef MILLRACE_LOADER_HPP
#define MILLRACE_LOADER_HPP

#include <millrace/batch.hpp>
#include <millrace/options.hpp>

#include <chrono>
#include <iterator>
#include <optional>

namespace millrace
{

// A config file's batches. Move-only. Calls may come from any thread, one at a time: the range-for
// keeps its place here.
class loader
{
  public:
    // Opens (mr_open): blocks until the index of the data set is built.
    explicit loader(const std::string &path, options options = {})
        : options_(std::make_unique<millrace::options>(std::move(options)))
    {
        detail::c_options c(*options_);
        check(mr_open(&handle_, path.c_str(), &c.o));
    }
    loader(loader &&other) noexcept
    {
        *this = std::move(other);
    }
    loader &operator=(loader &&other) noexcept
    {
        std::swap(options_, other.options_);
        std::swap(handle_, other.handle_);
        std::swap(current_, other.current_);
        std::swap(ahead_, other.ahead_);
        std::swap(step_, other.step_);
        std::swap(known_, other.known_);
        std::swap(state_ahead_, other.state_ahead_);
        return *this;
    }
    ~loader()
    {
        close();
    }
    // Ends the processes (mr_close). Batches that were moved out stay readable.
    void close() noexcept
    {
        current_ = batch();
        forget_ahead();
        mr_close(&handle_);
    }
    mr_loader *get() const noexcept
    {
        return handle_;
    }

    // The next batch goes into `into`, whose old one is released first (mr_next). MR_OK,
    // MR_END_EPOCH or MR_END. Throws MR_E_TIMEOUT when it takes longer than `patience`, which is
    // for ever when negative.
    int next(batch &into, std::chrono::milliseconds patience = std::chrono::milliseconds(-1))
    {
        into = batch();
        if (known_) {
            into = std::move(ahead_);
            step_ = *known_;
            forget_ahead();
            return step_;
        }
        mr_batch *b = nullptr;
        step_ = check(mr_next(alive(), &b, patience.count() < 0 ? MR_FOREVER : patience.count()),
                      handle_);
        into = batch(b);
        return step_;
    }
    // Between epochs: was that the last one? Then it may wait for the next epoch's first batch,
    // which next() gives out afterwards (hash() counts it already). Within an epoch: false.
    bool ended()
    {
        if (step_ == MR_END_EPOCH && !known_) {
            try {
                state_ahead_ = save_state();
            } catch (const error &) { // not every run can be saved; then save_state() will say so
            }
            mr_batch *b = nullptr;
            known_ = check(mr_next(alive(), &b, MR_FOREVER), handle_);
            ahead_ = batch(b);
        }
        return step_ == MR_END || (known_ && *known_ == MR_END);
    }

    // Batches up to the end of the epoch, or of the run. A batch is released when the next one is
    // asked for; to keep it, move it out.
    class iterator
    {
      public:
        using value_type = batch;
        using difference_type = std::ptrdiff_t;
        using pointer = batch *;
        using reference = batch &;
        using iterator_category = std::input_iterator_tag;
        iterator() = default;
        iterator(loader *from, bool all) : from_(from), all_(all)
        {
            ++*this;
        }
        batch &operator*() const noexcept
        {
            return from_->current_;
        }
        batch *operator->() const noexcept
        {
            return &from_->current_;
        }
        iterator &operator++()
        {
            int step;
            do
                step = from_->next(from_->current_);
            while (step == MR_END_EPOCH && all_);
            if (step != MR_OK)
                from_ = nullptr;
            return *this;
        }
        bool operator==(const iterator &other) const noexcept
        {
            return from_ == other.from_;
        }
        bool operator!=(const iterator &other) const noexcept
        {
            return from_ != other.from_;
        }

      private:
        loader *from_ = nullptr; // nullptr: the end
        bool all_ = false;
    };
    class range
    {
      public:
        range(loader &from, bool all) : from_(&from), all_(all)
        {
        }
        iterator begin() const
        {
            return iterator(from_, all_);
        }
        iterator end() const noexcept
        {
            return iterator();
        }

      private:
        loader *from_;
        bool all_;
    };
    // for (auto &batch : loader): the run. while (!loader.ended()) for (auto &batch :
    // loader.epoch()): epoch by epoch.
    iterator begin()
    {
        return iterator(this, true);
    }
    iterator end() noexcept
    {
        return iterator();
    }
    range epoch()
    {
        return range(*this, false);
    }

    // Where the run stands, for options::state or load_state() (mr_save_state).
    std::string save_state()
    {
        if (known_ && !state_ahead_.empty())
            return state_ahead_;
        std::string text(1024, '\0');
        std::size_t bytes = 0;
        int rc = mr_save_state(alive(), text.data(), text.size(), &bytes);
        if (rc == MR_E_LIMIT) {
            text.resize(bytes);
            rc = mr_save_state(handle_, text.data(), text.size(), &bytes);
        }
        check(rc, handle_);
        text.resize(bytes ? bytes - 1 : 0);
        return text;
    }
    void load_state(const std::string &state)
    {
        check(mr_load_state(alive(), state.c_str()), handle_);
        forget_ahead();
        step_ = MR_OK;
    }
    // With a sampler that learns: its weights, before save_state() of the same place, and before
    // load_state() (mr_save_weights, mr_load_weights).
    void save_weights(const std::string &path)
    {
        if (known_)
            throw error(MR_E_USAGE, "ended() has taken the next batch: save the weights before it");
        check(mr_save_weights(alive(), path.c_str()), handle_);
    }
    void load_weights(const std::string &path)
    {
        check(mr_load_weights(alive(), path.c_str()), handle_);
    }
    // Ends the epoch early; the next step is MR_END_EPOCH.
    void end_epoch()
    {
        forget_ahead();
        check(mr_end_epoch(alive()), handle_);
    }
    // The next step is the first batch of this epoch (mr_set_epoch).
    void set_epoch(std::uint64_t epoch)
    {
        if (known_ == MR_OK && ahead_ && ahead_.info().epoch == epoch)
            return; // ended() has taken it already
        forget_ahead();
        check(mr_set_epoch(alive(), epoch), handle_);
        step_ = MR_OK;
    }
    // The stream hash (mr_stream_hash): counted from begin_hash() on.
    void begin_hash()
    {
        check(mr_stream_hash_begin(alive()), handle_);
    }
    std::uint64_t hash() const
    {
        std::uint64_t hash = 0;
        check(mr_stream_hash(alive(), &hash), handle_);
        return hash;
    }
    mr_stats stats() const
    {
        mr_stats stats = {};
        stats.size = sizeof stats;
        check(mr_get_stats(alive(), &stats), handle_);
        return stats;
    }
    int fd() const
    {
        return check(mr_fd(alive()), handle_);
    }
    std::string dump() const
    {
        char *text = mr_dump(alive());
        if (!text)
            check(mr_fd(handle_), handle_); // closed or forked; or memory is out
        return detail::take(text);
    }
    // "" past the end, or when the source has none.
    std::string class_name(std::uint64_t label) const
    {
        const char *name = mr_class_name(alive(), label);
        return name ? name : "";
    }
    std::string sample_path(std::uint64_t sample) const
    {
        return detail::take(mr_sample_path(alive(), sample));
    }

  private:
    mr_loader *alive() const
    {
        if (!handle_)
            throw error(MR_E_CLOSED, "the loader is closed");
        return handle_;
    }
    void forget_ahead() noexcept
    {
        ahead_ = batch();
        known_.reset();
        state_ahead_.clear();
    }
    std::unique_ptr<options> options_; // their address is with the C loader, for the log
    mr_loader *handle_ = nullptr;
    batch current_, ahead_;    // of the range-for; taken by ended()
    int step_ = MR_OK;         // what next() gave last
    std::optional<int> known_; // what it will give next, when ended() has looked
    std::string state_ahead_;  // save_state() before it looked
};

// Checks a config as opening would, and starts nothing (mr_check).
inline void check_config(const std::string &path, const options &options = {})
{
    detail::c_options c(options);
    check(mr_check(path.c_str(), &c.o));
}
// The plan as text for people (mr_explain).
inline std::string explain(const std::string &path, const options &options = {})
{
    detail::c_options c(options);
    char *text = nullptr;
    check(mr_explain(path.c_str(), &c.o, &text));
    return detail::take(text);
}

} // namespace millrace

#endif
