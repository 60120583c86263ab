/* SPDX-License-Identifier: Apache-2.0
 *
 * outside.c: a program outside the tree, built against an installed Millrace. Reads one batch of
 * the config it is given.
 */
#include <millrace/millrace.h>

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    mr_loader *loader;
    mr_batch *batch;
    if (argc != 2)
        return 2;
    if (strcmp(mr_dtype_name(MR_F32), "float32") || mr_open(&loader, argv[1], NULL) < 0) {
        fprintf(stderr, "%s\n", mr_error(NULL));
        return 1;
    }
    int rc = mr_next(loader, &batch, 60000);
    if (rc != MR_OK) {
        fprintf(stderr, "%s\n", mr_error(loader));
        mr_close(&loader);
        return 1;
    }
    printf("%s of %lld rows\n", mr_field_at(batch, 0)->name,
           (long long)mr_field_at(batch, 0)->shape[0]);
    mr_release(batch);
    mr_close(&loader);
    return 0;
}
