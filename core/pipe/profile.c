/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/profile.h"

#include "pipe/last_error.h"
#include "pipe/loader.h"
#include "shm/report.h"

#include <stdio.h>
#include <string.h>

_Static_assert(MR_ENGINES < MR_PROFILE_ENGINES, "a NULL ends the names");
_Static_assert(MR_MAX_OPS + 12 <= MR_PROFILE_STAGES, "every op can be a stage");

/* ---- producers add ---- */

static void add(uint64_t *sum, uint64_t by)
{
    if (by)
        __atomic_fetch_add(sum, by, __ATOMIC_RELAXED);
}

static void raise_to(uint64_t *most, uint64_t value)
{
    uint64_t old = MR_GET(*most);
    while (old < value && !__atomic_compare_exchange_n(most, &old, value, true, __ATOMIC_RELAXED,
                                                       __ATOMIC_RELAXED))
        ;
}

static int scale_index(int32_t scale)
{
    return scale >= 8 ? 3 : scale >= 4 ? 2 : scale >= 2 ? 1 : 0;
}

static void add_decode(struct mr_costs *to, const struct mr_row_cost *cost, uint64_t file_bytes)
{
    add(&to->file_bytes, file_bytes);
    add(&to->read_bytes, cost->decode.bytes);
    add(&to->pixels, cost->pixels);
    add(&to->pixels_needed, cost->pixels_needed);
    add(&to->pixels_read, cost->decode.pixels_read);
    add(&to->pixels_wanted, cost->pixels_wanted);
    add(&to->pixels_made, cost->decode.pixels_made);
    add(&to->scale[scale_index(cost->scale)], 1);
    add(&to->scale_fast[scale_index(cost->scale_fast)], 1);
    add(&to->engine[cost->decode.engine], 1);
}

void mr__profile_add(struct mr_lane *lane, const struct mr_row_cost *cost, int nops,
                     uint64_t file_bytes)
{
    struct mr_costs *to = &lane->costs;
    add(&to->rows, 1);
    add(&to->header_ns, cost->header_ns);
    add(&to->decode_ns, cost->decode_ns);
    add(&to->draw_ns, cost->draw_ns);
    add(&to->boxes_ns, cost->boxes_ns);
    add(&to->mask_ns, cost->mask_ns);
    add(&to->store_ns, cost->store_ns);
    raise_to(&to->store_first, (uint64_t)(cost->store_first + 1));
    for (int i = 0; i < nops; i++) {
        if (!cost->op_ns[i])
            continue;
        add(&to->op_ns[i], cost->op_ns[i]);
        add(&to->op_times[i], 1);
        raise_to(&to->op_last[i], cost->op_last[i]);
    }
    if (cost->decoded)
        add_decode(to, cost, file_bytes);
}

void mr__profile_add_columns(struct mr_lane *lane, uint64_t ns)
{
    add(&lane->costs.columns_ns, ns);
}

/* ---- the trainer sums up ---- */

/* The numbers before op_last are sums, those from there on are the largest. */
static void sum_up(const struct mr_arena *a, struct mr_costs *sum)
{
    const size_t n = sizeof *sum / sizeof(uint64_t);
    const size_t sums = offsetof(struct mr_costs, op_last) / sizeof(uint64_t);
    uint64_t *to = (uint64_t *)sum;
    memset(sum, 0, sizeof *sum);
    for (uint32_t lane = MR_LANE_PRODUCERS; lane < mr__lane_count(a); lane++) {
        const uint64_t *from = (const uint64_t *)&mr__lane(a, lane)->costs;
        for (size_t i = 0; i < n; i++) {
            uint64_t v = MR_GET(from[i]);
            to[i] = i < sums ? to[i] + v : v > to[i] ? v : to[i];
        }
    }
}

static mr_stage_cost *push(mr_profile *p, const char *what, uint64_t ns, uint64_t times)
{
    mr_stage_cost *s = &p->stage[p->nstages++];
    snprintf(s->what, sizeof s->what, "%s", what);
    s->ns = ns;
    s->times = times;
    return s;
}

static bool is_kind(const struct mr_config *c, int i, enum mr_op_class kind)
{
    return ((const struct mr_op *)c->ops[i].desc)->kind == kind;
}

static void append(mr_stage_cost *s, const char *between, const char *text)
{
    size_t n = strlen(s->what);
    snprintf(s->what + n, sizeof s->what - n, "%s%s", n ? between : "", text);
}

/* "resize + center_crop": of the ops first .. last those of a kind. */
static void join_ops(mr_stage_cost *s, const struct mr_config *c, int first, int last,
                     enum mr_op_class kind)
{
    for (int i = first; i <= last && i < c->nops; i++) {
        if (is_kind(c, i, kind))
            append(s, " + ", ((const struct mr_op *)c->ops[i].desc)->d.name);
    }
}

/* Steps on pixels, or (tensor) on the stored row. */
static void put_ops(mr_profile *p, const struct mr_config *c, const struct mr_costs *sum,
                    bool tensor)
{
    for (int i = 0; i < c->nops; i++) {
        enum mr_op_class kind = ((const struct mr_op *)c->ops[i].desc)->kind;
        if (!sum->op_times[i] || (kind == MR_OP_TENSOR) != tensor)
            continue;
        int last = kind == MR_OP_GEOMETRY ? (int)sum->op_last[i] : i;
        join_ops(push(p, "", sum->op_ns[i], sum->op_times[i]), c, i, last, kind);
    }
}

static const struct mr_plan_field *image_field(const struct mr_plan *plan)
{
    for (int i = 0; i < plan->nfields; i++) {
        if (plan->fields[i].p.kind == MR_FIELD_IMAGE)
            return &plan->fields[i];
    }
    return NULL;
}

/* The last stage, and what is folded into its store. */
static void put_store(mr_profile *p, const struct mr_plan *plan, const struct mr_costs *sum)
{
    const struct mr_config *c = plan->config;
    const struct mr_plan_field *f = image_field(plan);
    if (!f)
        return;
    mr_stage_cost *s = push(p, "", sum->store_ns, sum->rows);
    if (sum->store_first)
        join_ops(s, c, (int)sum->store_first - 1, c->nops - 1, MR_OP_GEOMETRY);
    join_ops(s, c, 0, c->nops - 1, MR_OP_STORE);
    append(s, " -> ", mr_dtype_name(f->p.dtype));
    append(s, " ", f->p.layout == MR_LAYOUT_NCHW ? "NCHW" : "NHWC");
}

static void put_rows(mr_profile *p, const struct mr_plan *plan, const struct mr_costs *sum,
                     uint64_t read_ns)
{
    push(p, "read", read_ns, sum->rows);
    push(p, "header", sum->header_ns, sum->rows);
    push(p, "draw", sum->draw_ns, sum->rows);
    if (image_field(plan))
        push(p, "decode", sum->decode_ns, p->images);
    put_ops(p, plan->config, sum, false);
    put_store(p, plan, sum);
    put_ops(p, plan->config, sum, true);
    if (plan->mask_column >= 0)
        push(p, "mask", sum->mask_ns, sum->rows);
    if (plan->boxes_field >= 0)
        push(p, "boxes", sum->boxes_ns, sum->rows);
    push(p, "columns", sum->columns_ns, sum->rows);
}

static void put_columns(mr_profile *p, const struct mr_plan *plan, const struct mr_costs *sum,
                        uint64_t read_ns)
{
    if (plan->reads)
        push(p, "read", read_ns, p->rows);
    push(p, "columns", sum->columns_ns, p->rows);
}

static void put_decode(mr_profile *p, const struct mr_costs *sum)
{
    static const char *const names[MR_ENGINES] = {"libjpeg-turbo", "own baseline", "libpng",
                                                  "raw pixels"};
    p->file_bytes = sum->file_bytes;
    p->bytes_decoded = sum->read_bytes;
    p->pixels = sum->pixels;
    p->pixels_needed = sum->pixels_needed;
    p->pixels_read = sum->pixels_read;
    p->pixels_wanted = sum->pixels_wanted;
    p->pixels_made = sum->pixels_made;
    memcpy(p->scale, sum->scale, sizeof p->scale);
    memcpy(p->scale_fast, sum->scale_fast, sizeof p->scale_fast);
    for (int i = 0; i < MR_COST_SCALES; i++)
        p->images += sum->scale[i];
    for (int i = 0; i < MR_ENGINES; i++) {
        p->engine[i] = sum->engine[i];
        p->engine_name[i] = names[i];
    }
}

static void fill(const mr_loader *l, mr_profile *p)
{
    const struct mr_plan *plan = l->s.plan;
    const struct mr_arena *a = &l->s.arena;
    struct mr_costs sum;
    memset(p, 0, sizeof *p);
    p->size = sizeof *p;
    sum_up(a, &sum);
    put_decode(p, &sum);
    p->rows = sum.rows ? sum.rows : mr__lanes_sum(a, MR_COUNT_MADE);
    for (int i = 0; i < plan->nfields; i++)
        p->row_bytes += plan->fields[i].p.row_bytes;
    if (plan->pipe && plan->image_column >= 0)
        put_rows(p, plan, &sum, mr__lanes_sum(a, MR_COUNT_READ_NS));
    else if (plan->pipe)
        put_columns(p, plan, &sum, mr__lanes_sum(a, MR_COUNT_READ_NS));
    else
        push(p, "fill", mr__lanes_sum(a, MR_COUNT_AUGMENT_NS), p->rows);
    push(p, "wait", mr__lanes_idle(a), p->rows);
}

int mr_get_profile(mr_loader *l, mr_profile *profile)
{
    struct mr_errbuf e;
    if (!profile || profile->size != sizeof *profile) {
        mr__fail(&e, MR_E_USAGE, "mr_profile.size is not sizeof(mr_profile)");
        return mr__keep_error(&e);
    }
    int rc = mr__loader_enter(l, &e);
    if (rc < 0)
        return mr__keep_error(&e);
    fill(l, profile);
    mr__loader_leave(l);
    return MR_OK;
}
