/* SPDX-License-Identifier: Apache-2.0
 *
 * registry.c: the one list of ops, sorted by name.
 */
#include "base/descriptor.h"

#define MR_OPS(X)             \
    X(center_crop)            \
    X(color_jitter)           \
    X(normalize)              \
    X(pad)                    \
    X(random_crop)            \
    X(random_erasing)         \
    X(random_horizontal_flip) \
    X(random_resized_crop)    \
    X(random_vertical_flip)   \
    X(resize)                 \
    X(to_dtype)

#define DECLARE(name) extern const struct mr_op mr_op_##name;
MR_OPS(DECLARE)

#define LIST(name) &mr_op_##name,
const struct mr_op *const mr_ops[] = {MR_OPS(LIST) NULL};
