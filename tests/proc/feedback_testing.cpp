// SPDX-License-Identifier: Apache-2.0
#include "feedback_testing.hpp"

extern "C" {
#include "base/config.h"
#include "base/weights.h"
}

#include <cmath>
#include <cstdlib>

#include <unistd.h>

std::string learning_config(const std::string &sampler, const std::string &more,
                            const std::string &last)
{
    return "version: 1\n"
           "seed: 42\n"
           "epochs: 0\n" +
           more + "batch: {size: 8, last: " + last +
           "}\n"
           "source: {type: folder, path: " MR_SAMPLE "/images}\n"
           "sampler: {type: adaptive" +
           (sampler.empty() ? "" : ", " + sampler) +
           "}\n"
           "ops:\n"
           "  - random_resized_crop: {size: 16}\n";
}

double some_loss(uint64_t n, int row, uint64_t sample)
{
    uint64_t x = (n * 1000003 + (uint64_t)row * 10007 + sample) * 0x9e3779b97f4a7c15ull;
    return (x >> 60) < 3 ? -1 : std::exp((double)(x >> 40 & 0xff) / 64);
}

std::vector<Delivered> learn(Loader &l, uint64_t from, uint64_t batches, const Loss &loss,
                             const std::function<void(uint64_t)> &before)
{
    std::vector<Delivered> all;
    mr_batch *batch;
    while (l.handle && all.size() < batches) {
        l.rc = mr_next(l.handle, &batch, 60000);
        if (l.rc < 0)
            l.error = mr_error(l.handle);
        if (l.rc < 0 || l.rc == MR_END)
            break;
        if (l.rc == MR_END_EPOCH)
            continue;
        uint64_t n = from + all.size();
        all.push_back(describe(batch));
        for (int32_t row = 0; row < all.back().rows; row++) {
            double value = loss(n, row, all.back().ids[(size_t)row]);
            if (value >= 0) {
                EXPECT_EQ(mr_feedback(batch, row, value), MR_OK) << mr_error(l.handle);
            }
        }
        if (before)
            before(n);
        EXPECT_EQ(mr_release(batch), MR_OK);
    }
    return all;
}

static const char *given(const std::string &text)
{
    return text.empty() ? nullptr : text.c_str();
}

Resumed::Resumed(const std::string &config, std::vector<std::string> set, const std::string &state,
                 const std::string &weights)
    : Loader(config, std::move(set), given(state), nullptr, nullptr, given(weights))
{
}

namespace
{

struct Planner {
    mr_config *config = nullptr;
    mr_index index = {};
    const mr_sampler *sampler;
    void *self = nullptr, *memory;
    mr_weights w;
    mr_errbuf e = {};
    explicit Planner(const std::string &text)
    {
        EXPECT_EQ(mr__config_read(&config, nullptr, text.c_str(), nullptr, &e), MR_OK) << e.text;
        auto *source = (const mr_source *)config->source.desc;
        sampler = (const mr_sampler *)config->sampler.desc;
        mr_index_builder *b;
        int fd = mr__index_memfd(&e);
        EXPECT_EQ(mr__index_builder_new(&b, &e), MR_OK);
        EXPECT_EQ(source->index(config->source.params, b, &e), MR_OK) << e.text;
        EXPECT_EQ(mr__index_finish(b, fd, &e), MR_OK) << e.text;
        mr__index_builder_free(b);
        EXPECT_EQ(mr__index_map(&index, fd, &e), MR_OK) << e.text;
        close(fd);
        mr_sampler_env env = {};
        env.index = &index;
        env.samples = index.head->samples;
        env.seed = (uint64_t)config->seed;
        env.batch = (uint64_t)config->batch.size;
        EXPECT_EQ(sampler->open(config->sampler.params, &env, &self, &e), MR_OK) << e.text;
        uint64_t n = sampler->learner->weights(self);
        memory = aligned_alloc(64, (mr__weights_bytes(n) + 63) / 64 * 64);
        mr__weights_place(&w, memory, n);
        mr__weights_fill(&w, sampler->learner->initial(self));
    }
    ~Planner()
    {
        sampler->close(self);
        mr__index_unmap(&index);
        mr__config_free(config);
        free(memory);
    }
    std::vector<uint64_t> plan(uint64_t batch)
    {
        uint64_t n = sampler->length(self), rows = (uint64_t)config->batch.size;
        uint64_t steps = (n + rows - 1) / rows, at = batch % steps * rows;
        std::vector<uint64_t> ids;
        for (uint64_t i = at; i < at + rows && i < n; i++) {
            mr_pick pick = {};
            EXPECT_EQ(sampler->learner->choose(self, &w, batch / steps, i, &pick, &e), MR_OK);
            ids.push_back(pick.sample);
        }
        return ids;
    }
    void apply(uint64_t batch, const std::vector<uint64_t> &ids, const Loss &loss)
    {
        for (size_t row = 0; row < ids.size(); row++) {
            double value = loss(batch, (int)row, ids[row]);
            uint64_t leaf = sampler->learner->weight_of(self, ids[row]);
            if (value >= 0)
                mr__weights_set(
                    &w, leaf,
                    sampler->learner->learn(self, mr__weights_get(&w, leaf), (float)value));
        }
    }
};

} // namespace

std::vector<std::vector<uint64_t>> oracle(const std::string &config, uint64_t batches,
                                          const Loss &loss)
{
    Planner p(config);
    auto delay = (uint64_t)p.sampler->learner->delay(p.config->sampler.params);
    std::vector<std::vector<uint64_t>> all;
    for (uint64_t b = 0; b < batches; b++) {
        if (b >= delay)
            p.apply(b - delay, all[b - delay], loss);
        all.push_back(p.plan(b));
    }
    return all;
}
