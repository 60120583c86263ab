// SPDX-License-Identifier: Apache-2.0
//
// kill_storm.cpp: random faults by the thousand. While producers and commanders are killed, stopped
// and crashed at random moments, every delivered batch is compared, by its number, with the one of
// an undisturbed run; then trainers and wardens are killed, and nothing may be left.
#include "attacker.hpp"
#include "storm_loops.hpp"
#include "storm_reader.hpp"
#include "storm_soak.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>

static const char *const tiny = MR_TINY "/images";
static const Job jobs[] = {
    {2, 1, 3, true, false, 30, 0, tiny, ""},  {2, 2, 3, true, false, 1.5, 0, tiny, ""},
    {3, 1, 4, false, false, 30, 0, tiny, ""}, {2, 2, 4, false, false, 30, 0, tiny, ""},
    {1, 1, 2, true, true, 1.5, 0, tiny, ""},  {4, 1, 6, true, true, 30, 0, tiny, ""},
};
constexpr uint64_t faults_per_loader = 250;

static Faults storm(uint64_t wanted, uint64_t seed, uint64_t *batches, uint64_t *cancels)
{
    Faults all;
    for (uint64_t i = 0; all.all() < wanted; i++) {
        Attack attack;
        uint64_t left = wanted - all.all();
        attack.faults = left < faults_per_loader ? left : faults_per_loader;
        attack.seed = seed + i;
        const Job &job = jobs[i % (sizeof jobs / sizeof *jobs)];
        attack.timeouts = job.sample_timeout < 10;
        StormReader reader(job, seed + i);
        Attacker attacker(reader.loader(), attack);
        while (!attacker.done())
            reader.step();
        all.add(attacker.end());
        reader.finish();
        *batches += reader.batches;
        *cancels += reader.cancels;
    }
    return all;
}

static int run_storm(uint64_t wanted, uint64_t seed)
{
    uint64_t batches = 0, cancels = 0;
    double from = seconds();
    Faults f = storm(wanted, seed, &batches, &cancels);
    printf("kill_storm: %llu faults in %.1f s (seed %llu): %llu SIGKILL, %llu SIGSTOP and SIGCONT, "
           "%llu SIGSTOP until the time-out, %llu SIGSEGV/BUS/ABRT/ILL/FPE; %llu met a recovery, "
           "%llu the commander; %llu batches and %llu cancels, every batch as undisturbed, 0 lost, "
           "0 hangs\n",
           (unsigned long long)f.all(), seconds() - from, (unsigned long long)seed,
           (unsigned long long)f.kills, (unsigned long long)f.stops, (unsigned long long)f.timeouts,
           (unsigned long long)f.crashes, (unsigned long long)f.doubles,
           (unsigned long long)f.commanders, (unsigned long long)batches,
           (unsigned long long)cancels);
    if (wanted >= 200 && f.doubles * 10 < f.all())
        give_up(nullptr, "fewer than a tenth of the faults met a recovery");
    return 0;
}

static int usage()
{
    fprintf(
        stderr,
        "usage: kill_storm N [SEED]              N faults on producers and commanders\n"
        "       kill_storm trainer N [SEED]      N trainers killed: nothing may be left\n"
        "       kill_storm warden N [SEED]       N wardens killed: a clear error, and the same\n"
        "       kill_storm soak MINUTES [JSON]   moderate faults; memory and descriptors\n");
    return 2;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    bool loop = !strcmp(what, "trainer") || !strcmp(what, "warden");
    bool soak = !strcmp(what, "soak");
    int at = loop || soak ? 2 : 1;
    if (argc <= at || atof(argv[at]) <= 0)
        return usage();
    if (soak)
        return run_soak(atof(argv[at]), argc > at + 1 ? argv[at + 1] : nullptr);
    uint64_t n = strtoull(argv[at], nullptr, 10);
    uint64_t seed = argc > at + 1 ? strtoull(argv[at + 1], nullptr, 10) : 1;
    if (loop)
        return *what == 't' ? kill_trainers(n, seed) : kill_wardens(n, seed);
    return run_storm(n, seed);
}
