/* SPDX-License-Identifier: Apache-2.0
 *
 * public.c: the calls of millrace.h that need no loader.
 */
#include "base/config.h"
#include "millrace/millrace.h"

#include <stdlib.h>

/* In pipe/last_error.c; a program that is linked with base alone does without. */
__attribute__((weak)) int mr__keep_error(const struct mr_errbuf *e);

int mr_describe(const char *kind, const char *name, const char *format, char **text)
{
    struct mr_errbuf e = {0};
    int rc = mr__describe(kind, name, format, text, &e);
    if (rc < 0 && mr__keep_error)
        mr__keep_error(&e);
    return rc;
}

void mr_free(void *text)
{
    free(text);
}
