/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_shard_set.c: any text as the list of a set's shards. What is taken for one has shards that
 * follow each other, under names that lead nowhere else.
 */
#include "loaders/shard/shard_set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void require(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "fuzz: %s\n", what);
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct mr_shard_set set = {.folder = strdup("folder")};
    struct mr_errbuf e = {0};
    char *text = malloc(n + 1); /* so that a byte read behind it is found */
    require(text && set.folder, "memory");
    if (n)
        memcpy(text, data, n);
    char *exact = realloc(text, n ? n : 1);
    require(exact != NULL, "memory");
    int rc = mr__shard_set_parse(&set, exact, n, &e);
    require(rc == MR_OK || strstr(e.text, "folder"), "an error that names no file");
    uint64_t samples = 0;
    for (uint64_t i = 0; rc == MR_OK && i < set.n; i++) {
        char *path = mr__shard_set_path(&set, i);
        require(path && !strncmp(path, "folder/", 7), "a shard outside");
        require(!strchr(path + 7, '/') && strlen(path) > 11, "a shard elsewhere");
        require(set.line[i].first == samples, "shards that do not follow");
        samples += set.line[i].samples;
        free(path);
    }
    require(rc < 0 || samples == set.samples, "another number of samples");
    mr__shard_set_free(&set);
    free(exact);
    return 0;
}
