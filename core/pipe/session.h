/* SPDX-License-Identifier: Apache-2.0
 *
 * session.h: all that a process of the loader needs to play its part: plan, arena, index. The
 * trainer's becomes the warden's by fork, or is made again from the boot text in a warden that was
 * spawned.
 */
#ifndef MR_PIPE_SESSION_H
#define MR_PIPE_SESSION_H

#include "pipe/epochs.h"
#include "pipe/plan.h"
#include "proc/roles.h"
#include "proc/sandbox.h"
#include "shm/feedback.h"

struct mr_session {
    struct mr_plan *plan;
    struct mr_arena arena;
    struct mr_user user;
    int index_fd;           /* -1: no data set (a user's commander) */
    int boot_fd;            /* the boot text; -1 in fork context */
    struct mr_index index;  /* mapped once it is sealed */
    struct mr_cache *cache; /* the warden's and the helper's, index_cache.h; NULL: none */
    int roots_fd;           /* the warden's: what producers may read, written by the index helper */
    struct mr_sandbox *sandbox; /* the warden's, made with the index; NULL: none */
    void *sampler;              /* opened with the index, a trainer's when it is needed */
    uint64_t sampler_hash;      /* a trainer's, which has none open */
    struct mr_epochs epochs;
    struct mr_feedback feedback; /* fd -1 and not attached: the sampler takes none */
    bool steered;                /* the commander's, with feedback: choices follow the weights */
};

struct mr_index_made; /* index_cache.h */

/* Builds the index into s->index_fd, an empty memfd, and seals it. *made, if it is not NULL, gets
 * what it was made from. Errors of the source's and the sampler's `index`. */
int mr__session_index(const struct mr_session *s, struct mr_index_made *made, struct mr_errbuf *e);
/* Maps the sealed index, binds the plan's fields, opens the sampler, cuts the epochs. Nothing to do
 * without a data set. MR_E_CONFIG when not a single batch would come. */
int mr__session_bind(struct mr_session *s, struct mr_errbuf *e);
/* The same in a process that is not ours, which is not to map a file (mr__index_copy). */
int mr__session_bind_copy(struct mr_session *s, struct mr_errbuf *e);
/* The same in the trainer, once the warden is ready: what has to be known of the sampler, the
 * warden has said. It is opened at once only for feedback. */
int mr__session_follow(struct mr_session *s, struct mr_errbuf *e);
/* In the warden, behind mr__session_bind: says it. */
void mr__session_lead(const struct mr_session *s);
/* Opens the sampler of a trainer, for a substitute. MR_E_MEMORY. */
int mr__session_need_sampler(struct mr_session *s, struct mr_errbuf *e);
/* In the warden, behind it: what the sampler has to say of the data set goes to the log. */
void mr__session_note(const struct mr_session *s);
/* In the trainer, when everybody has what it needs: closes the descriptors of the shared memory,
 * which is mapped, so that no forked child of the trainer keeps it alive. */
void mr__session_drop_descriptors(struct mr_session *s);
/* Frees plan, index, sampler, arena and descriptors; the struct itself stays. */
void mr__session_release(struct mr_session *s);

static inline const struct mr_sampler *mr__session_sampler(const struct mr_session *s)
{
    return (const struct mr_sampler *)s->plan->config->sampler.desc;
}

/* NULL: the sampler takes no feedback, or there is none. */
static inline const struct mr_learner *mr__session_learner(const struct mr_session *s)
{
    return s->plan->config->sampler.desc ? mr__session_sampler(s)->learner : NULL;
}
/* For a sampler that takes feedback, else nothing: sizes it, after the plan was compiled. */
void mr__session_shape_feedback(struct mr_session *s);
/* ... and maps it, in trainer and commander, behind mr__session_bind. */
int mr__session_attach_feedback(struct mr_session *s, struct mr_errbuf *e);

/* What the row at a position of an epoch is made from: the sampler's choice; sample = UINT64_MAX:
 * the row holds none. Of a sampler that learns the commander alone knows its choice; elsewhere it
 * is that of the beginning. Needs a sampler, as all of these. MR_E_MEMORY. */
int mr__session_pick(const struct mr_session *s, uint64_t epoch, uint64_t position,
                     struct mr_pick *pick, struct mr_errbuf *e);
/* Turns the choice in *pick into its attempt-th substitute, attempt = 1, 2, ... */
void mr__session_substitute(const struct mr_session *s, uint64_t epoch, uint64_t position,
                            uint32_t attempt, struct mr_pick *pick);
/* The sample of the attempt-th try (0: the choice itself), for those who do not have the choice.
 * UINT64_MAX: none. */
uint64_t mr__session_sample(const struct mr_session *s, uint64_t epoch, uint64_t position,
                            uint32_t attempt);

/* "The data" of a saved state: the index and what the sampler has read beside it. */
uint64_t mr__session_data_hash(const struct mr_session *s);

/* Reads `bad_list_in` and sets the listed verdicts: in the warden, behind mr__session_bind. Lines
 * that mean nothing here are told of, not refused. Errors: as mr__badlist_read. */
int mr__session_list(const struct mr_session *s, struct mr_errbuf *e);
/* What the listed verdicts do to the stream, as one number; 0: there are none. */
uint64_t mr__session_list_hash(const struct mr_session *s);

/* The planner that mr__run_commander drives, and a benchmark; a bound session.
 * planner->ctx is to be freed with free(). MR_E_MEMORY. */
int mr__session_planner(struct mr_session *s, struct mr_planner *planner, struct mr_errbuf *e);

/* What the warden runs (proc/roles.h), for this session. */
void mr__session_roles(struct mr_session *s, struct mr_roles *roles);
/* The parts of roles, each in its own file. */
int mr__run_commander(struct mr_session *s, struct mr_errbuf *e);
int mr__run_user_commander(struct mr_session *s, struct mr_errbuf *e);
int mr__run_producer(struct mr_session *s, uint32_t lane, uint32_t lease, struct mr_errbuf *e);
int mr__run_user_producer(struct mr_session *s, uint32_t lane, uint32_t lease,
                          const mr_producer *producer, struct mr_errbuf *e);

/* ---- contain.c: what built-in producers are confined to ---- */

/* In the warden: a place for what the index helper finds. With `sandbox: off` or a user's producer
 * this and what follows does nothing. */
void mr__contain_begin(struct mr_session *s);
/* Reading needs sockets: that of the source, or of a part of the mixture. */
bool mr__contain_network(const struct mr_session *s);
/* In the index helper, behind its work: finds what producers may read, and what that was found by,
 * unless *made has it; leaves it to the warden. */
int mr__contain_find_roots(struct mr_session *s, struct mr_index_made *made, struct mr_errbuf *e);
/* In the warden, once the index is mapped: prepares the sandbox and tries it. A missing layer is a
 * warning, or with `sandbox: require` MR_E_SYSTEM. */
int mr__contain_prepare(struct mr_session *s, struct mr_errbuf *e);
/* In a producer: closes the door. */
int mr__contain_enter(struct mr_session *s, uint32_t lane, struct mr_errbuf *e);

/* Loads a plug-in for good (it is never closed: its code may be running). MR_E_CODE with dlerror's
 * or our sentence. */
int mr__plugin_load(const char *path, const mr_plugin **plugin, struct mr_errbuf *e);

/* ---- a spawned warden ---- */

/* control, plan, data, index, boot, ready, warden, feedback: in this order */
#define MR_BOOT_FIRST_FD 3
#define MR_BOOT_FDS 8
#define MR_BOOT_INDEX 3    /* may be missing: a user's commander has no data set */
#define MR_BOOT_FEEDBACK 7 /* is missing, but for samplers that take it; not a producer's */

/* Writes config text, path, folder and overrides into a sealed memfd; a negative code or the
 * descriptor. */
#define MR_MAX_SET 256
int mr__boot_write(const struct mr_config *config, const char *const *set, struct mr_errbuf *e);
/* In the spawned process: compiles the plan and attaches the arena, everything from the descriptors
 * above. */
int mr__boot_read(struct mr_session *s, struct mr_errbuf *e);

#endif
