/* SPDX-License-Identifier: Apache-2.0
 *
 * mapped_bytes.h: bytes of a file by way of a mapping, which saves the kernel's copy. Whoever cuts
 * a file makes a look at its mapping a SIGBUS: so it is done only in processes whose handler of
 * that signal knows of it, and what meets one has not taken place.
 */
#ifndef MR_BASE_MAPPED_BYTES_H
#define MR_BASE_MAPPED_BYTES_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MR_MAPPED_LEAST (256 << 10) /* bytes for which a mapping pays (docs/arrays.md) */

/* Loads and stores: it may end after any of them. No locks, no memory, no calls of the system. */
typedef void mr_mapped_use(void *ctx, const uint8_t *bytes);

/* Whether the process has a handler of SIGBUS that calls mr__mapped_fault_here(). */
void mr__mapped_allow(bool allow);
/* For that handler. When the fault is in what this thread looks at, its use ends, and this does not
 * return. Nothing else is mapped in this process then, since the handler may be gone: another
 * thread's fault at the same moment, or a later one of another mapping, is a plain SIGBUS. */
void mr__mapped_fault_here(int signo, const siginfo_t *info);
/* Calls use(ctx, bytes [at, at + n) of an open file). They lie in it as far as is known, and may
 * change at any moment. false: what was done means nothing, since they are fewer than pay, or the
 * file cannot be mapped, was cut, or lies on a disk that fails: reading them tells. Any thread.
 * Always false where nothing is known to be faster than reading. */
bool mr__mapped_bytes(int fd, uint64_t at, size_t n, mr_mapped_use *use, void *ctx);

struct mr_mapped_copy {
    void *to;
    size_t n;
};
/* A use: copies n bytes past the caches; ctx is a struct mr_mapped_copy. */
void mr__mapped_copy(void *ctx, const uint8_t *bytes);

#endif
