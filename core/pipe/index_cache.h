/* SPDX-License-Identifier: Apache-2.0
 *
 * index_cache.h: `index_cache: PATH`. The warden opens a file without a name, which the index
 * helper may write to although it may open nothing for writing; the helper takes the index from the
 * file of last time if that still says the truth, else it builds one and copies it; the warden
 * gives it its name. Whatever goes wrong with the file is a line in the log, and the run does
 * without it.
 */
#ifndef MR_PIPE_INDEX_CACHE_H
#define MR_PIPE_INDEX_CACHE_H

#include "pipe/session.h"

/* What an index is kept with: lists of base/origin.h, and text of pipe/data_roots.h. */
struct mr_index_made {
    struct mr_buf origins, roots, roots_origins;
    bool roots_known;    /* ... and need not be looked for */
    bool from_contents;  /* a sampler has added what it found in the files */
    uint64_t started_ns; /* when that began, by the clock of the day */
};
void mr__index_made_free(struct mr_index_made *made);

/* In the warden, before the helper. */
void mr__cache_begin(struct mr_session *s);
/* In the helper. 1: s->index_fd leads to the file and *made has the roots, if they are still the
 * same; 0: an index has to be built. */
int mr__cache_take(struct mr_session *s, struct mr_index_made *made, struct mr_errbuf *e);
/* In the helper, behind an index that was built. */
void mr__cache_keep(struct mr_session *s, const struct mr_index_made *made);
/* In the warden, behind the helper. */
void mr__cache_publish(struct mr_session *s);
/* In the warden, once the index is mapped: see proc/mapped.h. */
void mr__cache_watch(const struct mr_session *s);
void mr__cache_free(struct mr_session *s);

static inline bool mr__cache_wanted(const struct mr_session *s)
{
    return s->cache != NULL;
}

#endif
