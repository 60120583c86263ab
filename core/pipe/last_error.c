/* SPDX-License-Identifier: Apache-2.0 */
#include "last_error.h"

#include "millrace/millrace.h"

#include <string.h>

static _Thread_local char sentence[MR_ERR_TEXT];

int mr__keep_error(const struct mr_errbuf *e)
{
    memcpy(sentence, e->text, sizeof sentence);
    sentence[sizeof sentence - 1] = 0;
    return e->code;
}

int mr__refuse(const char *text)
{
    struct mr_errbuf e;
    mr__fail(&e, MR_E_USAGE, "%s", text);
    return mr__keep_error(&e);
}

const char *mr_error(const mr_loader *loader)
{
    (void)
        loader; /* one sentence per thread serves all its loaders: it is of the last failing call */
    return sentence;
}
