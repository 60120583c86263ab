/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rank_env.h"

#include "base/number.h"
#include "base/printable.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORLD_MAX 65536
#define STEPS_END 0xfffffff0 /* SLURM numbers batch scripts and interactive shells from there */
#define SHOWN "%.40s"

struct launcher {
    const char *name, *rank;
    const char *world[2]; /* the first that is set; the second may be NULL */
    bool (*there)(void);  /* what must hold besides; NULL: nothing */
};

static const char *value_of(const char *key)
{
    const char *text = key ? getenv(key) : NULL;
    return text && *text ? text : NULL;
}

/* A batch script has a rank and a number of tasks, too, but is none of these tasks. */
static bool in_step(void)
{
    const char *step = value_of("SLURM_STEP_ID");
    int64_t number;
    return step && mr__number_int(step, &number) == MR_NUMBER_OK && number >= 0 &&
           number < STEPS_END;
}

static const struct launcher launchers[] = {
    {"torchrun", "RANK", {"WORLD_SIZE"}, NULL},
    {"Open MPI", "OMPI_COMM_WORLD_RANK", {"OMPI_COMM_WORLD_SIZE"}, NULL},
    {"PMIx", "PMIX_RANK", {"PMIX_SIZE"}, NULL},
    {"PMI", "PMI_RANK", {"PMI_SIZE"}, NULL},
    {"SLURM", "SLURM_PROCID", {"SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"}, in_step},
};
#define LAUNCHERS (sizeof launchers / sizeof *launchers)

struct pair { /* what one launcher has left; texts NULL: not set */
    const struct launcher *by;
    const char *world_key, *rank_text, *world_text;
    int64_t rank, world;
    bool rank_good, world_good;
};

static bool number_in(const char *text, int64_t lo, int64_t hi, int64_t *value)
{
    return text && mr__number_int(text, value) == MR_NUMBER_OK && *value >= lo && *value <= hi;
}

static void look(struct pair *p, const struct launcher *by)
{
    *p = (struct pair){.by = by, .world_key = by->world[0]};
    if (by->there && !by->there())
        return;
    if (!value_of(p->world_key) && value_of(by->world[1]))
        p->world_key = by->world[1];
    p->rank_text = value_of(by->rank);
    p->world_text = value_of(p->world_key);
    p->rank_good = number_in(p->rank_text, 0, WORLD_MAX - 1, &p->rank);
    p->world_good = number_in(p->world_text, 1, WORLD_MAX, &p->world);
}

static int nonsense(const struct pair *p, struct mr_errbuf *e)
{
    const char *key = p->rank_good ? p->world_key : p->by->rank;
    const char *text = p->rank_good ? p->world_text : p->rank_text;
    if (p->rank_good && p->world_good)
        return mr__fail(e, MR_E_CONFIG,
                        "%s is %lld and %s is %lld in the environment (%s), but ranks of %lld go "
                        "from 0 to %lld; correct them, or set 'rank' and 'world'",
                        p->by->rank, (long long)p->rank, p->world_key, (long long)p->world,
                        p->by->name, (long long)p->world, (long long)p->world - 1);
    return mr__fail(e, MR_E_CONFIG,
                    "%s is '" SHOWN "' in the environment (%s), and should be a whole number from "
                    "%d to %d; correct it, or set 'rank' and 'world'",
                    key, mr__printable(text, strlen(text)).text, p->by->name, p->rank_good ? 1 : 0,
                    p->rank_good ? WORLD_MAX : WORLD_MAX - 1);
}

static void say(struct mr_rank_env *found, const struct pair *first, const struct pair *other)
{
    const char *rank = other->rank_text, *world = other->world_text;
    if (*found->warning)
        return;
    snprintf(found->warning, sizeof found->warning,
             "%s=%lld and %s=%lld (%s) are taken, though %s=" SHOWN " and %s=" SHOWN
             " (%s) are there, too; if that is wrong, set 'rank' and 'world'",
             first->by->rank, (long long)first->rank, first->world_key, (long long)first->world,
             first->by->name, other->by->rank, mr__printable(rank, strlen(rank)).text,
             other->world_key, mr__printable(world, strlen(world)).text, other->by->name);
}

static void say_half(struct mr_rank_env *found, const struct pair *half)
{
    if (*found->warning)
        return;
    snprintf(found->warning, sizeof found->warning,
             "%s is set in the environment (%s), but %s is not: this process takes itself for the "
             "only one; if that is wrong, set 'rank' and 'world'",
             half->rank_text ? half->by->rank : half->world_key, half->by->name,
             half->rank_text ? half->world_key : half->by->rank);
}

int mr__rank_env(struct mr_rank_env *found, struct mr_errbuf *e)
{
    struct pair first = {0}, other, half = {0};
    *found = (struct mr_rank_env){0};
    for (size_t i = 0; i < LAUNCHERS; i++) {
        look(&other, &launchers[i]);
        bool whole = other.rank_text && other.world_text;
        if (!whole && !half.by && (other.rank_text || other.world_text))
            half = other;
        if (whole && found->found && (other.rank != first.rank || other.world != first.world))
            say(found, &first, &other);
        if (!whole || found->found)
            continue;
        if (!other.rank_good || !other.world_good || other.rank >= other.world)
            return nonsense(&other, e);
        first = other;
        found->found = true;
        found->rank = first.rank;
        found->world = first.world;
        found->launcher = first.by->name;
        found->rank_key = first.by->rank;
        found->world_key = first.world_key;
    }
    if (!found->found && half.by)
        say_half(found, &half);
    return MR_OK;
}
