// SPDX-License-Identifier: Apache-2.0
//
// pack_testing.hpp: a config's source becomes shards that hold its files as they are: what packing
// does, without what it does to pictures.
#ifndef PACK_TESTING_HPP
#define PACK_TESTING_HPP

#include <gtest/gtest.h>

extern "C" {
#include "base/config.h"
#include "loaders/codec/find.h"
#include "loaders/shard/shard_set.h"
}

#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <unistd.h>
#include <vector>

// What a config's source lists, and the source opened.
struct Listed {
    mr_config *config = nullptr;
    mr_index index = {};
    void *self = nullptr;
    mr_errbuf e = {};
    int rc;

    explicit Listed(const std::string &source)
    {
        std::string text = "version: 1\nsource: " + source + "\nops: [{resize: {size: [8, 8]}}]\n" +
                           "fields: {image: {dtype: uint8}}\n";
        mr_index_builder *b = nullptr;
        int fd = -1;
        rc = mr__config_read(&config, "pack.yaml", text.c_str(), nullptr, &e);
        if (rc >= 0)
            rc = mr__index_builder_new(&b, &e);
        if (rc >= 0)
            rc = desc()->index(config->source.params, b, &e);
        if (rc >= 0)
            rc = fd = mr__index_memfd(&e);
        if (rc >= 0)
            rc = mr__index_finish(b, fd, &e);
        if (rc >= 0)
            rc = mr__index_map(&index, fd, &e);
        if (rc >= 0)
            rc = desc()->open(config->source.params, &index, &config->limits, &self, &e);
        mr__index_builder_free(b);
        if (fd >= 0)
            close(fd);
    }
    ~Listed()
    {
        if (self)
            desc()->close(self);
        mr__index_unmap(&index);
        mr__config_free(config);
    }
    Listed(const Listed &) = delete;
    Listed &operator=(const Listed &) = delete;

    const mr_source *desc() const
    {
        return (const mr_source *)config->source.desc;
    }
    std::string body(uint64_t sample, int column)
    {
        mr_buf b = {};
        std::string text;
        const mr_column &c = index.head->column[column];
        if (c.kind == MR_COL_TENSOR) {
            text.resize(c.width * mr_dtype_size((mr_dtype)c.dtype));
            bool good =
                desc()->tensor(self, sample, column, false, text.data(), text.size(), &e) >= 0;
            return good ? text : "";
        }
        if (desc()->read(self, sample, column, &b, &e) == MR_OK)
            text.assign((const char *)b.data, b.n);
        mr__buf_free(&b);
        return text;
    }
};

struct PackOptions {
    uint64_t shard_bytes = UINT64_MAX;
    bool sizes = false;
    uint64_t fingerprint = 0x1234567890abcdef;
    // What to store in place of a file's bytes.
    std::function<std::string(const std::string &)> change = nullptr;
};

// Of an encoded image, as displayed; 0 x 0 where there is none.
inline void image_size(const mr_config *config, const std::string &body, int32_t *w, int32_t *h)
{
    std::string padded = body + std::string(64, 0);
    const auto *data = (const uint8_t *)padded.data();
    mr_image_info info = {};
    mr_errbuf e = {};
    void *decoder;
    const mr_codec *codec = mr__codec_find(data, body.size(), &e);
    if (codec && codec->open(&decoder, &config->limits, &e) == MR_OK) {
        if (codec->header(decoder, data, body.size(), &info, &e) < 0)
            info = {};
        codec->close(decoder);
    }
    *w = info.w;
    *h = info.h;
}

// Packs a listed source into `folder`, which is there.
inline std::vector<mr_shard_line> pack(Listed &from, const std::string &folder,
                                       const PackOptions &options = {})
{
    mr_shard_plan plan = {};
    plan.index = &from.index;
    plan.fingerprint = options.fingerprint;
    plan.mode = "verbatim";
    plan.sizes = options.sizes;
    mr_errbuf e = {};
    mr_shard_writer *w = nullptr;
    std::vector<mr_shard_line> lines;
    auto finish = [&] {
        lines.push_back({});
        EXPECT_EQ(mr__shard_writer_finish(w, &lines.back(), &e), MR_OK) << e.text;
        w = nullptr;
    };
    for (uint64_t i = 0; i < from.index.head->samples; i++) {
        std::vector<std::string> bodies(from.index.head->columns);
        mr_shard_sample sample = {};
        sample.sample = i;
        for (size_t c = 0; c < bodies.size(); c++) {
            uint32_t kind = from.index.head->column[c].kind;
            if (kind == MR_COL_FIXED || kind == MR_COL_RAGGED)
                continue;
            bodies[c] = from.body(i, int(c));
            if (options.change)
                bodies[c] = options.change(bodies[c]);
            if (options.sizes && !strcmp(from.index.head->column[c].name, "image"))
                image_size(from.config, bodies[c], &sample.image_w, &sample.image_h);
            sample.bytes[c] = {bodies[c].data(), bodies[c].size(), nullptr};
        }
        if (w &&
            mr__shard_writer_bytes(w) + mr__shard_writer_adds(w, &sample) > options.shard_bytes)
            finish();
        if (!w) {
            char name[32];
            snprintf(name, sizeof name, "/s-%06zu.mrs", lines.size());
            EXPECT_EQ(mr__shard_writer_begin(&w, &plan, (folder + name).c_str(),
                                             uint32_t(lines.size()), i, &e),
                      MR_OK)
                << e.text;
        }
        EXPECT_EQ(mr__shard_writer_add(w, &sample, &e), MR_OK) << e.text;
    }
    if (w)
        finish();
    EXPECT_EQ(mr__shard_set_write(folder.c_str(), &plan, lines.data(), lines.size(), &e), MR_OK)
        << e.text;
    return lines;
}

#endif
