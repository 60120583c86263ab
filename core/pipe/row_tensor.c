/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/row_tensor.h"

#include "pipe/columns.h"

int mr__row_tensor(const struct mr_session *s, void *source, int field, uint64_t sample, void *to,
                   struct mr_buf *scratch, uint64_t *bytes, struct mr_errbuf *e)
{
    const struct mr_plan_field *f = &s->plan->fields[field];
    const struct mr_source *from = s->plan->config->source.desc;
    const struct mr_column *c = &s->index.head->column[f->column];
    uint64_t n = c->width, size = n * mr_dtype_size((mr_dtype)c->dtype);
    *bytes += size;
    if (f->p.dtype == (mr_dtype)c->dtype)
        return from->tensor(source, sample, f->column, false, to, size, e);
    scratch->n = 0;
    if (!mr__buf_reserve(scratch, size))
        return mr__fail(e, MR_E_MEMORY, "no memory for %llu bytes of '%s', which is not %s yet",
                        (unsigned long long)size, c->name, mr_dtype_name(f->p.dtype));
    int rc = from->tensor(source, sample, f->column, true, scratch->data, size, e);
    if (rc >= 0)
        mr__convert_numbers(to, f->p.dtype, scratch->data, (mr_dtype)c->dtype, n);
    return rc;
}
