/* SPDX-License-Identifier: Apache-2.0
 *
 * patch_cover.c: how many pixels of a mask are not zero, in rectangles. Summed areas (F. Crow,
 * "Summed-area tables for texture mapping", 1984), but only at the places that are asked for, in
 * one pass over the mask.
 */
#include "patch.h"

#include <stdlib.h>

/* ---- sums ---- */

static void add_row(uint32_t *columns, const uint8_t *row, int32_t w)
{
    for (int32_t x = 0; x < w; x++)
        columns[x] += row[x] != 0;
}

static void sum_columns(const uint32_t *columns, const struct mr_cuts *x, int32_t *to)
{
    uint32_t sum = 0;
    int32_t at = 0;
    for (size_t i = 0; i < x->n; i++) {
        for (; at < x->at[i]; at++)
            sum += columns[at];
        to[i] = (int32_t)sum;
    }
}

bool mr__patch_sums(const struct mr_view *mask, const struct mr_cuts *x, const struct mr_cuts *y,
                    int32_t *sums)
{
    uint32_t *columns = calloc((size_t)mask->w + 1, sizeof *columns);
    int32_t at = 0;
    for (size_t j = 0; columns && j < y->n; j++) {
        for (; at < y->at[j]; at++)
            add_row(columns, (const uint8_t *)mask->data + at * mask->stride, mask->w);
        sum_columns(columns, x, sums + j * x->n);
    }
    free(columns);
    return columns != NULL;
}

/* ---- windows of a grid, exactly ---- */

static int by_number(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

/* Where the windows along one side begin and end, each place once. */
static bool cut_side(struct mr_cuts *cuts, uint64_t n, int32_t whole, int32_t window, int32_t step)
{
    cuts->at = malloc(2 * n * sizeof *cuts->at);
    cuts->n = 0;
    if (!cuts->at)
        return false;
    for (uint64_t i = 0; i < n; i++) {
        cuts->at[2 * i] = mr__patch_grid_start(i, whole, window, step);
        cuts->at[2 * i + 1] = cuts->at[2 * i] + window;
    }
    qsort(cuts->at, 2 * n, sizeof *cuts->at, by_number);
    for (uint64_t i = 0; i < 2 * n; i++)
        if (!i || cuts->at[i] != cuts->at[cuts->n - 1])
            cuts->at[cuts->n++] = cuts->at[i];
    return true;
}

static size_t number_of(const struct mr_cuts *cuts, int32_t at)
{
    const int32_t *found = bsearch(&at, cuts->at, cuts->n, sizeof at, by_number);
    return (size_t)(found - cuts->at);
}

static int64_t count_in(const int32_t *sums, const struct mr_cuts *x, const struct mr_cuts *y,
                        const struct mr_rect *r)
{
    size_t x0 = number_of(x, r->x), x1 = number_of(x, r->x + r->w);
    const int32_t *top = sums + number_of(y, r->y) * x->n;
    const int32_t *bottom = sums + number_of(y, r->y + r->h) * x->n;
    return (int64_t)bottom[x1] - bottom[x0] - top[x1] + top[x0];
}

bool mr__patch_enough(const struct mr_patch_grid *g, double min_coverage, double count)
{
    return count >= min_coverage * ((double)g->w * (double)g->h);
}

static bool keep_covered(const struct mr_patch_grid *g, const struct mr_view *mask,
                         double min_coverage, const struct mr_cuts cuts[2], int32_t *sums,
                         struct mr_buf *places)
{
    uint64_t n = mr__patch_grid_count(g, mask->w, mask->h);
    for (uint64_t i = 0; i < n; i++) {
        struct mr_rect r = mr__patch_grid_window(g, mask->w, mask->h, i);
        const int32_t place[2] = {r.x, r.y};
        if (mr__patch_enough(g, min_coverage, (double)count_in(sums, &cuts[0], &cuts[1], &r)) &&
            !mr__buf_append(places, place, sizeof place))
            return false;
    }
    return true;
}

bool mr__patch_grid_covered(const struct mr_patch_grid *g, const struct mr_view *mask,
                            double min_coverage, struct mr_buf *places)
{
    struct mr_cuts cuts[2] = {{0}};
    int32_t *sums = NULL;
    uint64_t columns = mr__patch_grid_along(mask->w, g->w, g->dx, g->shift);
    uint64_t rows = mr__patch_grid_along(mask->h, g->h, g->dy, g->shift);
    if (!columns || !rows)
        return true;
    bool good = cut_side(&cuts[0], columns, mask->w, g->w, g->dx) &&
                cut_side(&cuts[1], rows, mask->h, g->h, g->dy);
    if (good)
        sums = calloc(cuts[0].n * cuts[1].n, sizeof *sums);
    good = sums && mr__patch_sums(mask, &cuts[0], &cuts[1], sums) &&
           keep_covered(g, mask, min_coverage, cuts, sums, places);
    free(cuts[0].at);
    free(cuts[1].at);
    free(sums);
    return good;
}

/* ---- any window, from cells ---- */

static size_t cells_along(int32_t whole)
{
    return ((size_t)whole + MR_PATCH_CELL - 1) / MR_PATCH_CELL;
}

static bool cut_cells(struct mr_cuts *cuts, int32_t whole)
{
    cuts->n = cells_along(whole) + 1;
    cuts->at = malloc(cuts->n * sizeof *cuts->at);
    for (size_t i = 0; cuts->at && i < cuts->n; i++)
        cuts->at[i] = i + 1 < cuts->n ? (int32_t)i * MR_PATCH_CELL : whole;
    return cuts->at != NULL;
}

bool mr__patch_cells(const struct mr_view *mask, struct mr_buf *cells)
{
    struct mr_cuts x = {0}, y = {0};
    const int32_t size[2] = {mask->w, mask->h};
    bool good = cut_cells(&x, mask->w) && cut_cells(&y, mask->h);
    size_t bytes = good ? x.n * y.n * sizeof(int32_t) : 0;
    good = good && mr__buf_append(cells, size, sizeof size) && mr__buf_reserve(cells, bytes) &&
           mr__patch_sums(mask, &x, &y, (int32_t *)(void *)(cells->data + cells->n));
    cells->n += good ? bytes : 0;
    free(x.at);
    free(y.at);
    return good;
}

/* The cell that a place lies in, and how far, 0 to 1. */
static size_t find_cell(int32_t at, int32_t whole, double *part)
{
    size_t i = (size_t)at / MR_PATCH_CELL, last = cells_along(whole) - 1;
    i = i < last ? i : last;
    int32_t from = (int32_t)i * MR_PATCH_CELL;
    int32_t to = i == last ? whole : from + MR_PATCH_CELL;
    *part = (double)(at - from) / (to - from);
    return i;
}

/* Non-zero pixels above and left of a place; those of the cell that it cuts by shares of its
 * area. */
static double sum_at(const int32_t *cells, int32_t x, int32_t y)
{
    double px, py;
    size_t i = find_cell(x, cells[0], &px), j = find_cell(y, cells[1], &py);
    size_t pitch = cells_along(cells[0]) + 1;
    const int32_t *top = cells + 2 + j * pitch + i, *bottom = top + pitch;
    return (1 - py) * ((1 - px) * top[0] + px * top[1]) +
           py * ((1 - px) * bottom[0] + px * bottom[1]);
}

double mr__patch_cells_count(const int32_t *cells, const struct mr_rect *r)
{
    return sum_at(cells, r->x + r->w, r->y + r->h) - sum_at(cells, r->x, r->y + r->h) -
           sum_at(cells, r->x + r->w, r->y) + sum_at(cells, r->x, r->y);
}
