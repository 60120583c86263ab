/* SPDX-License-Identifier: Apache-2.0
 *
 * test_slot_threads.cpp: the slot protocol's C code with threads in place of processes, so that the
 * thread sanitizer can see it: the real loops of commander and producers, a trainer that cancels,
 * releases in any order and checks every value, and threads that give up in the middle of their
 * work as a killed process would. MR_SLOT_CLAIMS=N: how many rows are claimed (default: 10^6).
 */
extern "C" {
#include "proc/roles.h"
}

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <poll.h>
#include <random>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

constexpr uint32_t kSlots = 4, kRows = 8, kProducers = 3;
constexpr uint32_t kWords = 8; /* u64 per row */
constexpr uint64_t kEpoch = 5; /* batches */
constexpr int kGaveUp = -1;    /* the end of a thread's life, on average after so many: */
constexpr uint32_t kCommanderLife = 3000; /* plans */
constexpr uint32_t kProducerLife = 20000; /* rows */
constexpr uint32_t kSlowEvery = 500;      /* rows, on average */
constexpr uint64_t kCancelEvery = 300;    /* steps of the trainer, on average */

uint64_t claims_wanted()
{
    const char *text = getenv("MR_SLOT_CLAIMS");
    return text ? strtoull(text, nullptr, 10) : 1000000;
}

uint64_t value(uint64_t epoch, uint64_t batch, uint64_t row)
{
    return ((epoch * kEpoch + batch) * kRows + row) * 0x9e3779b97f4a7c15u + 1;
}

uint64_t *row_data(const mr_arena *a, uint32_t slot, uint32_t row)
{
    return reinterpret_cast<uint64_t *>(mr__slot_data(a, slot)) + row * kWords;
}

struct Planner { /* kEpoch batches, a marker, and on */
    const mr_arena *a;
    uint64_t epoch = 0, batch = 0;
    std::minstd_rand random;

    static int seek(void *ctx, uint64_t epoch, uint64_t batch, mr_errbuf *)
    {
        auto *p = static_cast<Planner *>(ctx);
        p->epoch = epoch;
        p->batch = batch;
        return MR_OK;
    }
    static int resume(void *ctx, const mr_plan_head *last, const void *, mr_errbuf *e)
    {
        bool end = last->kind == MR_PLAN_END_EPOCH;
        return seek(ctx, last->epoch + end, end ? 0 : last->batch + 1, e);
    }
    static int plan(void *ctx, uint32_t slot, mr_plan_head *head, mr_errbuf *)
    {
        auto *p = static_cast<Planner *>(ctx);
        bool end = p->batch == kEpoch;
        head->epoch = p->epoch;
        head->batch = p->batch;
        head->rows = head->tasks = end ? 0 : kRows;
        head->kind = end ? MR_PLAN_END_EPOCH : MR_PLAN_BATCH;
        for (uint32_t row = 0; row < head->tasks; row++) {
            *static_cast<uint64_t *>(mr__plan_message(p->a, slot, row)) =
                value(p->epoch, p->batch, row);
            if (p->random() % (kCommanderLife * kRows) == 0)
                return kGaveUp;
        }
        p->epoch += end;
        p->batch = end ? 0 : p->batch + 1;
        return MR_OK;
    }
};

struct Filler {
    const mr_arena *a;
    std::atomic<uint64_t> *claims;
    std::minstd_rand random;

    static int fill(void *ctx, const mr_claim *claim, uint32_t *, mr_errbuf *)
    {
        auto *f = static_cast<Filler *>(ctx);
        uint64_t *row = row_data(f->a, claim->slot, claim->task);
        uint64_t message =
            *static_cast<uint64_t *>(mr__plan_message(f->a, claim->slot, claim->task));
        bool dies = f->random() % kProducerLife == 0, slow = f->random() % kSlowEvery == 0;
        f->claims->fetch_add(1, std::memory_order_relaxed);
        for (uint32_t i = 0; i < kWords; i++) {
            if (dies && i == kWords / 2)
                return kGaveUp;
            if (slow && i == kWords / 2)
                usleep(100); /* long enough for a slot to be given to others, if that could be */
            row[i] = message + i;
        }
        return MR_OK;
    }
};

struct Lease {
    uint32_t slot;
    uint64_t seq, epoch, batch;
};

class SlotThreads : public testing::TestWithParam<bool> {
protected:
    mr_arena a = {};
    std::vector<std::thread> threads;
    std::atomic<uint64_t> claims{0};
    std::atomic<uint32_t> deaths{0};
    std::mutex warden;
    uint32_t next_lease = 0; /* the warden's */

    void SetUp() override
    {
        mr_arena_spec spec = {};
        spec.slots = kSlots;
        spec.rows = spec.tasks = kRows;
        spec.producers = kProducers;
        spec.slot_data_bytes = 4096;
        spec.message_bytes = 64;
        mr_errbuf e;
        ASSERT_EQ(mr__arena_create(&a, &spec, &e), MR_OK) << e.text;
        a.ready_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        ASSERT_GE(a.ready_fd, 0);
        threads.emplace_back([this] { be_commander(); });
        for (uint32_t i = 0; i < kProducers; i++)
            threads.emplace_back([this, i] { be_producer(MR_LANE_PRODUCERS + i); });
    }

    void TearDown() override
    {
        if (!a.control)
            return;
        __atomic_store_n(&a.control->stop, 1, __ATOMIC_RELEASE);
        mr__warden_wake_all(&a);
        for (auto &thread : threads)
            thread.join();
        mr__arena_unmap(&a);
    }

    /* The warden's part, by the thread itself once it has left its loop: that is the fence. */
    uint32_t recover(uint32_t lease)
    {
        std::lock_guard<std::mutex> lock(warden);
        mr__warden_recover(&a, lease);
        deaths++;
        return ++next_lease;
    }

    void be_commander()
    {
        Planner p = {&a, 0, 0, std::minstd_rand(1)};
        mr_planner planner = {&p, Planner::seek, Planner::resume, Planner::plan};
        mr_errbuf e;
        while (mr__commander_loop(&a, &planner, &e) < 0)
            recover(0);
    }

    void be_producer(uint32_t lane)
    {
        Filler f = {&a, &claims, std::minstd_rand(100 + lane)};
        mr_filler filler = {&f, Filler::fill};
        mr_errbuf e;
        uint32_t lease;
        {
            std::lock_guard<std::mutex> lock(warden);
            lease = ++next_lease;
        }
        while (mr__producer_loop(&a, lane, lease, &filler, &e) < 0)
            lease = recover(lease);
    }
};

class Trainer {
public:
    Trainer(const mr_arena *arena, bool in_order) : a(arena), ordered(in_order) {}

    /* One call of mr_next, mr_release or mr_load_state, as chance has it. */
    void step()
    {
        if (random() % kCancelEvery == 0)
            go_to(random() % 1000, random() % (kEpoch + 1));
        else if (leases.size() == kSlots - 1 || (!leases.empty() && random() % 2))
            release(random() % leases.size());
        else
            next();
    }
    void release_all()
    {
        while (!leases.empty())
            release(0);
    }
    uint64_t batches = 0;

private:
    const mr_arena *a;
    bool ordered;
    std::minstd_rand random{7};
    std::vector<Lease> leases;
    uint64_t stream = 0, delivered = 0, epoch = 0, first = 0;
    std::vector<bool> got = std::vector<bool>(kEpoch); /* of this epoch */

    bool is_due(uint64_t seq, const mr_plan_head *head) const
    {
        if (ordered || MR_GET(head->kind) != MR_PLAN_BATCH)
            return seq - MR_GET(head->first_seq) == delivered;
        return MR_GET(head->epoch) == epoch;
    }

    bool try_next()
    {
        for (uint32_t i = 0; i < kSlots; i++) {
            uint64_t word = mr__word_load(&mr__slot(a, i)->word), seq = mr__slot_seq(word);
            const mr_plan_head *head = mr__plan_head(a, i);
            if (mr__slot_state(word) != MR_SLOT_AVAILABLE)
                continue;
            if (MR_GET(head->stream) < stream)
                mr__trainer_drop(a, i, seq);
            else if (MR_GET(head->stream) == stream && is_due(seq, head) &&
                     mr__trainer_lease(a, i, seq)) {
                take({i, seq, head->epoch, head->batch}, *head);
                return true;
            }
        }
        return false;
    }

    void take(const Lease &lease, const mr_plan_head &head)
    {
        delivered++;
        batches++;
        ASSERT_EQ(head.stream, stream);
        ASSERT_EQ(head.epoch, epoch);
        if (head.kind == MR_PLAN_END_EPOCH) {
            for (uint64_t i = first; i < kEpoch; i++)
                ASSERT_TRUE(got[i]) << "epoch " << epoch << " ended without batch " << i;
            ASSERT_TRUE(mr__trainer_release(a, lease.slot, lease.seq));
            start(epoch + 1, 0);
            return;
        }
        ASSERT_LT(head.batch, kEpoch);
        ASSERT_FALSE(got[head.batch]) << "delivered twice";
        ASSERT_TRUE(!ordered || head.batch == first || got[head.batch - 1]) << "out of order";
        got[head.batch] = true;
        check(lease);
        leases.push_back(lease);
    }

    void check(const Lease &lease) const
    {
        for (uint32_t row = 0; row < kRows; row++)
            for (uint32_t i = 0; i < kWords; i++)
                ASSERT_EQ(row_data(a, lease.slot, row)[i],
                          value(lease.epoch, lease.batch, row) + i)
                    << "row " << row << " of batch " << lease.batch << ", epoch " << lease.epoch;
    }

    void start(uint64_t at_epoch, uint64_t at_batch)
    {
        epoch = at_epoch;
        first = at_batch;
        got.assign(kEpoch, false);
    }

    void release(size_t which)
    {
        Lease lease = leases[which];
        leases.erase(leases.begin() + static_cast<long>(which));
        check(lease);
        memset(mr__slot_data(a, lease.slot), 0xdb, kRows * kWords * sizeof(uint64_t));
        ASSERT_TRUE(mr__trainer_release(a, lease.slot, lease.seq));
        ASSERT_FALSE(mr__trainer_release(a, lease.slot, lease.seq)) << "released twice";
    }

    void wait() const
    {
        pollfd p = {a->ready_fd, POLLIN, 0};
        uint64_t count;
        ASSERT_EQ(poll(&p, 1, 60000), 1) << "nothing happens any more: a lost wake";
        ASSERT_EQ(read(a->ready_fd, &count, sizeof count), static_cast<ssize_t>(sizeof count));
    }

    void next()
    {
        while (!testing::Test::HasFatalFailure() && !try_next())
            wait();
    }

    /* As mr__loader_request does. */
    void go_to(uint64_t to_epoch, uint64_t to_batch)
    {
        mr_control *c = a->control;
        while (!testing::Test::HasFatalFailure() &&
               __atomic_load_n(&c->request_done, __ATOMIC_ACQUIRE) != stream)
            wait();
        stream++;
        c->request[stream & 1] = {to_epoch, to_batch};
        __atomic_store_n(&c->request_id, stream, __ATOMIC_RELEASE);
        mr__bell_ring(&c->free_bell);
        delivered = 0;
        start(to_epoch, to_batch);
    }
};

TEST_P(SlotThreads, EveryBatchOnceAndWhole)
{
    uint64_t wanted = claims_wanted() / 2; /* of the two orders */
    Trainer trainer(&a, GetParam());
    while (claims < wanted && !HasFatalFailure())
        trainer.step();
    if (!HasFatalFailure())
        trainer.release_all();
    RecordProperty("claims", std::to_string(claims));
    RecordProperty("deaths", std::to_string(deaths));
    printf("%llu claims, %llu batches, %u deaths\n", static_cast<unsigned long long>(claims),
           static_cast<unsigned long long>(trainer.batches), deaths.load());
    EXPECT_GT(trainer.batches, wanted / kRows / 8);
    if (wanted > 10 * kProducerLife) {
        EXPECT_GT(deaths, 0u);
    }
}

INSTANTIATE_TEST_SUITE_P(Orders, SlotThreads, testing::Values(true, false),
                         [](const testing::TestParamInfo<bool> &order) {
                             return order.param ? "InOrder" : "CompletionOrder";
                         });

} /* namespace */
