// SPDX-License-Identifier: Apache-2.0
//
// kth_sweep.cpp: kth_sweep SCENARIO ROLE KIND HOW [STRIDE]
//
// Runs SCENARIO again and again; the k-th allocation or system call (KIND: alloc, call) of ROLE
// (trainer, warden, commander, producer, index) fails, once or from there on (HOW: once, forever),
// for k = 1, 1 + STRIDE, .. until the run passes without meeting the failure. Each run must end
// with the undisturbed run's hash or with a sentence, and leave no memory, no descriptor and no
// process. Runs in a child of its own, so that a crash or a hang costs one k and is reported as it.
#include "kth_page.h"
#include "kth_sweep.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <string>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace
{

constexpr int kHangSeconds = 60;
constexpr int kShown = 40;

kth_page *page;
void (*arm)(), (*disarm)();
int64_t (*live_blocks)();
Outcome expected;
int failures;

// ---- the environment ----

// Once more with the library preloaded.
void become_preloaded(char **argv)
{
    char name[] = "/tmp/millrace-kth-XXXXXX";
    int fd = mkstemp(name);
    if (fd < 0 || ftruncate(fd, sizeof(kth_page)) < 0)
        abort();
    close(fd);
    setenv("MR_KTH_PAGE", name, 1);
    setenv("LD_PRELOAD", MR_KTH_FAULTS, 1);
    execv("/proc/self/exe", argv);
    abort();
}

void set_up()
{
    int fd = open(getenv("MR_KTH_PAGE"), O_RDWR | O_CLOEXEC);
    page = static_cast<kth_page *>(
        mmap(nullptr, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    close(fd);
    arm = reinterpret_cast<void (*)()>(dlsym(RTLD_DEFAULT, "kth_arm"));
    disarm = reinterpret_cast<void (*)()>(dlsym(RTLD_DEFAULT, "kth_disarm"));
    live_blocks = reinterpret_cast<int64_t (*)()>(dlsym(RTLD_DEFAULT, "kth_live_blocks"));
    if (page == MAP_FAILED || !arm || !disarm || !live_blocks) {
        fprintf(stderr, "kth_sweep: " MR_KTH_FAULTS " is not preloaded\n");
        exit(2);
    }
}

// ---- what is left behind ----

int open_descriptors()
{
    int n = 0;
    DIR *d = opendir("/proc/self/fd");
    while (d && readdir(d))
        n++;
    if (d)
        closedir(d);
    return n;
}

// Orphans come to us (we are their subreaper): everybody must be gone, the last within 5 s.
bool nobody_left()
{
    for (int i = 0; i < 1000; i++) {
        pid_t pid = waitpid(-1, nullptr, WNOHANG);
        if (pid < 0)
            return true;
        if (pid == 0)
            usleep(5000);
    }
    return false;
}

// ---- one run ----

Outcome run_with(Scenario scenario, uint32_t role, uint32_t kind, bool forever, uint64_t k)
{
    page->kind = kind;
    page->forever = forever;
    page->at = k;
    page->count = page->hits = 0;
    memset(page->last, 0, sizeof page->last);
    page->step++;
    page->resume = k;
    page->role = role;
    arm();
    Outcome o = scenario();
    disarm();
    page->role = KTH_NOBODY;
    return o;
}

void fail(uint64_t k, const std::string &why)
{
    if (failures++ < kShown)
        printf("k = %llu (%s): %s\n", (unsigned long long)k, page->last, why.c_str());
    fflush(stdout);
}

void judge(uint64_t k, const Outcome &o)
{
    if (o.rc > 0)
        fail(k, std::string(o.what) + " says that all is well");
    else if (o.rc < 0 && !o.sentence[0])
        fail(k, std::string(o.what) + " fails without a sentence, code " + std::to_string(o.rc));
    else if (!o.rc && o.hash != expected.hash)
        fail(k, "all went well, but the stream is another");
    else if (strstr(o.sentence, "no batch was ready"))
        fail(k, "mr_next waits for ever");
}

// A cache that is filled by the first failure of its kind grows once; a leak again.
void run_and_judge(Scenario scenario, uint32_t role, uint32_t kind, bool forever, uint64_t k)
{
    for (int attempt = 0;; attempt++) {
        int64_t blocks = live_blocks();
        int descriptors = open_descriptors();
        Outcome o = run_with(scenario, role, kind, forever, k);
        uint64_t hits = page->hits;
        if (getenv("MR_KTH_VERBOSE"))
            printf("k = %llu (%s): %s %s\n", (unsigned long long)k, page->last, o.what, o.sentence);
        bool alone = nobody_left();
        int64_t grown = live_blocks() - blocks;
        int more = open_descriptors() - descriptors;
        page->hits = hits;
        judge(k, o);
        if (!attempt && (grown > 0 || more))
            continue;
        if (grown > 0)
            fail(k, std::to_string(grown) + " blocks of memory are left; the run: " + o.sentence);
        if (more)
            fail(k, std::to_string(more) + " descriptors more than before; the run: " + o.sentence);
        if (!alone)
            fail(k, std::string("a process is left; the run: ") + o.sentence);
        return;
    }
}

// The runs, from `from` on, in a process of their own.
[[noreturn]] void sweep(Scenario scenario, uint32_t role, uint32_t kind, bool forever,
                        uint64_t from, uint64_t stride)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    scenario(); // what is made once and kept
    expected = scenario();
    if (expected.rc) {
        printf("undisturbed, %s fails: %s\n", expected.what, expected.sentence);
        _exit(2);
    }
    uint64_t k = from;
    int passed = 0;
    for (; passed < 2; k += stride) {
        run_and_judge(scenario, role, kind, forever, k);
        passed = page->hits ? 0 : passed + 1;
    }
    page->resume = k;
    fflush(stdout);
    _exit(failures > 100 ? 100 : failures);
}

// Waits for the sweep's end, or for a run that does not end. The status as waitpid gives it.
int watch(pid_t pid, bool *hung)
{
    uint64_t step = 0;
    int quiet = 0, status;
    *hung = false;
    while (waitpid(pid, &status, WNOHANG) == 0) {
        quiet = page->step == step ? quiet + 1 : 0;
        step = page->step;
        if (quiet > kHangSeconds * 20) {
            *hung = true;
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
            break;
        }
        usleep(50000);
    }
    return status;
}

int find(const char *word, const char *const *words, int n)
{
    for (int i = 0; i < n; i++)
        if (!strcmp(word, words[i]))
            return i;
    fprintf(stderr, "kth_sweep: what is '%s'?\n", word);
    exit(2);
}

} // namespace

int main(int argc, char **argv)
{
    static const char *const roles[] = {"nobody",   "trainer", "warden",  "commander",
                                        "producer", "index",   "program", "filter"};
    static const char *const kinds[] = {"alloc", "call"}, *const hows[] = {"once", "forever"};
    if (argc < 5 || !find_scenario(argv[1])) {
        fprintf(stderr, "usage: kth_sweep SCENARIO ROLE alloc|call once|forever [STRIDE]\n");
        return 2;
    }
    if (!getenv("MR_KTH_PAGE"))
        become_preloaded(argv);
    set_up();
    auto role = (uint32_t)find(argv[2], roles, KTH_ROLES);
    auto kind = (uint32_t)find(argv[3], kinds, KTH_KINDS);
    bool forever = find(argv[4], hows, 2);
    const char *knob = getenv("MR_KTH_STRIDE");
    uint64_t stride = strtoull(knob ? knob : argc > 5 ? argv[5] : "1", nullptr, 10);
    const char *from_knob = getenv("MR_KTH_FROM");
    uint64_t from = from_knob ? strtoull(from_knob, nullptr, 10) : 1;
    int total = 0, again = 0;
    for (bool done = false; !done && again < kShown; again++) {
        fflush(stdout);
        pid_t pid = fork();
        if (pid == 0)
            sweep(find_scenario(argv[1]), role, kind, forever, from, stride);
        bool hung;
        int status = watch(pid, &hung);
        done = WIFEXITED(status);
        total += done ? WEXITSTATUS(status) : 1;
        if (!done)
            printf("k = %llu (%s): %s\n", (unsigned long long)page->resume, page->last,
                   hung ? "the run does not end" : strsignal(WTERMSIG(status)));
        from = page->resume + stride;
    }
    printf("%s %s %s %s: k up to %llu in steps of %llu, %d failures\n", argv[1], argv[2], argv[3],
           argv[4], (unsigned long long)page->resume, (unsigned long long)stride, total);
    unlink(getenv("MR_KTH_PAGE"));
    return total != 0;
}
