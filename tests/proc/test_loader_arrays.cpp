// SPDX-License-Identifier: Apache-2.0
//
// Data sets that are no images: tensors go from their file into the batch, whoever reads them, and
// what is wrong with a file is one sample's fault.
#include "../unit/npy_testing.hpp"
#include "../unit/pack_testing.hpp"
#include "../unit/temp_tree.hpp"
#include "loader_testing.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

namespace fs = std::filesystem;

namespace
{

const size_t SAMPLES = 100, NUMBERS = 6;

// 100 samples: x, f32 [2, 3], counts on from 0; label is 1000 + the sample's number.
class Arrays : public ::testing::Test
{
  protected:
    TempTree tree;
    void SetUp() override
    {
        tree.file("set/x.npy", npy("<f4", "(100, 2, 3)", counted<float>(SAMPLES * NUMBERS)));
        tree.file("set/label.npy", npy("<i2", "(100,)", counted<int16_t>(SAMPLES, 1000)));
    }
    std::string config(const std::string &more = "", const std::string &fields = "") const
    {
        return "version: 1\nseed: 42\nepochs: 2\nbatch: {size: 8}\n" + more +
               "source: {type: npy, path: " + tree.path("set") + "}\n" +
               (fields.empty() ? "fields: {x: {dtype: float32, shape: [2, 3]}, label: int64}\n"
                               : fields);
    }
};

// Every row of every batch holds its sample's numbers, as T; how many rows that were.
template <typename T> size_t check_rows(Loader &l, size_t batches = SIZE_MAX)
{
    mr_batch *b;
    size_t rows = 0;
    for (size_t i = 0; i < batches && (l.rc = mr_next(l.handle, &b, 30000)) >= 0; i++) {
        if (l.rc == MR_END)
            break;
        if (l.rc == MR_END_EPOCH)
            continue;
        mr_batch_info info;
        mr_batch_get_info(b, &info);
        const mr_tensor *x = mr_field(b, "x"), *label = mr_field(b, "label");
        EXPECT_EQ(x->ndim, 3);
        EXPECT_EQ(x->shape[1], 2);
        EXPECT_EQ(x->shape[2], 3);
        for (int32_t r = 0; r < info.rows; r++) {
            size_t sample = mr_sample_ids(b)[r];
            if (!mr_valid(b)[r])
                continue;
            rows++;
            EXPECT_EQ(((const int64_t *)label->data)[r], 1000 + (int64_t)sample);
            for (size_t k = 0; k < NUMBERS; k++)
                EXPECT_EQ(((const T *)x->data)[(size_t)r * NUMBERS + k], (T)(sample * NUMBERS + k));
        }
        mr_release(b);
    }
    if (l.rc < 0)
        l.error = mr_error(l.handle);
    return rows;
}

} // namespace

TEST_F(Arrays, ARowIsItsSamplesTensor)
{
    Loader l(config("producers: 2\n"));
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    EXPECT_EQ(check_rows<float>(l), 2 * SAMPLES);
    EXPECT_EQ(l.rc, MR_END) << l.error;
    mr_stats s = {};
    s.size = sizeof s;
    ASSERT_EQ(mr_get_stats(l.handle, &s), MR_OK);
    EXPECT_GE(s.bytes_read, 2 * SAMPLES * NUMBERS * sizeof(float));
    EXPECT_EQ(mr_sample_path(l.handle, 0), nullptr);
}

TEST_F(Arrays, OtherTypesOfAFieldAreConverted)
{
    for (const char *dtype : {"float64", "int32", "float32"}) {
        Loader l(config("", std::string("fields: {x: {dtype: ") + dtype +
                                ", shape: [2, 3]}, label: int64}\n"));
        ASSERT_EQ(l.rc, MR_OK) << l.error;
        size_t rows = dtype[0] == 'i'   ? check_rows<int32_t>(l)
                      : dtype[5] == '6' ? check_rows<double>(l)
                                        : check_rows<float>(l);
        EXPECT_EQ(rows, 2 * SAMPLES) << dtype;
    }
}

TEST_F(Arrays, TheStreamIsTheSameForAnyProducersAndSandbox)
{
    Loader one(config("producers: 1\nsandbox: off\n")), three(config("producers: 3\n")),
        threads(config("producers: {count: 1, threads: 3}\n"));
    std::vector<Delivered> stream = one.read();
    ASSERT_EQ(stream.size(), 26u) << one.error;
    EXPECT_EQ(three.read(), stream) << three.error;
    EXPECT_EQ(threads.read(), stream) << threads.error;
    fs::create_directories(tree.root / "again");
    tree.file("again.npz", zip({{"label.npy", npy("<i8", "(100,)", counted<int64_t>(100, 1000))},
                                {"x.npy", npy("<f4", "(100, 2, 3)", counted<float>(600))}}));
    Loader archive(config(), {"source.path=" + tree.path("again.npz")});
    EXPECT_EQ(archive.read(), stream) << archive.error;
}

TEST_F(Arrays, AKilledProducerChangesNothing)
{
    Loader calm(config("producers: 2\n"), {"epochs=4"}),
        storm(config("producers: 2\n"), {"epochs=4"});
    std::vector<Delivered> stream = calm.read();
    ASSERT_EQ(stream.size(), 52u) << calm.error;
    EXPECT_EQ(storm.read(SIZE_MAX,
                         [](size_t i) {
                             if (i % 5 == 0)
                                 for (pid_t pid : processes("mr-producer"))
                                     kill(pid, SIGKILL);
                         }),
              stream)
        << storm.error;
}

TEST_F(Arrays, AnIndexIsKept)
{
    std::string cached = config("index_cache: " + tree.path("index") + "\n");
    std::vector<Delivered> first, second;
    {
        Loader l(cached);
        first = l.read();
        EXPECT_EQ(l.rc, MR_END) << l.error;
    }
    ASSERT_TRUE(fs::exists(tree.path("index")));
    Loader l(cached);
    EXPECT_EQ(l.read(), first) << l.error;
    EXPECT_EQ(check_rows<float>(l, 0), 0u);
    tree.file("set/x.npy", npy("<f4", "(100, 3, 2)", counted<float>(600)));
    Loader changed(cached);
    EXPECT_EQ(changed.rc, MR_E_CONFIG) << "the index of before is not taken";
    EXPECT_NE(changed.error.find("a sample of 'x' is float32 [3, 2], the field [2, 3]: give it "
                                 "'shape: [3, 2]'"),
              std::string::npos)
        << changed.error;
}

// Data sets of tensors in one stream; one lies in records of its own.
TEST_F(Arrays, AMixtureOfThem)
{
    std::string records;
    for (size_t i = 0; i < 50; i++)
        records += counted<float>(NUMBERS, i * NUMBERS) + counted<int64_t>(1, 1000 + i);
    tree.file("records.bin", records);
    Loader l("version: 1\nseed: 1\nepochs: 1\nbatch: {size: 10}\n"
             "mixture:\n"
             "  by: all\n"
             "  of:\n"
             "    - source: {type: npy, path: " +
             tree.path("set") +
             "}\n"
             "    - source: {type: raw, path: " +
             tree.path("records.bin") +
             ", columns: [\"x:f32[2,3]\", \"label:i64\"]}\n"
             "fields: {x: {dtype: float32, shape: [2, 3]}, label: int64}\n");
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    std::vector<uint64_t> seen;
    mr_batch *b;
    while ((l.rc = mr_next(l.handle, &b, 30000)) == MR_OK) {
        const mr_tensor *x = mr_field(b, "x"), *label = mr_field(b, "label");
        for (int r = 0; r < 10; r++) {
            uint64_t sample = mr_sample_ids(b)[r], own = sample < 100 ? sample : sample - 100;
            seen.push_back(sample);
            EXPECT_EQ(((const float *)x->data)[(size_t)r * NUMBERS + 5], (float)(own * 6 + 5));
            EXPECT_EQ(((const int64_t *)label->data)[r], 1000 + (int64_t)own);
        }
        mr_release(b);
    }
    EXPECT_EQ(l.rc, MR_END_EPOCH) << mr_error(l.handle);
    std::sort(seen.begin(), seen.end());
    ASSERT_EQ(seen.size(), 150u);
    for (size_t i = 0; i < seen.size(); i++)
        EXPECT_EQ(seen[i], i);
}

// Packed tensors are read in place, every chunk of them held against its sum.
TEST_F(Arrays, ShardsGiveTheSameStream)
{
    tree.folder("shards");
    Listed from("{type: npy, path: " + tree.path("set") + "}");
    ASSERT_EQ(from.rc, MR_OK) << from.e.text;
    PackOptions small;
    small.shard_bytes = 2500;
    std::vector<mr_shard_line> shards = pack(from, tree.path("shards"), small);
    ASSERT_GT(shards.size(), 2u);
    fs::create_directories(tree.path("elsewhere"));
    fs::rename(tree.path("shards/s-000001.mrs"), tree.path("elsewhere/second"));
    fs::create_symlink(tree.path("elsewhere/second"), tree.path("shards/s-000001.mrs"));

    const std::string packed = "source={type: shards, path: " + tree.path("shards") + "}";
    Loader plain(config("producers: 2\n"));
    std::vector<Delivered> stream = plain.read();
    Loader same(config("producers: 2\n"), {packed});
    ASSERT_EQ(same.rc, MR_OK) << same.error;
    EXPECT_EQ(same.read(), stream) << same.error;
    Loader rows(config(), {packed});
    EXPECT_EQ(check_rows<float>(rows), 2 * SAMPLES);
    Loader wide(config("", "fields: {x: {dtype: float64, shape: [2, 3]}, label: int64}\n"),
                {packed});
    EXPECT_EQ(check_rows<double>(wide), 2 * SAMPLES);
}

// Rows of many chunks, and one byte of some of them; read, and looked at where they lie.
TEST_F(Arrays, ADamagedTensorIsABadSample)
{
    const size_t numbers = 70000; // 280,000 bytes: more than are checked at a time
    tree.file("long/x.npy", npy("<f4", "(3, 70000)", counted<float>(3 * numbers)));
    Listed from("{type: npy, path: " + tree.path("long") + "}");
    ASSERT_EQ(from.rc, MR_OK) << from.e.text;
    for (const char *out : {"good", "bad"}) {
        tree.folder(out);
        ASSERT_EQ(pack(from, tree.path(out)).size(), 1u);
    }
    for (size_t at : {400000ul, 700000ul}) { // in the middle of a chunk of the second, the third
        std::fstream f(tree.path("bad/s-000000.mrs"),
                       std::ios::in | std::ios::out | std::ios::binary);
        f.seekg((long)at);
        char c = (char)(f.get() ^ 4);
        f.seekp((long)at);
        f.put(c);
    }
    std::string yaml = "version: 1\nepochs: 3\nbatch: {size: 1}\nsampler: {type: sequential}\n"
                       "on_error: skip\nmax_bad: 100%\nproducers: 1\n"
                       "fields: {x: {dtype: float32, shape: [70000]}}\n";
    auto valid = [&](const std::string &from, std::string &log) {
        std::string type = from == "long" ? "npy" : "shards";
        Loader l(yaml, {"source={type: " + type + ", path: " + tree.path(from) + "}"});
        EXPECT_EQ(l.rc, MR_OK) << l.error;
        std::string flags;
        mr_batch *b;
        while (l.rc >= 0 && (l.rc = mr_next(l.handle, &b, 30000)) != MR_END) {
            if (l.rc == MR_END_EPOCH)
                flags += ' ';
            if (l.rc != MR_OK)
                continue;
            const float *x = (const float *)mr_field(b, "x")->data;
            flags += mr_valid(b)[0] ? 'v' : '-';
            for (size_t k = 0; k < numbers && mr_valid(b)[0]; k++)
                if (x[k] != (float)(mr_sample_ids(b)[0] * numbers + k))
                    flags += '!', k = numbers;
            mr_release(b);
        }
        for (const std::string &line : l.log)
            log += line + "\n";
        return flags;
    };
    for (bool settled : {false, true}) {
        std::string log;
        if (settled) // old enough to be looked at in place, and to be believed in later epochs
            std::this_thread::sleep_for(std::chrono::milliseconds(3100));
        EXPECT_EQ(valid("long", log), "vvv vvv vvv ") << log;
        EXPECT_EQ(valid("good", log), "vvv vvv vvv ") << log;
        EXPECT_EQ(valid("bad", log), "v-- v-- v-- ") << log;
        EXPECT_NE(log.find("'" + tree.path("bad") + "', sample 1 of 'x': bytes "),
                  std::string::npos)
            << log;
    }
}

// What was checked once is believed only while nobody touches the file.
TEST_F(Arrays, DamageThatComesLaterIsFound)
{
    tree.folder("out");
    Listed from("{type: npy, path: " + tree.path("set") + "}");
    ASSERT_EQ(from.rc, MR_OK) << from.e.text;
    ASSERT_EQ(pack(from, tree.path("out")).size(), 1u);
    std::this_thread::sleep_for(std::chrono::milliseconds(3100)); // old enough to be believed
    Loader l("version: 1\nepochs: 3\nbatch: {size: 100}\nsampler: {type: sequential}\nslots: 1\n"
             "spares: 0\nproducers: 1\non_error: skip\nmax_bad: 100%\n"
             "source: {type: shards, path: " +
             tree.path("out") + "}\nfields: {x: {dtype: float32, shape: [2, 3]}, label: int64}\n");
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    mr_batch *b;
    for (int epoch = 0; epoch < 3; epoch++) {
        ASSERT_EQ(mr_next(l.handle, &b, 30000), MR_OK) << mr_error(l.handle);
        EXPECT_EQ((int)mr_valid(b)[50], epoch < 2) << epoch;
        EXPECT_EQ((int)mr_valid(b)[49], 1);
        if (epoch == 1) { // the second epoch has read what the first one checked
            std::fstream f(tree.path("out/s-000000.mrs"),
                           std::ios::in | std::ios::out | std::ios::binary);
            long at = 64 + 50 * (24 + 4) + 4 + 9; // sample 50: a head, items of a sum and 24 bytes
            f.seekg(at);
            char c = (char)(f.get() ^ 1);
            f.seekp(at);
            f.put(c);
        }
        mr_release(b);
        EXPECT_EQ(mr_next(l.handle, &b, 30000), MR_END_EPOCH);
    }
}

// What is cut off is bad, sample by sample, and told by file and number.
TEST_F(Arrays, ACutFileEndsTheRunNamingTheSample)
{
    Loader l(config("on_error: fail\nsampler: {type: sequential}\nread_ahead: off\n"),
             {"slots=1", "batch.size=2", "producers=1"});
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    EXPECT_EQ(l.read(1).size(), 1u) << l.error;
    fs::resize_file(tree.path("set/x.npy"), 128 + 60 * NUMBERS * sizeof(float));
    l.read();
    EXPECT_EQ(l.rc, MR_E_DATA);
    EXPECT_NE(l.error.find(tree.path("set/x.npy") + "', sample "), std::string::npos) << l.error;
    EXPECT_NE(l.error.find("of 'x'"), std::string::npos) << l.error;
}

TEST_F(Arrays, SamplersSeeTheNumbers)
{
    tree.file("set/label.npy", npy("|u1", "(100,)", std::string(90, '\0') + std::string(10, '\1')));
    Loader l(config("sampler: {type: class_balanced}\n"));
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    mr_batch *b;
    int64_t ones = 0, rows = 0;
    while ((l.rc = mr_next(l.handle, &b, 30000)) == MR_OK) {
        mr_batch_info info;
        mr_batch_get_info(b, &info);
        for (int r = 0; r < info.rows; r++, rows++)
            ones += ((const int64_t *)mr_field(b, "label")->data)[r];
        mr_release(b);
    }
    EXPECT_GT(ones, rows / 3) << "half of them, though one in ten samples is";
}

TEST_F(Arrays, WhatDoesNotFitIsSaidWhenItOpens)
{
    auto refused = [&](const std::string &fields) {
        Loader l(config("", "fields: {" + fields + "}\n"));
        EXPECT_EQ(l.rc, MR_E_CONFIG) << fields;
        return l.error;
    };
    EXPECT_NE(
        refused("x: {dtype: float32, shape: [6]}")
            .find("a sample of 'x' is float32 [2, 3], the field [6]: give it 'shape: [2, 3]'"),
        std::string::npos);
    EXPECT_NE(refused("x: float32").find("the field []: give it 'shape: [2, 3]'"),
              std::string::npos);
    EXPECT_NE(refused("x: {dtype: float32, max: 2, shape: [3]}").find("and no 'max'"),
              std::string::npos);
    EXPECT_NE(refused("y: {dtype: float32}").find("no column 'y' for this field; it has label, x"),
              std::string::npos);
    Loader ops(config("ops: [{center_crop: {size: 2}}]\n"));
    EXPECT_NE(ops.error.find("'fields' has no 'image', which 'ops' needs"), std::string::npos);
    fs::rename(tree.path("set/x.npy"), tree.path("set/image.npy"));
    Loader image(config("", "ops: [{center_crop: {size: 2}}]\nfields: {image: {}}\n"));
    EXPECT_EQ(image.rc, MR_E_CONFIG);
    EXPECT_NE(image.error.find("'image' is a tensor"), std::string::npos) << image.error;
}

// A batch may be numbers alone.
TEST(Columns, DoWithoutImages)
{
    Loader l(
        "version: 1\nseed: 42\nepochs: 1\nbatch: {size: 8}\nsource: {type: folder, path: " MR_SAMPLE
        "/images}\nfields: {label: int64}\n");
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    size_t rows = 0;
    for (const Delivered &d : l.read())
        rows += (size_t)d.rows;
    EXPECT_EQ(rows, 60u) << l.error;
    EXPECT_EQ(l.rc, MR_END) << l.error;
}
