/* SPDX-License-Identifier: Apache-2.0
 *
 * rowpipe_fields.c: what each field of the config turns out to be: kind, dtype, shape, bytes of a
 * row.
 */
#include "pipe/rowpipe_types.h"

#include <math.h>
#include <string.h>

void mr__row_fields_find(struct mr_rowpipe *p)
{
    const struct mr_config *config = p->config;
    p->image = p->mask = p->boxes = -1;
    p->user = config->producer.given || !config->source.desc;
    p->windows = !p->user && mr__config_windows(config);
    for (int i = 0; i < config->nfields && !p->user; i++) {
        const char *name = config->fields[i].name;
        int *which = strcmp(name, "image") == 0   ? &p->image
                     : strcmp(name, "mask") == 0  ? &p->mask
                     : strcmp(name, "boxes") == 0 ? &p->boxes
                                                  : NULL;
        if (which)
            *which = i;
    }
}

static void set_shape(struct mr_field_plan *f, int32_t ndim, const int64_t *shape)
{
    f->ndim = ndim;
    memcpy(f->shape, shape, (size_t)ndim * sizeof *shape);
}

static void plan_image(struct mr_field_plan *f, const struct mr_spec *s)
{
    f->kind = MR_FIELD_IMAGE;
    if (f->layout == MR_LAYOUT_NCHW)
        set_shape(f, 3, (int64_t[]){s->c, s->h, s->w});
    else
        set_shape(f, 3, (int64_t[]){s->h, s->w, s->c});
}

static void plan_mask(struct mr_field_plan *f, const struct mr_spec *s)
{
    f->kind = MR_FIELD_MASK;
    set_shape(f, 2, (int64_t[]){s->h, s->w});
}

static int plan_boxes(struct mr_field_plan *f, const struct mr_config *config,
                      const struct mr_field_config *c, struct mr_errbuf *e)
{
    f->kind = MR_FIELD_BOXES;
    if (f->dtype != MR_F32)
        return mr__config_error(config, c->mark, e, "field 'boxes' is float32, not %s",
                                mr_dtype_name(f->dtype));
    if (c->max < 1)
        return mr__config_error(config, c->mark, e,
                                "field 'boxes' needs 'max', the most boxes that an image has");
    f->max_entries = (uint32_t)c->max;
    set_shape(f, 2, (int64_t[]){c->max, 4});
    return MR_OK;
}

static void plan_window(struct mr_field_plan *f)
{
    f->kind = MR_FIELD_WINDOW;
    set_shape(f, 1, (int64_t[]){4});
}

/* A column of the index, or a user's field: the shape is the config's, with the ragged dimension
 * first. */
static int plan_given(struct mr_field_plan *f, const struct mr_config *config,
                      const struct mr_field_config *c, struct mr_errbuf *e)
{
    int64_t shape[MR_MAX_DIMS];
    int n = 0;
    if (c->shape.n + (c->max > 0) > MR_MAX_DIMS - 1)
        return mr__config_error(config, c->mark, e,
                                "field '%s' has %d dimensions; beside the batch's there is room "
                                "for %d",
                                c->name, c->shape.n + (c->max > 0), MR_MAX_DIMS - 1);
    if (c->max > 0)
        shape[n++] = c->max;
    for (int i = 0; i < c->shape.n; i++) {
        double v = c->shape.v[i];
        if (!(v >= 1 && v <= 1e15 && v == floor(v)))
            return mr__config_error(config, c->mark, e,
                                    "field '%s': a shape counts elements, %g is no such number",
                                    c->name, v);
        shape[n++] = (int64_t)v;
    }
    f->max_entries = c->max > 0 ? (uint32_t)c->max : 0;
    set_shape(f, n, shape);
    return MR_OK;
}

static int set_bytes(struct mr_field_plan *f, const struct mr_config *config,
                     const struct mr_field_config *c, struct mr_errbuf *e)
{
    f->row_bytes = mr_dtype_size(f->dtype);
    for (int i = 0; i < f->ndim; i++) {
        if (__builtin_mul_overflow(f->row_bytes, (uint64_t)f->shape[i], &f->row_bytes) ||
            f->row_bytes > INT64_MAX)
            return mr__config_error(config, c->mark, e,
                                    "a row of field '%s' does not fit in memory", c->name);
    }
    return MR_OK;
}

int mr__row_fields_plan(struct mr_rowpipe *p, struct mr_errbuf *e)
{
    const struct mr_config *config = p->config;
    p->nplans = config->nfields;
    for (int i = 0; i < config->nfields; i++) {
        const struct mr_field_config *c = &config->fields[i];
        struct mr_field_plan *f = &p->plans[i];
        int rc = MR_OK;
        *f = (struct mr_field_plan){.name = c->name,
                                    .dtype = (enum mr_dtype)c->dtype,
                                    .layout = (enum mr_layout)c->layout,
                                    .kind = p->user ? MR_FIELD_USER : MR_FIELD_COLUMN};
        if (i == p->image)
            plan_image(f, &p->last);
        else if (i == p->mask)
            plan_mask(f, &p->last);
        else if (i == p->boxes)
            rc = plan_boxes(f, config, c, e);
        else if (p->windows && !strcmp(c->name, "window"))
            plan_window(f);
        else
            rc = plan_given(f, config, c, e);
        if (rc == MR_OK)
            rc = set_bytes(f, config, c, e);
        if (rc != MR_OK)
            return rc;
    }
    return MR_OK;
}
