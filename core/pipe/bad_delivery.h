/* SPDX-License-Identifier: Apache-2.0
 *
 * bad_delivery.h: bad samples as the trainer meets them: counted against `max_bad`, kept for the
 * bad list. All of it follows from delivered batches, so it is the same for any number of
 * producers.
 */
#ifndef MR_PIPE_BAD_DELIVERY_H
#define MR_PIPE_BAD_DELIVERY_H

#include "pipe/badlist.h"
#include "shm/arena.h"

#define MR_BAD_EVENTS 64

struct mr_loader;

struct mr_bad_keeper {      /* the loader's; its lock is held in every call */
    struct mr_badlist list; /* of this run */
    struct mr_badlist in;   /* `bad_list_in` as it was read */
    uint64_t limit;         /* bad samples that an epoch may have; UINT64_MAX: any number */
    uint64_t epoch, count;  /* bad samples in this epoch so far, without those of `in` */
    uint64_t list_hash;     /* mr__session_list_hash() */
    bool changed;           /* the file does not have all of `list` */
    struct mr_event events[MR_BAD_EVENTS]; /* the latest: why substitutes were bad */
    uint32_t nevents;
};

/* Reads `bad_list_in`, and sets how much room its verdicts need in the arena. MR_E_IO when
 * `bad_list` could not be written. */
int mr__bad_open(struct mr_loader *l, struct mr_errbuf *e);
/* The index is there: the limit becomes a number. MR_E_CONFIG: a percentage of an unknown number.
 */
int mr__bad_start(struct mr_loader *l, struct mr_errbuf *e);
void mr__bad_free(struct mr_loader *l);

/* Remembers what a producer said of a bad sample. */
void mr__bad_event(struct mr_loader *l, const struct mr_event *event);
/* Before a leased batch is handed out: lists and counts its bad samples. MR_E_DATA when a row could
 * not be made (`on_error: fail`), or when the epoch has more bad samples than it may: the run ends,
 * and the sentence is in l->failure and *e. */
int mr__bad_deliver(struct mr_loader *l, uint32_t slot, uint64_t seq,
                    const struct mr_plan_head *head, struct mr_errbuf *e);
/* Writes `bad_list` if there is something new; a failure is a line in the log. At the ends of
 * epochs and runs. */
void mr__bad_save(struct mr_loader *l);

#endif
