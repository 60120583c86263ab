/* SPDX-License-Identifier: Apache-2.0
 *
 * decoders.h: the kinds of bare decoding that bench_limit measures.
 */
#ifndef BENCH_DECODERS_H
#define BENCH_DECODERS_H

#include "jpeg_files.h"

/* One kind. open() makes one process's decoder, NULL on failure; decode() returns the pixels it
 * has made of a file in memory, or -1 with a sentence on stderr: the file is then left out. `side`
 * is the crop's: 0 stands for random_resized_crop's, else a square of so many pixels. */
struct decoder_kind {
    const char *name;
    void *(*open)(int side);
    long (*decode)(void *decoder, const struct jpeg_file *file);
    void (*close)(void *decoder);
};

/* NULL: no kind has that name. */
const struct decoder_kind *decoder_find(const char *name);

#endif
