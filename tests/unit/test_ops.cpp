// SPDX-License-Identifier: Apache-2.0
//
// The conformance test: every row of every registry keeps the rules that the config reader, the
// reference pages and the bindings rely on; and every op draws what its key says and nothing else.
#include <gtest/gtest.h>

extern "C" {
#include "base/descriptor.h"
#include "base/kinds.h"
#include "base/opt.h"
#include "base/pool.h"
#include "base/rng.h"
#include "given_source.h"
}

#include <cstring>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace
{

struct Listed {
    std::string kind;
    const mr_desc *d;
};

template <typename T> void list(std::vector<Listed> &all, const char *kind, T *const *rows)
{
    for (; *rows; rows++)
        all.push_back({kind, &(*rows)->d});
}

std::vector<Listed> everything()
{
    std::vector<Listed> all;
    list(all, "op", mr_ops);
    list(all, "codec", mr_codecs);
    list(all, "source", mr_sources);
    list(all, "sampler", mr_samplers);
    return all;
}

bool is_snake_case(const char *name)
{
    return std::regex_match(name, std::regex("[a-z][a-z0-9]*(_[a-z0-9]+)*"));
}

bool is_help(const char *help)
{
    size_t n = help ? strlen(help) : 0;
    bool full_stop = n && help[n - 1] == '.' && (n < 3 || strcmp(help + n - 3, "..."));
    return n && !full_stop && !strchr(help, '\n') && !(isupper(help[0]) && islower(help[1]));
}

size_t size_of(mr_opt_type type)
{
    size_t sizes[MR_OPT_TYPE_COUNT] = {};
    sizes[MR_OPT_BOOL] = sizeof(bool);
    sizes[MR_OPT_INT] = sizeof(int64_t);
    sizes[MR_OPT_FLOAT] = sizeof(double);
    sizes[MR_OPT_ENUM] = sizeof(int);
    sizes[MR_OPT_STR] = sizes[MR_OPT_PATH] = sizeof(char *);
    sizes[MR_OPT_FLOATS] = sizeof(mr_floats);
    sizes[MR_OPT_RANGE] = sizes[MR_OPT_SPREAD] = sizeof(mr_range);
    sizes[MR_OPT_SIZE] = sizeof(mr_size);
    sizes[MR_OPT_STRS] = sizeof(mr_strs);
    sizes[MR_OPT_SHARE] = sizeof(mr_share);
    return sizes[type];
}

TEST(Conformance, NamesAreSortedAndUnique)
{
    std::vector<Listed> all = everything();
    ASSERT_GE(all.size(), 11u + 2);
    for (size_t i = 0; i < all.size(); i++) {
        EXPECT_TRUE(is_snake_case(all[i].d->name)) << all[i].d->name;
        EXPECT_TRUE(is_help(all[i].d->help)) << all[i].d->name;
        if (i && all[i].kind == all[i - 1].kind) {
            EXPECT_LT(strcmp(all[i - 1].d->name, all[i].d->name), 0) << all[i].d->name;
        }
    }
}

TEST(Conformance, OptionRowsAreWellFormed)
{
    for (const Listed &l : everything()) {
        std::set<std::string> names;
        std::vector<std::pair<size_t, size_t>> places;
        for (const mr_opt *o = l.d->opts; o && o->name; o++) {
            std::string where = l.kind + " " + l.d->name + "." + o->name;
            EXPECT_TRUE(is_snake_case(o->name)) << where;
            EXPECT_TRUE(is_help(o->help)) << where;
            EXPECT_TRUE(names.insert(o->name).second) << where << " is there twice";
            ASSERT_LT(o->type, MR_OPT_TYPE_COUNT) << where;
            EXPECT_LE(o->off + size_of(o->type), l.d->params_size) << where;
            EXPECT_LE(o->min, o->max) << where;
            EXPECT_EQ(o->type == MR_OPT_ENUM, o->names != nullptr) << where;
            for (auto &p : places)
                EXPECT_TRUE(o->off >= p.first + p.second || p.first >= o->off + size_of(o->type))
                    << where << " overlaps another";
            places.push_back({o->off, size_of(o->type)});
        }
    }
}

// The config reader itself takes every default, and bounds hold for it.
TEST(Conformance, DefaultsAreValues)
{
    for (const Listed &l : everything()) {
        mr_pool *pool = mr__pool_new();
        mr_errbuf e = {};
        mr_place place = {};
        place.path = "test";
        mr_opt_reader r = {};
        r.pool = pool;
        r.place = &place;
        r.folder = r.cwd = "/";
        r.e = &e;
        std::vector<uint64_t> params(l.d->params_size / 8 + 1);
        for (const mr_opt *o = l.d->opts; o && o->name; o++) {
            if (!o->def)
                continue;
            EXPECT_EQ(mr__opt_default(&r, o, {1, 1}, "", params.data()), MR_OK)
                << l.d->name << "." << o->name << ": " << e.text;
        }
        mr__pool_free(pool);
    }
}

TEST(Conformance, EveryOpHasTheFunctionsOfItsKind)
{
    for (int i = 0; mr_ops[i]; i++) {
        const mr_op *op = mr_ops[i];
        EXPECT_EQ(op->draw != nullptr, op->draw_size > 0) << op->d.name;
        EXPECT_EQ(op->draw != nullptr, op->print != nullptr) << op->d.name << ": draws are logged";
        EXPECT_EQ(op->kind == MR_OP_GEOMETRY, op->compose != nullptr) << op->d.name;
        EXPECT_EQ(op->kind == MR_OP_STORE, op->store != nullptr) << op->d.name;
        if (op->kind == MR_OP_PIXEL) {
            EXPECT_NE(op->pixel, nullptr) << op->d.name;
        }
        if (op->kind == MR_OP_TENSOR) {
            EXPECT_NE(op->tensor, nullptr) << op->d.name;
        }
        if (op->border) {
            EXPECT_EQ(op->kind, MR_OP_GEOMETRY) << op->d.name;
        }
        for (const mr_opt *o = op->d.opts; o && o->name; o++)
            EXPECT_TRUE(o->flags & MR_OPT_STREAM) << op->d.name << "." << o->name << " shapes rows";
    }
}

// One config with every op, each at settings that make it draw.
const char *const EVERY_OP = R"(version: 1
source: {type: given}
sampler: {type: given}
ops:
  - pad: {padding: 40}
  - random_crop: {size: 37, padding: 3}
  - random_resized_crop: {size: 31}
  - resize: {size: [21, 33]}
  - center_crop: {size: 20}
  - random_horizontal_flip: {}
  - random_vertical_flip: {}
  - color_jitter: {brightness: 0.4, contrast: [0.5, 2], saturation: 0.2, hue: 0.1}
  - normalize: {mean: 0.5, std: 0.5}
  - to_dtype: {dtype: float32}
  - random_erasing: {p: 0.7}
)";

class Draws : public ::testing::Test
{
  protected:
    mr_config *config = nullptr;

    void SetUp() override
    {
        mr_errbuf e = {};
        ASSERT_EQ(mr__config_read_with(given_tables(), &config, "t", EVERY_OP, nullptr, &e), MR_OK)
            << e.text;
    }
    void TearDown() override
    {
        mr__config_free(config);
    }
    static std::string draw(const mr_choice &c, uint64_t position, int w, int h, uint8_t past)
    {
        const mr_op *op = static_cast<const mr_op *>(c.desc);
        std::vector<uint64_t> memory(op->draw_size / 8 + 1);
        memset(memory.data(), past, memory.size() * 8);
        mr_row_key key = {9, 1, position, 0};
        mr_rng rng = mr__rng_open(&key, op->d.name, 0);
        mr_spec in = {};
        in.w = w, in.h = h, in.c = 3, in.bits = 8, in.dtype = MR_F32;
        op->draw(c.params, &rng, &in, memory.data());
        char text[1024];
        int n = op->print(c.params, memory.data(), text, sizeof text);
        EXPECT_LT(n, int(sizeof text));
        EXPECT_EQ(n, op->print(c.params, memory.data(), nullptr, 0)) << "as snprintf";
        return text;
    }
};

TEST_F(Draws, EveryOpIsInTheConfig)
{
    std::set<const void *> used;
    for (int i = 0; i < config->nops; i++)
        used.insert(config->ops[i].desc);
    for (int i = 0; mr_ops[i]; i++)
        EXPECT_TRUE(used.count(mr_ops[i])) << "add '" << mr_ops[i]->d.name << "' to this test";
}

TEST_F(Draws, AreAFunctionOfTheKeyAndTheSize)
{
    for (int i = 0; i < config->nops; i++) {
        const mr_choice &c = config->ops[i];
        const mr_op *op = static_cast<const mr_op *>(c.desc);
        if (!op->draw)
            continue;
        std::set<std::string> seen;
        for (uint64_t position = 0; position < 50; position++) {
            std::string a = draw(c, position, 101, 77, 0xff);
            ASSERT_EQ(a, draw(c, position, 101, 77, 0x00)) << op->d.name;
            seen.insert(a);
        }
        EXPECT_GT(seen.size(), 1u) << op->d.name << " draws the same for every row";
    }
}

TEST_F(Draws, StayInsideTheSmallestImages)
{
    int sizes[][2] = {{1, 1}, {1, 2}, {2, 1}, {1, 1000}, {999, 1}, {3, 7}, {40, 40}};
    for (int i = 0; i < config->nops; i++) {
        const mr_choice &c = config->ops[i];
        const mr_op *op = static_cast<const mr_op *>(c.desc);
        if (!op->draw ||
            (strcmp(op->d.name, "random_resized_crop") && strcmp(op->d.name, "random_erasing")))
            continue;
        for (auto &size : sizes) {
            for (uint64_t position = 0; position < 300; position++) {
                int x, y, w, h;
                std::string text = draw(c, position, size[0], size[1], 0);
                ASSERT_EQ(sscanf(text.c_str(), "{\"x\": %d, \"y\": %d, \"w\": %d, \"h\": %d}", &x,
                                 &y, &w, &h),
                          4);
                ASSERT_TRUE(x >= 0 && y >= 0 && x + w <= size[0] && y + h <= size[1]) << text;
                if (!strcmp(op->d.name, "random_resized_crop")) {
                    ASSERT_TRUE(w >= 1 && h >= 1) << text;
                }
            }
        }
    }
}

} // namespace
