/* SPDX-License-Identifier: Apache-2.0
 *
 * turn.h: what the versions that turn a row round share. A row is read from its end, one register
 * after the other, each ending where the pixels that are left end; one shuffle turns the whole
 * pixels of a register round, and what was not whole the next store writes over. So nothing beyond
 * either row is touched, and no version needs slack.
 */
#ifndef MR_KERNEL_TURN_H
#define MR_KERNEL_TURN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* For each number of channels, from 1 on: which byte of a register of `size` bytes comes to its
 * place j. Behind the last whole pixel that is below 0, whatever a shuffle makes of it. */
#define MR_TURN_PLACES_16                                                       \
    {                                                                           \
        {MR_TURN_16(16, 1, 0)}, {MR_TURN_16(16, 2, 0)}, {MR_TURN_16(16, 3, 0)}, \
            {MR_TURN_16(16, 4, 0)},                                             \
    }
#define MR_TURN_PLACES_64                                                   \
    {                                                                       \
        {MR_TURN_64(1)}, {MR_TURN_64(2)}, {MR_TURN_64(3)}, {MR_TURN_64(4)}, \
    }
#define MR_TURN_64(c) \
    MR_TURN_16(64, c, 0), MR_TURN_16(64, c, 16), MR_TURN_16(64, c, 32), MR_TURN_16(64, c, 48)
#define MR_TURN_16(size, c, j)                                                       \
    MR_TURN_4(size, c, j), MR_TURN_4(size, c, (j) + 4), MR_TURN_4(size, c, (j) + 8), \
        MR_TURN_4(size, c, (j) + 12)
#define MR_TURN_4(size, c, j)                                                        \
    MR_TURN_1(size, c, j), MR_TURN_1(size, c, (j) + 1), MR_TURN_1(size, c, (j) + 2), \
        MR_TURN_1(size, c, (j) + 3)
#define MR_TURN_1(size, c, j) (uint8_t)((size) - ((j) / (c) + 1) * (c) + (j) % (c))

/* In plain C, `size` bytes a pixel, a constant. */
static inline __attribute__((always_inline)) void mr__turn_pixels(size_t size, size_t n,
                                                                  const uint8_t *src, uint8_t *out)
{
    for (size_t i = 0; i < n; i++)
        memcpy(out + i * size, src + (n - 1 - i) * size, size);
}

/* The specification; also for the few pixels that do not fill a register. */
static inline void mr__turn_plain(int c, size_t n, const uint8_t *src, uint8_t *out)
{
    switch (c) {
    case 1: mr__turn_pixels(1, n, src, out); break;
    case 2: mr__turn_pixels(2, n, src, out); break;
    case 3: mr__turn_pixels(3, n, src, out); break;
    default: mr__turn_pixels(4, n, src, out); break;
    }
}

#endif
