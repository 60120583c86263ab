/* SPDX-License-Identifier: Apache-2.0
 *
 * given_source.h: a config's tables for tests that hand over samples themselves: the real ops and
 * codecs, and a source and a sampler named `given` which stand for whoever runs the test. C and
 * C++.
 */
#ifndef MR_TEST_GIVEN_SOURCE_H
#define MR_TEST_GIVEN_SOURCE_H

#include "base/config.h"

static inline const struct mr_tables *given_tables(void)
{
    static struct mr_source source;
    static struct mr_sampler sampler;
    static const struct mr_source *sources[] = {&source, NULL};
    static const struct mr_sampler *samplers[] = {&sampler, NULL};
    static struct mr_tables tables;
    source.d.name = sampler.d.name = "given";
    source.d.help = sampler.d.help = "samples that the test hands over";
    tables.ops = mr_ops;
    tables.codecs = mr_codecs;
    tables.sources = sources;
    tables.samplers = samplers;
    return &tables;
}

#endif
