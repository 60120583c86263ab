/* SPDX-License-Identifier: Apache-2.0
 *
 * registry.c: the one list of ops, sorted by name.
 */
#include "base/descriptor.h"

const struct mr_op *const mr_ops[] = {NULL};
