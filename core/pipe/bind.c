/* SPDX-License-Identifier: Apache-2.0
 *
 * bind.c: the plan meets the index: every field finds its column.
 */
#include "pipe/plan.h"

#include "base/shape.h"

#include <string.h>

static int no_column(const struct mr_plan *plan, int field, const struct mr_index *index,
                     struct mr_errbuf *e)
{
    char columns[512];
    mr__index_list_columns(index, columns, sizeof columns);
    return mr__config_error(plan->config, plan->config->fields[field].mark, e,
                            "the source has no column '%s' for this field; it has %s",
                            plan->fields[field].p.name, columns);
}

/* A tensor fills a field of its own shape: the same numbers in another order would be others. */
static int check_tensor(const struct mr_plan *plan, int field, const struct mr_index *index,
                        struct mr_errbuf *e)
{
    const struct mr_field_plan *p = &plan->fields[field].p;
    const struct mr_column *c = &index->head->column[plan->fields[field].column];
    int64_t shape[MR_MAX_DIMS];
    char want[160], have[160];
    int ndim = mr__index_shape(index, plan->fields[field].column, shape);
    if (!p->max_entries && p->ndim == ndim &&
        !memcmp(p->shape, shape, (size_t)ndim * sizeof *shape))
        return MR_OK;
    mr__shape_text(NULL, shape, ndim, want, sizeof want);
    mr__shape_text(NULL, p->shape, p->ndim, have, sizeof have);
    return mr__config_error(plan->config, plan->config->fields[field].mark, e,
                            "a sample of '%s' is %s %s, the field %s: give it 'shape: %s'%s",
                            c->name, mr_dtype_name((mr_dtype)c->dtype), want, have, want,
                            p->max_entries ? " and no 'max'" : "");
}

/* A scalar column fills a scalar field; `width` numbers fill a field of one dimension of that
 * length. */
static int check_shape(const struct mr_plan *plan, int field, const struct mr_column *c,
                       struct mr_errbuf *e)
{
    const struct mr_field_plan *p = &plan->fields[field].p;
    bool ragged = c->kind == MR_COL_RAGGED;
    uint64_t numbers = p->row_bytes / mr_dtype_size(p->dtype);
    if (c->kind == MR_COL_PATH || c->kind == MR_COL_MADE)
        return mr__config_error(plan->config, plan->config->fields[field].mark, e,
                                "column '%s' holds %s, not numbers", c->name,
                                c->kind == MR_COL_PATH ? "paths" : "images");
    if (ragged && !p->max_entries)
        return mr__config_error(plan->config, plan->config->fields[field].mark, e,
                                "column '%s' has up to %u entries per sample: say how many have a "
                                "place with 'max: %u'",
                                c->name, c->max_entries, c->max_entries);
    if (ragged ? numbers != (uint64_t)p->max_entries * c->width : numbers != c->width)
        return mr__config_error(
            plan->config, plan->config->fields[field].mark, e,
            "column '%s' has %u numbers per %s, the field has room for %llu: set "
            "its 'shape' to [%u]",
            c->name, c->width, ragged ? "entry" : "sample",
            (unsigned long long)(ragged ? numbers / p->max_entries : numbers), c->width);
    return MR_OK;
}

/* In a mixture, every part must have what a field is made from. */
static int check_parts(const struct mr_plan *plan, int field, int column,
                       const struct mr_index *index, struct mr_errbuf *e)
{
    for (uint64_t p = 0; p < index->head->parts; p++) {
        const struct mr_index_part *part = &mr__index_parts(index)[p];
        const struct mr_index own = mr__index_of_part(index, part);
        char columns[512];
        if (part->column[column] != MR_INDEX_NO_COLUMN)
            continue;
        mr__index_list_columns(&own, columns, sizeof columns);
        return mr__config_error(plan->config, plan->config->fields[field].mark, e,
                                "part '%s' of the mixture has no column '%s' for this field; it "
                                "has %s",
                                part->name, index->head->column[column].name, columns);
    }
    return MR_OK;
}

static int bind_field(struct mr_plan *plan, int i, const struct mr_index *index,
                      struct mr_errbuf *e)
{
    struct mr_plan_field *f = &plan->fields[i];
    if (f->p.kind == MR_FIELD_USER || f->p.kind == MR_FIELD_WINDOW)
        return MR_OK;
    f->column = mr__index_column(index, f->p.name);
    if (f->column < 0)
        return no_column(plan, i, index, e);
    if (check_parts(plan, i, f->column, index, e) < 0)
        return e->code;
    const struct mr_column *c = &index->head->column[f->column];
    bool path = f->p.kind == MR_FIELD_IMAGE || f->p.kind == MR_FIELD_MASK;
    if (path && c->kind == MR_COL_TENSOR)
        return mr__config_error(plan->config, plan->config->fields[i].mark, e,
                                "'%s' is a tensor, and a field of this name an image that is "
                                "decoded: give the column another name ('columns' of the source)",
                                c->name);
    if (path && c->kind != MR_COL_PATH && c->kind != MR_COL_MADE)
        return mr__config_error(plan->config, plan->config->fields[i].mark, e,
                                "column '%s' holds numbers, not paths of images", c->name);
    plan->reads |= path || c->kind == MR_COL_TENSOR;
    f->tensor = !path && c->kind == MR_COL_TENSOR && f->p.kind == MR_FIELD_COLUMN;
    if (f->tensor)
        return check_tensor(plan, i, index, e);
    if (f->p.kind == MR_FIELD_IMAGE)
        plan->image_column = f->column;
    if (f->p.kind == MR_FIELD_MASK)
        plan->mask_column = f->column;
    if (f->p.kind == MR_FIELD_BOXES)
        plan->boxes_field = i;
    if (f->p.kind == MR_FIELD_BOXES &&
        (c->kind != MR_COL_RAGGED || c->width != 4 || c->dtype != MR_F32))
        return mr__config_error(plan->config, plan->config->fields[i].mark, e,
                                "column 'boxes' is not of the type f32[4]");
    return path ? MR_OK : check_shape(plan, i, c, e);
}

int mr__plan_bind(struct mr_plan *plan, const struct mr_index *index, struct mr_errbuf *e)
{
    for (int i = 0; i < plan->nfields; i++) {
        int rc = bind_field(plan, i, index, e);
        if (rc < 0)
            return rc;
    }
    bool geometry = plan->mask_column >= 0 || plan->boxes_field >= 0;
    if (geometry && plan->image_column < 0) /* they follow the image, wanted or not */
        plan->image_column = mr__index_column(index, "image");
    plan->reads |= geometry;
    if (geometry && plan->image_column < 0)
        return mr__fail(e, MR_E_CONFIG,
                        "masks and boxes follow the image's geometry, and the "
                        "source has no column 'image'");
    return MR_OK;
}
