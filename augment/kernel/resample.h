/* SPDX-License-Identifier: Apache-2.0
 *
 * resample.h: the pixel kernels behind every geometry stage. The C versions are the
 * specification; AVX2 and other versions give the same bits and are chosen at run time from one
 * table (base/cpu.h: MILLRACE_CPU forces a level).
 *
 * Resampling of 8-bit pixels is separable and fixed-point, horizontal pass first, rounded to 8
 * bits between the passes, as in Pillow's Resample.c; supports are those of Pillow (antialiased
 * when shrinking).
 */
#ifndef MR_KERNEL_RESAMPLE_H
#define MR_KERNEL_RESAMPLE_H

#include "base/error.h"
#include "base/image.h"

struct mr_resampler; /* one thread's scratch memory and coefficient tables */
/* MR_E_MEMORY; those of mr__cpu_choose. */
int mr__resampler_new(struct mr_resampler **r, struct mr_errbuf *e);
void mr__resampler_free(struct mr_resampler *r);

/* The rectangle of the stage's input that its output depends on (inside in_w x in_h; w or h 0:
 * none). */
struct mr_rect mr__resample_needs(const struct mr_geometry *g);
/* How many rows at once a stage would rather get than more of them; 0: any number. */
int32_t mr__resample_most(const struct mr_geometry *g);

/* Runs a stage. `src` holds the pixels of the rectangle `at` of the stage's input, which covers
 * mr__resample_needs(g). To an image: dst is out_w x out_h, with src's channels and bits. */
int mr__resample_image(struct mr_resampler *r, const struct mr_view *src, const struct mr_rect *at,
                       const struct mr_geometry *g, const struct mr_view *dst, struct mr_errbuf *e);
/* The last pass, fused: resample + flip + scale/bias + cast + layout into dst, a contiguous
 * [c][out_h][out_w] (store->chw) or [out_h][out_w][c] array of store->dtype. Never writes outside
 * it. */
int mr__resample_store(struct mr_resampler *r, const struct mr_view *src, const struct mr_rect *at,
                       const struct mr_geometry *g, const struct mr_store *store, void *dst,
                       struct mr_errbuf *e);

/* mr__resample_store in pieces, for rows that are still being decoded: begin, the rows of `at` from
 * its top in portions of any size, end. The rows of a portion are `stride` bytes apart and may be
 * overwritten after the call. dst is written as the rows come; it is complete after end.
 * MR_E_USAGE from end: rows are missing. A job that is begun and not ended is simply dropped. */
int mr__resample_begin(struct mr_resampler *r, int c, int bits, const struct mr_rect *at,
                       const struct mr_geometry *g, const struct mr_store *store, void *dst,
                       struct mr_errbuf *e);
/* The same to an image: mr__resample_image in pieces. */
int mr__resample_begin_image(struct mr_resampler *r, const struct mr_rect *at,
                             const struct mr_geometry *g, const struct mr_view *dst,
                             struct mr_errbuf *e);
void mr__resample_rows(struct mr_resampler *r, const void *data, int64_t stride, int32_t n);
int mr__resample_end(struct mr_resampler *r, struct mr_errbuf *e);

#endif
