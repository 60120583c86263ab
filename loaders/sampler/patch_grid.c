/* SPDX-License-Identifier: Apache-2.0 */
#include "patch.h"

struct mr_patch_grid mr__patch_grid(const struct mr_patch_params *p)
{
    bool own = p->stride.h > 0;
    return (struct mr_patch_grid){
        .w = (int32_t)p->size.w,
        .h = (int32_t)p->size.h,
        .dx = (int32_t)(own ? p->stride.w : p->size.w - p->overlap),
        .dy = (int32_t)(own ? p->stride.h : p->size.h - p->overlap),
        .shift = p->edge != MR_PATCH_DROP,
    };
}

uint64_t mr__patch_grid_along(int32_t whole, int32_t window, int32_t step, bool shift)
{
    if (whole < window)
        return 0;
    uint64_t room = (uint64_t)(whole - window), by = (uint64_t)step;
    return room / by + 1 + (shift && room % by != 0);
}

int32_t mr__patch_grid_start(uint64_t number, int32_t whole, int32_t window, int32_t step)
{
    uint64_t at = number * (uint64_t)step, last = (uint64_t)(whole - window);
    return (int32_t)(at < last ? at : last);
}

uint64_t mr__patch_grid_count(const struct mr_patch_grid *g, int32_t w, int32_t h)
{
    return mr__patch_grid_along(w, g->w, g->dx, g->shift) *
           mr__patch_grid_along(h, g->h, g->dy, g->shift);
}

struct mr_rect mr__patch_grid_window(const struct mr_patch_grid *g, int32_t w, int32_t h,
                                     uint64_t number)
{
    uint64_t columns = mr__patch_grid_along(w, g->w, g->dx, g->shift);
    return (struct mr_rect){mr__patch_grid_start(number % columns, w, g->w, g->dx),
                            mr__patch_grid_start(number / columns, h, g->h, g->dy), g->w, g->h};
}
