/* SPDX-License-Identifier: Apache-2.0
 *
 * stream_copy.h: memcpy of much that the copying processor does not look at again.
 */
#ifndef MR_BASE_STREAM_COPY_H
#define MR_BASE_STREAM_COPY_H

#include <stdbool.h>
#include <stddef.h>

/* Whether it is anything else than memcpy(). */
#if defined(__SSE2__)
#define MR_STREAM_COPY true
#else
#define MR_STREAM_COPY false
#endif

/* As memcpy(). Where the processor can, whole blocks go past the caches: a line that is not fetched
 * before it is written is a third of the traffic. They are there for other processes when it
 * returns. */
void mr__stream_copy(void *to, const void *from, size_t n);

#endif
