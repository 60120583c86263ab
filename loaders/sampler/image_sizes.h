/* SPDX-License-Identifier: Apache-2.0
 *
 * image_sizes.h: how large the images of a data set are, for samplers that choose by it. It stands
 * in the source's numeric columns `width` and `height`, or else in the columns `image_width` and
 * `image_height`, which the index helper fills from the files' headers. Sizes are those of the
 * image as displayed, after the EXIF orientation.
 */
#ifndef MR_SAMPLER_IMAGE_SIZES_H
#define MR_SAMPLER_IMAGE_SIZES_H

#include "base/descriptor.h"

/* For mr_sampler.index: reads the headers of all images, on build->threads threads, unless the
 * source says the sizes. A file that cannot be read gets 0 x 0. MR_E_CONFIG: there are neither
 * files nor sizes. MR_E_MEMORY, MR_E_IO: this process ran out of something. */
int mr__image_sizes_index(const struct mr_sampler_build *build, struct mr_index_builder *b,
                          struct mr_errbuf *e);

struct mr_image_sizes {
    const struct mr_index *index;
    int column[2][2]; /* of width and height: as the source gives them, as the headers do; -1: no */
};

/* For mr_sampler.open. MR_E_CONFIG: the index has no such columns, or they are not one number per
 * sample. */
int mr__image_sizes_open(struct mr_image_sizes *s, const struct mr_index *index,
                         struct mr_errbuf *e);
/* 0 x 0: not known. */
void mr__image_size_at(const struct mr_image_sizes *s, uint64_t sample, int32_t *w, int32_t *h);

#endif
