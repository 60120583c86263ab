/* SPDX-License-Identifier: Apache-2.0
 *
 * train.c: the loop of a trainer in C: examples/train CONFIG
 */
#include <inttypes.h>
#include <millrace/millrace.h>
#include <stdio.h>

static void train_step(const mr_tensor *x, const mr_tensor *y)
{
    const int64_t *labels = y->data;
    printf("%lld x %lld x %lld x %lld, first label %lld\n", (long long)x->shape[0],
           (long long)x->shape[1], (long long)x->shape[2], (long long)x->shape[3],
           (long long)labels[0]);
}

int main(int argc, char **argv)
{
    mr_loader *loader;
    mr_batch *batch;
    int rc;
    uint64_t hash;
    if (argc != 2 || mr_open(&loader, argv[1], NULL) < 0) {
        fprintf(stderr, "%s\n", argc == 2 ? mr_error(NULL) : "usage: train CONFIG");
        return 2;
    }
    mr_stream_hash_begin(loader);
    while ((rc = mr_next(loader, &batch, MR_FOREVER)) >= 0 && rc != MR_END) {
        if (rc == MR_END_EPOCH)
            continue;
        train_step(mr_field(batch, "image"), mr_field(batch, "label"));
        mr_release(batch);
    }
    if (rc < 0)
        fprintf(stderr, "%s\n", mr_error(loader));
    mr_stream_hash(loader, &hash);
    printf("hash %016" PRIx64 "\n", hash);
    mr_close(&loader);
    return rc < 0;
}
