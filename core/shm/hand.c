/* SPDX-License-Identifier: Apache-2.0 */
#include "hand.h"

#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

__thread struct mr_hand *mr__my_hand;

static uint64_t cpu_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

struct mr_hand *mr__hand_take(const struct mr_arena *a, uint32_t lane)
{
    uint32_t thread = __atomic_fetch_add(&mr__lane(a, lane)->hands_taken, 1, __ATOMIC_RELAXED);
    struct mr_hand *hand = mr__hand(a, lane, thread % a->shape.hands);
    __atomic_store_n(&hand->busy, 0, __ATOMIC_RELEASE);
    MR_SET(hand->tid, (uint32_t)syscall(SYS_gettid));
    mr__hand_doing(hand, MR_DOING_START);
    mr__my_hand = hand;
    return hand;
}

void mr__hand_begin(struct mr_hand *hand, const struct mr_claim *claim, uint64_t epoch,
                    uint64_t position)
{
    MR_SET(hand->slot, claim->slot);
    MR_SET(hand->task, claim->task);
    MR_SET(hand->seq, claim->seq);
    MR_SET(hand->epoch, epoch);
    MR_SET(hand->position, position);
    MR_SET(hand->attempt, 0);
    MR_SET(hand->sample, UINT64_MAX);
    MR_SET(hand->since_ns, mr__now_ns());
    __atomic_store_n(&hand->busy, 1, __ATOMIC_RELEASE);
    MR_SET(hand->cpu_ns, cpu_now_ns()); /* a system call; looked at much later, if ever */
}

/* Sequentially consistent against the warden, which says that it sleeps and then looks for work:
 * one of the two sees the other. */
void mr__hand_expected(const struct mr_arena *a)
{
    uint64_t one = 1;
    if (__atomic_load_n(&a->control->warden_sleeps, __ATOMIC_SEQ_CST) &&
        __atomic_exchange_n(&a->control->warden_sleeps, 0, __ATOMIC_SEQ_CST) &&
        write(a->warden_fd, &one, sizeof one) < 0)
        return; /* EAGAIN: the counter is full, so it is readable */
}

void mr__hand_attempt(struct mr_hand *hand, uint32_t attempt, uint64_t sample)
{
    if (!hand)
        return; /* filled outside of a producer's loop */
    if (attempt) {
        MR_SET(hand->since_ns, mr__now_ns());
        MR_SET(hand->cpu_ns, cpu_now_ns());
    }
    MR_SET(hand->sample, sample);
    MR_SET(hand->attempt, attempt);
}

void mr__hand_doing(struct mr_hand *hand, enum mr_activity activity)
{
    if (hand)
        mr__hand_doing_since(hand, activity, mr__now_ns());
}

void mr__hand_doing_since(struct mr_hand *hand, enum mr_activity activity, uint64_t ns)
{
    if (!hand)
        return;
    MR_SET(hand->activity, (uint32_t)activity);
    MR_SET(hand->doing_since_ns, ns);
}

void mr__hand_end(struct mr_hand *hand)
{
    __atomic_store_n(&hand->busy, 0, __ATOMIC_RELEASE);
}
