/* SPDX-License-Identifier: Apache-2.0
 *
 * race.c: sorted are 64-bit records of a rounded time (high half) and the sample (low half), by
 * radix; then those that rounding has made equal, by their exact times. So the order is exact at
 * the memory of the rounded one.
 */
#include "race.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define DIGIT 11 /* bits; three digits hold a rounded time */
#define DIGITS 3

struct race {
    const struct mr_sample_weights *s;
    uint64_t seed, epoch;
};

/* ln(x), 0 < x < 1, to a few units in the last place. Not libm's: that may differ in the last bit
 * from one processor to the next, and with it the order of two samples. 2 atanh((m - 1) / (m + 1))
 * + e ln 2. */
static double ln(double x)
{
    int e;
    double m = frexp(x, &e), sum = 0;
    if (m < 0.70710678118654752) {
        m *= 2;
        e--;
    }
    double z = (m - 1) / (m + 1), zz = z * z;
    for (int k = 23; k >= 1; k -= 2)
        sum = sum * zz + 1.0 / k;
    return e * 0.69314718055994531 + 2 * z * sum;
}

static double arrival(const struct race *r, uint64_t sample)
{
    struct mr_row_key key = {.seed = r->seed, .epoch = r->epoch, .position = sample};
    mr_rng rng = mr__rng_open(&key, "weighted.race", 0);
    uint64_t bits = mr_rng_u32(&rng);
    bits = bits << 21 | mr_rng_u32(&rng) >> 11;
    return -ln(((double)bits + 0.5) * 0x1p-53) / r->s->w[sample % r->s->n];
}

/* As a float's bits, which order as positive floats do. */
static uint32_t rounded(double time)
{
    float f = time < FLT_MAX ? (float)time : FLT_MAX;
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    return bits;
}

static uint64_t digit(uint64_t record, int number)
{
    return record >> (32 + DIGIT * number) & ((1u << DIGIT) - 1);
}

static void sort_by_digit(const uint64_t *from, uint64_t *to, uint64_t n, int number)
{
    uint64_t at[1 << DIGIT] = {0}, sum = 0;
    for (uint64_t i = 0; i < n; i++)
        at[digit(from[i], number)]++;
    for (size_t d = 0; d < 1 << DIGIT; d++) {
        uint64_t count = at[d];
        at[d] = sum;
        sum += count;
    }
    for (uint64_t i = 0; i < n; i++)
        to[at[digit(from[i], number)]++] = from[i];
}

/* ---- equal rounded times ---- */

struct runner {
    double time;
    uint64_t record;
};

static int by_time(const void *a, const void *b)
{
    const struct runner *x = a, *y = b;
    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    return x->record < y->record ? -1 : x->record > y->record;
}

static bool sort_exactly(const struct race *r, uint64_t *record, uint64_t n)
{
    struct runner few[8], *runner = n <= 8 ? few : malloc(n * sizeof *runner);
    if (!runner)
        return false;
    for (uint64_t i = 0; i < n; i++)
        runner[i] = (struct runner){arrival(r, (uint32_t)record[i]), record[i]};
    qsort(runner, n, sizeof *runner, by_time);
    for (uint64_t i = 0; i < n; i++)
        record[i] = runner[i].record;
    if (runner != few)
        free(runner);
    return true;
}

static bool sort_equal(const struct race *r, uint64_t *record, uint64_t n)
{
    for (uint64_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && record[end] >> 32 == record[i] >> 32;)
            end++;
        if (end - i > 1 && !sort_exactly(r, record + i, end - i))
            return false;
    }
    return true;
}

/* ---- the whole ---- */

static void start(const struct race *r, uint64_t *record, uint64_t samples)
{
    uint64_t n = 0;
    for (uint64_t i = 0; i < samples; i++)
        if (r->s->w[i % r->s->n] > 0)
            record[n++] = (uint64_t)rounded(arrival(r, i)) << 32 | i;
}

uint32_t *mr__race(const struct mr_sample_weights *s, uint64_t samples, uint64_t length,
                   uint64_t seed, uint64_t epoch)
{
    const struct race r = {s, seed, epoch};
    uint64_t n = s->usable, *record = malloc(n * sizeof *record),
             *other = malloc(n * sizeof *other);
    uint32_t *order = NULL;
    if (record && other) {
        start(&r, record, samples);
        for (int number = 0; number < DIGITS; number++) {
            sort_by_digit(record, other, n, number);
            uint64_t *swap = record;
            record = other;
            other = swap;
        }
        if (sort_equal(&r, record, n))
            order = malloc(length * sizeof *order);
    }
    for (uint64_t i = 0; order && i < length; i++)
        order[i] = (uint32_t)record[i];
    free(record);
    free(other);
    return order;
}
