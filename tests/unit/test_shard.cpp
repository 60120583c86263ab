// SPDX-License-Identifier: Apache-2.0
//
// Shards: what is written is what is read; what is cut, flipped or of another version is found and
// named before anything of it is believed.
#include "pack_testing.hpp"
#include "temp_tree.hpp"

extern "C" {
#include "loaders/shard/body_reader.h"
#include "loaders/shard/shard_sums.h"
}

#include <cstring>
#include <random>

namespace
{

std::string noise(size_t n, unsigned seed)
{
    std::mt19937 rng(seed);
    std::string s(n, 0);
    for (char &c : s)
        c = char(rng());
    return s;
}

std::string slurp(const std::string &path)
{
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

// Files of awkward sizes, a mask for some, numbers and boxes.
struct Manifest {
    TempTree t;
    std::vector<std::string> images, masks;

    explicit Manifest(const std::vector<size_t> &sizes = {1, 4095, 4096, 4097, 300000, 8192, 63})
    {
        std::string csv = "image,mask,label:class,weight:float32,boxes:f32[4]\n";
        for (size_t i = 0; i < sizes.size(); i++) {
            std::string n = std::to_string(i);
            images.push_back(noise(sizes[i], unsigned(i) + 1));
            masks.push_back(i % 2 ? noise(20 + i, unsigned(i) + 100) : "");
            t.file("in/i" + n + ".jpg", images[i]);
            if (i % 2)
                t.file("in/m" + n + ".png", masks[i]);
            csv += "i" + n + ".jpg," + (i % 2 ? "m" + n + ".png" : "") + ",c" +
                   std::to_string(i % 3) + ",0." + n + ",";
            for (size_t k = 0; k < i % 3; k++)
                csv += (k ? ";" : "") + std::string("0 0 3 ") + n;
            csv += "\n";
        }
        t.file("in/m.csv", csv);
        t.folder("out");
    }
    std::string source() const
    {
        return "{type: manifest, path: " + t.path("in/m.csv") + "}";
    }
    std::string packed() const
    {
        return "{type: shards, path: " + t.path("out") + "}";
    }
};

// Flips a bit of a file, or flips it back.
void flip(const std::string &path, size_t at, int bit)
{
    std::fstream f(path, std::ios::in | std::ios::out | std::ios::binary);
    f.seekg(long(at));
    char c = char(f.get() ^ (1 << bit));
    f.seekp(long(at));
    f.put(c);
}

// Opens and closes; "" when all is well.
std::string open_error(const std::string &path, int *code = nullptr)
{
    mr_shard s;
    mr_errbuf e = {};
    int rc = mr__shard_open(&s, path.c_str(), true, &e);
    if (code)
        *code = rc;
    mr__shard_close(&s);
    return rc < 0 ? e.text : "";
}

std::string set_error(const std::string &path)
{
    mr_shard_set set;
    mr_errbuf e = {};
    int rc = mr__shard_set_read(&set, path.c_str(), &e);
    for (uint64_t i = 0; rc == MR_OK && i < set.n; i++) {
        mr_shard s;
        rc = mr__shard_set_open(&set, i, true, &s, &e);
        mr__shard_close(&s);
    }
    mr__shard_set_free(&set);
    return rc < 0 ? e.text : "";
}

} // namespace

TEST(Shard, GivesBackWhatWasPacked)
{
    Manifest m;
    Listed from(m.source());
    ASSERT_EQ(from.rc, MR_OK) << from.e.text;
    for (uint64_t shard_bytes : {UINT64_MAX, uint64_t(20000)}) {
        TempTree t;
        PackOptions o;
        o.shard_bytes = shard_bytes;
        size_t n = pack(from, t.root, o).size();
        EXPECT_EQ(n > 1, shard_bytes < UINT64_MAX);
        Listed to("{type: shards, path: " + t.root.string() + "}");
        ASSERT_EQ(to.rc, MR_OK) << to.e.text;
        ASSERT_EQ(to.index.head->samples, from.index.head->samples);
        ASSERT_EQ(to.index.head->classes, from.index.head->classes);
        for (uint64_t i = 0; i < m.images.size(); i++) {
            int image = mr__index_column(&to.index, "image"),
                mask = mr__index_column(&to.index, "mask");
            EXPECT_EQ(to.body(i, image), m.images[i]);
            EXPECT_EQ(to.body(i, mask), m.masks[i]);
            size_t bytes;
            std::string path(mr__index_path(&to.index, image, i, &bytes));
            path.resize(bytes);
            EXPECT_NE(path.find(".mrs/i" + std::to_string(i) + ".jpg"), std::string::npos) << path;
            for (const char *name : {"label", "weight", "boxes"}) {
                uint64_t a, b;
                int ca = mr__index_column(&from.index, name),
                    cb = mr__index_column(&to.index, name);
                ASSERT_GE(cb, 0) << name;
                const mr_column &c = from.index.head->column[ca];
                const void *x = mr__index_numbers(&from.index, ca, i, &a);
                const void *y = mr__index_numbers(&to.index, cb, i, &b);
                ASSERT_EQ(a, b) << name;
                EXPECT_EQ(memcmp(x, y, a * c.width * mr_dtype_size((mr_dtype)c.dtype)), 0) << name;
            }
        }
        for (uint64_t i = 0; i < from.index.head->classes; i++) {
            size_t a, b;
            const char *x = mr__index_class(&from.index, i, &a);
            const char *y = mr__index_class(&to.index, i, &b);
            EXPECT_EQ(std::string(x, a), std::string(y, b));
        }
    }
}

TEST(Shard, FollowsFromTheSamplesAlone)
{
    Manifest m;
    Listed from(m.source());
    TempTree t;
    t.folder("a");
    t.folder("b");
    PackOptions o;
    o.shard_bytes = 20000;
    auto a = pack(from, t.path("a"), o), b = pack(from, t.path("b"), o);
    ASSERT_EQ(a.size(), b.size());
    uint64_t at = 0;
    for (auto &line : a) {
        EXPECT_EQ(slurp(t.path("a/") + line.file), slurp(t.path("b/") + line.file));
        EXPECT_EQ(std::filesystem::file_size(t.path("a/") + line.file), line.bytes);
        EXPECT_EQ(line.first, at);
        at += line.samples;
    }
    EXPECT_EQ(at, 7u);
    EXPECT_EQ(slurp(t.path("a/pack.json")), slurp(t.path("b/pack.json")));
    for (auto &entry : std::filesystem::directory_iterator(t.path("a")))
        EXPECT_EQ(entry.path().string().find(".part"), std::string::npos);
}

TEST(Shard, KnowsHowLargeItWillBe)
{
    Manifest m;
    Listed from(m.source());
    mr_shard_plan plan = {};
    plan.index = &from.index;
    plan.mode = "verbatim";
    plan.sizes = true;
    mr_errbuf e = {};
    mr_shard_writer *w;
    ASSERT_EQ(mr__shard_writer_begin(&w, &plan, m.t.path("x.mrs").c_str(), 0, 0, &e), MR_OK);
    for (uint64_t i = 0; i < 7; i++) {
        mr_shard_sample sample = {};
        sample.sample = i;
        sample.bytes[0] = {m.images[i].data(), m.images[i].size(), nullptr};
        uint64_t before = mr__shard_writer_bytes(w), adds = mr__shard_writer_adds(w, &sample);
        ASSERT_EQ(mr__shard_writer_add(w, &sample, &e), MR_OK) << e.text;
        EXPECT_EQ(mr__shard_writer_bytes(w), before + adds);
    }
    uint64_t bytes = mr__shard_writer_bytes(w);
    mr_shard_line line;
    ASSERT_EQ(mr__shard_writer_finish(w, &line, &e), MR_OK) << e.text;
    EXPECT_EQ(line.bytes, bytes);
}

TEST(Shard, HasNoNameUntilItIsComplete)
{
    Manifest m;
    Listed from(m.source());
    mr_shard_plan plan = {};
    plan.index = &from.index;
    plan.mode = "verbatim";
    mr_errbuf e = {};
    mr_shard_writer *w;
    std::string path = m.t.path("x.mrs");
    ASSERT_EQ(mr__shard_writer_begin(&w, &plan, path.c_str(), 0, 0, &e), MR_OK);
    EXPECT_FALSE(std::filesystem::exists(path));
    mr__shard_writer_drop(w);
    EXPECT_FALSE(std::filesystem::exists(path + ".part"));
    m.t.file("x.mrs.part", "left over");
    ASSERT_EQ(mr__shard_writer_begin(&w, &plan, path.c_str(), 0, 0, &e), MR_OK);
    mr_shard_line line;
    ASSERT_EQ(mr__shard_writer_finish(w, &line, &e), MR_OK) << e.text;
    EXPECT_EQ(open_error(path), "");
    EXPECT_LT(mr__shard_writer_begin(&w, &plan, path.c_str(), 0, 0, &e), 0);
    EXPECT_NE(strstr(e.text, "already"), nullptr) << e.text;
}

TEST(Shard, ReadsRangesInAnyOrder)
{
    Manifest m({300000});
    Listed from(m.source());
    auto lines = pack(from, m.t.path("out"));
    mr_shard s;
    mr_errbuf e = {};
    ASSERT_EQ(mr__shard_open(&s, (m.t.path("out/") + lines[0].file).c_str(), true, &e), MR_OK);
    mr_shard_place place = mr__shard_place(mr__shard_column(&s, "image"), 0);
    std::mt19937 rng(3);
    for (int round = 0; round < 50; round++) {
        mr_body b = {};
        ASSERT_EQ(mr__body_begin(&b, s.file, &place, &e), MR_OK);
        std::vector<std::pair<const uint8_t *, uint64_t>> seen;
        const uint8_t *origin = nullptr;
        for (int k = 0; k < 6; k++) {
            uint64_t at = rng() % 300000, n = 1 + rng() % (round % 2 ? 3000 : 300000 - at);
            n = std::min(n, 300000 - at);
            const uint8_t *data;
            ASSERT_EQ(mr__body_get(&b, at, n, &data, &e), MR_OK) << e.text;
            ASSERT_EQ(memcmp(data, m.images[0].data() + at, n), 0);
            origin = origin ? origin : data - at;
            EXPECT_EQ(data - at, origin) << "all ranges lie in one array";
            uint8_t behind = 0; // 64 bytes can be read there
            for (int i = 0; i < 64; i++)
                behind |= data[n + size_t(i)];
            EXPECT_LE(behind, 255);
        }
        const uint8_t *data;
        EXPECT_EQ(mr__body_get(&b, 300000, 1, &data, &e), MR_E_DATA);
        EXPECT_EQ(mr__body_get(&b, 299999, 2, &data, &e), MR_E_DATA);
        EXPECT_EQ(mr__body_get(&b, UINT64_MAX, 2, &data, &e), MR_E_DATA);
        EXPECT_EQ(mr__body_get(&b, 0, 0, &data, &e), MR_E_DATA);
        std::string whole(300000, 0);
        ASSERT_EQ(mr__body_into(&b, whole.data(), &e), MR_OK) << e.text;
        EXPECT_EQ(whole, m.images[0]);
        mr__body_free(&b);
    }
    mr__shard_close(&s);
}

// A range is checked by itself: damage elsewhere in the body is not its business.
TEST(Shard, ARangeNeedsNoOther)
{
    Manifest m({300000});
    Listed from(m.source());
    std::string path = m.t.path("out/") + pack(from, m.t.path("out"))[0].file, all = slurp(path);
    size_t body = all.find(m.images[0]);
    ASSERT_NE(body, std::string::npos);
    std::string bad = all;
    bad[body + 200000] ^= 1;
    m.t.file("bad.mrs", bad);
    mr_shard s;
    mr_errbuf e = {};
    ASSERT_EQ(mr__shard_open(&s, m.t.path("bad.mrs").c_str(), true, &e), MR_OK);
    mr_shard_place place = mr__shard_place(mr__shard_column(&s, "image"), 0);
    mr_body b = {};
    const uint8_t *data;
    ASSERT_EQ(mr__body_begin(&b, s.file, &place, &e), MR_OK);
    EXPECT_EQ(mr__body_get(&b, 100, 150000, &data, &e), MR_OK) << e.text;
    EXPECT_EQ(mr__body_get(&b, 210000, 90000, &data, &e), MR_OK) << e.text;
    EXPECT_EQ(mr__body_get(&b, 199999, 2, &data, &e), MR_E_DATA);
    std::string where = std::to_string(body + 200000 / 4096 * 4096);
    EXPECT_NE(strstr(e.text, where.c_str()), nullptr) << e.text;
    mr__body_free(&b);
    mr__shard_close(&s);
}

// Every bit of a shard is covered: head, sums, bodies, index, foot.
TEST(Shard, AnyFlippedBitIsFound)
{
    Manifest m({1, 5000, 40});
    Listed from(m.source());
    std::string path = m.t.path("out/") + pack(from, m.t.path("out"))[0].file;
    size_t size = std::filesystem::file_size(path), tried = 0;
    std::mt19937 rng(11);
    for (size_t at = 0; at < size; at += at < 64 || at + 64 > size ? 1 : at % 7 + 3, tried++) {
        int bit = int(rng() % 8);
        flip(path, at, bit);
        mr_shard s;
        mr_errbuf e = {};
        int rc = mr__shard_open(&s, path.c_str(), true, &e);
        mr_buf body = {};
        for (uint32_t c = 0; rc == MR_OK && c < s.ncolumns; c++)
            for (uint64_t i = 0; rc == MR_OK && s.column[c].places && i < s.samples; i++)
                if (mr__shard_place(&s.column[c], i).bytes)
                    rc = mr__shard_read(&s, &s.column[c], i, &body, &e);
        EXPECT_LT(rc, 0) << "byte " << at;
        EXPECT_NE(strstr(e.text, path.c_str()), nullptr) << e.text;
        mr__buf_free(&body);
        mr__shard_close(&s);
        flip(path, at, bit);
    }
    EXPECT_EQ(open_error(path), "");
    EXPECT_GT(tried, 1000u);
}

TEST(Shard, ACutOneIsFound)
{
    Manifest m({1, 5000, 40});
    Listed from(m.source());
    std::string path = m.t.path("out/") + pack(from, m.t.path("out"))[0].file, all = slurp(path);
    for (size_t n = 0; n < all.size(); n += n < 66 || n + 66 > all.size() ? 1 : 97) {
        m.t.file("cut.mrs", all.substr(0, n));
        int code;
        std::string error = open_error(m.t.path("cut.mrs"), &code);
        EXPECT_EQ(code, MR_E_DATA) << n;
        EXPECT_NE(error.find("cut.mrs"), std::string::npos) << error;
    }
    m.t.file("long.mrs", all + "x");
    EXPECT_NE(open_error(m.t.path("long.mrs")), "");
    m.t.file("text.mrs", std::string(1000, 'x'));
    EXPECT_NE(open_error(m.t.path("text.mrs")).find("is no shard"), std::string::npos);
    EXPECT_NE(open_error(m.t.path("none.mrs")).find("No such file"), std::string::npos);
}

TEST(Shard, ANewerVersionIsRefusedByName)
{
    Manifest m({10});
    Listed from(m.source());
    std::string path = m.t.path("out/") + pack(from, m.t.path("out"))[0].file, all = slurp(path);
    for (int major : {2, 0}) {
        std::string other = all;
        mr__le_put((uint8_t *)&other[MR_SHARD_HEAD_MAJOR], uint64_t(major), 2);
        uint64_t check = mr__shard_hash(other.data(), MR_SHARD_HEAD_CHECK);
        mr__le_put((uint8_t *)&other[MR_SHARD_HEAD_CHECK], check, 8);
        m.t.file("other.mrs", other);
        int code;
        std::string error = open_error(m.t.path("other.mrs"), &code);
        EXPECT_EQ(code, MR_E_VERSION);
        EXPECT_NE(error.find("version " + std::to_string(major) + ".0"), std::string::npos)
            << error;
        EXPECT_NE(error.find("reads version 1"), std::string::npos) << error;
    }
    std::string list = slurp(m.t.path("out/pack.json")), newer = list;
    newer.replace(newer.find("\"millrace_pack\": 1"), 18, "\"millrace_pack\": 3");
    m.t.file("out/pack.json", newer);
    std::string error = set_error(m.t.path("out"));
    EXPECT_NE(error.find("version 3"), std::string::npos) << error;
    EXPECT_NE(error.find("reads version 1"), std::string::npos) << error;
    // A newer minor version adds keys, which are passed over.
    newer = list;
    newer.insert(2, "\"minor\": 7, \"new\": {\"a\": [1, -2.5e3, \"\\u00e4\\\"\", null, {}], "
                    "\"b\": true}, ");
    m.t.file("out/pack.json", newer);
    EXPECT_EQ(set_error(m.t.path("out")), "");
}

TEST(ShardSet, IsHeldAgainstItsShards)
{
    Manifest m;
    Listed from(m.source());
    PackOptions o;
    o.shard_bytes = 20000;
    std::string out = m.t.path("out");
    auto lines = pack(from, out, o);
    ASSERT_GT(lines.size(), 2u);
    EXPECT_EQ(set_error(out), "");
    EXPECT_EQ(set_error(out + "///"), "");
    EXPECT_EQ(set_error(out + "/" + lines[1].file), "") << "a shard by itself";
    std::string list = slurp(out + "/pack.json");
    for (size_t n = 0; n < list.size() - 1; n += 3) {
        m.t.file("out/pack.json", list.substr(0, n));
        ASSERT_NE(set_error(out), "") << n;
    }
    m.t.file("out/pack.json", list);
    std::vector<size_t> places; // digits that say something of the shards
    for (size_t at = list.find("\"shards\""); at < list.size(); at++)
        if (isdigit(list[at]))
            places.push_back(at);
    for (size_t i = 0; i < places.size(); i += 2) {
        flip(out + "/pack.json", places[i], 0);
        EXPECT_NE(set_error(out), "") << list.substr(places[i] - 20, 40);
        flip(out + "/pack.json", places[i], 0);
    }
    EXPECT_EQ(set_error(out), "");
    std::filesystem::rename(out + "/" + lines[1].file, out + "/gone");
    EXPECT_NE(set_error(out).find(lines[1].file), std::string::npos) << set_error(out);
    std::filesystem::copy_file(out + "/" + lines[2].file, out + "/" + lines[1].file);
    EXPECT_NE(set_error(out).find("another one"), std::string::npos) << set_error(out);
}

TEST(ShardSet, SaysWhatIsMissing)
{
    TempTree t;
    t.folder("empty");
    EXPECT_NE(set_error(t.path("empty")).find("nothing was packed there"), std::string::npos);
    t.file("half/s-000000.mrs.part");
    EXPECT_NE(set_error(t.path("half")).find("was interrupted"), std::string::npos);
    t.file("half/s-000000.mrs");
    EXPECT_NE(set_error(t.path("half")).find("was interrupted"), std::string::npos);
    t.file("away/pack.json", "{\"millrace_pack\": 1, \"samples\": 1, \"shards\": [{\"file\": "
                             "\"../x.mrs\", \"first\": 0, \"samples\": 1}]}");
    EXPECT_NE(set_error(t.path("away")).find("no name of a shard"), std::string::npos)
        << set_error(t.path("away"));
}
