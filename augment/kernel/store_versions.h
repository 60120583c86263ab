/* SPDX-License-Identifier: Apache-2.0
 *
 * store_versions.h: what the stores of all CPU levels share. A level's file has two inline
 * functions, planes() and flat(), which take the number of channels (or of phases) and the writer
 * as constants; from these MR_PUT makes the functions that are called.
 */
#ifndef MR_KERNEL_STORE_VERSIONS_H
#define MR_KERNEL_STORE_VERSIONS_H

#include "augment/kernel/passes.h"

/* planes_NAME and flat_NAME, for elements of `size` bytes; `target` is the level's attribute. */
#define MR_PUT(target, name, size, write)                                                    \
    target static void planes_##name(const struct mr_put *put, const void *pixels, void *to) \
    {                                                                                        \
        if (put->c == 3)                                                                     \
            planes(put, 3, pixels, to, size, write);                                         \
        else                                                                                 \
            planes(put, 4, pixels, to, size, write);                                         \
    }                                                                                        \
    target static void flat_##name(const struct mr_put *put, const void *pixels, void *to)   \
    {                                                                                        \
        if (put->c == 3)                                                                     \
            flat(put, 3, pixels, to, size, write);                                           \
        else                                                                                 \
            flat(put, 1, pixels, to, size, write);                                           \
    }

/* A table of these: [dtype][0: flat, 1: planes]; NULL: there is none for the dtype. */
#define MR_PUT_TABLE(name)                               \
    static mr_put_row *const name[MR_DTYPE_COUNT][2] = { \
        [MR_F32] = {flat_f32, planes_f32},               \
        [MR_F16] = {flat_f16, planes_f16},               \
        [MR_BF16] = {flat_bf16, planes_bf16},            \
        [MR_U8] = {flat_u8, planes_u8},                  \
    }

/* Scale and bias of the `n` values of a row that is stored as its pixels lie. */
static inline void mr__put_repeat(const struct mr_put *put, int n, float *scale, float *bias)
{
    for (int k = 0; k < n; k++) {
        scale[k] = put->scale[k % put->c];
        bias[k] = put->bias[k % put->c];
    }
}

#endif
