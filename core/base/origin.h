/* SPDX-License-Identifier: Apache-2.0
 *
 * origin.h: what something was made from: files and folders as they were when they were read, in a
 * list that can be kept and asked later whether they still are. A change shows in a file's size,
 * its inode or its times (the time of the last status change, which nobody can set, included), a
 * folder's shows when a name was added, removed or renamed in it. The list is bytes that may come
 * from a file: it is read with care.
 */
#ifndef MR_BASE_ORIGIN_H
#define MR_BASE_ORIGIN_H

#include "base/buf.h"

#include <sys/stat.h>

/* Appends a file or a folder; call it with what fstat() says before the first byte is read. `st`
 * NULL: nothing can be found there. `path`: absolute. False: memory is out. */
bool mr__origin_add(struct mr_buf *list, const char *path, const struct stat *st);
/* Appends that `path`, its links followed, is `real`. */
bool mr__origin_add_real(struct mr_buf *list, const char *path, const char *real);
/* Whether everything is as it was. If not, what has changed is in text[cap]. */
bool mr__origins_same(const uint8_t *list, size_t bytes, char *text, size_t cap);
/* Whether a change from now on could go unseen: something of the list was changed so lately that
 * its times would stay what they are. Waits for some milliseconds if that helps. */
bool mr__origins_too_new(const uint8_t *list, size_t bytes);
/* Whether the folder that *st is of is in the list: what is put there changes it. */
bool mr__origins_have(const uint8_t *list, size_t bytes, const struct stat *st);
/* How long after the time of a change (ns) the next one has another time. Whole seconds may be all
 * that a file system keeps. */
uint64_t mr__origin_tick(uint64_t ns);

#endif
