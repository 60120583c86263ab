// SPDX-License-Identifier: Apache-2.0
#include "storm_loops.hpp"

#include "fault_testing.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

// Within how many seconds all must be gone: MR_GONE_WITHIN, else what a busy machine keeps.
static double limit_s()
{
    const char *text = getenv("MR_GONE_WITHIN");
    return text ? atof(text) : 10;
}

// A folder of our own to work in, so that a file that is left is seen.
class Scratch
{
  public:
    Scratch()
    {
        char name[] = "/tmp/mr-storm-XXXXXX";
        if (!mkdtemp(name))
            give_up(nullptr, "no folder can be made in /tmp");
        path = name;
        std::filesystem::current_path(path);
        setenv("TMPDIR", name, 1);
    }
    ~Scratch()
    {
        std::filesystem::current_path("/");
        std::filesystem::remove_all(path);
    }
    bool empty() const
    {
        return std::filesystem::is_empty(path);
    }

  private:
    std::string path;
};

static Job job_of(Random &random)
{
    Job job;
    job.producers = 1 + (int)random.below(3);
    job.slots = 2 + (int)random.below(3);
    job.fork = random.chance(50);
    job.threads = job.fork ? 1 : 1 + (int)random.below(2); // a fork must not start a team
    return job;
}

// The child's life: read for ever, with a save and a cancel now and then.
[[noreturn]] static void train(const Job &job, uint64_t seed, int to_parent)
{
    Random random(seed);
    mr_loader *loader = open_job(job);
    mr_batch *batch = nullptr, *before = nullptr;
    int rc = loader ? MR_OK : MR_E_DIED;
    while (rc >= 0 && (rc = mr_next(loader, &batch, 60000)) >= 0 && rc != MR_END) {
        if (rc == MR_OK) {
            Piece p = look_at(batch);
            if (p.epoch < ref_epochs && !(p == expected(p.epoch, p.batch)))
                give_up(loader, "a batch is not as undisturbed: " + to_text(p));
            if (before)
                mr_release(before);
            before = batch;
        }
        if (random.below(10) == 0)
            state_of(loader);
        if (random.below(20) == 0)
            mr_end_epoch(loader);
    }
    // Only the warden's death brings us here. The parent takes the time.
    std::string text = rc == MR_E_TIMEOUT ? "" : mr_error(loader);
    if (write(to_parent, text.c_str(), text.size()) != (ssize_t)text.size())
        _exit(2);
    if (before)
        mr_release(before);
    mr_close(&loader);
    _exit(0);
}

static pid_t start_trainer(const Job &job, uint64_t seed, int *from_child)
{
    int ends[2];
    if (pipe(ends) < 0)
        give_up(nullptr, "no pipe can be made");
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(ends[0]);
        fcntl(ends[1], F_SETFD, FD_CLOEXEC);
        train(job, seed, ends[1]);
    }
    close(ends[1]);
    *from_child = ends[0];
    return pid;
}

static std::string read_all(int fd)
{
    char text[1024];
    size_t n = 0;
    for (ssize_t got; n < sizeof text && (got = read(fd, text + n, sizeof text - n)) > 0;)
        n += (size_t)got;
    return std::string(text, n);
}

int kill_trainers(uint64_t n, uint64_t seed)
{
    Scratch scratch;
    Random random(seed);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    undisturbed();
    double slowest = 0, from = seconds();
    for (uint64_t i = 0; i < n; i++) {
        int fd;
        pid_t trainer = start_trainer(job_of(random), seed + i, &fd);
        sleep_us(random.below(random.chance(50) ? 10000 : 60000)); // in mr_open, or after it
        kill(trainer, SIGKILL);
        double killed = seconds();
        if (!nothing_left(10000)) // as seen from a busy machine: held against a second below
            give_up(nullptr, "round " + std::to_string(i) + ": processes are left after 10 s");
        slowest = std::max(slowest, seconds() - killed);
        if (!scratch.empty())
            give_up(nullptr, "round " + std::to_string(i) + ": a file is left");
        std::string error = read_all(fd);
        if (!error.empty())
            give_up(nullptr, "round " + std::to_string(i) + ": the trainer had ended: " + error);
        close(fd);
    }
    printf("kill_storm trainer: %llu trainers killed in %.1f s (seed %llu): nothing left, the last "
           "process gone after %.0f ms at most\n",
           (unsigned long long)n, seconds() - from, (unsigned long long)seed, slowest * 1e3);
    return slowest < limit_s() ? 0 : 1;
}

// The warden is the trainer's only child.
static pid_t find_warden(pid_t trainer, int from_trainer)
{
    for (int i = 0; i < 10000; i++) {
        pid_t pid = child_of(trainer);
        if (pid)
            return pid;
        sleep_us(500);
    }
    give_up(nullptr, "the trainer has no warden after 5 s: " + read_all(from_trainer));
}

int kill_wardens(uint64_t n, uint64_t seed)
{
    Scratch scratch;
    Random random(seed);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    undisturbed();
    double slowest = 0, gone = 0, from = seconds();
    for (uint64_t i = 0; i < n; i++) {
        int fd, status = 0;
        pid_t trainer = start_trainer(job_of(random), seed + i, &fd),
              warden = find_warden(trainer, fd);
        sleep_us(random.below(random.chance(50) ? 5000 : 60000));
        kill(warden, SIGKILL);
        double killed = seconds();
        std::string error = read_all(fd);
        slowest = std::max(slowest, seconds() - killed);
        close(fd);
        waitpid(trainer, &status, 0);
        if (!WIFEXITED(status) || WEXITSTATUS(status) || error.size() < 20)
            give_up(nullptr, "round " + std::to_string(i) + ": the trainer got no clear error: '" +
                                 error + "'");
        if (!nothing_left(10000) || !scratch.empty())
            give_up(nullptr, "round " + std::to_string(i) + ": something is left");
        gone = std::max(gone, seconds() - killed);
    }
    printf("kill_storm warden: %llu wardens killed in %.1f s (seed %llu): a clear error after "
           "%.0f ms at most, nothing left after %.0f ms\n",
           (unsigned long long)n, seconds() - from, (unsigned long long)seed, slowest * 1e3,
           gone * 1e3);
    return slowest < limit_s() && gone < 2 * limit_s() ? 0 : 1;
}
