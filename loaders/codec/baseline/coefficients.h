/* SPDX-License-Identifier: Apache-2.0
 *
 * coefficients.h: our own decoder without what comes behind the coefficients.
 */
#ifndef MR_BASELINE_COEFFICIENTS_H
#define MR_BASELINE_COEFFICIENTS_H

#include "loaders/codec/baseline/baseline.h"
#include "loaders/codec/baseline/feed.h"

/* The next row of MCUs, all of it, of an image that mr__baseline_begin has begun with all of it as
 * the crop: where feed.h says that a feed puts one. Good until the next call, which clears it.
 * 1; 0 behind the last row; -1: not mine. */
int mr__baseline_coefficients(struct mr_baseline *b, struct mr_feed_row *row);

#endif
