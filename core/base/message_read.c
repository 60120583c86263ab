/* SPDX-License-Identifier: Apache-2.0
 *
 * message_read.c: reading messages in memory that may hold anything. Every head is copied once and
 * judged on the copy, so that a writer on the other side cannot change it between the judgement and
 * its use.
 */
#include "message.h"

#include <stdbool.h>
#include <string.h>

static uint32_t load32(const uint32_t *word)
{
    return __atomic_load_n(word,
                           __ATOMIC_RELAXED); /* exactly one read; nothing is published by it */
}

uint32_t mr__message_used(const mr_message *m)
{
    uint32_t used = load32(&m->used), capacity = load32(&m->capacity);
    if (used < MR_MESSAGE_HEADER || used > capacity || used % 8 || capacity % 8)
        return 0;
    return used;
}

static bool payload_bytes(const struct mr_entry_head *head, size_t *bytes)
{
    switch (head->type) {
    case MR_T_I64:
    case MR_T_F64:
        *bytes = (size_t)head->n * 8;
        return true;
    case MR_T_STR:
        *bytes = (size_t)head->n + 1;
        return true;
    case MR_T_BYTES:
        *bytes = head->n;
        return true;
    case MR_T_LIST:
        *bytes = 0;
        return true;
    default:
        return false;
    }
}

/* True when `n` bytes are text and a NUL follows them. */
static bool is_text(const uint8_t *p, size_t n)
{
    return !memchr(p, 0, n) && p[n] == 0;
}

int mr__message_entry(const mr_message *m, uint32_t used, uint32_t offset,
                      struct mr_entry_head *head, mr_entry *entry)
{
    if (offset < MR_MESSAGE_HEADER || offset % 8 || offset > used || used - offset < sizeof *head)
        return MR_E_CORRUPT;
    const uint8_t *p = (const uint8_t *)m + offset;
    memcpy(head, p, sizeof *head);
    __asm__ volatile("" ::: "memory"); /* the copy is judged, not the memory again */
    size_t payload, room = used - offset;
    if (head->bytes < sizeof *head || head->bytes > room || head->bytes % 8 ||
        head->depth > MR_MESSAGE_DEPTH || !payload_bytes(head, &payload))
        return MR_E_CORRUPT;
    size_t key = head->key_bytes ? (size_t)head->key_bytes + 1 : 0;
    if (sizeof *head + payload + key > head->bytes)
        return MR_E_CORRUPT;
    p += sizeof *head;
    if ((head->type == MR_T_STR && !is_text(p, head->n)) ||
        (key && !is_text(p + payload, head->key_bytes)) || (!key && !head->depth))
        return MR_E_CORRUPT;
    *entry = (mr_entry){.key = key ? (const char *)p + payload : NULL,
                        .type = (mr_type)head->type,
                        .depth = head->depth,
                        .n = head->n,
                        .data = head->type == MR_T_LIST ? NULL : p};
    return MR_OK;
}

int mr_message_walk(const mr_message *m, uint64_t *cursor, mr_entry *entry)
{
    if (!m || !cursor || !entry)
        return MR_E_USAGE;
    uint32_t used = mr__message_used(m);
    if (!used)
        return MR_E_CORRUPT;
    uint64_t at = *cursor ? *cursor : MR_MESSAGE_HEADER;
    if (at > used)
        return MR_E_USAGE;
    if (at == used)
        return MR_END;
    struct mr_entry_head head;
    int rc = mr__message_entry(m, used, (uint32_t)at, &head, entry);
    if (rc == MR_OK)
        *cursor = at + head.bytes;
    return rc;
}

static int find(const mr_message *m, const char *key, mr_entry *entry)
{
    if (!key)
        return MR_E_USAGE;
    uint64_t cursor = 0;
    int rc;
    while ((rc = mr_message_walk(m, &cursor, entry)) == MR_OK)
        if (entry->depth == 0 && !strcmp(entry->key, key))
            return MR_OK;
    return rc == MR_END ? MR_E_USAGE : rc;
}

static int find_typed(const mr_message *m, const char *key, mr_type type, mr_entry *entry)
{
    int rc = find(m, key, entry);
    return rc == MR_OK && entry->type != type ? MR_E_USAGE : rc;
}

int mr_message_get_i64(const mr_message *m, const char *key, int64_t *value)
{
    mr_entry e;
    int rc = find_typed(m, key, MR_T_I64, &e);
    if (rc < 0 || e.n != 1)
        return rc < 0 ? rc : MR_E_USAGE;
    memcpy(value, e.data, sizeof *value);
    return MR_OK;
}

/* A whole number is a good double as long as no digit is lost: users write `scale: 1`. */
static int integer_as_f64(const mr_entry *e, double *value)
{
    int64_t i;
    memcpy(&i, e->data, sizeof i);
    if (i > (INT64_C(1) << 53) || i < -(INT64_C(1) << 53))
        return MR_E_USAGE;
    *value = (double)i;
    return MR_OK;
}

int mr_message_get_f64(const mr_message *m, const char *key, double *value)
{
    mr_entry e;
    int rc = find(m, key, &e);
    if (rc < 0)
        return rc;
    if ((e.type != MR_T_F64 && e.type != MR_T_I64) || e.n != 1)
        return MR_E_USAGE;
    if (e.type == MR_T_I64)
        return integer_as_f64(&e, value);
    memcpy(value, e.data, sizeof *value);
    return MR_OK;
}

int mr_message_get_str(const mr_message *m, const char *key, const char **value)
{
    mr_entry e;
    int rc = find_typed(m, key, MR_T_STR, &e);
    if (rc == MR_OK)
        *value = e.data;
    return rc;
}

int mr_message_get_bytes(const mr_message *m, const char *key, const void **data, size_t *bytes)
{
    mr_entry e;
    int rc = find_typed(m, key, MR_T_BYTES, &e);
    if (rc == MR_OK) {
        *data = e.data;
        *bytes = (size_t)e.n;
    }
    return rc;
}

int mr_message_get_i64s(const mr_message *m, const char *key, const int64_t **values, size_t *n)
{
    mr_entry e;
    int rc = find_typed(m, key, MR_T_I64, &e);
    if (rc == MR_OK) {
        *values = e.data;
        *n = (size_t)e.n;
    }
    return rc;
}

int mr_message_get_f64s(const mr_message *m, const char *key, const double **values, size_t *n)
{
    mr_entry e;
    int rc = find_typed(m, key, MR_T_F64, &e);
    if (rc == MR_OK) {
        *values = e.data;
        *n = (size_t)e.n;
    }
    return rc;
}

uint64_t mr_message_epoch(const mr_message *m)
{
    return m->epoch;
}

uint64_t mr_message_position(const mr_message *m)
{
    return m->position;
}

uint64_t mr_message_sample(const mr_message *m)
{
    return m->sample;
}
