/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_message.c: any bytes as a message (readers stay inside and end), and any sequence of calls
 * as the making of one (what is made passes the check and can be read).
 */
#include "base/message.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void require(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "fuzz: %s\n", what);
        abort();
    }
}

/* Touches every byte that an entry says is there. */
static uint64_t touch(const mr_entry *e)
{
    size_t bytes = e->type == MR_T_LIST                         ? 0
                   : e->type == MR_T_I64 || e->type == MR_T_F64 ? (size_t)e->n * 8
                                                                : (size_t)e->n;
    uint64_t sum = e->key ? strlen(e->key) : 0;
    for (size_t i = 0; i < bytes; i++)
        sum += ((const uint8_t *)e->data)[i];
    return e->type == MR_T_STR ? sum + strlen(e->data) : sum;
}

static void walk(const mr_message *m, bool good)
{
    uint64_t cursor = 0, before = 0, sum = 0;
    mr_entry e;
    int rc;
    while ((rc = mr_message_walk(m, &cursor, &e)) == MR_OK) {
        require(cursor > before, "a walk that does not go on");
        before = cursor;
        sum += touch(&e);
    }
    require(rc == MR_END || (!good && rc == MR_E_CORRUPT), "how a walk ends");
    double d;
    const char *s;
    (void)mr_message_get_f64(m, "k", &d);
    if (mr_message_get_str(m, "a", &s) == MR_OK)
        sum += strlen(s);
    require(sum != UINT64_MAX, "never");
}

static void read_bytes(const uint8_t *data, size_t n)
{
    size_t cap = n & ~(size_t)7;
    uint64_t copy[64];
    mr_message *m = malloc(cap ? cap : 8);
    if (!m)
        return;
    memcpy(m, data, cap);
    int rc = mr__message_check(m, cap);
    require(rc == MR_OK || rc == MR_E_CORRUPT || rc == MR_E_USAGE,
            "a code that check does not have");
    if (cap >= MR_MESSAGE_HEADER && m->capacity <= cap)
        walk(m, rc == MR_OK);
    if (cap >= MR_MESSAGE_HEADER && mr__message_copy(copy, sizeof copy, m, cap) == MR_OK)
        walk((const mr_message *)copy, true);
    free(m);
}

static const char *key_of(uint8_t byte, char text[4])
{
    snprintf(text, 4, "%c%c", 'a' + byte % 16, byte & 16 ? 'x' : 0);
    return byte & 32 ? NULL : text;
}

static void make(const uint8_t *data, size_t n)
{
    size_t cap = MR_MESSAGE_HEADER + (n ? data[0] : 0) * 2u;
    mr_message *m = malloc(cap);
    if (!m || !mr__message_init(m, cap, 1, 2, 3))
        abort();
    for (size_t i = 1; i + 1 < n; i += 2) {
        char text[4];
        const char *key = key_of(data[i + 1], text);
        size_t used = mr__message_bytes(m), left = n - i;
        int rc = data[i] % 6 == 0   ? mr_message_set_i64(m, key, data[i])
                 : data[i] % 6 == 1 ? mr_message_set_f64(m, key, data[i])
                 : data[i] % 6 == 2 ? mr_message_set_str(m, key, &"some text"[data[i] % 9])
                 : data[i] % 6 == 3 ? mr_message_set_bytes(m, key, data + i, left % 16)
                 : data[i] % 6 == 4 ? mr_message_begin_list(m, key)
                                    : mr_message_end_list(m);
        require(rc == MR_OK || mr__message_bytes(m) == used, "a failed call changed the message");
        if (i % 32 == 1)
            walk(m, true);
    }
    walk(m, true);
    while (mr_message_end_list(m) == MR_OK)
        ;
    require(mr__message_check(m, cap) == MR_OK, "what is made is a message");
    free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n && data[0] & 1)
        read_bytes(data + 1, n - 1);
    else if (n)
        make(data + 1, n - 1);
    return 0;
}
