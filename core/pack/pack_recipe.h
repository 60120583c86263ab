/* SPDX-License-Identifier: Apache-2.0
 *
 * pack_recipe.h: what becomes of a sample's files when they are packed.
 */
#ifndef MR_PACK_RECIPE_H
#define MR_PACK_RECIPE_H

#include "millrace/pack.h"
#include "pack/pack_data.h"
#include "pack/pack_line.h"

enum mr_pack_mode {
    MR_PACK_JPEG,
    MR_PACK_COEF,
    MR_PACK_RAW,
    MR_PACK_KEEP,
    MR_PACK_ARRAY,
    MR_PACK_MODES
};
enum mr_pack_on_error { MR_PACK_FAIL, MR_PACK_SKIP, MR_PACK_KEEP_BAD };

struct mr_pack_recipe {
    enum mr_pack_mode mode;
    const char *mode_name;
    enum mr_pack_on_error on_error;
    int32_t segment, level, max_side, quality; /* level: zstd's, 0: plain */
    struct mr_limits limits;
    int image, mask, boxes, image_width, image_height; /* columns, -1: none */
};

/* Holds the options against each other and the data set's columns. MR_E_USAGE. */
int mr__pack_recipe(struct mr_pack_recipe *recipe, const mr_pack_options *o,
                    const struct mr_pack_data *d, struct mr_errbuf *e);
/* All that shapes the shards, but the files' contents, as one number. */
uint64_t mr__pack_fingerprint(const struct mr_pack_recipe *recipe, const struct mr_pack_data *d,
                              uint64_t shard_bytes);

struct mr_pack_maker; /* a thread's reader, decoders and scratch memory */
int mr__pack_maker_new(struct mr_pack_maker **maker, const struct mr_pack_recipe *recipe,
                       const struct mr_pack_data *d, struct mr_errbuf *e);
void mr__pack_maker_free(struct mr_pack_maker *maker); /* safe on NULL */
/* Reads and packs the files of made->sample. With MR_PACK_KEEP_BAD no file is bad. */
void mr__pack_make(struct mr_pack_maker *maker, struct mr_pack_made *made);

#endif
