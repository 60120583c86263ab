/* SPDX-License-Identifier: Apache-2.0
 *
 * plan.h: a config compiled: what every row holds, where it lies in a slot, and how large
 * everything is. Trainer and warden compile the same config to the same plan (the signature proves
 * it), so the shared memory needs no description of itself.
 */
#ifndef MR_PIPE_PLAN_H
#define MR_PIPE_PLAN_H

#include "base/config.h"
#include "pipe/rowpipe.h"
#include "shm/arena.h"

struct mr_plan_field {
    struct mr_field_plan p;
    uint64_t offset; /* of the field in a slot; 64-byte aligned */
    uint64_t counts; /* ragged: of its u32[rows] counts in a slot */
    int column;      /* COLUMN, BOXES, MASK: column of the index, after mr__plan_bind */
    bool tensor;     /* COLUMN: which the source reads, after mr__plan_bind */
};

struct mr_plan {
    struct mr_config *config;
    struct mr_rowpipe *pipe; /* NULL with a user's producer */
    struct mr_plan_field fields[MR_MAX_FIELDS];
    int nfields;
    uint64_t ids, valid; /* offsets of u64[rows] sample ids and u8[rows] valid bytes in a slot */
    uint64_t bad, notes; /* of u16[rows] bad attempts and struct mr_bad_note[rows][nnotes] */
    uint32_t nnotes;     /* attempts of a row that have a note (bad_note.h) */
    struct mr_arena_spec arena;
    bool user_commander, user_producer;
    int image_column, mask_column, boxes_field; /* -1: none; columns after bind */
    bool reads; /* rows need something of the source beside the index, after bind */
};

/* What the caller brings beside the config (mr_options). */
struct mr_user {
    const mr_commander *commander; /* fork context; NULL: none */
    const mr_producer *producer;
};

/* Compiles. The config becomes the plan's on success only. MR_E_CONFIG with a place. */
int mr__plan_compile(struct mr_plan **plan, struct mr_config *config, const struct mr_user *user,
                     struct mr_errbuf *e);
void mr__plan_free(struct mr_plan *plan);

/* Finds every field's column in the index. MR_E_CONFIG naming the field and the columns there are.
 */
int mr__plan_bind(struct mr_plan *plan, const struct mr_index *index, struct mr_errbuf *e);

/* A field of a slot as a tensor over `rows` rows, beginning with row `first`. */
void mr__plan_tensor(const struct mr_plan *plan, int field, uint8_t *slot_data, uint32_t first,
                     uint32_t rows, struct mr_tensor *t);

/* Processors this process may use: affinity and cgroup quota, at least 1. */
int mr__cpus(void);

#endif
