/* SPDX-License-Identifier: Apache-2.0
 *
 * feedback_steps.c: what trainer and commander do with the feedback memory. Each step of the
 * commander's may be cut short and done again by a successor.
 */
#include "shm/feedback.h"
#include "shm/slot.h"

#include <math.h>
#include <string.h>

static float *old_of(const struct mr_feedback *f, const struct mr_feedback_entry *entry)
{
    return mr__feedback_values(f, entry) + f->rows;
}

static void store(float *to, float value)
{
    __atomic_store(to, &value, __ATOMIC_RELAXED);
}

static float load(const float *from)
{
    float value;
    __atomic_load(from, &value, __ATOMIC_RELAXED);
    return value;
}

/* Which weight a row moves; UINT64_MAX: none. */
static uint64_t leaf_of(const struct mr_feedback *f, const struct mr_feedback_entry *entry,
                        uint32_t row)
{
    if (isnan(load(&mr__feedback_values(f, entry)[row])))
        return UINT64_MAX;
    uint64_t leaf = f->learner->weight_of(f->sampler, MR_GET(mr__feedback_samples(entry)[row]));
    return leaf < f->weights.n ? leaf : UINT64_MAX;
}

static bool is_logged(const struct mr_feedback_entry *entry, uint64_t ordinal)
{
    return MR_GET(entry->ordinal) == ordinal &&
           __atomic_load_n(&entry->logged, __ATOMIC_ACQUIRE) == ordinal;
}

/* ---- trainer ---- */

void mr__feedback_give(const struct mr_feedback *f, uint64_t ordinal, uint32_t row, uint64_t sample,
                       float value)
{
    struct mr_feedback_entry *entry = mr__feedback_entry(f, ordinal);
    MR_SET(mr__feedback_samples(entry)[row], sample);
    store(&mr__feedback_values(f, entry)[row], value);
}

static bool is_done(const struct mr_feedback *f, uint64_t ordinal)
{
    return __atomic_load_n(&mr__feedback_entry(f, ordinal)->done, __ATOMIC_SEQ_CST) == ordinal;
}

void mr__feedback_done(const struct mr_feedback *f, uint64_t ordinal)
{
    __atomic_store_n(&mr__feedback_entry(f, ordinal)->done, ordinal, __ATOMIC_SEQ_CST);
    MR_CRASH_POINT("trainer.feedback_done");
}

uint64_t mr__feedback_missing(const struct mr_feedback *f, uint64_t place)
{
    uint64_t needed = place + 1 > f->delay ? place + 1 - f->delay : 0;
    uint64_t waits_for = __atomic_load_n(&mr__feedback_head(f)->waits_for, __ATOMIC_SEQ_CST);
    return needed && waits_for == needed && !is_done(f, needed) ? needed : 0;
}

/* Copies first and puts back what was applied since: the commander may go on meanwhile. Whatever it
 * moves was logged before, so it is found afterwards; and what was put back already, after a
 * request, is only put back once more. */
void mr__feedback_copy(const struct mr_feedback *f, uint64_t place, void *given)
{
    uint64_t n = (uint64_t)f->delay * f->rows, low = mr__feedback_floor(f, place);
    uint64_t *samples = given;
    float *values = (float *)(samples + n), *leaves = values + n;
    for (uint64_t i = 0; i < f->weights.n; i++)
        leaves[i] = mr__weights_get(&f->weights, i);
    __atomic_thread_fence(__ATOMIC_ACQUIRE); /* the leaves, then what is logged */
    memset(samples, 0, n * sizeof *samples);
    for (uint64_t i = 0; i < n; i++)
        values[i] = NAN;
    for (uint64_t k = place; k > low; k--) {
        const struct mr_feedback_entry *entry = mr__feedback_entry(f, k);
        bool logged = is_logged(entry, k);
        if (MR_GET(entry->ordinal) != k)
            continue;
        for (uint32_t row = 0; row < f->rows; row++) {
            uint64_t leaf = leaf_of(f, entry, row), i = (k - low - 1) * f->rows + row;
            if (leaf == UINT64_MAX)
                continue;
            samples[i] = MR_GET(mr__feedback_samples(entry)[row]);
            values[i] = load(&mr__feedback_values(f, entry)[row]);
            if (logged)
                leaves[leaf] = load(&old_of(f, entry)[row]);
        }
    }
    MR_CRASH_POINT("trainer.weights_copied");
}

void mr__feedback_ask(const struct mr_feedback *f, uint64_t place, const void *given)
{
    struct mr_feedback_head *head = mr__feedback_head(f);
    if (given)
        memcpy(f->base + f->off_given, given, mr__feedback_given_bytes(f));
    MR_CRASH_POINT("trainer.weights_given");
    /* In this order: a successor may be looking, which does again what its predecessor did. */
    __atomic_store_n(&head->load, given != NULL, __ATOMIC_RELEASE);
    __atomic_store_n(&head->place, place, __ATOMIC_RELEASE);
}

/* ---- commander ---- */

static void put_back(const struct mr_feedback *f, const struct mr_feedback_entry *entry)
{
    struct mr_weights w = f->weights;
    for (uint32_t row = 0; row < f->rows; row++) {
        uint64_t leaf = leaf_of(f, entry, row);
        if (leaf != UINT64_MAX)
            mr__weights_set(&w, leaf, load(&old_of(f, entry)[row]));
    }
}

/* `logged` stays: who copies the weights meanwhile has to know. */
static void rewind_to(const struct mr_feedback *f, uint64_t place)
{
    uint64_t low = mr__feedback_floor(f, place);
    for (uint64_t k = place; k > low; k--) {
        const struct mr_feedback_entry *entry = mr__feedback_entry(f, k);
        if (is_logged(entry, k))
            put_back(f, entry);
        MR_CRASH_POINT("commander.entry_put_back");
    }
    MR_SET(mr__feedback_head(f)->applied, low);
}

/* The ring as it was at the place that was saved; all of it, since nothing older counts. */
static void take_ring(const struct mr_feedback *f, uint64_t place)
{
    uint64_t n = (uint64_t)f->delay * f->rows, low = mr__feedback_floor(f, place);
    const uint64_t *samples = (const uint64_t *)(f->base + f->off_given);
    const float *values = (const float *)(samples + n);
    memset(mr__feedback_entry(f, 0), 0, f->entries * f->entry_bytes);
    for (uint64_t k = low + 1; k <= place; k++) {
        struct mr_feedback_entry *entry = mr__feedback_entry(f, k);
        uint64_t first = (k - low - 1) * f->rows;
        memcpy(mr__feedback_samples(entry), samples + first, f->rows * sizeof *samples);
        memcpy(mr__feedback_values(f, entry), values + first, f->rows * sizeof *values);
        MR_SET(entry->ordinal, k);
        MR_SET(entry->done, k);
    }
}

static void take_given(const struct mr_feedback *f, uint64_t place)
{
    uint64_t pending = (uint64_t)f->delay * f->rows * (sizeof(uint64_t) + sizeof(float));
    struct mr_weights w = f->weights;
    take_ring(f, place);
    MR_CRASH_POINT("commander.ring_taken");
    memcpy(w.leaf, f->base + f->off_given + pending, w.n * sizeof *w.leaf);
    mr__weights_sum_up(&w);
    MR_SET(mr__feedback_head(f)->applied, mr__feedback_floor(f, place));
    MR_CRASH_POINT("commander.weights_taken");
}

uint64_t mr__feedback_seek(const struct mr_feedback *f)
{
    struct mr_feedback_head *head = mr__feedback_head(f);
    uint64_t place = __atomic_load_n(&head->place, __ATOMIC_ACQUIRE);
    MR_SET(head->waits_for, 0);
    if (__atomic_load_n(&head->load, __ATOMIC_ACQUIRE)) {
        take_given(f, place);
        MR_SET(head->hold, 0);
    } else {
        rewind_to(f, place);
    }
    return place;
}

/* First what was there, then what comes of it. A note that is there already is of a predecessor, or
 * of before a request, and the weights may be anywhere between the two. */
static void apply(const struct mr_feedback *f, struct mr_feedback_entry *entry, uint64_t ordinal)
{
    struct mr_weights w = f->weights;
    if (is_logged(entry, ordinal)) {
        put_back(f, entry);
    } else {
        for (uint32_t row = 0; row < f->rows; row++) {
            uint64_t leaf = leaf_of(f, entry, row);
            store(&old_of(f, entry)[row], leaf != UINT64_MAX ? mr__weights_get(&w, leaf) : 0);
        }
        __atomic_store_n(&entry->logged, ordinal, __ATOMIC_RELEASE);
    }
    __atomic_thread_fence(__ATOMIC_RELEASE); /* what is logged, then the leaves */
    MR_CRASH_POINT("commander.feedback_logged");
    for (uint32_t row = 0; row < f->rows; row++) {
        uint64_t leaf = leaf_of(f, entry, row);
        float value = load(&mr__feedback_values(f, entry)[row]);
        if (leaf != UINT64_MAX)
            mr__weights_set(&w, leaf,
                            f->learner->learn(f->sampler, mr__weights_get(&w, leaf), value));
        if (row == f->rows / 2)
            MR_CRASH_POINT("commander.half_learned");
    }
    MR_CRASH_POINT("commander.learned");
    MR_SET(mr__feedback_head(f)->applied, ordinal);
}

/* Who waits for a batch that cannot come is told. */
static int wait_for(const struct mr_feedback *f, const struct mr_arena *a, uint64_t ordinal)
{
    uint64_t *waits_for = &mr__feedback_head(f)->waits_for;
    if (MR_GET(*waits_for) != ordinal) {
        __atomic_store_n(waits_for, ordinal, __ATOMIC_SEQ_CST);
        mr__signal_ready(a);
    }
    MR_CRASH_POINT("commander.feedback_awaited");
    return MR_FEEDBACK_LATER;
}

int mr__feedback_follow(const struct mr_feedback *f, const struct mr_arena *a, uint64_t ordinal,
                        struct mr_errbuf *e)
{
    struct mr_feedback_head *head = mr__feedback_head(f);
    if (MR_GET(head->hold))
        return MR_FEEDBACK_LATER;
    for (uint64_t k = MR_GET(head->applied) + 1; k + f->delay <= ordinal; k++) {
        struct mr_feedback_entry *entry = mr__feedback_entry(f, k);
        if (MR_GET(entry->ordinal) != k)
            return mr__fail(e, MR_E_CORRUPT, "the feedback memory has lost batch %llu of the run",
                            (unsigned long long)k);
        if (!is_done(f, k))
            return wait_for(f, a, k);
        apply(f, entry, k);
    }
    MR_SET(head->waits_for, 0);
    return MR_OK;
}

/* `done` is of an older batch, so it says nothing of this one. */
void mr__feedback_expect(const struct mr_feedback *f, uint64_t ordinal)
{
    struct mr_feedback_entry *entry = mr__feedback_entry(f, ordinal);
    for (uint32_t row = 0; row < f->rows; row++)
        store(&mr__feedback_values(f, entry)[row], NAN);
    MR_SET(entry->logged, 0);
    MR_SET(entry->ordinal, ordinal);
    MR_CRASH_POINT("commander.entry_opened");
}
