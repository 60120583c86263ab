// SPDX-License-Identifier: Apache-2.0
#include "fault_testing.hpp"

extern "C" {
#include "proc/child.h"
}

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include <dirent.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

void give_up(mr_loader *loader, const std::string &sentence)
{
    fprintf(stderr, "FAILED: %s\n", sentence.c_str());
    char *dump = loader ? mr_dump(loader) : nullptr;
    if (dump)
        fprintf(stderr, "%s\n", dump);
    fflush(nullptr);
    _exit(1);
}

// ---- the job ----

std::string to_text(const Job &job)
{
    auto n = [](auto v) { return std::to_string(v); };
    return "version: 1\nseed: 42\nepochs: " + n(job.epochs) +
           "\nproducers: {count: " + n(job.producers) + ", threads: " + n(job.threads) +
           "}\nslots: " + n(job.slots) + "\ndeterministic: " + (job.in_order ? "true" : "false") +
           "\ncontext: " + (job.fork ? "fork" : "spawn") +
           "\nsample_timeout: " + n(job.sample_timeout) + "\n" + job.more +
           "batch: {size: 4, last: short}\nsource: {type: folder, path: " + job.folder +
           "}\nsampler: {type: " + job.sampler +
           "}\n"
           "ops:\n"
           "  - random_resized_crop: {size: 16}\n"
           "  - random_horizontal_flip\n";
}

// The library looks beside itself, which is beside this program, by a name that may be relative.
static void name_warden()
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    std::string self(path, n > 0 ? (size_t)n : 0);
    setenv("MILLRACE_WARDEN", (self.substr(0, self.rfind('/')) + "/millrace-warden").c_str(), 0);
}

mr_loader *open_job(const Job &job, const char *state)
{
    name_warden();
    std::string text = to_text(job);
    mr_options options = {};
    mr_loader *loader = nullptr;
    options.size = sizeof options;
    options.config_text = text.c_str();
    options.state = state;
    mr_open(&loader, "storm.yaml", &options);
    return loader;
}

std::string state_of(mr_loader *loader)
{
    std::string text(4096, 0);
    size_t bytes = 0;
    if (mr_save_state(loader, text.data(), text.size(), &bytes) < 0)
        give_up(loader, std::string("no state could be saved: ") + mr_error(loader));
    text.resize(bytes - 1);
    return text;
}

Piece look_at(mr_batch *batch)
{
    mr_batch_info info = {};
    Piece p = {};
    if (mr_batch_get_info(batch, &info) < 0 || mr_batch_hash(batch, &p.hash) < 0)
        give_up(nullptr, std::string("a batch cannot be looked at: ") + mr_error(nullptr));
    p.epoch = info.epoch;
    p.batch = info.batch;
    p.rows = info.rows;
    p.valid = info.valid;
    return p;
}

std::string to_text(const Piece &p)
{
    char text[128];
    snprintf(text, sizeof text, "epoch %llu batch %llu, %d rows, %d valid, hash %016llx",
             (unsigned long long)p.epoch, (unsigned long long)p.batch, p.rows, p.valid,
             (unsigned long long)p.hash);
    return text;
}

static std::vector<Piece> read_undisturbed()
{
    Job job;
    job.epochs = ref_epochs;
    std::vector<Piece> all;
    mr_loader *loader = open_job(job);
    mr_batch *batch;
    int rc = loader ? MR_OK : MR_E_USAGE;
    while (rc >= 0 && (rc = mr_next(loader, &batch, 60000)) >= 0 && rc != MR_END)
        if (rc == MR_OK) {
            all.push_back(look_at(batch));
            mr_release(batch);
        }
    if (rc < 0)
        give_up(loader, std::string("the undisturbed run: ") + mr_error(nullptr));
    mr_close(&loader);
    return all;
}

const std::vector<Piece> &undisturbed()
{
    static const std::vector<Piece> all = read_undisturbed();
    return all;
}

uint64_t batches_per_epoch()
{
    return undisturbed().size() / ref_epochs;
}

const Piece &expected(uint64_t epoch, uint64_t batch)
{
    if (epoch >= ref_epochs || batch >= batches_per_epoch())
        give_up(nullptr, "a batch was delivered that does not exist: epoch " +
                             std::to_string(epoch) + " batch " + std::to_string(batch));
    return undisturbed()[epoch * batches_per_epoch() + batch];
}

// ---- processes ----

int lanes_of(mr_loader *loader)
{
    return (int)mr__lane_count(arena_of(loader));
}

pid_t pid_in_lane(mr_loader *loader, int lane)
{
    return (pid_t)MR_GET(mr__lane(arena_of(loader), (uint32_t)lane)->pid);
}

// State and parent, from what stands behind the name in /proc/PID/stat.
static bool stat_of(pid_t pid, char *state, pid_t *parent)
{
    std::ifstream f("/proc/" + std::to_string(pid) + "/stat");
    std::string line;
    std::getline(f, line);
    size_t close = line.rfind(')');
    return close != std::string::npos &&
           sscanf(line.c_str() + close + 1, " %c %d", state, parent) == 2;
}

int open_lane(mr_loader *loader, int lane)
{
    pid_t pid = pid_in_lane(loader, lane), parent = 0;
    char state = 'Z';
    int fd = pid > 0 ? mr__pidfd_open(pid) : -1; // before the look: then it is the one looked at
    if (fd >= 0 && stat_of(pid, &state, &parent) && state != 'Z' && state != 'X' &&
        parent == warden_of(loader))
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

bool send(int pidfd, int signal)
{
    return syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0) == 0;
}

bool has_ended(int pidfd, int timeout_ms)
{
    struct pollfd p = {pidfd, POLLIN, 0};
    return poll(&p, 1, timeout_ms) == 1;
}

uint64_t rows_made(mr_loader *loader)
{
    uint64_t rows = 0;
    for (int i = MR_LANE_PRODUCERS; i < lanes_of(loader); i++)
        rows += MR_GET(mr__lane(arena_of(loader), (uint32_t)i)->count[MR_COUNT_ROWS]);
    return rows;
}

uint64_t respawns(mr_loader *loader)
{
    return MR_GET(arena_of(loader)->control->tally.respawns);
}

static std::vector<std::pair<pid_t, char>> children(pid_t parent)
{
    std::vector<std::pair<pid_t, char>> found;
    DIR *proc = opendir("/proc");
    pid_t its = 0;
    char state;
    for (struct dirent *d; proc && (d = readdir(proc));)
        if (d->d_name[0] >= '1' && d->d_name[0] <= '9' &&
            stat_of((pid_t)atoi(d->d_name), &state, &its) && its == parent)
            found.push_back({(pid_t)atoi(d->d_name), state});
    if (proc)
        closedir(proc);
    return found;
}

pid_t child_of(pid_t parent)
{
    for (const auto &child : children(parent))
        if (child.second != 'Z')
            return child.first;
    return 0;
}

int children_of(pid_t parent)
{
    return (int)children(parent).size();
}

void kill_descendants()
{
    for (int i = 0; i < 1000 && !nothing_left(1); i++)
        for (const auto &child : children(getpid()))
            kill(child.first, SIGKILL);
}

bool nothing_left(int timeout_ms)
{
    double until = seconds() + timeout_ms / 1e3;
    for (;;) {
        pid_t pid = waitpid(-1, nullptr, WNOHANG);
        if (pid < 0) // ECHILD: no child, so no grandchild: orphans become ours
            return true;
        if (pid == 0 && seconds() > until)
            return false;
        if (pid == 0)
            sleep_us(1000);
    }
}

// ---- small things ----

double seconds()
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

void sleep_us(uint64_t us)
{
    struct timespec t = {(time_t)(us / 1000000), (long)(us % 1000000) * 1000};
    nanosleep(&t, nullptr);
}
