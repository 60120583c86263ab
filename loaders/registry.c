/* SPDX-License-Identifier: Apache-2.0
 *
 * registry.c: the one list of sources, codecs and samplers, each sorted by name.
 */
#include "base/descriptor.h"

extern const struct mr_source mr__source_folder, mr__source_manifest, mr__source_npy,
    mr__source_raw, mr__source_remote_shards, mr__source_shards, mr__source_synthetic;
const struct mr_source *const mr_sources[] = {
    &mr__source_folder,
    &mr__source_manifest,
    &mr__source_npy,
    &mr__source_raw,
    &mr__source_remote_shards,
    &mr__source_shards,
    &mr__source_synthetic,
    NULL,
};

extern const struct mr_codec mr__codec_jpeg, mr__codec_packed, mr__codec_png, mr__codec_raw;
const struct mr_codec *const mr_codecs[] = {
    &mr__codec_jpeg,
    &mr__codec_packed,
    &mr__codec_png,
    &mr__codec_raw,
    NULL,
};

extern const struct mr_sampler mr__sampler_adaptive, mr__sampler_bucket, mr__sampler_class_balanced,
    mr__sampler_patch, mr__sampler_pk, mr__sampler_repeat_augment, mr__sampler_sequential,
    mr__sampler_shuffle, mr__sampler_stratified, mr__sampler_subset, mr__sampler_weighted;
const struct mr_sampler *const mr_samplers[] = {
    &mr__sampler_adaptive,   &mr__sampler_bucket,   &mr__sampler_class_balanced,
    &mr__sampler_patch,      &mr__sampler_pk,       &mr__sampler_repeat_augment,
    &mr__sampler_sequential, &mr__sampler_shuffle,  &mr__sampler_stratified,
    &mr__sampler_subset,     &mr__sampler_weighted, NULL,
};
