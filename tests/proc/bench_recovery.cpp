// SPDX-License-Identifier: Apache-2.0
//
// bench_recovery.cpp: how long a row is lost when its producer is killed: from SIGKILL in the
// middle of a row until the row is BUSY again under another lease. A process with a large arena
// takes its time to die, so every producer touches all of it before it is struck.
//
//     bench_recovery [KILLS [MIB [LIMIT]]]     200 kills, 1024 MiB; p99 may be LIMIT ms (200)
#include "fault_testing.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include <sys/mman.h>
#include <unistd.h>

constexpr uint64_t slots = 4, rows = 16, row_us = 5000;

// Reads a byte of every page of the arena's data, as a producer that has filled every slot has.
static void touch_arena()
{
    std::ifstream maps("/proc/self/maps");
    unsigned long from, to;
    for (std::string line; std::getline(maps, line);) {
        if (line.find("/memfd:millrace-data") == std::string::npos ||
            sscanf(line.c_str(), "%lx-%lx", &from, &to) != 2)
            continue;
        for (unsigned long at = from; at < to; at += 4096)
            (void)*(volatile const char *)at;
    }
}

// In the producers, which are forked: who has touched the arena, for everybody to see.
struct Touched {
    pid_t pid[16];
};

static int fill(void *self, mr_rows *r)
{
    static thread_local bool touched;
    auto *all = static_cast<Touched *>(self);
    if (!touched) {
        touch_arena();
        touched = true;
        for (pid_t &cell : all->pid) {
            pid_t none = 0;
            if (__atomic_compare_exchange_n(&cell, &none, getpid(), false, __ATOMIC_SEQ_CST,
                                            __ATOMIC_SEQ_CST))
                break;
        }
    }
    const mr_tensor *x = mr_rows_field(r, "image");
    *static_cast<uint8_t *>(x->data) = 1;
    sleep_us(row_us);
    return MR_OK;
}

static int next(void *self, mr_message *m)
{
    (void)self;
    (void)m;
    return MR_OK;
}

// Keeps batches coming.
static void take_ready(mr_loader *loader)
{
    mr_batch *batch;
    int rc;
    while ((rc = mr_next(loader, &batch, 0)) == MR_OK)
        mr_release(batch);
    if (rc < 0 && rc != MR_E_TIMEOUT)
        give_up(loader, std::string("mr_next: ") + mr_error(loader));
}

// A row that a producer holds which has touched the arena; its word.
static uint64_t *held_row(mr_loader *loader, Touched *touched, int lane, pid_t *pid)
{
    const struct mr_arena *a = arena_of(loader);
    uint32_t lease = MR_GET(mr__lane(a, (uint32_t)lane)->lease);
    pid_t *end = touched->pid + 16, *cell;
    *pid = pid_in_lane(loader, lane);
    cell = std::find(touched->pid, end, *pid);
    if (cell == end)
        return nullptr;
    for (uint32_t i = 0; i < a->shape.slots * a->shape.tasks; i++) {
        uint64_t *word = mr__slot_rows(a, 0) + i, w = mr__word_load(word);
        if (mr__row_state(w) == MR_ROW_BUSY && mr__row_lease(w) == lease)
            return word;
    }
    return nullptr;
}

// Five deaths without a row between them would end the run.
static void wait_for_rows(mr_loader *loader)
{
    uint64_t enough = rows_made(loader) + 4;
    double until = seconds() + 60;
    while (rows_made(loader) < enough) {
        take_ready(loader);
        if (seconds() > until)
            give_up(loader, "no row was finished for a minute");
        sleep_us(500);
    }
}

struct Times {
    double given, issued; // ms after SIGKILL: EMPTY again, BUSY again
};

// The row's word is looked at without pause: what is measured is short.
static Times kill_one(mr_loader *loader, Touched *touched, int lane)
{
    pid_t pid = 0;
    uint64_t *word = nullptr, w = 0;
    double until = seconds() + 60;
    while (!word) {
        take_ready(loader);
        word = held_row(loader, touched, lane, &pid);
        if (!word && seconds() > until)
            give_up(loader, "no producer holds a row");
        if (!word)
            sleep_us(200);
    }
    w = mr__word_load(word);
    int fd = open_lane(loader, lane);
    double from = seconds();
    Times t = {0, 0};
    bool sent = fd >= 0 && mr__row_state(w) == MR_ROW_BUSY && send(fd, SIGKILL);
    if (fd >= 0)
        close(fd);
    if (!sent) // the row has just ended
        return {-1, -1};
    *std::find(touched->pid, touched->pid + 16, pid) = 0;
    while (!t.issued) {
        uint64_t now = mr__word_load(word);
        if (now != w && !t.given)
            t.given = (seconds() - from) * 1e3;
        if (mr__row_lease(now) != mr__row_lease(w) && mr__row_state(now) == MR_ROW_BUSY)
            t.issued = (seconds() - from) * 1e3;
        if (mr__row_state(now) == MR_ROW_DONE) // it was at the row's very end
            return {-1, -1};
        if (seconds() - from > 30)
            give_up(loader, "the row was not re-issued within 30 s");
        sleep_us(50);
    }
    return t;
}

static double percentile(std::vector<double> v, double p)
{
    std::sort(v.begin(), v.end());
    return v[std::min(v.size() - 1, (size_t)(p * (double)v.size()))];
}

static mr_loader *open_large(uint64_t mib, const mr_producer *producer, const mr_commander *c)
{
    uint64_t side = mib * 1024 * 1024 / slots / rows / 4096; // a row is side x 4096 bytes
    std::string config =
        "version: 1\ncontext: fork\nproducers: 2\nslots: " + std::to_string(slots) +
        "\nbatch: {size: " + std::to_string(rows) + "}\nfields:\n  image: {dtype: uint8, shape: [" +
        std::to_string(side) + ", 4096]}\n";
    mr_options options = {};
    mr_loader *loader = nullptr;
    options.size = sizeof options;
    options.config_text = config.c_str();
    options.commander = c;
    options.producer = producer;
    if (mr_open(&loader, "bench.yaml", &options) < 0)
        give_up(nullptr, std::string("mr_open: ") + mr_error(nullptr));
    return loader;
}

int main(int argc, char **argv)
{
    uint64_t kills = argc > 1 ? strtoull(argv[1], nullptr, 10) : 200;
    uint64_t mib = argc > 2 ? strtoull(argv[2], nullptr, 10) : 1024;
    double limit = argc > 3 ? atof(argv[3]) : 200;
    void *shared =
        mmap(nullptr, sizeof(Touched), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    mr_producer producer = {};
    mr_commander commander = {};
    std::vector<double> given, issued;
    if (!kills || !mib || shared == MAP_FAILED)
        return 2;
    producer.size = sizeof producer;
    producer.abi = commander.abi = MR_PLUGIN_ABI;
    producer.user = shared;
    producer.fill = fill;
    commander.size = sizeof commander;
    commander.next = next;
    mr_loader *loader = open_large(mib, &producer, &commander);
    for (uint64_t i = 0; given.size() < kills; i++) {
        wait_for_rows(loader);
        Times t = kill_one(loader, static_cast<Touched *>(shared), 2 + (int)(i % 2));
        if (t.issued > 0) {
            given.push_back(t.given);
            issued.push_back(t.issued);
        }
    }
    mr_close(&loader);
    printf("bench_recovery: %llu kills, arena of %llu MiB, all touched: given back p50 %.1f ms, "
           "p99 %.1f, max %.1f; claimed again p50 %.1f ms, p99 %.1f, max %.1f\n",
           (unsigned long long)kills, (unsigned long long)mib, percentile(given, 0.5),
           percentile(given, 0.99), percentile(given, 1), percentile(issued, 0.5),
           percentile(issued, 0.99), percentile(issued, 1));
    return percentile(issued, 0.99) < limit ? 0 : 1;
}
