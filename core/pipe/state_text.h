/* SPDX-License-Identifier: Apache-2.0
 *
 * state_text.h: where a run stands, as JSON text. Only mr_save_state() writes it, but it lies on
 * people's disks, so nothing in it is believed.
 *
 *     {"millrace_state":3,"epoch":1,"batch":20,"seed":7,"config":"0f..","data":"3c..","bad":2,
 *      "list":"00..","forced":[[epoch,position,attempt,sample,cause,detail,stage],...],
 *      "commander":[pending,rank,world,"61.."]}
 *
 * Version 1 ends behind "data", version 2, which is what is written without a user's commander that
 * saves, behind "forced". A sampler that learns has ,"weights":"5e.." at the end.
 */
#ifndef MR_PIPE_STATE_TEXT_H
#define MR_PIPE_STATE_TEXT_H

#include "base/text.h"
#include "shm/verdict.h"

#include <stdbool.h>

#define MR_STATE_PLACE_END (1ull << 48) /* epochs, batches and positions are less */
#define MR_STATE_FORCED_MAX (2 * MR_VERDICTS_MAX)

struct mr_state {
    uint64_t epoch, batch; /* batch: of the epoch, over all ranks, that comes next */
    uint64_t seed, config_hash;
    uint64_t data_hash;
    uint64_t bad;       /* bad samples of the epoch so far */
    uint64_t list_hash; /* of the listed verdicts, 0: none */
    uint32_t nforced;   /* verdicts from `batch` on that a rerun could not find by itself */
    struct mr_verdict *forced;
    bool has_commander; /* a user's commander has saved ... */
    uint32_t pending;   /* ... as in struct mr_plan_head */
    uint64_t rank, world;
    uint8_t *commander; /* ... these bytes */
    size_t commander_bytes;
    uint64_t weights_hash; /* of the weights file that belongs to it, 0: none */
};

/* MR_E_VERSION: of a version that this library does not read; MR_E_CONFIG: no state; MR_E_MEMORY.
 * On success *state is to be freed. */
int mr__state_parse(const char *text, struct mr_state *state, struct mr_errbuf *e);
/* What the struct holds. Safe on a zero one. */
void mr__state_free(struct mr_state *state);
void mr__state_write(struct mr_text *t, const struct mr_state *state);

#endif
