/* SPDX-License-Identifier: Apache-2.0
 *
 * describe_call.c: mr_describe() and mr_free(), the calls that need no config.
 */
#include "base/config.h"
#include "millrace/millrace.h"
#include "pipe/last_error.h"

#include <stdlib.h>

int mr_describe(const char *kind, const char *name, const char *format, char **text)
{
    struct mr_errbuf e = {0};
    int rc = mr__describe(kind, name, format, text, &e);
    return rc < 0 ? mr__keep_error(&e) : rc;
}

void mr_free(void *text)
{
    free(text);
}
