/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/pick.h"

#define WINDOW "window" /* x, y, w, h */

int mr__pick_write(mr_message *m, const struct mr_pick *pick, struct mr_errbuf *e)
{
    const struct mr_rect *w = &pick->window;
    const int64_t numbers[4] = {w->x, w->y, w->w, w->h};
    if (!w->w || mr_message_set_i64s(m, WINDOW, numbers, 4) >= 0)
        return MR_OK;
    return mr__fail(e, MR_E_LIMIT,
                    "a message has no room for a window: make 'message_bytes' larger");
}

void mr__pick_read(const mr_message *m, struct mr_pick *pick)
{
    const int64_t *v;
    size_t n;
    *pick = (struct mr_pick){.sample = mr_message_sample(m)};
    if (mr_message_get_i64s(m, WINDOW, &v, &n) < 0)
        return;
    bool good = n == 4;
    for (size_t i = 0; i < 4 && good; i++)
        good = v[i] >= (i >= 2) && v[i] <= INT32_MAX;
    pick->window = good ? (struct mr_rect){(int32_t)v[0], (int32_t)v[1], (int32_t)v[2],
                                           (int32_t)v[3]}
                        : (struct mr_rect){-1, -1, -1, -1};
}
