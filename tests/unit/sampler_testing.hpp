// SPDX-License-Identifier: Apache-2.0
//
// sampler_testing.hpp: what the tests of samplers share: an index of numbers, and a sampler as a
// config names it.
#ifndef MR_TESTS_SAMPLER_TESTING_HPP
#define MR_TESTS_SAMPLER_TESTING_HPP

#include <gtest/gtest.h>

extern "C" {
#include "base/config.h"
}

#include <string>
#include <unistd.h>
#include <vector>

// `samples` samples with paths, and columns of numbers that repeat when they are fewer.
class NumberIndex
{
  public:
    struct Column {
        std::string name;
        std::vector<double> values;
        bool whole = true; // i64; false: f64
    };

    NumberIndex(uint64_t samples, const std::vector<Column> &columns)
    {
        mr_errbuf e = {};
        mr_index_builder *b;
        EXPECT_EQ(mr__index_builder_new(&b, &e), MR_OK);
        EXPECT_EQ(mr__index_add_column(b, "image", MR_COL_PATH, MR_U8, 1, &e), 0);
        for (const Column &c : columns)
            EXPECT_GT(mr__index_add_column(b, c.name.c_str(), MR_COL_FIXED,
                                           c.whole ? MR_I64 : MR_F64, 1, &e),
                      0);
        for (uint64_t i = 0; i < samples; i++) {
            std::string path = std::to_string(i) + ".jpg";
            EXPECT_EQ(mr__index_add_path(b, 0, path.data(), path.size(), &e), MR_OK);
            for (size_t k = 0; k < columns.size(); k++) {
                double number = columns[k].values[i % columns[k].values.size()];
                int64_t whole = columns[k].whole ? int64_t(number) : 0;
                const void *value = columns[k].whole ? (const void *)&whole : &number;
                EXPECT_EQ(mr__index_add_numbers(b, int(k) + 1, value, 1, &e), MR_OK);
            }
        }
        int fd = mr__index_memfd(&e);
        EXPECT_EQ(mr__index_finish(b, fd, &e), MR_OK) << e.text;
        EXPECT_EQ(mr__index_map(&index, fd, &e), MR_OK) << e.text;
        close(fd);
        mr__index_builder_free(b);
    }
    ~NumberIndex()
    {
        mr__index_unmap(&index);
    }
    NumberIndex(const NumberIndex &) = delete;
    NumberIndex &operator=(const NumberIndex &) = delete;

    int64_t whole(const char *column, uint64_t sample) const
    {
        uint64_t entries;
        int c = mr__index_column(&index, column);
        return *static_cast<const int64_t *>(mr__index_numbers(&index, c, sample, &entries));
    }

    mr_index index = {};
};

// A sampler opened with what stands in braces behind `sampler:`, over all of an index or a part.
class ConfiguredSampler
{
  public:
    struct Over {
        uint64_t seed = 42, batch = 4, first = 0, samples = 0; // 0: all from `first` on
    };

    ConfiguredSampler(const std::string &braces, const mr_index &index, Over over)
    {
        std::string text = "version: 1\nsource: {type: synthetic, samples: 1}\nsampler: {" +
                           braces + "}\nfields: {image: {}}\n";
        rc = mr__config_read(&config_, "t.yaml", text.c_str(), nullptr, &e);
        if (rc < 0)
            return;
        desc = static_cast<const mr_sampler *>(config_->sampler.desc);
        env = {};
        env.index = &index;
        env.first = over.first;
        env.samples = over.samples ? over.samples : index.head->samples - over.first;
        env.seed = over.seed;
        env.batch = over.batch;
        rc = desc->open(config_->sampler.params, &env, &self, &e);
    }
    ConfiguredSampler(const std::string &braces, const mr_index &index)
        : ConfiguredSampler(braces, index, Over())
    {
    }
    ~ConfiguredSampler()
    {
        if (self)
            desc->close(self);
        mr__config_free(config_);
    }
    ConfiguredSampler(const ConfiguredSampler &) = delete;
    ConfiguredSampler &operator=(const ConfiguredSampler &) = delete;

    uint64_t length()
    {
        return desc->length(self);
    }
    mr_pick pick(uint64_t epoch, uint64_t position)
    {
        mr_pick p = {};
        EXPECT_EQ(desc->at(self, epoch, position, &p, &e), MR_OK) << e.text;
        return p;
    }
    uint64_t at(uint64_t epoch, uint64_t position)
    {
        return pick(epoch, position).sample;
    }
    std::vector<uint64_t> epoch(uint64_t number)
    {
        std::vector<uint64_t> order;
        for (uint64_t i = 0; i < length(); i++)
            order.push_back(at(number, i));
        return order;
    }
    uint64_t substitute(uint64_t number, uint64_t position, uint32_t attempt)
    {
        mr_pick p = pick(number, position);
        desc->substitute(self, number, position, attempt, &p);
        return p.sample;
    }

    int rc = MR_OK;
    mr_errbuf e = {};
    const mr_sampler *desc = nullptr;
    mr_sampler_env env = {};
    void *self = nullptr;

  private:
    mr_config *config_ = nullptr;
};

#endif
