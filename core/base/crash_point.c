/* SPDX-License-Identifier: Apache-2.0
 *
 * crash_point.c: only part of builds with MR_FAULTS. The page is mapped at a process's first point,
 * which is before any sandbox; forked children inherit it.
 */
#include "base/crash_point.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *role = "trainer";

/* ---- the plan's text ---- */

static const char *const actions[MR_FAULT_ACTIONS] = {"kill", "segv", "abort",
                                                      "stop", "spin", "skip"};

static int parse_one(const char *text, size_t n, struct mr_fault *f)
{
    char copy[128], point[64], action[16] = "";
    if (n >= sizeof copy)
        return 0;
    memcpy(copy, text, n);
    copy[n] = 0;
    if (sscanf(copy, "%63[^:]:%u:%15s", point, &f->hit, action) != 3)
        return 0;
    char *at = strchr(point, '@');
    if (at) {
        *at = 0;
        snprintf(f->role, sizeof f->role, "%.15s", at + 1);
    }
    snprintf(f->point, sizeof f->point, "%.39s", point);
    for (f->action = 0; f->action < MR_FAULT_ACTIONS; f->action++)
        if (!strcmp(action, actions[f->action]))
            return f->hit > 0;
    return 0;
}

int mr__fault_parse(const char *text, struct mr_fault_page *page)
{
    memset(page, 0, sizeof *page);
    while (*text && page->faults < MR_FAULT_CHAIN) {
        size_t n = strcspn(text, ">");
        if (!parse_one(text, n, &page->fault[page->faults]))
            return 0;
        page->faults++;
        text += n + (text[n] == '>');
    }
    return !*text;
}

/* ---- the page ---- */

static void *map_page(int fd)
{
    void *p = mmap(NULL, sizeof(struct mr_fault_page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return p == MAP_FAILED ? NULL : p;
}

/* For the plan in MILLRACE_FAULT: the first process makes the page and tells the others where. */
static struct mr_fault_page *make_page(const char *text)
{
    char path[64];
    int fd = memfd_create("mr-faults", 0), keep = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (keep < 0 || ftruncate(fd, sizeof(struct mr_fault_page)) < 0)
        abort();
    struct mr_fault_page *page = map_page(fd);
    if (!page || !mr__fault_parse(text, page)) {
        fprintf(stderr, "MILLRACE_FAULT: '%s' is no plan of faults\n", text);
        abort();
    }
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)getpid(), keep);
    setenv(MR_FAULT_PAGE, path, 1);
    return page;
}

static struct mr_fault_page *find_page(void)
{
    static struct mr_fault_page *page;
    static int looked;
    if (__atomic_exchange_n(&looked, 1, __ATOMIC_ACQ_REL))
        return page;
    const char *path = getenv(MR_FAULT_PAGE), *text = getenv("MILLRACE_FAULT");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd >= 0)
        page = map_page(fd);
    else if (text)
        page = make_page(text);
    return page;
}

/* ---- striking ---- */

static void strike(uint32_t action)
{
    int *volatile nowhere = NULL;
    switch (action) {
    case MR_FAULT_SEGV: *(volatile int *)nowhere = 0; break;
    case MR_FAULT_ABORT: abort();
    case MR_FAULT_STOP: syscall(SYS_tgkill, getpid(), gettid(), SIGSTOP); return;
    case MR_FAULT_SPIN:
        for (;;)
            __asm__ volatile("");
    default: syscall(SYS_tgkill, getpid(), gettid(), SIGKILL);
    }
    for (;;) /* the signal has been sent */
        pause();
}

void mr__crash_role(const char *name)
{
    role = name;
}

/* Whether it is the armed fault's turn; then the next one is armed. */
static int strikes(const char *name, uint32_t *action)
{
    struct mr_fault_page *page = find_page();
    if (!page)
        return 0;
    uint32_t armed = __atomic_load_n(&page->armed, __ATOMIC_ACQUIRE);
    if (armed >= page->faults || armed >= MR_FAULT_CHAIN)
        return 0;
    struct mr_fault *f = &page->fault[armed];
    if (strcmp(f->point, name) || (*f->role && strcmp(f->role, role)))
        return 0;
    if (__atomic_add_fetch(&f->hits, 1, __ATOMIC_ACQ_REL) != f->hit)
        return 0;
    *action = f->action;
    __atomic_store_n(&page->armed, armed + 1, __ATOMIC_RELEASE);
    return 1;
}

void mr__crash_point(const char *name)
{
    uint32_t action;
    if (strikes(name, &action))
        strike(action);
}

int mr__crash_skips(const char *name)
{
    uint32_t action;
    return strikes(name, &action);
}
