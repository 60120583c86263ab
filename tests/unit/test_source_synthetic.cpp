// SPDX-License-Identifier: Apache-2.0
//
// The data set that is made up as it is read: what it says is in it, and that its bytes are files.
#include <gtest/gtest.h>

#include "codec_testing.h"

extern "C" {
#include "base/config.h"
#include "loaders/source/plain_png.h"
#include "loaders/source/read_file.h"
}

#include <unistd.h>
#include <xxhash.h>

namespace
{

// The source as a config names it, indexed and opened.
struct Synthetic {
    mr_config *config = nullptr;
    const mr_source *source = nullptr;
    mr_index index = {};
    mr_limits limits = wide_limits();
    void *self = nullptr;
    mr_buf out = {};
    mr_errbuf e = {};

    explicit Synthetic(const std::string &options)
    {
        std::string text = "version: 1\nsource: {type: synthetic, " + options +
                           "}\nfields: {image: {}, label: {dtype: int64}}\n";
        EXPECT_EQ(mr__config_read(&config, "t.yaml", text.c_str(), nullptr, &e), MR_OK) << e.text;
        source = static_cast<const mr_source *>(config->source.desc);
        mr_index_builder *b;
        EXPECT_EQ(mr__index_builder_new(&b, &e), MR_OK);
        EXPECT_EQ(source->index(config->source.params, b, &e), MR_OK) << e.text;
        int fd = mr__index_memfd(&e);
        EXPECT_EQ(mr__index_finish(b, fd, &e), MR_OK) << e.text;
        EXPECT_EQ(mr__index_map(&index, fd, &e), MR_OK) << e.text;
        close(fd);
        mr__index_builder_free(b);
    }
    ~Synthetic()
    {
        if (self)
            source->close(self);
        mr__buf_free(&out);
        mr__index_unmap(&index);
        mr__config_free(config);
    }
    int read(uint64_t sample, int column = 0)
    {
        if (!self && source->open(config->source.params, &index, &limits, &self, &e) < 0)
            return -1000;
        return source->read(self, sample, column, &out, &e);
    }
    Bytes bytes(uint64_t sample)
    {
        EXPECT_EQ(read(sample), MR_OK) << e.text;
        return Bytes(out.data, out.data + out.n);
    }
    int64_t number(const char *column, uint64_t sample)
    {
        uint64_t entries;
        int c = mr__index_column(&index, column);
        return *static_cast<const int64_t *>(mr__index_numbers(&index, c, sample, &entries));
    }
};

const mr_codec &png()
{
    for (int i = 0; mr_codecs[i]; i++)
        if (!strcmp(mr_codecs[i]->d.name, "png"))
            return *mr_codecs[i];
    abort();
}

Picture decode(const Bytes &file)
{
    Decoder d(png());
    Picture p;
    EXPECT_EQ(d.header(file), MR_OK) << d.error.text;
    EXPECT_EQ(d.info.c, 3);
    EXPECT_EQ(d.info.bits, 8);
    EXPECT_EQ(d.decode(file, {0, 0, d.info.w, d.info.h}, 3, 8, p), MR_OK) << d.error.text;
    return p;
}

void slanted(const void *, uint32_t y, uint8_t *rgb)
{
    for (int i = 0; i < 3 * 5; i++)
        rgb[i] = uint8_t(7 * i + y);
}

} // namespace

TEST(PlainPng, TheCodecReadsWhatWasWritten)
{
    const uint32_t w = 5, h = 300;
    Bytes file(mr__plain_png_bytes(w, h));
    mr__plain_png_write(file.data(), w, h, slanted, nullptr);
    Picture p = decode(file);
    ASSERT_EQ(p.w, 5);
    ASSERT_EQ(p.h, 300);
    for (int y = 0; y < p.h; y++)
        for (int i = 0; i < 15; i++)
            ASSERT_EQ(p.pixels[size_t(y) * 15 + i], uint8_t(7 * i + y)) << y << ", " << i;
}

TEST(PlainPng, TheLongestRowFits)
{
    auto grey = [](const void *, uint32_t, uint8_t *rgb) {
        memset(rgb, 77, 3 * size_t(MR_PLAIN_PNG_SIDE));
    };
    Bytes file(mr__plain_png_bytes(MR_PLAIN_PNG_SIDE, 2));
    mr__plain_png_write(file.data(), MR_PLAIN_PNG_SIDE, 2, grey, nullptr);
    EXPECT_EQ(decode(file).pixels, Bytes(size_t(2) * 3 * MR_PLAIN_PNG_SIDE, 77));
}

TEST(Synthetic, HasAsManySamplesAsAskedForInNoRoom)
{
    Synthetic s("samples: 1000000000000, size: [48, 64], classes: 7");
    EXPECT_EQ(s.index.head->samples, 1000000000000u);
    EXPECT_LT(s.index.bytes, 1u << 16);
    EXPECT_EQ(s.number("label", 0), 0);
    EXPECT_EQ(s.number("label", 999999999999), 999999999999 % 7);
    EXPECT_EQ(s.number("width", 123456789), 64);
    EXPECT_EQ(s.number("height", 123456789), 48);
    size_t n;
    const char *name = mr__index_class(&s.index, 6, &n);
    EXPECT_EQ(std::string(name, n), "class 6");
    EXPECT_EQ(mr__index_class(&s.index, 7, &n), nullptr);
}

TEST(Synthetic, SamplesAreFilesThatDifferAndFollowFromTheNumber)
{
    Synthetic s("samples: 1000000000000, size: [48, 64], classes: 7"), again("samples: 999, "
                                                                             "size: [48, 64], "
                                                                             "classes: 7");
    Bytes file = s.bytes(5);
    for (int i = 0; i < MR_READ_PADDING; i++)
        ASSERT_EQ(s.out.data[s.out.n + size_t(i)], 0);
    Picture p = decode(file);
    EXPECT_EQ(p.w, 64);
    EXPECT_EQ(p.h, 48);
    EXPECT_EQ(s.bytes(5), file);
    EXPECT_EQ(again.bytes(5), file) << "how many there are does not matter";
    EXPECT_NE(s.bytes(12), file) << "of the same class";
    Picture q = decode(s.bytes(12)), other = decode(s.bytes(6));
    auto corner = [](const Picture &x) { return Bytes(x.pixels.begin(), x.pixels.begin() + 3); };
    EXPECT_EQ(corner(q), corner(p)) << "the class shows";
    EXPECT_NE(corner(other), corner(p));
    EXPECT_EQ(decode(s.bytes(999999999999)).w, 64);
}

// Golden: streams of configs with this source depend on it.
TEST(Synthetic, IsFrozen)
{
    Synthetic s("samples: 100, size: 16");
    Bytes file = s.bytes(42);
    EXPECT_EQ(file.size(), 16 * (6 + 48) + 6 + 57u);
    EXPECT_EQ(XXH3_64bits(file.data(), file.size()), 12171532191137476313u);
}

TEST(Synthetic, RefusesWhatItDoesNotHave)
{
    Synthetic s("samples: 10, size: 32");
    EXPECT_EQ(s.read(10), MR_E_USAGE);
    EXPECT_EQ(s.read(0, 1), MR_E_USAGE);
    Synthetic small("samples: 10, size: 32");
    small.limits.max_file_bytes = 1000;
    EXPECT_EQ(small.read(7), MR_E_DATA);
    EXPECT_STREQ(small.e.text, "sample 7: a PNG of 3327 bytes, more than limits.max_file_bytes "
                               "(1000) allows");
}
