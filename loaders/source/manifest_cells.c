/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest_cells.h"

#include "cell_number.h"

#include "base/printable.h"

#include <math.h>
#include <string.h>

static int add_path(struct mr_manifest *m, int i)
{
    const struct mr_manifest_column *column = &m->column[i];
    const struct mr_csv_cell *cell = &m->csv.cell[i];
    if (!cell->n && !strcmp(column->name, "image"))
        return mr__csv_error(&m->csv, i, m->e, "the image's path is missing");
    return mr__index_add_path(m->b, column->column, mr__csv_text(&m->csv, i), cell->n, m->e);
}

static int add_label(struct mr_manifest *m, int i)
{
    if (!m->csv.cell[i].n)
        return mr__csv_error(&m->csv, i, m->e, "the label is missing");
    return mr__labels_add(m->labels, mr__csv_text(&m->csv, i), m->csv.cell[i].n, m->e);
}

/* The cell's numbers, one behind the other, into m->numbers; *count of them. */
static int read_numbers(struct mr_manifest *m, int i, uint64_t *count)
{
    enum mr_dtype dtype = m->column[i].dtype;
    size_t size = mr_dtype_size(dtype);
    m->numbers.n = 0;
    *count = 0;
    for (const char *text = mr__csv_text(&m->csv, i);; ++*count) {
        while (mr__cell_separates(*text))
            text++;
        if (!*text)
            return MR_OK;
        if (!mr__buf_reserve(&m->numbers, size))
            return mr__fail(m->e, MR_E_MEMORY, "not enough memory for a cell's numbers");
        const char *wrong = mr__cell_number(&text, dtype, m->numbers.data + m->numbers.n);
        if (wrong)
            return mr__csv_error(&m->csv, i, m->e, "column '%s' (%s): '%s' %s", m->column[i].name,
                                 mr_dtype_name(dtype),
                                 mr__printable(text, strcspn(text, " \t;")).text, wrong);
        m->numbers.n += size;
    }
}

static int add_fixed(struct mr_manifest *m, int i)
{
    const struct mr_manifest_column *column = &m->column[i];
    uint64_t count;
    int rc = read_numbers(m, i, &count);
    if (rc < 0)
        return rc;
    if (count != column->width)
        return mr__csv_error(&m->csv, i, m->e, "column '%s' takes %u number%s, the cell has %llu",
                             column->name, column->width, column->width > 1 ? "s" : "",
                             (unsigned long long)count);
    return mr__index_add_numbers(m->b, column->column, m->numbers.data, 1, m->e);
}

static int add_ragged(struct mr_manifest *m, int i)
{
    const struct mr_manifest_column *column = &m->column[i];
    uint64_t count;
    int rc = read_numbers(m, i, &count);
    if (rc < 0)
        return rc;
    if (count % column->width)
        return mr__csv_error(&m->csv, i, m->e,
                             "column '%s' takes numbers in groups of %u, the cell has %llu",
                             column->name, column->width, (unsigned long long)count);
    return mr__index_add_numbers(m->b, column->column, m->numbers.data, count / column->width,
                                 m->e);
}

/* Boxes as x y width height are the usual mistake, and half of them have their x1 left of their x0.
 * */
static int add_boxes(struct mr_manifest *m, int i)
{
    int rc = add_ragged(m, i);
    const float *box = (const float *)(const void *)m->numbers.data;
    size_t n = rc < 0 ? 0 : m->numbers.n / (4 * sizeof *box);
    for (size_t k = 0; k < n; k++, box += 4)
        if (!isfinite(box[0] + box[1] + box[2] + box[3]) || box[2] < box[0] || box[3] < box[1])
            return mr__csv_error(
                &m->csv, i, m->e,
                "box %zu (%g %g %g %g) is not x0 y0 x1 y1 with x0 <= x1 and y0 <= y1", k + 1,
                (double)box[0], (double)box[1], (double)box[2], (double)box[3]);
    return rc;
}

static int ignore(struct mr_manifest *m, int i)
{
    (void)m;
    (void)i;
    return MR_OK;
}

static int (*const add_cell[])(struct mr_manifest *m, int i) = {
    [MR_CELL_PATH] = add_path,   [MR_CELL_LABEL] = add_label,   [MR_CELL_CLASS] = add_label,
    [MR_CELL_FIXED] = add_fixed, [MR_CELL_RAGGED] = add_ragged, [MR_CELL_BOXES] = add_boxes,
    [MR_CELL_IGNORED] = ignore,
};

int mr__manifest_cell(struct mr_manifest *m, int i)
{
    return add_cell[m->column[i].kind](m, i);
}
