/* SPDX-License-Identifier: Apache-2.0
 *
 * fault_plugin.c: a user's producer that does what it must not at a chosen index: crashes, hangs,
 * stops itself, writes where it must not. As a plug-in, and with fault_worker.c as a program.
 *
 *   producer: {plugin: .., params: {how: segv, at: 13, times: 1, tally: PATH}}
 *
 * `tally` is a file that gets a byte each time: `times` (-1: always) counts over all processes.
 */
#include "fault_plugin.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct faults {
    char how[16], tally[400];
    int64_t at, times;
};

static void copy(char *to, size_t bytes, const mr_message *params, const char *key)
{
    const char *text;
    if (params && mr_message_get_str(params, key, &text) == MR_OK && strlen(text) < bytes)
        strcpy(to, text);
}

static int build(void **self, const mr_message *params)
{
    struct faults *f = calloc(1, sizeof *f);
    if (!f)
        return MR_E_MEMORY;
    f->at = -1;
    f->times = 1;
    copy(f->how, sizeof f->how, params, "how");
    copy(f->tally, sizeof f->tally, params, "tally");
    if (params) {
        mr_message_get_i64(params, "at", &f->at);
        mr_message_get_i64(params, "times", &f->times);
    }
    *self = f;
    return MR_OK;
}

/* Whether it is to happen now; counted. */
static bool is_due(const struct faults *f)
{
    struct stat st;
    int fd = open(f->tally, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    flock(fd, LOCK_EX);
    bool due = fstat(fd, &st) == 0 && (f->times < 0 || st.st_size < f->times);
    if (due && write(fd, "x", 1) != 1)
        due = false;
    close(fd);
    return due;
}

/* ---- what it does ---- */

static volatile int zero;

static void segv(mr_rows *rows)
{
    (void)rows;
    *(volatile int *)(uintptr_t)zero = 1;
}

static void fpe(mr_rows *rows)
{
    (void)rows;
    zero = 100 / zero;
}

static void spin(mr_rows *rows)
{
    (void)rows;
    while (!zero)
        ;
}

static void block(mr_rows *rows)
{
    int fd[2];
    char byte;
    (void)rows;
    if (pipe(fd) == 0 && read(fd[0], &byte, 1) == 1)
        abort();
}

static void pause_long(mr_rows *rows)
{
    struct timespec t = {60, 0};
    (void)rows;
    nanosleep(&t, NULL);
}

/* The rows beside its own, then a crash. */
static void scribble(mr_rows *rows)
{
    const mr_tensor *x = mr_rows_field(rows, "image");
    memset((char *)x->data - x->strides[0], 0xAB, 3 * (size_t)x->strides[0]);
    segv(rows);
}

/* Everything behind its own row, to the end of the slots: the crash comes by itself. */
static void flood(mr_rows *rows)
{
    volatile char *p = mr_rows_field(rows, "image")->data;
    for (;;)
        *p++ = (char)0xAB;
}

static void plan(mr_rows *rows)
{
    memset((void *)(uintptr_t)mr_rows_message(rows, 0), 0xAB, 64);
}

/* The head of the control memory, then a crash. */
static void control(mr_rows *rows)
{
    char line[256];
    unsigned long from;
    FILE *f = fopen("/proc/self/maps", "r");
    while (f && fgets(line, sizeof line, f))
        if (strstr(line, "millrace-control") && sscanf(line, "%lx-", &from) == 1)
            memset((void *)from, 0xAB, 128);
    segv(rows);
}

static void eat(mr_rows *rows)
{
    (void)rows;
    for (;;) {
        size_t bytes = 8u << 20;
        char *p = malloc(bytes);
        if (!p)
            abort();
        memset(p, 1, bytes);
    }
}

static void stop(mr_rows *rows)
{
    (void)rows;
    raise(SIGSTOP);
}
static void ill(mr_rows *rows)
{
    (void)rows;
    raise(SIGILL);
}
static void bus(mr_rows *rows)
{
    (void)rows;
    raise(SIGBUS);
}
static void sys(mr_rows *rows)
{
    (void)rows;
    raise(SIGSYS);
}
static void abrt(mr_rows *rows)
{
    (void)rows;
    abort();
}
static void die(mr_rows *rows)
{
    (void)rows;
    kill(getpid(), SIGKILL);
}
static void leave(mr_rows *rows)
{
    (void)rows;
    _exit(3);
}

static const struct {
    const char *how;
    void (*act)(mr_rows *rows);
} acts[] = {{"segv", segv},      {"abort", abrt},        {"ill", ill},          {"fpe", fpe},
            {"bus", bus},        {"sys", sys},           {"kill", die},         {"exit", leave},
            {"spin", spin},      {"block", block},       {"pause", pause_long}, {"stop", stop},
            {"plan", plan},      {"scribble", scribble}, {"flood", flood},      {"eat", eat},
            {"control", control}};

static void act(const struct faults *f, mr_rows *rows)
{
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
        if (!strcmp(acts[i].how, f->how) && is_due(f))
            acts[i].act(rows);
}

static int fill(void *self, mr_rows *rows)
{
    const struct faults *f = self;
    const mr_tensor *x = mr_rows_field(rows, "image");
    int64_t n = x->strides[0] / (int64_t)sizeof(uint16_t);
    for (int32_t i = 0; i < mr_rows_count(rows); i++) {
        int64_t index;
        if (mr_message_get_i64(mr_rows_message(rows, i), "index", &index) < 0)
            return mr_rows_fail(rows, MR_E_CODE, "the message has no 'index'");
        mr_rng rng = mr_rows_rng(rows, i, "pixels");
        uint16_t *row = (uint16_t *)x->data + i * n, noise = (uint16_t)mr_rng_u32(&rng);
        for (int64_t k = 0; k < n; k++) {
            if (k == n / 2 && index == f->at) /* half written */
                act(f, rows);
            row[k] = (uint16_t)(index * 1000 + k + noise);
        }
    }
    return MR_OK;
}

/* ---- the commander: an index that wraps; can be replaced ---- */

struct counter {
    int64_t index, max_index;
};

static int build_commander(void **self, const mr_message *params)
{
    struct counter *c = calloc(1, sizeof *c);
    if (!c)
        return MR_E_MEMORY;
    c->max_index = 10;
    if (params)
        mr_message_get_i64(params, "max_index", &c->max_index);
    *self = c;
    return MR_OK;
}

static int next(void *self, mr_message *m)
{
    struct counter *c = self;
    if (c->index == c->max_index) {
        c->index = 0;
        return MR_END_EPOCH;
    }
    return mr_message_set_i64(m, "index", c->index++);
}

static int save(void *self, void *state, size_t cap, size_t *bytes)
{
    *bytes = sizeof(int64_t);
    if (cap >= *bytes)
        memcpy(state, &((struct counter *)self)->index, *bytes);
    return MR_OK;
}

static int load(void *self, const void *state, size_t bytes)
{
    if (bytes != sizeof(int64_t))
        return MR_E_CORRUPT;
    memcpy(&((struct counter *)self)->index, state, bytes);
    return MR_OK;
}

static const mr_commander commander = {.size = sizeof commander,
                                       .abi = MR_PLUGIN_ABI,
                                       .build = build_commander,
                                       .next = next,
                                       .save = save,
                                       .load = load,
                                       .destroy = free};
const mr_producer fault_producer = {.size = sizeof fault_producer,
                                    .abi = MR_PLUGIN_ABI,
                                    .build = build,
                                    .fill = fill,
                                    .destroy = free};

MR_API const mr_plugin mr_plugin_entry = {sizeof(mr_plugin), MR_PLUGIN_ABI, &commander,
                                          &fault_producer};
