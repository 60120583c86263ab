/* SPDX-License-Identifier: Apache-2.0
 *
 * callbacks.c: user code as callbacks of this very program, with `context: fork`. Prints the rows'
 * values and the stream hash.
 */
#include "index_plugin.h"

#include <inttypes.h>
#include <millrace/millrace.h>
#include <stdio.h>

static const char config[] = "version: 1\n"
                             "context: fork\n"
                             "epochs: 2\n"
                             "batch: {size: 4, last: short}\n"
                             "producers: 2\n"
                             "fields:\n"
                             "  image: {dtype: uint16, shape: [8, 8, 3]}\n";

int main(void)
{
    mr_options options = {.size = sizeof options,
                          .config_text = config,
                          .commander = &index_commander,
                          .producer = &index_producer};
    mr_loader *loader;
    mr_batch *batch;
    int rc;
    uint64_t hash;
    if (mr_open(&loader, "callbacks", &options) < 0) {
        fprintf(stderr, "%s\n", mr_error(NULL));
        return 1;
    }
    mr_stream_hash_begin(loader);
    while ((rc = mr_next(loader, &batch, MR_FOREVER)) >= 0 && rc != MR_END) {
        if (rc == MR_END_EPOCH) {
            printf("end of epoch\n");
            continue;
        }
        const mr_tensor *x = mr_field(batch, "image");
        for (int64_t i = 0; i < x->shape[0]; i++)
            printf("%u ", *(const uint16_t *)((const char *)x->data + i * x->strides[0]));
        printf("\n");
        mr_release(batch);
    }
    if (rc < 0)
        fprintf(stderr, "%s\n", mr_error(loader));
    mr_stream_hash(loader, &hash);
    printf("hash %016" PRIx64 "\n", hash);
    mr_close(&loader);
    return rc < 0;
}
