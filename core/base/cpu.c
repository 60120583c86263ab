/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cpu.h"

#include "base/printable.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>

/* The builtin also asks whether the system saves the registers. */
#define BY_BUILTIN(name)                      \
    static bool has_##name(void)              \
    {                                         \
        return __builtin_cpu_supports(#name); \
    }
BY_BUILTIN(ssse3)
BY_BUILTIN(avx2)
BY_BUILTIN(fma)
BY_BUILTIN(bmi)
BY_BUILTIN(bmi2)
BY_BUILTIN(popcnt)
BY_BUILTIN(avx512f)
BY_BUILTIN(avx512bw)
BY_BUILTIN(avx512dq)
BY_BUILTIN(avx512vl)
BY_BUILTIN(avx512vbmi)
BY_BUILTIN(avx512vbmi2)
BY_BUILTIN(avx512vnni)

static bool has_sse4(void) /* a name with a point is none of C's */
{
    return __builtin_cpu_supports("sse4.1") && __builtin_cpu_supports("sse4.2");
}

/* clang 14's builtin does not know these two. */
static bool has_f16c(void)
{
    unsigned a, b, c, d;

    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}

static bool has_lzcnt(void)
{
    unsigned a, b, c, d;

    return __get_cpuid(0x80000001, &a, &b, &c, &d) && (c & bit_LZCNT);
}
#define IF_X86(has) has
#else
#define IF_X86(has) no
#endif

#if defined(__aarch64__)
#define IF_ARM(has) has
#else
#define IF_ARM(has) no
#endif

/* Some rows of the table are of another architecture, so one of these may be idle. */
__attribute__((unused)) static bool no(void)
{
    return false;
}

__attribute__((unused)) static bool yes(void)
{
    return true;
}

struct feature {
    enum mr_cpu_level level; /* that needs it, */
    unsigned flag;           /* or that has it as a flag */
    const char *name;
    bool (*there)(void);
};

static const struct feature features[] = {
    {MR_CPU_SSE4, 0, "ssse3", IF_X86(has_ssse3)},
    {MR_CPU_SSE4, 0, "sse4", IF_X86(has_sse4)},
    {MR_CPU_SSE4, 0, "popcnt", IF_X86(has_popcnt)},
    {MR_CPU_AVX2, 0, "avx2", IF_X86(has_avx2)},
    {MR_CPU_AVX2, 0, "fma", IF_X86(has_fma)},
    {MR_CPU_AVX2, 0, "f16c", IF_X86(has_f16c)},
    {MR_CPU_AVX2, 0, "bmi", IF_X86(has_bmi)},
    {MR_CPU_AVX2, 0, "bmi2", IF_X86(has_bmi2)},
    {MR_CPU_AVX2, 0, "lzcnt", IF_X86(has_lzcnt)},
    {MR_CPU_AVX512, 0, "avx512f", IF_X86(has_avx512f)},
    {MR_CPU_AVX512, 0, "avx512bw", IF_X86(has_avx512bw)},
    {MR_CPU_AVX512, 0, "avx512dq", IF_X86(has_avx512dq)},
    {MR_CPU_AVX512, 0, "avx512vl", IF_X86(has_avx512vl)},
    {MR_CPU_AVX512, MR_CPU_VBMI, "avx512vbmi", IF_X86(has_avx512vbmi)},
    {MR_CPU_AVX512, MR_CPU_VBMI2, "avx512vbmi2", IF_X86(has_avx512vbmi2)},
    {MR_CPU_AVX512, MR_CPU_VNNI, "avx512vnni", IF_X86(has_avx512vnni)},
    {MR_CPU_NEON, 0, "neon", IF_ARM(yes)},
};
#define FEATURES (sizeof features / sizeof *features)

/* A level has what the one below it has; `by_itself`: flags without which nobody wants it unless it
 * is named. */
static const struct level {
    const char *name;
    enum mr_cpu_level below;
    unsigned by_itself;
} levels[MR_CPU_LEVELS] = {
    [MR_CPU_SCALAR] = {"scalar", MR_CPU_SCALAR, 0},
    [MR_CPU_SSE4] = {"sse4", MR_CPU_SCALAR, 0},
    [MR_CPU_AVX2] = {"avx2", MR_CPU_SSE4, 0},
    [MR_CPU_AVX512] = {"avx512", MR_CPU_AVX2, MR_CPU_VBMI2},
    [MR_CPU_NEON] = {"neon", MR_CPU_SCALAR, 0},
};

const char *mr__cpu_name(enum mr_cpu_level level)
{
    return levels[level].name;
}

static bool covers(enum mr_cpu_level level, enum mr_cpu_level needs)
{
    while (level != needs && level != MR_CPU_SCALAR)
        level = levels[level].below;
    return level == needs;
}

/* The first thing that the level needs and this CPU has not; NULL: nothing. */
static const char *missing(enum mr_cpu_level level)
{
    for (size_t i = 0; i < FEATURES; i++) {
        const struct feature *f = &features[i];
        if (!f->flag && covers(level, f->level) && !f->there())
            return f->name;
    }
    return NULL;
}

static struct mr_cpu with_flags(enum mr_cpu_level level)
{
    struct mr_cpu cpu = {.level = level};

    for (size_t i = 0; i < FEATURES; i++) {
        if (features[i].flag && covers(level, features[i].level) && features[i].there())
            cpu.flags |= features[i].flag;
    }
    return cpu;
}

static struct mr_cpu best(void)
{
    static const enum mr_cpu_level order[] = {MR_CPU_AVX512, MR_CPU_AVX2, MR_CPU_SSE4,
                                              MR_CPU_NEON};

    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        struct mr_cpu cpu = with_flags(order[i]);
        unsigned wanted = levels[order[i]].by_itself;
        if (!missing(order[i]) && (cpu.flags & wanted) == wanted)
            return cpu;
    }
    return (struct mr_cpu){.level = MR_CPU_SCALAR};
}

static int unknown(const char *word, struct mr_errbuf *e)
{
    char names[64] = "";
    size_t n = 0;

    for (int i = 0; i < MR_CPU_LEVELS; i++)
        n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", i ? ", " : "", levels[i].name);
    return mr__fail(e, MR_E_USAGE,
                    "MILLRACE_CPU is '%.40s' in the environment, and should be one of %s: correct "
                    "it, or unset it to use the best that this CPU has",
                    mr__printable(word, strlen(word)).text, names);
}

int mr__cpu_by_name(struct mr_cpu *cpu, const char *word, struct mr_errbuf *e)
{
    int level = 0;

    if (!word || !*word) {
        *cpu = best();
        return MR_OK;
    }
    while (level < MR_CPU_LEVELS && strcmp(word, levels[level].name) != 0)
        level++;
    if (level == MR_CPU_LEVELS)
        return unknown(word, e);
    const char *lacking = missing((enum mr_cpu_level)level);
    if (lacking)
        return mr__fail(e, MR_E_UNSUPPORTED,
                        "MILLRACE_CPU is '%s' in the environment, but this CPU has no %s: unset it "
                        "to use the best that there is, '%s'",
                        word, lacking, levels[best().level].name);
    *cpu = with_flags((enum mr_cpu_level)level);
    return MR_OK;
}

int mr__cpu_choose(struct mr_cpu *cpu, struct mr_errbuf *e)
{
    return mr__cpu_by_name(cpu, getenv("MILLRACE_CPU"), e);
}

bool mr__cpu_runs(const struct mr_cpu *cpu, enum mr_cpu_level level, unsigned flags)
{
    return covers(cpu->level, level) && (cpu->flags & flags) == flags;
}
