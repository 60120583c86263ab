/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/commander_run.h"

#include "base/rng.h"
#include "shm/report.h"

#include <stdio.h>
#include <string.h>

#define OWN_NAMES 1 /* ordinal: a producer's streams of the same name are others */

static struct mr_commander_run *here; /* a process has one commander */

void mr__commander_run_begin(struct mr_commander_run *r, const struct mr_config *c,
                             const struct mr_index *index, const struct mr_arena *arena)
{
    bool indexed = index && index->head;
    *r = (struct mr_commander_run){
        .run = {.size = sizeof(mr_run),
                .seed = (uint64_t)c->seed,
                .batch = (uint64_t)c->batch.size,
                .epochs = (uint64_t)c->epochs,
                .rank = (uint64_t)c->rank,
                .world = (uint64_t)c->world,
                .samples = indexed ? index->head->samples : 0,
                .classes = indexed ? index->head->classes : 0,
                .script = c->commander.script,
                .max_instructions = (uint64_t)c->commander.max_instructions,
                .max_memory_bytes = (uint64_t)c->commander.max_memory_bytes},
        .index = indexed ? index : NULL,
        .arena = arena};
    here = r;
}

const mr_run *mr_commander_run(void)
{
    return here ? &here->run : NULL;
}

int mr_run_fail(const mr_run *run, int code, const char *sentence)
{
    struct mr_commander_run *r = (struct mr_commander_run *)run;
    if (r && sentence)
        snprintf(r->sentence, sizeof r->sentence, "%s", sentence);
    return code;
}

void mr_run_log(const mr_run *run, const char *line)
{
    const struct mr_commander_run *r = (const struct mr_commander_run *)run;
    if (r && r->arena && line)
        mr__report_log(r->arena, MR_LANE_COMMANDER, MR_REPORT_INFO, "%s", line);
}

int mr_run_numbers(const mr_run *run, const char *column, uint64_t sample, mr_dtype *dtype,
                   const void **data, uint64_t *n)
{
    const struct mr_commander_run *r = (const struct mr_commander_run *)run;
    if (!r || !r->index || !column || sample >= r->run.samples)
        return MR_E_USAGE;
    int number = mr__index_column(r->index, column);
    const struct mr_column *c = number < 0 ? NULL : &r->index->head->column[number];
    if (!c || (c->kind != MR_COL_FIXED && c->kind != MR_COL_RAGGED))
        return MR_E_USAGE;
    uint64_t entries;
    *data = mr__index_numbers(r->index, number, sample, &entries);
    *dtype = (mr_dtype)c->dtype;
    *n = entries * c->width;
    return MR_OK;
}

mr_rng mr_run_rng(const mr_run *run, uint64_t epoch, uint64_t position, const char *name)
{
    struct mr_row_key key = {run ? run->seed : 0, epoch, position, 0};
    return mr__rng_open(&key, name ? name : "", OWN_NAMES);
}

uint64_t mr_run_permute(const mr_run *run, uint64_t which, uint64_t index, uint64_t n)
{
    mr_rng rng = mr_run_rng(run, which, 0, "permute");
    uint64_t key[2];
    for (int i = 0; i < 2; i++) {
        key[i] = mr_rng_u32(&rng);
        key[i] |= (uint64_t)mr_rng_u32(&rng) << 32;
    }
    return index < n ? mr__permute(index, n, key) : index;
}
