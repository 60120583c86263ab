/* SPDX-License-Identifier: Apache-2.0
 *
 * registry.c: the one list of sources, codecs and samplers, each sorted by name.
 */
#include "base/descriptor.h"

const struct mr_source *const mr_sources[] = {NULL};
extern const struct mr_codec mr__codec_jpeg, mr__codec_png;
const struct mr_codec *const mr_codecs[] = {&mr__codec_jpeg, &mr__codec_png, NULL};
const struct mr_sampler *const mr_samplers[] = {NULL};
