/* SPDX-License-Identifier: Apache-2.0
 *
 * replay_main.c: runs a fuzz target over the files of a folder, for builds without libFuzzer.
 * Besides each file as it is, it is run cut short and with a byte changed, so that the test is more
 * than a look at good files.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { MAX_FILE = 1 << 20 };

/* An exact copy on the heap: a sanitizer sees every byte read beyond it. */
static void run(const uint8_t *data, size_t n)
{
    uint8_t *copy = malloc(n ? n : 1);
    if (!copy)
        abort();
    memcpy(copy, data, n);
    LLVMFuzzerTestOneInput(copy, n);
    free(copy);
}

static void run_damaged(uint8_t *data, size_t n)
{
    for (size_t at = 0; at < n; at += 1 + n / 300) {
        run(data, at);
        uint8_t kept = data[at];
        data[at] = (uint8_t)(kept ^ (1u << at % 8));
        run(data, n);
        data[at] = kept;
    }
}

static int run_file(const char *folder, const char *name, uint8_t *buffer)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "rb");
    if (!f)
        return 0;
    size_t n = fread(buffer, 1, MAX_FILE, f);
    fclose(f);
    run(buffer, n);
    run_damaged(buffer, n);
    return 1;
}

int main(int argc, char **argv)
{
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    uint8_t *buffer = malloc(MAX_FILE);
    if (!folder || !buffer) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    int files = 0;
    for (struct dirent *d; (d = readdir(folder));) {
        if (d->d_name[0] != '.')
            files += run_file(argv[1], d->d_name, buffer);
    }
    closedir(folder);
    free(buffer);
    printf("%d files\n", files);
    return files ? 0 : 1; /* an empty corpus tests nothing */
}
