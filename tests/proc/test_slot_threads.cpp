/* SPDX-License-Identifier: Apache-2.0
 *
 * test_slot_threads.cpp: the slot protocol's C code with threads in place of processes, so that the
 * thread sanitizer can see it: the real loops of commander and producers, a trainer that cancels,
 * releases in any order and checks every value, and threads to which happens what happens to
 * processes: they give up in the middle of their work as if killed; go on storing long after their
 * slot was quarantined; store into every row before a crash, after which all is filled again; die
 * in the middle of a move. MR_SLOT_CLAIMS=N: how many rows are claimed (default: 10^6).
 */
extern "C" {
#include "proc/roles.h"
#include "shm/slot_steps.h"
}

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <poll.h>
#include <random>
#include <sstream>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace
{

constexpr uint32_t kSlots = 4, kSpares = 2, kRows = 8, kProducers = 3;
constexpr uint32_t kWords = 8; /* u64 per row */
constexpr uint64_t kEpoch = 5; /* batches */
constexpr int kGaveUp = -1;    /* the end of a thread's life, on average after so many: */
constexpr uint32_t kCommanderLife = 1000;      /* plans */
constexpr uint32_t kProducerLife = 20000;      /* rows */
constexpr uint32_t kStuckEvery = 4000;         /* rows, on average */
constexpr uint32_t kCrashEvery = 20000;        /* rows, on average */
constexpr uint32_t kSlowEvery = 500;           /* rows, on average */
constexpr uint64_t kCancelEvery = 300;         /* steps of the trainer, on average */
constexpr int kPatience = 60000;               /* ms */
constexpr uint64_t kStray = 0xbadbadbadbadbad; /* stored before a crash */

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

/* Not seen by the thread sanitizer: that they race with everybody is what stray stores do. */
__attribute__((noinline, no_sanitize("thread"))) void store_everywhere(const mr_arena *a)
{
    for (uint32_t slot = 0; slot < kSlots + kSpares; slot++)
        for (uint32_t i = 0; i < kRows * kWords; i++)
            *const_cast<volatile uint64_t *>(row_data(a, slot, 0) + i) = kStray;
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

/* The warden, and what it knows of everybody. */
class Warden
{
  public:
    explicit Warden(const mr_arena *arena) : a(arena)
    {
    }

    std::atomic<uint64_t> claims{0}, batches{0}; /* batches: delivered */
    std::atomic<uint32_t> deaths{0}, quarantines{0}, half_moves{0}, refills{0}, tainted{0};
    std::atomic<bool> unhandled{false}; /* between a crash and the end of its refill */
    std::atomic<bool> provoked{false};  /* the next row is to end in a quarantine */
    std::atomic<bool> ending{false};
    bool crashes = false; /* whether they happen at all */

    uint32_t give_lease(uint32_t producer)
    {
        std::lock_guard<std::mutex> lock(mutex);
        alive[producer] = ++last_lease;
        return last_lease;
    }
    /* The thread itself has left its loop: that is the fence. */
    void recover(uint32_t lease)
    {
        std::lock_guard<std::mutex> lock(mutex);
        mr__warden_recover(a, lease);
        deaths++;
    }

    /* ---- a producer is awake between these two; false: it is being killed ---- */
    bool enter()
    {
        inside++;
        if (!fencing)
            return true;
        inside--;
        return false;
    }
    void leave()
    {
        inside--;
    }
    void wait_for_refill() const
    {
        while (fencing)
            usleep(20);
    }

    /* Whether one more may become stuck now: as many as there are spares. */
    bool may_be_stuck()
    {
        std::unique_lock<std::mutex> lock(mutex, std::try_to_lock);
        if (!lock || fencing || ending || stuck == kProducers - 1)
            return false;
        uint32_t now = pending;
        for (uint32_t i = 0; i < a->shape.slots; i++)
            now += mr__slot_state(mr__word_load(&mr__slot(a, i)->word)) == MR_SLOT_QUARANTINED;
        if (now >= kSpares)
            return false;
        pending++;
        stuck++;
        return true;
    }
    void ended_at_last()
    {
        std::lock_guard<std::mutex> lock(mutex);
        stuck--;
    }
    void quarantine(uint32_t producer, uint32_t lease)
    {
        std::lock_guard<std::mutex> lock(mutex);
        alive[producer] = 0;
        EXPECT_GE(mr__warden_quarantine(a, lease), 0);
        pending--;
        quarantines++;
    }

    /* By the thread that crashes, in enter() ... leave(): all others are fenced. */
    void crash()
    {
        if (fencing.exchange(true))
            return;
        unhandled = true;
        while (inside > 1) /* the stuck ones have left */
            usleep(20);
        store_everywhere(a);
        std::unique_lock<std::mutex> lock(mutex);
        for (; pending; lock.lock()) {
            lock.unlock();
            usleep(20);
        }
        for (uint32_t lease : alive)
            mr__warden_recover(a, lease);
        mr_errbuf e;
        uint32_t marked = 0;
        EXPECT_EQ(mr__arena_check_words(a, &e), MR_OK) << e.text;
        mr__warden_refill(a, &marked);
        tainted += marked;
        refills++;
        unhandled = false;
        fencing = false;
    }

  private:
    const mr_arena *a;
    std::mutex mutex;
    std::atomic<uint32_t> inside{0};
    std::atomic<bool> fencing{false};
    uint32_t stuck = 0, pending = 0; /* pending: of the stuck, not quarantined yet */
    uint32_t last_lease = 0;
    uint32_t alive[kProducers] = {}; /* leases */
};

struct Filler {
    Warden *warden;
    const mr_arena *a;
    uint32_t producer, lease;
    std::minstd_rand random;

    bool chance(uint32_t every)
    {
        return random() % every == 0;
    }

    static int fill(void *ctx, const mr_claim *claim, uint32_t *, mr_errbuf *)
    {
        auto *f = static_cast<Filler *>(ctx);
        f->warden->enter();
        int rc = f->fill_row(*claim);
        if (rc == MR_OK)
            f->warden->leave();
        return rc;
    }

    /* Whoever gives up has left. */
    int fill_row(const mr_claim &claim)
    {
        uint64_t *row = row_data(a, claim.slot, claim.task);
        uint64_t message = *static_cast<uint64_t *>(mr__plan_message(a, claim.slot, claim.task));
        bool dies = chance(kProducerLife), slow = chance(kSlowEvery);
        warden->claims.fetch_add(1, std::memory_order_relaxed);
        for (uint32_t i = 0; i < kWords; i++) {
            if (dies && i == kWords / 2) {
                warden->leave();
                return kGaveUp;
            }
            if (slow && i == kWords / 2)
                usleep(100); /* long enough for a slot to be given to others, if that could be */
            row[i] = message + i;
        }
        if ((chance(kStuckEvery) || warden->provoked) && warden->may_be_stuck())
            return be_stuck(row, message);
        if (warden->crashes && chance(kCrashEvery)) {
            warden->crash();
            warden->leave();
            return kGaveUp;
        }
        return MR_OK;
    }

  private:
    /* Killed, and does not die: stores until several more batches were delivered, this one's copy
     * among them, when they are in order. */
    int be_stuck(uint64_t *row, uint64_t message)
    {
        std::atomic<bool> done{false};
        std::thread quarantine([this, &done] {
            warden->quarantine(producer, lease);
            done = true;
        });
        warden->leave();
        uint64_t until = warden->batches + 3 * (kSlots + kSpares);
        while (!done || (warden->batches < until && !warden->ending))
            for (uint32_t i = 0; i < kWords; i++)
                const_cast<volatile uint64_t *>(row)[i] = message + i + random() % 2;
        quarantine.join();
        warden->ended_at_last();
        return kGaveUp;
    }
};

struct Mode {
    const char *name;
    bool ordered;
    bool real_loop; /* of the producers: then nobody crashes */
};

class SlotThreads : public testing::TestWithParam<Mode>
{
  protected:
    mr_arena a = {};
    Warden warden{&a};
    std::vector<std::thread> threads;

    void SetUp() override
    {
        mr_arena_spec spec = {};
        spec.slots = kSlots;
        spec.spares = kSpares;
        spec.rows = spec.tasks = kRows;
        spec.producers = kProducers;
        spec.slot_data_bytes = 4096;
        spec.message_bytes = 64;
        mr_errbuf e;
        ASSERT_EQ(mr__arena_create(&a, &spec, &e), MR_OK) << e.text;
        a.ready_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        ASSERT_GE(a.ready_fd, 0);
        warden.crashes = !GetParam().real_loop;
        threads.emplace_back([this] { be_commander(); });
        for (uint32_t i = 0; i < kProducers; i++)
            threads.emplace_back([this, i] { be_producer(i); });
    }

    void TearDown() override
    {
        if (!a.control)
            return;
        warden.ending = true;
        __atomic_store_n(&a.control->stop, 1, __ATOMIC_RELEASE);
        mr__warden_wake_all(&a);
        for (auto &thread : threads)
            thread.join();
        mr__arena_unmap(&a);
    }

    /* A commander that dies when a batch that has to move is published, and not yet marked. */
    void begin_a_move()
    {
        uint64_t word;
        warden.provoked = true;
        for (int i = 0; i < 50 && !warden.ending; i++) {
            if (mr__slot_copy_waiting(&a, mr__commander_last_seq(&a), &word) >= 0) {
                warden.half_moves++;
                break;
            }
            usleep(100);
        }
        warden.provoked = false;
    }

    void be_commander()
    {
        Planner p = {&a, 0, 0, std::minstd_rand(1)};
        mr_planner planner = {&p, Planner::seek, Planner::resume, Planner::plan, nullptr};
        mr_errbuf e;
        while (mr__commander_loop(&a, &planner, &e) < 0) {
            begin_a_move();
            warden.recover(0);
        }
    }

    /* mr__producer_loop for producers that a crash of another one ends: then they are dead, and do
     * not take one more step. A thread cannot be killed, so crash() waits until they are out. */
    int fenced_loop(Filler *f)
    {
        for (;;) {
            uint32_t seen = mr__bell_look(&a.control->work_bell);
            mr_claim claim;
            if (mr__stopping(&a))
                return MR_OK;
            if (!warden.enter())
                return kGaveUp;
            if (!mr__producer_claim(&a, f->lease, &claim)) {
                warden.leave();
                mr__bell_wait(&a.control->work_bell, seen, -1);
                continue;
            }
            if (f->fill_row(claim) < 0)
                return kGaveUp;
            EXPECT_TRUE(mr__producer_finish(&a, &claim, 0));
            warden.leave();
        }
    }

    int loop(uint32_t lane, Filler *f)
    {
        mr_filler filler = {f, Filler::fill};
        mr_errbuf e;
        return GetParam().real_loop ? mr__producer_loop(&a, lane, f->lease, &filler, &e)
                                    : fenced_loop(f);
    }

    void be_producer(uint32_t number)
    {
        uint32_t lane = MR_LANE_PRODUCERS + number;
        Filler f = {&warden, &a, number, warden.give_lease(number), std::minstd_rand(100 + lane)};
        while (loop(lane, &f) < 0) {
            warden.recover(f.lease);
            warden.wait_for_refill();
            f.lease = warden.give_lease(number);
        }
    }
};

struct Lease {
    uint32_t slot;
    uint64_t seq, epoch, batch;
};

class Trainer
{
  public:
    Trainer(Warden *who, const mr_arena *arena, bool in_order)
        : warden(who), a(arena), ordered(in_order)
    {
    }

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

  private:
    Warden *warden;
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
        for (uint32_t i = 0; i < a->shape.slots; i++) {
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
        warden->batches++;
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

    /* Stray stores into a leased slot cannot be undone: until the crash is seen to they may be
     * there, and then they are reported. */
    bool is_excused(const Lease &lease, uint64_t found) const
    {
        return found == kStray &&
               (warden->unhandled || mr__trainer_tainted(a, lease.slot, lease.seq));
    }

    void check(const Lease &lease) const
    {
        for (uint32_t row = 0; row < kRows; row++)
            for (uint32_t i = 0; i < kWords; i++) {
                uint64_t found = row_data(a, lease.slot, row)[i];
                if (found == value(lease.epoch, lease.batch, row) + i || is_excused(lease, found))
                    continue;
                FAIL() << "row " << row << " of batch " << lease.batch << ", epoch " << lease.epoch
                       << " has " << found;
            }
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

    std::string slots() const
    {
        std::ostringstream text;
        text << std::hex << "stream " << stream << ", delivered " << delivered << "\n";
        for (uint32_t i = 0; i < a->shape.slots; i++) {
            const mr_plan_head *head = mr__plan_head(a, i);
            text << "slot " << i << ": " << mr__word_load(&mr__slot(a, i)->word) << ", stream "
                 << MR_GET(head->stream) << ", first " << MR_GET(head->first_seq) << ", rows";
            for (uint32_t row = 0; row < kRows; row++)
                text << " " << mr__word_load(&mr__slot_rows(a, i)[row]);
            text << "\n";
        }
        return text.str();
    }

    void wait() const
    {
        pollfd p = {a->ready_fd, POLLIN, 0};
        uint64_t count;
        ASSERT_EQ(poll(&p, 1, kPatience), 1)
            << "nothing happens any more: a lost wake, or a batch that nobody fills\n"
            << slots();
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
        c->request[stream & 1] = {to_epoch, to_batch, 0, 0, 0};
        __atomic_store_n(&c->request_id, stream, __ATOMIC_RELEASE);
        mr__bell_ring(&c->free_bell);
        delivered = 0;
        start(to_epoch, to_batch);
    }
};

TEST_P(SlotThreads, EveryBatchOnceAndWhole)
{
    uint64_t wanted = claims_wanted() / 3; /* of the three modes */
    Trainer trainer(&warden, &a, GetParam().ordered);
    while (warden.claims < wanted && !HasFatalFailure())
        trainer.step();
    if (!HasFatalFailure())
        trainer.release_all();
    printf(
        "%llu claims, %llu batches, %u deaths, %u quarantines, %u moves cut in half, %u refills, "
        "%u tainted\n",
        static_cast<unsigned long long>(warden.claims),
        static_cast<unsigned long long>(warden.batches), warden.deaths.load(),
        warden.quarantines.load(), warden.half_moves.load(), warden.refills.load(),
        warden.tainted.load());
    EXPECT_GT(warden.batches, wanted / kRows / 8);
    if (wanted >= 15 * kProducerLife) {
        EXPECT_GT(warden.deaths, 0u);
        EXPECT_GT(warden.quarantines, 0u);
        EXPECT_GT(warden.half_moves, 0u);
        EXPECT_TRUE(warden.refills > 0 || GetParam().real_loop);
    }
}

INSTANTIATE_TEST_SUITE_P(Modes, SlotThreads,
                         testing::Values(Mode{"InOrder", true, false},
                                         Mode{"CompletionOrder", false, false},
                                         Mode{"RealLoop", true, true}),
                         [](const testing::TestParamInfo<Mode> &mode) { return mode.param.name; });

} /* namespace */
