/* SPDX-License-Identifier: Apache-2.0 */
#include "shape.h"

#include <stdio.h>

void mr__shape_text(const char *dtype, const int64_t *shape, int ndim, char *text, size_t cap)
{
    size_t n = (size_t)snprintf(text, cap, "%s%s[", dtype ? dtype : "", dtype ? " " : "");
    for (int i = 0; i < ndim && n < cap; i++)
        n += (size_t)snprintf(text + n, cap - n, "%s%lld", i ? ", " : "", (long long)shape[i]);
    if (n < cap)
        snprintf(text + n, cap - n, "]");
}
