/* SPDX-License-Identifier: Apache-2.0
 *
 * rowpipe.c: compiles a config's ops and fields: which op may stand where, every size known, one
 * store.
 */
#include "pipe/rowpipe_types.h"

#include <stdlib.h>
#include <string.h>

static int op_error(const struct mr_rowpipe *p, const struct mr_rowop *o, struct mr_errbuf *e,
                    const char *sentence)
{
    return mr__config_error(p->config, o->mark, e, "%s: %s", o->op->d.name, sentence);
}

/* How many ops of this kind stand before number i, and whether any does. */
static bool has_before(const struct mr_rowpipe *p, int i, enum mr_op_class kind)
{
    for (int k = 0; k < i; k++) {
        if (p->ops[k].op->kind == kind && !p->ops[k].on_pixels)
            return true;
    }
    return false;
}

/* Pixels end where the store begins: what moves or changes pixels cannot stand behind it. */
static int check_place(const struct mr_rowpipe *p, int i, struct mr_errbuf *e)
{
    const struct mr_rowop *o = &p->ops[i];
    bool stored = has_before(p, i, MR_OP_STORE), tensor = has_before(p, i, MR_OP_TENSOR);
    if (o->op->kind == MR_OP_STORE && tensor)
        return op_error(p, o, e,
                        "it works on pixels on their way into the batch: put it before "
                        "the ops that work on the stored tensor");
    if (o->op->kind == MR_OP_TENSOR || o->op->kind == MR_OP_STORE || !(stored || tensor))
        return MR_OK;
    return op_error(p, o, e,
                    "it works on pixels, which end at 'normalize' and 'to_dtype': put it "
                    "before them");
}

static uint32_t count_same(const struct mr_rowpipe *p, int i)
{
    uint32_t n = 0;
    for (int k = 0; k < i; k++)
        n += p->ops[k].op == p->ops[i].op;
    return n;
}

/* A TENSOR op that can work on pixels does so where a STORE op follows: its values are then pixel
 * values. */
static bool runs_on_pixels(const struct mr_rowpipe *p, int i)
{
    const struct mr_op *op = p->ops[i].op;
    if (op->kind == MR_OP_PIXEL)
        return true;
    if (op->kind != MR_OP_TENSOR || !op->pixel || has_before(p, i, MR_OP_STORE))
        return false;
    for (int k = i + 1; k < p->config->nops; k++) {
        const struct mr_op *later = p->config->ops[k].desc;
        if (later->kind != MR_OP_TENSOR)
            return true;
    }
    return false;
}

static int plan_op(struct mr_rowpipe *p, int i, struct mr_errbuf *e)
{
    struct mr_rowop *o = &p->ops[i];
    struct mr_errbuf why = {0};
    o->op = p->config->ops[i].desc;
    o->params = p->config->ops[i].params;
    o->mark = p->config->ops[i].mark;
    o->in = p->last;
    o->ordinal = count_same(p, i);
    o->draw_at = p->draw_bytes;
    o->on_pixels = runs_on_pixels(p, i);
    p->draw_bytes += (o->op->draw_size + 15) / 16 * 16;
    int rc = check_place(p, i, e);
    if (rc != MR_OK || !o->op->plan)
        return rc;
    rc = o->op->plan(o->params, &o->in, &p->last, &why);
    return rc == MR_OK ? MR_OK : op_error(p, o, e, why.text);
}

static int check_size(const struct mr_rowpipe *p, struct mr_errbuf *e)
{
    int field = p->image >= 0 ? p->image : p->mask;
    if (field < 0 || (p->last.w > 0 && p->last.h > 0))
        return MR_OK;
    const char *hint = "add 'random_resized_crop', 'center_crop', or 'resize' with "
                       "size: [height, width]";
    if (p->nops == 0)
        return mr__config_error(p->config, p->config->fields[field].mark, e,
                                "images differ in size, a batch cannot: there are no ops; %s",
                                hint);
    return mr__config_error(p->config, p->ops[p->nops - 1].mark, e,
                            "after '%s', the last op, images still differ in size, and a batch "
                            "cannot: %s",
                            p->ops[p->nops - 1].op->d.name, hint);
}

/* 16-bit pixels do not go into 8 bits (or 15) by copying. */
static int check_field_dtype(const struct mr_rowpipe *p, int field, int32_t bits, bool affine,
                             struct mr_errbuf *e)
{
    const struct mr_field_config *f = &p->config->fields[field];
    if (bits == 8 || affine || (f->dtype != MR_U8 && f->dtype != MR_I16))
        return MR_OK;
    return mr__config_error(p->config, f->mark, e,
                            "field '%s' keeps 16 bits while decoding, which %s cannot hold: take "
                            "uint16 or a float dtype, or bits: 8",
                            f->name, mr_dtype_name((enum mr_dtype)f->dtype));
}

static int check_dtype(const struct mr_rowpipe *p, struct mr_errbuf *e)
{
    if (p->image >= 0) {
        const struct mr_field_config *f = &p->config->fields[p->image];
        if ((int)p->last.dtype != f->dtype)
            return mr__config_error(p->config, f->mark, e,
                                    "field 'image' is %s, but the ops make %s: give both the same",
                                    mr_dtype_name((enum mr_dtype)f->dtype),
                                    mr_dtype_name(p->last.dtype));
        int rc = check_field_dtype(p, p->image, p->last.bits, p->store.affine, e);
        if (rc != MR_OK)
            return rc;
    }
    return p->mask < 0 ? MR_OK : check_field_dtype(p, p->mask, p->mask_bits, false, e);
}

static void begin_spec(struct mr_rowpipe *p)
{
    const struct mr_field_config *f = p->image >= 0 ? &p->config->fields[p->image] : NULL;
    p->first = (struct mr_spec){.c = f ? (int32_t)f->channels : 3,
                                .bits = f ? (int32_t)f->bits : 8,
                                .dtype = f ? (enum mr_dtype)f->dtype : MR_F32};
    if (p->windows) {
        const struct mr_sampler *sampler = p->config->sampler.desc;
        sampler->window(p->config->sampler.params, &p->first.w, &p->first.h);
    }
    p->last = p->first;
}

static void make_stores(struct mr_rowpipe *p)
{
    p->store = (struct mr_store){.dtype = p->last.dtype};
    for (int i = 0; i < p->nops; i++) {
        if (p->ops[i].op->store)
            p->ops[i].op->store(p->ops[i].params, &p->ops[i].in, &p->store);
    }
    if (p->image >= 0)
        p->store.chw = p->config->fields[p->image].layout == MR_LAYOUT_NCHW;
    if (p->mask >= 0) {
        const struct mr_field_config *f = &p->config->fields[p->mask];
        p->mask_bits = f->bits == 16 ? 16 : 8;
        p->mask_store = (struct mr_store){.dtype = (enum mr_dtype)f->dtype, .chw = true};
    }
}

static int compile_ops(struct mr_rowpipe *p, struct mr_errbuf *e)
{
    const struct mr_config *config = p->config;
    if (p->user && config->nops > 0)
        return mr__config_error(config, config->ops[0].mark, e,
                                "ops work on the built-in producer's images, and a producer of "
                                "your own makes the rows here: leave 'ops' out");
    for (int i = 0; i < config->nops; i++) {
        int rc = plan_op(p, i, e);
        if (rc != MR_OK)
            return rc;
        p->nops++;
    }
    return MR_OK;
}

static int compile(struct mr_rowpipe *p, struct mr_errbuf *e)
{
    mr__row_fields_find(p);
    begin_spec(p);
    int rc = compile_ops(p, e);
    if (rc == MR_OK)
        rc = check_size(p, e);
    if (rc != MR_OK)
        return rc;
    make_stores(p);
    rc = check_dtype(p, e);
    return rc == MR_OK ? mr__row_fields_plan(p, e) : rc;
}

int mr__rowpipe_compile(struct mr_rowpipe **pipe, const struct mr_config *config,
                        struct mr_field_plan *plans, int *nplans, struct mr_errbuf *e)
{
    struct mr_rowpipe *p = calloc(1, sizeof *p);
    *pipe = NULL;
    if (!p)
        return mr__fail(e, MR_E_MEMORY, "no memory for the plan");
    p->config = config;
    int rc = compile(p, e);
    if (rc != MR_OK) {
        free(p);
        return rc;
    }
    memcpy(plans, p->plans, (size_t)p->nplans * sizeof *plans);
    *nplans = p->nplans;
    *pipe = p;
    return MR_OK;
}

void mr__rowpipe_free(struct mr_rowpipe *pipe)
{
    free(pipe);
}
