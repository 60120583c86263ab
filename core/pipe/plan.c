/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/plan.h"

#include "base/cpu.h"
#include "base/message.h"
#include "pipe/bad_note.h"
#include "pipe/commander_run.h"
#include "pipe/pick.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#define ALIGN 64
#define STATE_BYTES 65536 /* the most a user commander may save per batch */
#define NOTES 4           /* attempts of a row that leave a note when they are bad */
#define AUTO_SLOTS 4      /* one leased, one ready, two being filled */

static uint64_t round_up(uint64_t n, uint64_t to)
{
    return (n + to - 1) / to * to;
}

/* ---- fields of user producers ---- */

static int user_field(struct mr_plan *plan, int i, struct mr_errbuf *e)
{
    const struct mr_field_config *f = &plan->config->fields[i];
    struct mr_field_plan *p = &plan->fields[i].p;
    *p = (struct mr_field_plan){.name = f->name,
                                .kind = MR_FIELD_USER,
                                .dtype = f->dtype,
                                .layout = f->layout,
                                .ndim = f->shape.n};
    if (f->max > 0) {
        p->max_entries = (uint32_t)f->max;
        p->shape[p->ndim++] = f->max;
    }
    if (f->shape.n + (f->max > 0) > MR_MAX_DIMS - 1)
        return mr__config_error(plan->config, f->mark, e, "field '%s' has more than %d dimensions",
                                f->name, MR_MAX_DIMS - 1);
    p->row_bytes = mr_dtype_size(p->dtype) * (f->max > 0 ? (uint64_t)f->max : 1);
    for (int d = 0; d < f->shape.n; d++) {
        int64_t side = (int64_t)f->shape.v[d];
        p->shape[p->ndim - f->shape.n + d] = side;
        if (__builtin_mul_overflow(p->row_bytes, (uint64_t)side, &p->row_bytes))
            return mr__config_error(plan->config, f->mark, e, "field '%s' is too large", f->name);
    }
    return MR_OK;
}

static int compile_fields(struct mr_plan *plan, struct mr_errbuf *e)
{
    struct mr_field_plan plans[MR_MAX_FIELDS];
    plan->nfields = plan->config->nfields;
    if (plan->user_producer) {
        int rc = MR_OK;
        for (int i = 0; rc >= 0 && i < plan->nfields; i++)
            rc = user_field(plan, i, e);
        return rc;
    }
    int rc = mr__rowpipe_compile(&plan->pipe, plan->config, plans, &plan->nfields, e);
    if (rc < 0)
        return rc;
    for (int i = 0; i < plan->nfields; i++)
        plan->fields[i].p = plans[i];
    return MR_OK;
}

/* ---- sizes ---- */

static int place(struct mr_plan *plan, uint64_t *at, uint64_t row_bytes, uint64_t *offset,
                 struct mr_errbuf *e)
{
    uint64_t bytes;
    *offset = round_up(*at, ALIGN);
    if (__builtin_mul_overflow(row_bytes, (uint64_t)plan->config->batch.size, &bytes) ||
        __builtin_add_overflow(*offset, bytes, at) || *at > UINT64_MAX / 65536)
        return mr__fail(e, MR_E_CONFIG, "a batch of %lld rows is larger than memory can be",
                        (long long)plan->config->batch.size);
    return MR_OK;
}

static int lay_out_slot(struct mr_plan *plan, struct mr_errbuf *e)
{
    uint64_t at = 0;
    plan->nnotes = plan->pipe ? NOTES : 1; /* there are no substitutes for a user's rows */
    int rc = place(plan, &at, sizeof(uint64_t), &plan->ids, e);
    if (rc >= 0)
        rc = place(plan, &at, 1, &plan->valid, e);
    if (rc >= 0)
        rc = place(plan, &at, sizeof(uint16_t), &plan->bad, e);
    if (rc >= 0)
        rc = place(plan, &at, plan->nnotes * sizeof(struct mr_bad_note), &plan->notes, e);
    for (int i = 0; rc >= 0 && i < plan->nfields; i++) {
        struct mr_plan_field *f = &plan->fields[i];
        if (f->p.max_entries)
            rc = place(plan, &at, sizeof(uint32_t), &f->counts, e);
        if (rc >= 0)
            rc = place(plan, &at, f->p.row_bytes, &f->offset, e);
    }
    plan->arena.slot_data_bytes = round_up(at, (uint64_t)sysconf(_SC_PAGESIZE));
    return rc;
}

static uint64_t signature(const struct mr_plan *plan)
{
    uint64_t numbers[4 + 3 * MR_MAX_FIELDS] = {plan->config->stream_hash, plan->arena.slots,
                                               plan->arena.rows, plan->arena.slot_data_bytes};
    for (int i = 0; i < plan->nfields; i++) {
        numbers[4 + 3 * i] = plan->fields[i].offset;
        numbers[5 + 3 * i] = plan->fields[i].p.row_bytes;
        numbers[6 + 3 * i] = plan->fields[i].p.dtype;
    }
    return XXH3_64bits(numbers, sizeof numbers) | 1;
}

/* A built-in sampler's message is its header and, if its picks have one, a window. */
static uint64_t message_bytes(const struct mr_plan *plan)
{
    const struct mr_sampler *sampler = plan->config->sampler.desc;
    if (plan->user_commander)
        return round_up((uint64_t)plan->config->message_bytes, 8);
    return MR_MESSAGE_HEADER + (sampler && sampler->window ? MR_PICK_WINDOW_BYTES : 0);
}

static void size_arena(struct mr_plan *plan, const struct mr_user *user)
{
    const struct mr_config *c = plan->config;
    struct mr_arena_spec *a = &plan->arena;
    bool saves = plan->user_commander &&
                 (!user->commander || (user->commander->save && user->commander->load));
    a->rows = (uint32_t)c->batch.size;
    a->tasks = plan->user_producer && c->producer.unit == MR_UNIT_BATCH ? 1 : a->rows;
    a->producers = (uint32_t)(c->producers.count ? c->producers.count : mr__cpus());
    a->hands = (uint32_t)c->producers.threads;
    a->slots = (uint32_t)(c->slots ? c->slots : AUTO_SLOTS);
    a->spares = (uint32_t)c->spares;
    a->state_bytes = saves ? STATE_BYTES : 0;
    a->message_bytes = message_bytes(plan);
    a->signature = signature(plan);
}

/* ---- the whole ---- */

static int check_user(const struct mr_config *c, const struct mr_user *user, struct mr_errbuf *e)
{
    mr_commander hooks;
    if ((user->commander && !mr__commander_hooks(user->commander, &hooks)) ||
        (user->producer && (user->producer->size < sizeof(mr_producer) ||
                            user->producer->abi != MR_PLUGIN_ABI || !user->producer->fill)))
        return mr__fail(
            e, MR_E_USAGE,
            "a callback struct in mr_options has the wrong size or abi, or no 'next' or "
            "'fill'");
    if (c->context == MR_CONTEXT_FORK && c->producer.exec.n)
        return mr__config_error(
            c, c->producer.mark, e,
            "'producer.exec' starts a fresh program: it needs 'context: spawn'");
    return mr__config_callbacks(c, user->commander, user->producer, e);
}

static int check_parts(const struct mr_plan *plan, struct mr_errbuf *e)
{
    const struct mr_config *c = plan->config;
    const struct mr_sampler *sampler = c->sampler.desc;
    if (sampler && sampler->learner && !c->deterministic)
        return mr__config_error(c, c->sampler.mark, e,
                                "the sampler '%s' follows the trainer's feedback batch by batch, "
                                "in order: it needs 'deterministic: true'",
                                sampler->d.name);
    if (plan->user_commander && c->epoch_batches)
        return mr__config_error(c, c->commander.given ? c->commander.mark : c->mark, e,
                                "a user's commander says itself where an epoch ends "
                                "(MR_END_EPOCH): leave 'epoch_batches' out");
    char *module = c->commander.script ? mr__script_module(e) : NULL;
    if (c->commander.script && !module) {
        char why[MR_ERR_TEXT];
        snprintf(why, sizeof why, "%s", e->text);
        return mr__config_error(c, c->commander.mark, e, "'commander.script': %s", why);
    }
    free(module);
    return MR_OK;
}

int mr__plan_compile(struct mr_plan **out, struct mr_config *config, const struct mr_user *user,
                     struct mr_errbuf *e)
{
    struct mr_plan *plan = calloc(1, sizeof *plan);
    *out = NULL;
    if (!plan)
        return mr__fail(e, MR_E_MEMORY, "no memory for the plan");
    plan->config = config;
    plan->image_column = plan->mask_column = plan->boxes_field = -1;
    plan->user_commander = user->commander || config->commander.given;
    plan->user_producer = user->producer || config->producer.given;
    struct mr_cpu cpu; /* a wrong MILLRACE_CPU is told here, not by the first producer */
    int rc = mr__cpu_choose(&cpu, e);
    if (rc >= 0)
        rc = check_user(config, user, e);
    if (rc >= 0)
        rc = check_parts(plan, e);
    if (rc >= 0)
        rc = compile_fields(plan, e);
    if (rc >= 0)
        rc = lay_out_slot(plan, e);
    if (rc < 0) {
        plan->config = NULL;
        mr__plan_free(plan);
        return rc;
    }
    size_arena(plan, user);
    *out = plan;
    return MR_OK;
}

void mr__plan_free(struct mr_plan *plan)
{
    if (!plan)
        return;
    mr__rowpipe_free(plan->pipe);
    mr__config_free(plan->config);
    free(plan);
}

void mr__plan_tensor(const struct mr_plan *plan, int field, uint8_t *slot_data, uint32_t first,
                     uint32_t rows, struct mr_tensor *t)
{
    const struct mr_plan_field *f = &plan->fields[field];
    *t = (struct mr_tensor){.data = slot_data + f->offset + first * f->p.row_bytes,
                            .name = f->p.name,
                            .dtype = f->p.dtype,
                            .ndim = f->p.ndim + 1};
    int64_t stride = (int64_t)mr_dtype_size(f->p.dtype);
    for (int d = f->p.ndim; d > 0; d--) {
        t->shape[d] = f->p.shape[d - 1];
        t->strides[d] = stride;
        stride *= f->p.shape[d - 1];
    }
    t->shape[0] = rows;
    t->strides[0] = (int64_t)f->p.row_bytes;
    if (f->p.max_entries)
        t->counts = (const uint32_t *)(slot_data + f->counts) + first;
}
