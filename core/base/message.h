/* SPDX-License-Identifier: Apache-2.0
 *
 * message.h: the messages of millrace/plugin.h as they lie in memory: a header, then entries one
 * behind the other, all in one caller-given piece of memory that needs no pointers and so may be
 * shared.
 *
 *     header | entry | entry | entry (list, n = 2) | its entry, depth 1 | its entry, depth 1 |
 * entry | ...
 *
 * An entry is a head of 16 bytes, the payload (8-byte aligned; a text has a NUL behind it), the key
 * with a NUL, and zeros up to the next multiple of 8. Readers trust nothing but the header's
 * `capacity`, and that only after mr__message_check() held it against the memory that is really
 * there.
 */
#ifndef MR_BASE_MESSAGE_H
#define MR_BASE_MESSAGE_H

#include "base/error.h"
#include "millrace/plugin.h"

#define MR_MESSAGE_DEPTH 8 /* lists within lists */

struct mr_message {
    uint64_t position, sample, epoch;
    uint32_t used;     /* bytes, this header included; a multiple of 8 */
    uint32_t capacity; /* bytes, this header included; a multiple of 8 */
    uint32_t open;     /* offset of the innermost list that is still being written, 0: none */
    uint32_t depth;    /* lists that are open */
};

struct mr_entry_head {
    uint32_t bytes;  /* of the whole entry, a multiple of 8; a list's own entries are not counted */
    uint32_t n;      /* elements, bytes of text, or entries of a list */
    uint32_t parent; /* list: offset of the list around it, 0: none */
    uint8_t type, depth;
    uint8_t key_bytes; /* without its NUL; 0: no key */
    uint8_t zero;
};

#define MR_MESSAGE_HEADER sizeof(struct mr_message)

/* Makes an empty message in `cap` bytes at `mem` (8-byte aligned). NULL when it is misaligned or
 * smaller than the header. Bytes beyond 4 GiB or a multiple of 8 are left alone. The memory stays
 * the caller's. */
mr_message *mr__message_init(void *mem, size_t cap, uint64_t epoch, uint64_t position,
                             uint64_t sample);
/* Takes all entries out again; the header's numbers stay. */
void mr__message_clear(mr_message *m);

/* Bytes in use, header included: what a copy or a hash has to take. Call it on checked messages. */
size_t mr__message_bytes(const mr_message *m);

/* Holds everything in a message against `cap`, the bytes that are there. After MR_OK every getter
 * stays inside while nobody writes. MR_E_CORRUPT: it is no message; MR_E_USAGE: a list was begun
 * and not ended. */
int mr__message_check(const mr_message *m, size_t cap);

/* Copies a message out of memory that another process may be writing to, and checks the copy; the
 * copy's capacity is `dst_cap`. MR_E_CORRUPT, MR_E_USAGE as mr__message_check; MR_E_LIMIT: dst_cap
 * is too small. */
int mr__message_copy(void *dst, size_t dst_cap, const mr_message *src, size_t src_cap);

/* Reads the entry at `offset` of a message with `used` bytes into *head and *entry; MR_E_CORRUPT
 * when any part of it lies outside or cannot be. */
int mr__message_entry(const mr_message *m, uint32_t used, uint32_t offset,
                      struct mr_entry_head *head, mr_entry *entry);
/* The bytes in use if header and capacity agree, else 0. */
uint32_t mr__message_used(const mr_message *m);

#endif
