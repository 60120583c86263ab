// SPDX-License-Identifier: Apache-2.0
// What a good config becomes. test_config_errors.cpp has the bad ones.
#include <gtest/gtest.h>

#include "fake_tables.h"

extern "C" {
#include "base/kinds.h"
#include "base/message.h"
#include "base/opt.h"
}

#include <clocale>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <unistd.h>
#include <vector>

namespace
{

struct Free {
    void operator()(mr_config *c) const
    {
        mr__config_free(c);
    }
};
using Config = std::unique_ptr<mr_config, Free>;

Config read(const std::string &text, std::vector<const char *> set = {})
{
    mr_config *c = nullptr;
    mr_errbuf e = {};
    set.push_back(nullptr);
    int rc = mr__config_read_with(&fake::tables, &c, "t.yaml", text.c_str(), set.data(), &e);
    EXPECT_EQ(rc, MR_OK) << e.text;
    EXPECT_EQ(c == nullptr, rc < 0);
    return Config(c);
}

const std::string source = "source: {type: folder, path: /}\n";

const std::string whole = R"(version: 1
seed: 42
epochs: 0
batch: {size: 32, last: pad}
slots: 8
producers: {count: 4, threads: 2}
context: spawn
deterministic: false
on_error: skip
decode: fast
source: {type: folder, path: /, extensions: [jpeg, webp]}
sampler: {type: sequential}
ops:
  - random_resized_crop: {size: 224, scale: [0.08, 1.0], ratio: [0.75, 1.3333333]}
  - random_horizontal_flip
  - color_jitter: {brightness: 0.4, levels: 16, keep: true, note: "a: b"}
  - normalize: {mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]}
fields:
  image: {layout: NHWC}
  label: {dtype: int32}
  boxes: {max: 20}
  weights: {dtype: float64, shape: [2, 3]}
limits: {max_pixels: 1000, max_side: 2000, max_scans: 3, max_decode_bytes: 2000000,
  max_file_bytes: 5}
message_bytes: 512
rank: 1
world: 2
epoch_batches: 500
sample_timeout: 2.5
)";

} // namespace

TEST(Config, EveryKeyArrives)
{
    Config c = read(whole);
    ASSERT_TRUE(c);
    EXPECT_EQ(c->version, 1);
    EXPECT_EQ(c->seed, 42);
    EXPECT_EQ(c->epochs, 0);
    EXPECT_EQ(c->batch.size, 32);
    EXPECT_EQ(c->batch.last, MR_LAST_PAD);
    EXPECT_EQ(c->slots, 8);
    EXPECT_EQ(c->producers.count, 4);
    EXPECT_EQ(c->producers.threads, 2);
    EXPECT_EQ(c->context, MR_CONTEXT_SPAWN);
    EXPECT_FALSE(c->deterministic);
    EXPECT_EQ(c->on_error, MR_ON_ERROR_SKIP);
    EXPECT_EQ(c->decode, MR_DECODE_FAST);
    EXPECT_EQ(c->limits.max_pixels, 1000);
    EXPECT_EQ(c->limits.max_side, 2000);
    EXPECT_EQ(c->limits.max_scans, 3);
    EXPECT_EQ(c->limits.max_decode_bytes, 2000000);
    EXPECT_EQ(c->limits.max_file_bytes, 5);
    EXPECT_EQ(c->message_bytes, 512);
    EXPECT_EQ(c->rank, 1);
    EXPECT_EQ(c->world, 2);
    EXPECT_EQ(c->epoch_batches, 500);
    EXPECT_EQ(c->sample_timeout, 2.5);
    EXPECT_EQ(c->source.desc, &fake::source_folder);
    auto *folder = static_cast<const fake::FolderParams *>(c->source.params);
    EXPECT_STREQ(folder->path, "/");
    ASSERT_EQ(folder->extensions.n, 2);
    EXPECT_STREQ(folder->extensions.v[1], "webp");
    EXPECT_EQ(c->sampler.desc, &fake::sampler_sequential);
    EXPECT_EQ(c->sampler.params, nullptr);
}

TEST(Config, OpsKeepTheirOrderAndOptions)
{
    Config c = read(whole);
    ASSERT_TRUE(c);
    ASSERT_EQ(c->nops, 4);
    EXPECT_EQ(c->ops[0].desc, &fake::op_crop);
    EXPECT_EQ(c->ops[0].mark.line, 14);
    EXPECT_EQ(c->ops[0].mark.col, 5);
    auto *crop = static_cast<const fake::CropParams *>(c->ops[0].params);
    EXPECT_EQ(crop->size.h, 224);
    EXPECT_EQ(crop->size.w, 224);
    EXPECT_TRUE(crop->size.single);
    EXPECT_EQ(crop->scale.lo, 0.08);
    EXPECT_TRUE(crop->scale.set);
    EXPECT_EQ(crop->ratio.hi, 1.3333333);
    EXPECT_EQ(crop->interpolation, 1) << "bilinear, the default";
    EXPECT_EQ(static_cast<const fake::FlipParams *>(c->ops[1].params)->p, 0.5);
    auto *jitter = static_cast<const fake::JitterParams *>(c->ops[2].params);
    EXPECT_TRUE(jitter->brightness.single);
    EXPECT_EQ(jitter->brightness.hi, 0.4);
    EXPECT_EQ(jitter->levels, 16);
    EXPECT_TRUE(jitter->keep);
    EXPECT_STREQ(jitter->note, "a: b");
    auto *normalize = static_cast<const fake::NormalizeParams *>(c->ops[3].params);
    ASSERT_EQ(normalize->mean.n, 3);
    EXPECT_EQ(normalize->std.v[2], 0.225);
}

TEST(Config, FieldsKeepTheirOrderAndGetTheirDtypes)
{
    Config c = read(whole);
    ASSERT_TRUE(c);
    ASSERT_EQ(c->nfields, 4);
    EXPECT_STREQ(c->fields[0].name, "image");
    EXPECT_EQ(c->fields[0].dtype, MR_F32) << "there is a normalize";
    EXPECT_EQ(c->fields[0].layout, MR_LAYOUT_NHWC);
    EXPECT_EQ(c->fields[0].channels, 3);
    EXPECT_EQ(c->fields[0].bits, 8);
    EXPECT_EQ(c->fields[1].dtype, MR_I32);
    EXPECT_EQ(c->fields[2].dtype, MR_F32);
    EXPECT_EQ(c->fields[2].max, 20);
    ASSERT_EQ(c->fields[3].shape.n, 2);
    EXPECT_EQ(c->fields[3].shape.v[1], 3);
}

TEST(Config, DefaultsAreThere)
{
    Config c = read(source);
    ASSERT_TRUE(c);
    EXPECT_EQ(c->seed, 0);
    EXPECT_EQ(c->epochs, 1);
    EXPECT_EQ(c->batch.size, 64);
    EXPECT_EQ(c->batch.last, MR_LAST_SHORT);
    EXPECT_EQ(c->slots, 0);
    EXPECT_EQ(c->producers.count, 0);
    EXPECT_EQ(c->producers.threads, 1);
    EXPECT_TRUE(c->deterministic);
    EXPECT_EQ(c->on_error, MR_ON_ERROR_REPLACE);
    EXPECT_EQ(c->limits.max_pixels, 178956970);
    EXPECT_EQ(c->limits.max_side, 65500);
    EXPECT_EQ(c->limits.max_scans, 100);
    EXPECT_EQ(c->limits.max_decode_bytes, 512 << 20);
    EXPECT_EQ(c->limits.max_file_bytes, 256 << 20);
    EXPECT_EQ(c->message_bytes, 256);
    EXPECT_EQ(c->world, 1);
    EXPECT_EQ(c->epoch_batches, 0);
    EXPECT_EQ(c->sample_timeout, 30);
    EXPECT_EQ(c->sampler.desc, &fake::sampler_shuffle);
    ASSERT_EQ(c->nfields, 2);
    EXPECT_STREQ(c->fields[0].name, "image");
    EXPECT_EQ(c->fields[0].dtype, MR_U8) << "nothing makes floats of it";
    EXPECT_EQ(c->fields[0].layout, MR_LAYOUT_NCHW);
    EXPECT_STREQ(c->fields[1].name, "label");
    EXPECT_EQ(c->fields[1].dtype, MR_I64);
}

TEST(Config, ShortSpellings)
{
    Config c = read(source +
                    "batch: 7\nproducers: 3\nsampler: sequential\nfields: {image: , label: uint8}\n"
                    "ops:\n  - random_horizontal_flip:\n");
    ASSERT_TRUE(c);
    EXPECT_EQ(c->batch.size, 7);
    EXPECT_EQ(c->producers.count, 3);
    EXPECT_EQ(c->sampler.desc, &fake::sampler_sequential);
    EXPECT_EQ(c->fields[1].dtype, MR_U8);
    EXPECT_EQ(c->nops, 1);
    EXPECT_EQ(read(source + "producers: auto\n")->producers.count, 0);
    EXPECT_EQ(read(source + "producers: {count: auto, threads: 2}\n")->producers.threads, 2);
    EXPECT_EQ(read(source + "batch: {drop_last: false}\n")->batch.last, MR_LAST_SHORT);
    EXPECT_EQ(read(source + "batch: {drop_last: true}\n")->batch.last, MR_LAST_DROP);
    EXPECT_EQ(read(source + "batch: {drop_last: true, last: drop}\n")->batch.last, MR_LAST_DROP);
    EXPECT_EQ(read(source + "ops:\n")->nops, 0);
}

TEST(Config, SetOverridesTheFile)
{
    Config c = read(whole, {"batch.size=16", "ops.0.random_resized_crop.size=[128, 64]",
                            "ops.1.random_horizontal_flip.p=0.25", "fields.mask={layout: NHWC}",
                            "seed=1", "seed=2", "sampler=shuffle", "ops.4=random_horizontal_flip",
                            "source.extensions.0=bmp"});
    ASSERT_TRUE(c);
    EXPECT_EQ(c->batch.size, 16);
    EXPECT_EQ(c->batch.last, MR_LAST_PAD) << "its neighbours stay";
    auto *crop = static_cast<const fake::CropParams *>(c->ops[0].params);
    EXPECT_EQ(crop->size.h, 128);
    EXPECT_EQ(crop->size.w, 64);
    EXPECT_EQ(static_cast<const fake::FlipParams *>(c->ops[1].params)->p, 0.25);
    EXPECT_EQ(c->nfields, 5);
    EXPECT_STREQ(c->fields[4].name, "mask");
    EXPECT_EQ(c->fields[4].channels, 1);
    EXPECT_EQ(c->seed, 2) << "the last one counts";
    EXPECT_EQ(c->sampler.desc, &fake::sampler_shuffle);
    EXPECT_EQ(c->nops, 5);
    EXPECT_STREQ(static_cast<const fake::FolderParams *>(c->source.params)->extensions.v[0], "bmp");
}

TEST(Config, PathsStartAtTheFilesFolder)
{
    std::string folder = std::string(MR_BINARY_DIR) + "/config_paths";
    ASSERT_EQ(system(("mkdir -p " + folder + "/data").c_str()), 0);
    std::ofstream(folder + "/c.yaml") << "source: {type: folder, path: data}\n";
    mr_config *raw = nullptr;
    mr_errbuf e = {};
    ASSERT_EQ(mr__config_read_with(&fake::tables, &raw, (folder + "/c.yaml").c_str(), nullptr,
                                   nullptr, &e),
              MR_OK)
        << e.text;
    Config c(raw);
    EXPECT_EQ(static_cast<const fake::FolderParams *>(c->source.params)->path, folder + "/data");
    EXPECT_EQ(c->folder, folder);
    const char *set[] = {"source.path=.", nullptr};
    ASSERT_EQ(
        mr__config_read_with(&fake::tables, &raw, (folder + "/c.yaml").c_str(), nullptr, set, &e),
        MR_OK)
        << e.text;
    c.reset(raw);
    char *cwd = getcwd(nullptr, 0);
    EXPECT_EQ(static_cast<const fake::FolderParams *>(c->source.params)->path,
              std::string(cwd) + "/.")
        << "what is typed at a prompt starts where the prompt is";
    free(cwd);
}

TEST(Config, UserCodeInsteadOfThePipeline)
{
    Config c =
        read("commander: {plugin: /bin/sh, params: {n: 10, rate: 0.5, name: x, big: [1, 2], mixed: "
             "[1, 2.5], "
             "on: true, text: '7', deep: {a: [x, {b: 1}], e: []}}}\n"
             "producer: {exec: [/bin/sh, -c, ls], unit: batch}\n"
             "fields: {x: {dtype: uint16, shape: [256, 256, 3]}, y: {dtype: int64, shape: []}}\n");
    ASSERT_TRUE(c);
    EXPECT_EQ(c->source.desc, nullptr);
    EXPECT_EQ(c->sampler.desc, nullptr);
    EXPECT_STREQ(c->commander.plugin, "/bin/sh");
    ASSERT_EQ(c->producer.exec.n, 3);
    EXPECT_STREQ(c->producer.exec.v[2], "ls");
    EXPECT_EQ(c->producer.unit, MR_UNIT_BATCH);
    EXPECT_TRUE(mr__config_user_rows(c.get()));
    EXPECT_EQ(c->fields[0].shape.n, 3);
    EXPECT_EQ(c->fields[1].shape.n, 0);
    const mr_message *m = c->commander.params;
    ASSERT_EQ(mr__message_check(m, c->commander.params_bytes + 4096), MR_OK);
    int64_t i = 0;
    double d = 0;
    const char *s = nullptr;
    const int64_t *ints;
    const double *floats;
    size_t n = 0;
    EXPECT_EQ(mr_message_get_i64(m, "n", &i), MR_OK);
    EXPECT_EQ(i, 10);
    EXPECT_EQ(mr_message_get_f64(m, "rate", &d), MR_OK);
    EXPECT_EQ(d, 0.5);
    EXPECT_EQ(mr_message_get_str(m, "name", &s), MR_OK);
    EXPECT_STREQ(s, "x");
    EXPECT_EQ(mr_message_get_i64s(m, "big", &ints, &n), MR_OK);
    EXPECT_EQ(n, 2u);
    EXPECT_EQ(mr_message_get_f64s(m, "mixed", &floats, &n), MR_OK);
    EXPECT_EQ(floats[0] + floats[1], 3.5);
    EXPECT_EQ(mr_message_get_i64(m, "on", &i), MR_OK);
    EXPECT_EQ(i, 1);
    EXPECT_EQ(mr_message_get_str(m, "text", &s), MR_OK) << "quotes make it a text";
    uint64_t cursor = 0;
    mr_entry e;
    std::string deep;
    while (mr_message_walk(m, &cursor, &e) == MR_OK)
        if (e.depth > 0 || e.type == MR_T_LIST)
            deep += std::to_string(e.depth) + (e.key ? e.key : "-") + " ";
    EXPECT_EQ(deep, "0deep 1a 2- 2- 3b 1e ");
}

TEST(Config, CallbacksNeedForkAndAFreePlace)
{
    mr_errbuf e = {};
    Config fork = read("context: fork\nfields: {x: {dtype: uint8, shape: [4]}}\n");
    ASSERT_TRUE(fork);
    EXPECT_EQ(mr__config_callbacks(fork.get(), true, true, &e), MR_OK) << e.text;
    EXPECT_EQ(mr__config_callbacks(fork.get(), true, false, &e), MR_E_CONFIG);
    EXPECT_STREQ(e.text, "t.yaml:1:1: error: 'source' is missing, and no producer is given");
    EXPECT_EQ(mr__config_callbacks(fork.get(), false, true, &e), MR_E_CONFIG);
    Config spawn = read(source);
    EXPECT_EQ(mr__config_callbacks(spawn.get(), false, false, &e), MR_OK);
    EXPECT_EQ(mr__config_callbacks(spawn.get(), true, false, &e), MR_E_USAGE);
    Config both = read(source + "context: fork\n");
    EXPECT_EQ(mr__config_callbacks(both.get(), true, false, &e), MR_OK)
        << "a commander may pick samples of a source";
    EXPECT_EQ(mr__config_callbacks(both.get(), true, true, &e), MR_E_CONFIG);
    EXPECT_STREQ(e.text,
                 "t.yaml:1:16: error: a producer is given as a callback: take 'source' out");
}

TEST(Config, StreamHashChangesWithTheStreamAlone)
{
    uint64_t base = read(whole)->stream_hash;
    for (const char *same :
         {"slots=4", "spares=2", "producers=2", "rank=0", "world=3", "epochs=7",
          "deterministic=true", "source.path=/tmp", "sample_timeout=9", "ops.2.color_jitter.note=x",
          "batch={size: 32, last: pad}", "decode={mode: fast}",
          "decode={mode: fast, engine: libjpeg}",
          "ops.0.random_resized_crop.interpolation=bilinear",
          "ops.1.random_horizontal_flip.p=5e-1", "message_bytes=64"})
        EXPECT_EQ(read(whole, {same})->stream_hash, base) << same;
    std::vector<uint64_t> seen = {base};
    for (const char *other :
         {"seed=43", "batch.size=33", "batch.last=drop", "on_error=fail", "decode=exact",
          "sampler=shuffle", "source.extensions=[jpeg]", "source.extensions=[jpegw, ebp]",
          "ops.0.random_resized_crop.size=223", "ops.0.random_resized_crop.size=[224, 224]",
          "ops.1.random_horizontal_flip.p=0.4", "ops.3=color_jitter", "fields.label=int64",
          "fields.boxes.max=21", "fields.image.layout=NCHW", "limits.max_scans=4",
          "epoch_batches=501", "epoch_batches=auto"}) {
        uint64_t h = read(whole, {other})->stream_hash;
        for (uint64_t before : seen)
            EXPECT_NE(h, before) << other;
        seen.push_back(h);
    }
}

// States on people's disks have this number: a new key must not change it (MR_OPT_LATER).
TEST(Config, TheStreamHashOfAnOldConfigStaysWhatItWas)
{
    const char *old = "version: 1\nseed: 7\nbatch: {size: 8}\n"
                      "commander: {plugin: /proc/self/exe}\nproducer: {plugin: /proc/self/exe}\n"
                      "fields: {x: {dtype: uint8, shape: [4]}}\n";
    EXPECT_EQ(read(old)->stream_hash, 0x2447c3736fd83939u);
    EXPECT_EQ(read(old, {"epoch_batches=auto"})->stream_hash, 0x2447c3736fd83939u);
    EXPECT_EQ(read(old, {"decode=exact"})->stream_hash, 0x2447c3736fd83939u);
    EXPECT_EQ(read(old, {"decode.engine=libjpeg"})->stream_hash, 0x2447c3736fd83939u);
}

TEST(Config, DecodeIsAWordOrAMapping)
{
    EXPECT_EQ(read(whole)->limits.engine, MR_DECODE_AUTO);
    Config c = read(whole, {"decode={engine: libjpeg}"});
    EXPECT_EQ(c->decode, MR_DECODE_EXACT);
    EXPECT_EQ(c->limits.engine, MR_DECODE_LIBJPEG);
    EXPECT_EQ(read(whole, {"decode={mode: fast, engine: auto}"})->decode, MR_DECODE_FAST);
}

TEST(Config, ALocaleWithCommasChangesNothing)
{
    const char *got = setlocale(LC_ALL, "de_DE.UTF-8");
    Config c = read(whole);
    ASSERT_TRUE(c);
    EXPECT_EQ(c->sample_timeout, 2.5);
    setlocale(LC_ALL, "C");
    if (!got)
        GTEST_SKIP() << "no locale with decimal commas on this machine";
    EXPECT_EQ(read(whole)->stream_hash, c->stream_hash);
}

// Every default of every real table can be read and lies within its own bounds.
TEST(Config, DefaultsOfEveryTableAreGood)
{
    int seen = 0;
    for (int kind = 0; kind < MR_KIND_COUNT; kind++) {
        const mr_desc *d;
        for (size_t i = 0; (d = mr__kind_at(&mr__tables, (mr_kind)kind, i)); i++) {
            mr_pool *pool = mr__pool_new();
            mr_errbuf e = {};
            mr_place place = {d->name, nullptr};
            mr_opt_reader r = {pool, &place, "/", "/", &e};
            for (const mr_opt *o = d->opts; o && o->name; o++, seen++) {
                void *params = mr__pool_take(pool, d->params_size);
                int rc = o->def ? mr__opt_default(&r, o, {}, "", params) : MR_OK;
                EXPECT_EQ(rc, MR_OK) << d->name << "." << o->name << ": " << e.text;
            }
            mr__pool_free(pool);
        }
    }
    EXPECT_GT(seen, 0);
}
