// SPDX-License-Identifier: Apache-2.0
#include "storm_soak.hpp"

#include "attacker.hpp"
#include "storm_reader.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <unistd.h>

constexpr double faults_a_second = 10;
// Over the second half, per series. The first has parts of the program's files in it, of which a
// process's share changes with who else has them mapped.
constexpr double growth_kib = 512, anonymous_growth_kib = 128;
constexpr double shortest = 2; // minutes; before that everything warms up, and may grow

struct Sample {
    double at; // seconds since the beginning
    // KiB that only this process accounts for (PSS without shared memory, which is the arena).
    double trainer, warden, commander, producers; // producers: the mean of those that live
    double trainer_anonymous, warden_anonymous;
    double trainer_fds, warden_fds, children;
};

struct Memory {
    double own, anonymous; // KiB; 0: the process is gone
};

static Memory memory_of(pid_t pid)
{
    std::ifstream f("/proc/" + std::to_string(pid) + "/smaps_rollup");
    Memory m = {0, 0};
    for (std::string line; std::getline(f, line);) {
        if (line.rfind("Pss:", 0) == 0)
            m.own += atof(line.c_str() + 4);
        if (line.rfind("Pss_Shmem:", 0) == 0)
            m.own -= atof(line.c_str() + 10);
        if (line.rfind("Pss_Anon:", 0) == 0)
            m.anonymous = atof(line.c_str() + 9);
    }
    return m;
}

static double fds_of(pid_t pid)
{
    std::error_code e;
    double n = 0;
    for (std::filesystem::directory_iterator i("/proc/" + std::to_string(pid) + "/fd", e), end;
         !e && i != end; i.increment(e))
        n++;
    return n;
}

static Sample look(mr_loader *loader, double at)
{
    Sample s = {};
    double producers = 0;
    pid_t warden = warden_of(loader);
    s.at = at;
    Memory ours = memory_of(getpid()), wardens = memory_of(warden);
    s.trainer = ours.own;
    s.trainer_anonymous = ours.anonymous;
    s.warden = wardens.own;
    s.warden_anonymous = wardens.anonymous;
    s.trainer_fds = fds_of(getpid());
    s.warden_fds = fds_of(warden);
    s.children = children_of(warden); // dead ones that nobody has reaped, too
    for (int lane = 1; lane < lanes_of(loader); lane++) {
        double kib = memory_of(pid_in_lane(loader, lane)).own;
        (lane == 1 ? s.commander : s.producers) += kib;
        producers += lane > 1 && kib > 0;
    }
    s.producers /= std::max(producers, 1.0);
    return s;
}

static double median(std::vector<double> v)
{
    if (v.empty())
        return 0;
    std::nth_element(v.begin(), v.begin() + (long)v.size() / 2, v.end());
    return v[v.size() / 2];
}

// What a series grew by over its second half: its last quarter's median less its third's.
static double growth(const std::vector<Sample> &all, double Sample::*series)
{
    std::vector<double> third, fourth;
    for (size_t i = all.size() / 2; i < all.size(); i++)
        if (all[i].*series > 0) // a process between two lives says nothing
            (i < all.size() * 3 / 4 ? third : fourth).push_back(all[i].*series);
    return median(fourth) - median(third);
}

struct Series {
    const char *name;
    double Sample::*of;
    double limit;
};
static const Series series[] = {
    {"trainer_kib", &Sample::trainer, growth_kib},
    {"warden_kib", &Sample::warden, growth_kib},
    {"commander_kib", &Sample::commander, growth_kib},
    {"producer_kib", &Sample::producers, growth_kib},
    {"trainer_anonymous_kib", &Sample::trainer_anonymous, anonymous_growth_kib},
    {"warden_anonymous_kib", &Sample::warden_anonymous, anonymous_growth_kib},
    {"trainer_fds", &Sample::trainer_fds, 0},
    {"warden_fds", &Sample::warden_fds, 0},
    {"children", &Sample::children, 0},
};

static void write_json(const char *path, const std::vector<Sample> &all, const Faults &f,
                       uint64_t batches)
{
    FILE *out = fopen(path, "w");
    if (!out)
        give_up(nullptr, std::string("cannot write ") + path);
    fprintf(out, "{\"faults\": %llu, \"batches\": %llu,\n \"growth\": {",
            (unsigned long long)f.all(), (unsigned long long)batches);
    for (const Series &s : series)
        fprintf(out, "%s\"%s\": %.1f", &s == series ? "" : ", ", s.name, growth(all, s.of));
    fprintf(out, "},\n \"samples\": [");
    for (const Sample &s : all) {
        fprintf(out, "%s{\"s\": %.1f", &s == all.data() ? "\n  " : ",\n  ", s.at);
        for (const Series &k : series)
            fprintf(out, ", \"%s\": %.0f", k.name, s.*k.of);
        fprintf(out, "}");
    }
    fprintf(out, "]}\n");
    if (fclose(out))
        give_up(nullptr, std::string("cannot write ") + path);
}

static int report(const std::vector<Sample> &all, const Faults &f, uint64_t batches, double minutes)
{
    int grew = 0;
    printf("soak: %.1f minutes, %llu faults, %llu batches, every one as undisturbed, 0 lost; over "
           "the second half",
           minutes, (unsigned long long)f.all(), (unsigned long long)batches);
    for (const Series &s : series) {
        double by = growth(all, s.of);
        printf("%s %s %+.0f", &s == series ? "" : ",", s.name, by);
        grew |= by > s.limit && minutes >= shortest;
    }
    printf(" (medians: trainer %.0f, warden %.0f KiB)%s\n", all.back().trainer, all.back().warden,
           grew                 ? ": SOMETHING GREW"
           : minutes < shortest ? "; too short to tell growth"
                                : "");
    return grew;
}

int run_soak(double minutes, const char *json)
{
    Job job;
    std::vector<Sample> all;
    all.reserve((size_t)(minutes * 60) + 16); // so that our own list does not grow
    undisturbed();
    Attack attack;
    attack.faults = UINT64_MAX;
    attack.pause_us = (uint64_t)(1e6 / faults_a_second);
    attack.timeouts = true;
    job.sample_timeout = 3;
    StormReader reader(job, 1);
    Attacker attacker(reader.loader(), attack);
    double from = seconds(), next = from;
    while (seconds() - from < minutes * 60) {
        reader.step();
        sleep_us(500); // a trainer that works, too
        if (seconds() < next)
            continue;
        all.push_back(look(reader.loader(), seconds() - from));
        next += 1;
    }
    Faults faults = attacker.end();
    uint64_t batches = reader.batches;
    reader.finish();
    if (json)
        write_json(json, all, faults, batches);
    return report(all, faults, batches, minutes);
}
