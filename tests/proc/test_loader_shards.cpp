// SPDX-License-Identifier: Apache-2.0
//
// Shards are a source like any other: what was packed gives the stream of what it was packed from,
// whatever is done to it, and what is damaged is a bad sample that is named.
#include "../unit/npy_testing.hpp"
#include "../unit/pack_testing.hpp"
#include "../unit/temp_tree.hpp"
#include "loader_testing.hpp"

#include <filesystem>
#include <fstream>
#include <memory>
#include <sys/resource.h>

namespace fs = std::filesystem;

namespace
{

const char *const MANIFEST = "{type: manifest, path: " MR_SAMPLE "/manifest.csv}";
const char *const FOLDER = "{type: folder, path: " MR_SAMPLE "/images}";

struct Packed {
    TempTree t;
    std::vector<mr_shard_line> lines;

    explicit Packed(const std::string &source, bool sizes = false)
    {
        Listed from(source);
        EXPECT_EQ(from.rc, MR_OK) << from.e.text;
        PackOptions o;
        o.shard_bytes = 150000; // some shards
        o.sizes = sizes;
        lines = pack(from, t.root, o);
        EXPECT_GT(lines.size(), 2u);
    }
    std::string source() const
    {
        return "{type: shards, path: " + t.root.string() + "}";
    }
};

const Packed &packed_manifest()
{
    static std::unique_ptr<Packed> packed = std::make_unique<Packed>(MANIFEST);
    return *packed;
}

std::string with(const std::string &source, const std::string &more = "",
                 const std::string &fields = "  image: {dtype: float32}\n  label: {}\n")
{
    return main_config("epochs: 2\nproducers: 2\n" + more, "source: " + source + "\n") +
           "fields:\n" + fields;
}

const char *const ALL_FIELDS = "  image: {dtype: float32}\n  label: {}\n  mask: {dtype: uint8}\n"
                               "  boxes: {dtype: float32, max: 8}\n";

uint64_t hash_of(const std::string &config, std::vector<std::string> set = {})
{
    Loader l(config, std::move(set));
    EXPECT_EQ(l.rc, MR_OK) << l.error;
    EXPECT_FALSE(l.read().empty());
    EXPECT_EQ(l.rc, MR_END) << l.error;
    return l.rc == MR_END ? l.stream_hash() : 0;
}

void spoil(const std::string &path, uint64_t at)
{
    std::fstream f(path, std::ios::in | std::ios::out | std::ios::binary);
    f.seekg(long(at));
    char c = char(f.get() ^ 4);
    f.seekp(long(at));
    f.put(c);
}

// Where the body of a sample of a shard lies.
mr_shard_place place_of(const std::string &path, const char *column, uint64_t sample)
{
    mr_shard s;
    mr_errbuf e = {};
    EXPECT_EQ(mr__shard_open(&s, path.c_str(), true, &e), MR_OK) << e.text;
    mr_shard_place place = mr__shard_place(mr__shard_column(&s, column), sample);
    mr__shard_close(&s);
    return place;
}

} // namespace

TEST(LoaderShards, GiveTheStreamOfWhatWasPacked)
{
    std::string source = packed_manifest().source();
    for (const char *more : {"", "decode: fast\n", "decode: {engine: libjpeg}\n", "read_ahead: 4\n",
                             "producers: {count: 1, threads: 2}\n"}) {
        std::string m = *more == 'p' ? "" : more;
        std::vector<std::string> set;
        if (*more == 'p')
            set.push_back("producers={count: 1, threads: 2}");
        EXPECT_EQ(hash_of(with(MANIFEST, m, ALL_FIELDS), set),
                  hash_of(with(source, m, ALL_FIELDS), set))
            << more;
    }
}

// More of them than a process may have open, with and without the sandbox's own limit.
TEST(LoaderShards, ThereMayBeMany)
{
    TempTree t;
    Listed from(FOLDER);
    PackOptions o;
    o.shard_bytes = 1; // one for each sample
    ASSERT_EQ(pack(from, t.root, o).size(), 60u);
    std::string source = "{type: shards, path: " + t.root.string() + "}";
    std::vector<std::string> set = {"producers={count: 2, threads: 2}", "read_ahead=4"};
    uint64_t hash = hash_of(with(FOLDER), set);
    EXPECT_EQ(hash_of(with(source), set), hash);
    rlimit before, few;
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = before;
    few.rlim_cur = 48;
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
    uint64_t with_few = hash_of(with(source), set);
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_EQ(with_few, hash);
}

TEST(LoaderShards, OneShardIsASourceToo)
{
    const Packed &p = packed_manifest();
    std::string one = p.t.root.string() + "/" + p.lines[1].file;
    Loader l(with("{type: shards, path: " + one + "}"), {"epochs=1"});
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    uint64_t rows = 0;
    for (const Delivered &d : l.read())
        rows += uint64_t(d.valid);
    EXPECT_EQ(rows, p.lines[1].samples);
}

// The sampler of sizes finds them in the shards, and chooses as it does when it has looked itself.
TEST(LoaderShards, KnowTheSizesOfTheirImages)
{
    Packed p(FOLDER, true);
    auto bucket = [](const std::string &source) {
        std::string c = with(source, "", "  image: {dtype: float32}\n  label: {}\n");
        c.replace(c.find("{type: shuffle}"), 15, "{type: bucket}");
        return c;
    };
    EXPECT_EQ(hash_of(bucket(FOLDER)), hash_of(bucket(p.source())));
}

// So does one that looks into the masks.
TEST(LoaderShards, ShowTheirMasks)
{
    for (const char *mode : {"grid", "random"}) {
        auto patches = [&](const std::string &source) {
            std::string c = with(source, "", "  image: {dtype: float32}\n  mask: {dtype: uint8}\n");
            c.replace(c.find("{type: shuffle}"), 15,
                      std::string("{type: patch, size: 40, min_coverage: 0.3, mode: ") + mode +
                          "}");
            return c;
        };
        EXPECT_EQ(hash_of(patches(MANIFEST)), hash_of(patches(packed_manifest().source())));
    }
}

// 100 KiB a sample, so that a row is read and checked in pieces.
TEST(LoaderShards, HoldTensors)
{
    TempTree t;
    t.file("set/x.npy", npy("<f4", "(40, 25, 1024)", counted<float>(40 * 25 * 1024)));
    t.file("set/y.npy", npy("<i2", "(40, 3)", counted<int16_t>(120, 5)));
    t.file("set/label.npy", npy("<i2", "(40,)", counted<int16_t>(40, 1000)));
    t.folder("out");
    std::string source = "{type: npy, path: " + t.path("set") + "}";
    Listed from(source);
    ASSERT_EQ(from.rc, MR_OK) << from.e.text;
    PackOptions o;
    o.shard_bytes = 1500000;
    std::vector<mr_shard_line> lines = pack(from, t.path("out"), o);
    ASSERT_GT(lines.size(), 1u);
    std::string packed = "{type: shards, path: " + t.path("out") + "}";
    auto config = [](const std::string &of, const char *dtype) {
        return "version: 1\nseed: 42\nepochs: 2\nbatch: {size: 8}\nproducers: 2\nsource: " + of +
               "\nfields: {x: {dtype: " + dtype +
               ", shape: [25, 1024]}, y: {dtype: int16, shape: [3]}, label: int64}\n";
    };
    for (const char *dtype : {"float32", "float64"})
        EXPECT_EQ(hash_of(config(source, dtype)), hash_of(config(packed, dtype)));
}

TEST(LoaderShards, MixWithFiles)
{
    auto mixture = [](const std::string &source) {
        return "version: 1\nseed: 3\nepochs: 1\nproducers: 2\nbatch: {size: 8, last: short}\n"
               "mixture:\n  of:\n    - {name: a, source: " +
               source + ", share: 0.5, sampler: shuffle}\n    - {name: b, source: " + FOLDER +
               ", share: 0.5, sampler: shuffle}\nops:\n  - random_resized_crop: {size: 32}\n"
               "fields:\n  image: {dtype: uint8}\n";
    };
    EXPECT_EQ(hash_of(mixture(FOLDER)), hash_of(mixture(Packed(FOLDER).source())));
}

TEST(LoaderShards, WorkInTheSandbox)
{
    std::string source = packed_manifest().source();
    Loader l(with(source), {"sandbox=require"});
    if (l.rc < 0)
        GTEST_SKIP() << l.error;
    EXPECT_FALSE(l.read().empty());
    EXPECT_EQ(l.rc, MR_END) << l.error;
    EXPECT_EQ(l.stream_hash(), hash_of(with(MANIFEST)));
    // A shard may lie elsewhere.
    TempTree away;
    Packed p(MANIFEST);
    fs::rename(p.t.path(p.lines[1].file), away.path("moved.mrs"));
    p.t.link(p.lines[1].file, away.path("moved.mrs"));
    EXPECT_EQ(hash_of(with(p.source()), {"sandbox=require"}), hash_of(with(MANIFEST)));
}

TEST(LoaderShards, ADamagedBodyIsABadSample)
{
    Packed p(MANIFEST);
    std::string path = p.t.path(p.lines[1].file);
    mr_shard_place place = place_of(path, "image", 0);
    spoil(path, place.at + mr__shard_sums_bytes(place.bytes) + place.bytes / 2);
    Loader fail(with(p.source()), {"on_error=fail"});
    fail.read();
    EXPECT_EQ(fail.rc, MR_E_DATA);
    EXPECT_NE(fail.error.find(p.lines[1].file), std::string::npos) << fail.error;
    EXPECT_NE(fail.error.find("/images/"), std::string::npos) << "the file it was: " << fail.error;
    EXPECT_NE(fail.error.find("damaged"), std::string::npos) << fail.error;
    Loader skip(with(p.source()), {"on_error=skip", "epochs=1", "max_bad=100%"});
    uint64_t valid = 0;
    for (const Delivered &d : skip.read())
        valid += uint64_t(d.valid);
    EXPECT_EQ(skip.rc, MR_END) << skip.error;
    EXPECT_EQ(valid, 59u);
    mr_bad_sample bad = {};
    bad.size = sizeof bad;
    ASSERT_EQ(mr_get_bad_sample(skip.handle, 0, &bad), MR_OK);
    EXPECT_EQ(bad.sample, p.lines[0].samples);
    EXPECT_STREQ(bad.stage, "read");
    EXPECT_NE(std::string(bad.path).find(p.lines[1].file), std::string::npos) << bad.path;
    mr_free(bad.path);
}

// Before the first batch, by name.
TEST(LoaderShards, ADamagedIndexEndsTheRunAtItsBegin)
{
    Packed p(MANIFEST);
    std::string path = p.t.path(p.lines[2].file);
    spoil(path, p.lines[2].bytes - 200);
    for (const char *on_error : {"fail", "replace"}) {
        Loader l(with(p.source()), {std::string("on_error=") + on_error});
        EXPECT_EQ(l.rc, MR_E_DATA);
        EXPECT_NE(l.error.find(p.lines[2].file), std::string::npos) << l.error;
    }
    fs::resize_file(path, p.lines[2].bytes - 500);
    Loader cut(with(p.source()));
    EXPECT_NE(cut.error.find("cut"), std::string::npos) << cut.error;
    fs::remove(p.t.path("pack.json"));
    Loader unfinished(with(p.source()));
    EXPECT_NE(unfinished.error.find("millrace pack"), std::string::npos) << unfinished.error;
}

TEST(LoaderShards, TheIndexMayBeKept)
{
    Packed p(MANIFEST);
    std::string cache = "index_cache: " + p.t.path("cache.index") + "\n";
    uint64_t hash = hash_of(with(MANIFEST));
    EXPECT_EQ(hash_of(with(p.source(), cache)), hash);
    ASSERT_TRUE(fs::exists(p.t.path("cache.index")));
    EXPECT_EQ(hash_of(with(p.source(), cache)), hash);
    // Packed again, from other data: the index is made anew.
    for (const mr_shard_line &line : p.lines)
        fs::remove(p.t.path(line.file));
    Listed other(FOLDER);
    PackOptions o;
    o.fingerprint = 5;
    pack(other, p.t.root, o);
    EXPECT_EQ(hash_of(with(p.source(), cache)), hash_of(with(FOLDER)));
}

TEST(LoaderShards, GoOnFromASavedState)
{
    std::string source = packed_manifest().source();
    Loader whole(with(source));
    std::vector<Delivered> all = whole.read();
    Loader first(with(source));
    first.read(5);
    std::string state = first.state();
    Loader second(with(source), {}, state.c_str());
    ASSERT_EQ(second.rc, MR_OK) << second.error;
    std::vector<Delivered> rest = second.read();
    ASSERT_EQ(rest.size() + 5, all.size());
    for (size_t i = 0; i < rest.size(); i++)
        EXPECT_EQ(rest[i], all[i + 5]);
}
