// SPDX-License-Identifier: Apache-2.0
//
// millrace/batch.hpp: a leased batch that releases itself.
#ifndef MILLRACE_BATCH_HPP
#define MILLRACE_BATCH_HPP

#include <millrace/view.hpp>

#include <utility>

namespace millrace
{

// A leased batch; released when it goes. Move-only. It may outlive its loader.
class batch
{
  public:
    batch() = default;
    explicit batch(mr_batch *handle) noexcept : handle_(handle)
    {
    }
    batch(batch &&other) noexcept : handle_(std::exchange(other.handle_, nullptr))
    {
    }
    batch &operator=(batch &&other) noexcept
    {
        std::swap(handle_, other.handle_);
        return *this;
    }
    ~batch()
    {
        if (handle_)
            mr_release(handle_);
    }
    // Gives the batch back now (mr_release). Nothing to do for one that holds none.
    void release()
    {
        if (handle_)
            check(mr_release(std::exchange(handle_, nullptr)));
    }
    explicit operator bool() const noexcept
    {
        return handle_ != nullptr;
    }
    mr_batch *get() const noexcept
    {
        return handle_;
    }
    bool has(const std::string &name) const noexcept
    {
        return handle_ && mr_field(handle_, name.c_str());
    }
    // Throws MR_E_USAGE for a name that is no field's, MR_E_STALE after the release, MR_E_FORKED in
    // a forked child.
    const mr_tensor &tensor(const std::string &name) const
    {
        const mr_tensor *t = handle_ ? mr_field(handle_, name.c_str()) : nullptr;
        if (!t) {
            info();
            throw error(MR_E_USAGE, "the batch has no field '" + name + "'");
        }
        return *t;
    }
    template <class T> view<T> field(const std::string &name) const
    {
        return view<T>(tensor(name));
    }
    // The fields' names, in the config's order.
    std::vector<std::string> fields() const
    {
        std::vector<std::string> names;
        if (handle_)
            info();
        for (std::int32_t i = 0; i < (handle_ ? mr_field_count(handle_) : 0); i++)
            names.emplace_back(mr_field_at(handle_, i)->name);
        return names;
    }
    mr_batch_info info() const
    {
        mr_batch_info info;
        check(handle_ ? mr_batch_get_info(handle_, &info) : stale());
        return info;
    }
    // info().rows of each: sample ids, and whether the row holds a sample. nullptr: released.
    const std::uint64_t *ids() const noexcept
    {
        return handle_ ? mr_sample_ids(handle_) : nullptr;
    }
    const std::uint8_t *valid() const noexcept
    {
        return handle_ ? mr_valid(handle_) : nullptr;
    }
    // What was found of a row, a loss say, for a sampler that learns (mr_feedback).
    void feedback(std::int32_t row, double value) const
    {
        check(handle_ ? mr_feedback(handle_, row, value) : stale());
    }
    std::uint64_t hash() const
    {
        std::uint64_t hash = 0;
        check(handle_ ? mr_batch_hash(handle_, &hash) : stale());
        return hash;
    }

  private:
    static int stale()
    {
        throw error(MR_E_STALE, "the batch was released");
    }
    mr_batch *handle_ = nullptr;
};

} // namespace millrace

#endif
