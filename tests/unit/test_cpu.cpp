// SPDX-License-Identifier: Apache-2.0
//
// Levels of instructions: MILLRACE_CPU forces one, and what it asks in vain is told by mr_check and
// mr_open, before anything runs.
#include <gtest/gtest.h>

#include "millrace/millrace.h"

extern "C" {
#include "base/cpu.h"
}

#include <cstdlib>
#include <string>

namespace
{

struct Forced { // for one scope
    explicit Forced(const char *word)
    {
        if (const char *old = getenv("MILLRACE_CPU"))
            before = old;
        setenv("MILLRACE_CPU", word, 1);
    }
    ~Forced()
    {
        if (before.empty())
            unsetenv("MILLRACE_CPU");
        else
            setenv("MILLRACE_CPU", before.c_str(), 1);
    }
    std::string before;
};

// The level, or the error.
std::string ask(const char *word)
{
    mr_cpu cpu;
    mr_errbuf e = {};
    int rc = mr__cpu_by_name(&cpu, word, &e);

    return rc == MR_OK ? mr__cpu_name(cpu.level) : std::to_string(rc) + " " + e.text;
}

bool contains(const std::string &all, const std::string &part)
{
    return all.find(part) != std::string::npos;
}

#if defined(__aarch64__)
const char *const kForeign = "avx2", *const kLacking = "ssse3";
#else
const char *const kForeign = "neon", *const kLacking = "neon";
#endif

const char kConfig[] = "version: 1\n"
                       "batch: {size: 4}\n"
                       "source: {type: synthetic, samples: 8}\n"
                       "ops: [{random_resized_crop: {size: 32}}]\n"
                       "fields: {image: {}}\n";

} // namespace

TEST(Cpu, TheBestLevelRunsAllBelowIt)
{
    mr_cpu cpu;

    ASSERT_EQ(mr__cpu_by_name(&cpu, nullptr, nullptr), MR_OK);
    EXPECT_TRUE(mr__cpu_runs(&cpu, cpu.level, cpu.flags));
    EXPECT_TRUE(mr__cpu_runs(&cpu, MR_CPU_SCALAR, 0));
    EXPECT_EQ(mr__cpu_runs(&cpu, MR_CPU_AVX2, 0),
              cpu.level == MR_CPU_AVX2 || cpu.level == MR_CPU_AVX512);
    EXPECT_FALSE(mr__cpu_runs(&cpu, MR_CPU_AVX2, 0) && mr__cpu_runs(&cpu, MR_CPU_NEON, 0));
    EXPECT_TRUE(cpu.flags == 0 || cpu.level == MR_CPU_AVX512);
    EXPECT_EQ(ask(""), ask(nullptr));
}

TEST(Cpu, AForcedLevelIsNoMoreThanThat)
{
    mr_cpu cpu;

    ASSERT_EQ(mr__cpu_by_name(&cpu, "scalar", nullptr), MR_OK);
    EXPECT_EQ(cpu.level, MR_CPU_SCALAR);
    for (int level = MR_CPU_SCALAR + 1; level < MR_CPU_LEVELS; level++)
        EXPECT_FALSE(mr__cpu_runs(&cpu, static_cast<mr_cpu_level>(level), 0));
    if (mr__cpu_by_name(&cpu, "avx2", nullptr) == MR_OK) {
        EXPECT_EQ(cpu.flags, 0u);
        EXPECT_TRUE(mr__cpu_runs(&cpu, MR_CPU_AVX2, 0));
        EXPECT_FALSE(mr__cpu_runs(&cpu, MR_CPU_AVX512, 0));
    }
    cpu = {MR_CPU_AVX512, MR_CPU_VBMI};
    EXPECT_TRUE(mr__cpu_runs(&cpu, MR_CPU_AVX2, 0));
    EXPECT_TRUE(mr__cpu_runs(&cpu, MR_CPU_AVX512, MR_CPU_VBMI));
    EXPECT_FALSE(mr__cpu_runs(&cpu, MR_CPU_AVX512, MR_CPU_VBMI | MR_CPU_VNNI));
}

TEST(Cpu, UnknownWordsNameTheChoices)
{
    for (const char *word : {"mmx", "AVX2", "avx2 ", "avx5"}) {
        std::string said = ask(word);
        EXPECT_TRUE(contains(said, std::to_string(MR_E_USAGE))) << said;
        EXPECT_TRUE(contains(said, "scalar, sse4, avx2, avx512, neon")) << said;
        EXPECT_TRUE(contains(said, word)) << said;
    }
    EXPECT_TRUE(contains(ask("a\nb"), "'a\\nb'")) << ask("a\nb");
}

TEST(Cpu, ALevelThatIsLackingIsRefused)
{
    std::string said = ask(kForeign);

    EXPECT_TRUE(contains(said, std::to_string(MR_E_UNSUPPORTED))) << said;
    EXPECT_TRUE(contains(said, std::string("this CPU has no ") + kLacking)) << said;
    EXPECT_TRUE(contains(said, "'" + ask(nullptr) + "'")) << said;
}

TEST(Cpu, CheckAndOpenRefuseIt)
{
    mr_options options = {};
    mr_loader *loader = nullptr;

    options.size = sizeof options;
    options.config_text = kConfig;
    {
        Forced forced("scalar");
        EXPECT_EQ(mr_check(nullptr, &options), MR_OK) << mr_error(nullptr);
    }
    {
        Forced forced(kForeign);
        EXPECT_EQ(mr_check(nullptr, &options), MR_E_UNSUPPORTED);
        EXPECT_TRUE(contains(mr_error(nullptr), "MILLRACE_CPU")) << mr_error(nullptr);
        EXPECT_EQ(mr_open(&loader, nullptr, &options), MR_E_UNSUPPORTED);
        EXPECT_TRUE(contains(mr_error(nullptr), kForeign)) << mr_error(nullptr);
        EXPECT_EQ(loader, nullptr);
    }
    Forced forced("mmx");
    EXPECT_EQ(mr_check(nullptr, &options), MR_E_USAGE);
    EXPECT_EQ(mr_open(&loader, nullptr, &options), MR_E_USAGE);
    EXPECT_TRUE(contains(mr_error(nullptr), "'mmx'")) << mr_error(nullptr);
}
