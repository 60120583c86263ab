/* SPDX-License-Identifier: Apache-2.0 */
#include "check_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { AROUND = 0x5a };

static struct check_memory fenced(size_t n, size_t align, bool at_end)
{
    struct check_memory m = {.page = (size_t)sysconf(_SC_PAGESIZE), .bytes = n};

    m.body_bytes = (n + align + m.page - 1) / m.page * m.page;
    m.map = mmap(NULL, m.body_bytes + 2 * m.page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (m.map == MAP_FAILED || mprotect(m.map + m.page, m.body_bytes, PROT_READ | PROT_WRITE) < 0) {
        perror("kernel_check: no memory");
        exit(2);
    }
    m.body = m.map + m.page;
    m.at = m.body + (at_end ? (m.body_bytes - n) / align * align : 0);
    memset(m.body, AROUND, m.body_bytes);
    return m;
}

static struct check_memory *add(struct check *c, size_t n, size_t align, bool at_end)
{
    if (c->rooms == CHECK_ROOMS) {
        fprintf(stderr, "kernel_check: more than %d rooms in '%s'\n", CHECK_ROOMS, c->label);
        exit(2);
    }
    struct check_memory *m = &c->room[c->rooms++];
    *m = fenced(n, align, at_end);
    return m;
}

static void any_bytes(struct check *c, uint8_t *to, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (uint8_t)(check_random(c) >> 56);
}

void *check_room(struct check *c, size_t n, size_t align)
{
    struct check_memory *m = add(c, n, align, check_between(c, 0, 3) > 0);

    any_bytes(c, m->at, n);
    return m->at;
}

void check_rooms(struct check *c, size_t n, size_t align, void *want_got[2])
{
    bool at_end = check_between(c, 0, 3) > 0;

    for (int i = 0; i < 2; i++)
        want_got[i] = add(c, n, align, at_end)->at;
    any_bytes(c, want_got[0], n);
    memcpy(want_got[1], want_got[0], n);
}

void check_fill(struct check *c, void *to, size_t n)
{
    uint8_t *p = to, one = (uint8_t)check_random(c), other = check_between(c, 0, 1) ? 255 : 0;

    any_bytes(c, p, n);
    switch (check_between(c, 0, 6)) {
    case 0: /* extremes at random */
        for (size_t i = 0; i < n; i++)
            p[i] = p[i] & 1 ? 255 : 0;
        break;
    case 1: /* and in turn */
        for (size_t i = 0; i < n; i++)
            p[i] = i & 1 ? other : (uint8_t)~other;
        break;
    case 2: memset(p, other, n); break;
    case 3:
        for (size_t i = 0; i < n; i++)
            p[i] = (uint8_t)(one + i);
        break;
    default: /* any byte */ break;
    }
}

bool check_around(struct check *c)
{
    for (int i = 0; i < c->rooms; i++) {
        const struct check_memory *m = &c->room[i];
        for (const uint8_t *p = m->body; p < m->body + m->body_bytes; p++) {
            if (p == m->at)
                p += m->bytes;
            if (p < m->body + m->body_bytes && *p != AROUND) {
                check_fail(c, "byte %td of a room of %zu was written", p - m->at, m->bytes);
                return false;
            }
        }
    }
    return true;
}

void check_leave(struct check *c)
{
    for (int i = 0; i < c->rooms; i++)
        munmap(c->room[i].map, c->room[i].body_bytes + 2 * c->room[i].page);
    c->rooms = 0;
}
