/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_config.c: any text as a config. What follows a NUL byte is a --set, and the next one behind
 * the next NUL.
 */
#include "base/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SETS = 4 };

static void require(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "fuzz: %s\n", what);
        abort();
    }
}

/* Every error tells where it is; every good config means the same when it is read again. */
static void check(const char *text, const char *const *set)
{
    struct mr_config *first = NULL, *again = NULL;
    struct mr_errbuf e = {0};
    int rc = mr__config_read(&first, "f", text, set, &e);
    require(rc == MR_OK || rc == MR_E_CONFIG, "an error that no text can cause");
    require((first != NULL) == (rc == MR_OK), "a config exactly when there is no error");
    if (rc < 0) {
        require(!strncmp(e.text, "f:", 2) || !strncmp(e.text, "--set ", 6), e.text);
        require(strstr(e.text, "error: ") && strlen(e.text) > 12, "an error without a sentence");
        return;
    }
    require(first->nfields > 0 && first->batch.size > 0 && first->folder, "a config with holes");
    require(mr__config_read(&again, "f", text, set, &e) == MR_OK, "good once, bad twice");
    require(first->stream_hash == again->stream_hash, "the same text, two streams");
    mr__config_free(first);
    mr__config_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const char *parts[MAX_SETS + 2] = {NULL};
    char *copy = malloc(n + 1);
    if (!copy)
        return 0;
    if (n)
        memcpy(copy, data, n);
    copy[n] = 0;
    size_t at = 0;
    for (int i = 0; i <= MAX_SETS && at <= n; i++) {
        parts[i] = copy + at;
        at += strlen(copy + at) + 1;
    }
    check(parts[0], parts + 1);
    free(copy);
    return 0;
}
