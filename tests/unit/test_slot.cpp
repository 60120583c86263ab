// SPDX-License-Identifier: Apache-2.0
//
// The slot protocol step by step: quarantine, moves to spare slots, refill. What happens when the
// steps of several processes mix is for slot.pml and test_slot_threads.
#include <gtest/gtest.h>

extern "C" {
#include "shm/slot_steps.h"
}

#include <string>
#include <sys/eventfd.h>

class Slots : public ::testing::Test
{
  protected:
    mr_arena a = {};
    uint64_t seq = 0;

    void SetUp() override
    {
        open(2, 1);
    }
    void TearDown() override
    {
        mr__arena_unmap(&a);
    }
    void open(uint32_t slots, uint32_t spares)
    {
        mr_arena_spec spec = {};
        spec.slots = slots;
        spec.spares = spares;
        spec.rows = spec.tasks = 2;
        spec.producers = 2;
        spec.slot_data_bytes = 4096;
        spec.message_bytes = 64;
        mr_errbuf e;
        mr__arena_unmap(&a);
        ASSERT_EQ(mr__arena_create(&a, &spec, &e), MR_OK) << e.text;
        a.ready_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    }
    // The next batch, in whichever slot; -1: none is to be had.
    int plan(uint64_t stream = 0, uint32_t tasks = 2)
    {
        uint64_t word;
        int slot = mr__commander_take(&a, &word);
        if (slot < 0)
            return -1;
        mr_plan_head head = {};
        head.stream = stream;
        head.first_seq = 1;
        head.batch = seq;
        head.rows = head.tasks = tasks;
        mr__plan_write_head(mr__plan_head(&a, (uint32_t)slot), &head);
        *static_cast<uint64_t *>(mr__plan_message(&a, (uint32_t)slot, 1)) = 1000 + seq;
        mr__commander_publish(&a, (uint32_t)slot, word, ++seq);
        return slot;
    }
    mr_claim claim(uint32_t lease)
    {
        mr_claim c = {};
        EXPECT_TRUE(mr__producer_claim(&a, lease, &c));
        return c;
    }
    void fill_all(uint32_t lease = 9)
    {
        mr_claim c;
        while (mr__producer_claim(&a, lease, &c))
            EXPECT_TRUE(mr__producer_finish(&a, &c, 0));
    }
    uint64_t word(int slot) const
    {
        return mr__word_load(&mr__slot(&a, (uint32_t)slot)->word);
    }
    mr_slot_state state(int slot) const
    {
        return mr__slot_state(word(slot));
    }
    // Another slot that carries the seq of this one.
    int copy_of(int slot) const
    {
        for (int i = 0; i < (int)a.shape.slots; i++)
            if (i != slot && mr__slot_seq(word(i)) == mr__slot_seq(word(slot)))
                return i;
        return -1;
    }
};

TEST(Arena, OneThatIsTooLargeNamesWhatMakesItSmaller)
{
    mr_arena a = {};
    mr_arena_spec spec = {};
    spec.slots = 100;
    spec.spares = 7;
    spec.rows = spec.tasks = spec.producers = 1;
    spec.slot_data_bytes = 1ull << 40;
    spec.message_bytes = 64;
    mr_errbuf e = {};
    EXPECT_EQ(mr__arena_create(&a, &spec, &e), MR_E_MEMORY);
    std::string text = e.text;
    for (const char *part : {"100 slots", "7 spare", "'slots'", "'spares'", "'batch.size'", "MB"})
        EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST_F(Slots, AsManySlotsStayFreeAsThereAreUnusedSpares)
{
    EXPECT_GE(plan(), 0);
    EXPECT_GE(plan(), 0);
    EXPECT_EQ(plan(), -1) << "the spare one is for moves";
    EXPECT_EQ(mr__trainer_slots(&a), 2u);
    EXPECT_EQ(mr__trainer_ahead(&a), 2u);
}

TEST_F(Slots, AQuarantinedBatchMovesAndItsSlotIsFreeWhenTheWriterHasEnded)
{
    int slot = plan();
    mr_claim stuck = claim(1);
    EXPECT_EQ(mr__warden_quarantine(&a, 1), 1);
    EXPECT_EQ(state(slot), MR_SLOT_QUARANTINED);
    EXPECT_FALSE(mr__slot_moved(word(slot)));
    mr_claim none;
    EXPECT_FALSE(mr__producer_claim(&a, 2, &none)) << "its empty row is closed";

    ASSERT_TRUE(mr__commander_move(&a, seq));
    EXPECT_TRUE(mr__slot_moved(word(slot)));
    int to = copy_of(slot);
    ASSERT_GE(to, 0);
    EXPECT_EQ(state(to), MR_SLOT_RESERVED);
    EXPECT_EQ(mr__slot_round(word(to)), 1u);
    EXPECT_EQ(mr__plan_head(&a, (uint32_t)to)->tasks, 2u);
    EXPECT_EQ(*static_cast<uint64_t *>(mr__plan_message(&a, (uint32_t)to, 1)), 1000u);

    fill_all();
    EXPECT_EQ(state(to), MR_SLOT_AVAILABLE);
    EXPECT_TRUE(mr__trainer_lease(&a, (uint32_t)to, 1));
    EXPECT_TRUE(mr__trainer_release(&a, (uint32_t)to, 1));
    EXPECT_EQ(state(slot), MR_SLOT_QUARANTINED) << "somebody still writes there";
    ASSERT_TRUE(mr__commander_move(&a, seq));
    EXPECT_EQ(state(to), MR_SLOT_FREE) << "it moves once";

    EXPECT_EQ(mr__warden_recover(&a, 1), 1u);
    EXPECT_EQ(state(slot), MR_SLOT_FREE);
    EXPECT_FALSE(mr__producer_finish(&a, &stuck, 0));
}

TEST_F(Slots, ASpareInUseIsNotKeptFreeASecondTime)
{
    plan();
    claim(1);
    mr__warden_quarantine(&a, 1);
    ASSERT_TRUE(mr__commander_move(&a, seq));
    EXPECT_GE(plan(), 0) << "two slots are left, as many as without spares";
    EXPECT_EQ(plan(), -1);
    fill_all();
}

TEST_F(Slots, MoreQuarantinesThanSparesAreAnError)
{
    plan();
    plan();
    claim(1);
    claim(1);
    claim(2); /* in the second slot */
    EXPECT_EQ(mr__warden_quarantine(&a, 1), 1);
    EXPECT_EQ(mr__warden_quarantine(&a, 2), MR_E_LIMIT);
}

TEST_F(Slots, ASlotInWhichTheStuckHoldsNothingIsSettledInstead)
{
    int slot = plan();
    mr_claim first = claim(1), second = claim(1);
    uint64_t *rows = mr__slot_rows(&a, (uint32_t)slot);
    for (const mr_claim &c : {first, second}) /* it has ended its rows, and not settled */
        ASSERT_TRUE(mr__word_move(&rows[c.task], mr__row_in(c.word, 1, MR_ROW_BUSY),
                                  mr__row_in(c.word, 1, MR_ROW_DONE)));
    EXPECT_EQ(mr__warden_quarantine(&a, 1), 0);
    EXPECT_EQ(state(slot), MR_SLOT_AVAILABLE);
}

TEST_F(Slots, ACommanderThatDiesInAMoveIsFollowedByOneThatDoesNotMoveAgain)
{
    int slot = plan();
    uint64_t w;
    claim(1);
    mr__warden_quarantine(&a, 1);
    ASSERT_EQ(mr__slot_copy_waiting(&a, seq, &w), slot);
    int to = copy_of(slot);
    EXPECT_FALSE(mr__slot_moved(word(slot)));
    fill_all(); /* and delivered, before the next commander looks */
    EXPECT_TRUE(mr__trainer_lease(&a, (uint32_t)to, 1));
    EXPECT_TRUE(mr__trainer_release(&a, (uint32_t)to, 1));
    mr__warden_recover(&a, 0);
    ASSERT_TRUE(mr__commander_move(&a, seq));
    EXPECT_TRUE(mr__slot_moved(word(slot)));
    EXPECT_EQ(state(to), MR_SLOT_FREE);
}

TEST_F(Slots, ACopyThatIsQuarantinedBeforeTheOldSlotWasMarkedMovesOnItself)
{
    open(2, 2);
    int slot = plan();
    uint64_t w;
    claim(1);
    mr__warden_quarantine(&a, 1);
    ASSERT_EQ(mr__slot_copy_waiting(&a, seq, &w), slot);
    int second = copy_of(slot);
    claim(2);
    EXPECT_EQ(mr__warden_quarantine(&a, 2), 1);
    ASSERT_TRUE(mr__commander_move(&a, seq));
    EXPECT_TRUE(mr__slot_moved(word(slot)));
    EXPECT_TRUE(mr__slot_moved(word(second)));
    int reserved = 0;
    for (int i = 0; i < 4; i++)
        reserved += state(i) == MR_SLOT_RESERVED && mr__slot_round(word(i)) == 2;
    EXPECT_EQ(reserved, 1) << "neither lost nor doubled";
}

TEST_F(Slots, TheLargestSeqIsKnownAlthoughAMoveHasWrittenOverIt)
{
    open(3, 0);
    int slot = plan();
    claim(1);
    claim(1);
    plan();
    fill_all();
    for (int i = 0; i < 3; i++)
        if (mr__slot_seq(word(i)) == 2) { /* completion order */
            EXPECT_TRUE(mr__trainer_lease(&a, (uint32_t)i, 2));
            EXPECT_TRUE(mr__trainer_release(&a, (uint32_t)i, 2));
        }
    for (int i = 0; i < 3; i++)
        if (mr__slot_seq(word(i)) == 0) { /* leave no other place to move to */
            uint64_t w = word(i);
            mr__word_move(&mr__slot(&a, (uint32_t)i)->word, w,
                          mr__slot_with(w, MR_SLOT_PROCESSING));
        }
    mr__warden_quarantine(&a, 1);
    ASSERT_TRUE(mr__commander_move(&a, seq));
    EXPECT_GE(copy_of(slot), 0);
    EXPECT_EQ(mr__commander_last_seq(&a), 2u);
}

TEST_F(Slots, WithoutAFreeSlotTheMoveIsToBeTriedAgain)
{
    open(1, 1);
    plan();
    claim(1);
    int other = state(0) == MR_SLOT_FREE ? 0 : 1;
    uint64_t w = word(other);
    mr__word_move(&mr__slot(&a, (uint32_t)other)->word, w, mr__slot_with(w, MR_SLOT_PROCESSING));
    mr__warden_quarantine(&a, 1);
    EXPECT_FALSE(mr__commander_move(&a, seq));
}

TEST_F(Slots, ACancelledQuarantineDoesNotMove)
{
    int slot = plan();
    claim(1);
    mr__warden_quarantine(&a, 1);
    mr__commander_cancel(&a, 1);
    EXPECT_TRUE(mr__slot_moved(word(slot)));
    ASSERT_TRUE(mr__commander_move(&a, seq));
    EXPECT_EQ(copy_of(slot), -1);
    mr__warden_recover(&a, 1);
    EXPECT_EQ(state(slot), MR_SLOT_FREE);
}

TEST_F(Slots, ACancelledSlotWhoseWriterIsStuckIsQuarantinedAsMoved)
{
    int slot = plan();
    claim(1);
    mr__commander_cancel(&a, 1);
    EXPECT_EQ(state(slot), MR_SLOT_CANCELLED);
    EXPECT_EQ(mr__warden_quarantine(&a, 1), 1);
    EXPECT_TRUE(mr__slot_moved(word(slot)));
    mr__warden_recover(&a, 1);
    EXPECT_EQ(state(slot), MR_SLOT_FREE);
}

TEST_F(Slots, ARefillEmptiesWhatIsNotDeliveredAndTaintsWhatIsLeased)
{
    open(3, 1);
    plan();
    fill_all();
    int leased = -1, ready = -1, begun;
    for (int i = 0; i < 4; i++)
        leased = state(i) == MR_SLOT_AVAILABLE ? i : leased;
    ASSERT_TRUE(mr__trainer_lease(&a, (uint32_t)leased, 1));
    ready = plan();
    fill_all();
    ASSERT_EQ(state(ready), MR_SLOT_AVAILABLE);
    begun = plan();
    mr_claim done = claim(1);
    EXPECT_TRUE(mr__producer_finish(&a, &done, 0));
    uint32_t tainted;
    EXPECT_EQ(mr__warden_refill(&a, &tainted), 2u);
    EXPECT_EQ(tainted, 1u);
    EXPECT_TRUE(mr__trainer_tainted(&a, (uint32_t)leased, 1));
    for (int slot : {ready, begun}) {
        EXPECT_EQ(state(slot), MR_SLOT_RESERVED);
        EXPECT_EQ(mr__slot_round(word(slot)), 1u);
        EXPECT_FALSE(mr__trainer_tainted(&a, (uint32_t)slot, mr__slot_seq(word(slot))));
    }
    int rows = 0;
    for (mr_claim c; mr__producer_claim(&a, 2, &c); rows++)
        EXPECT_TRUE(mr__producer_finish(&a, &c, 0));
    EXPECT_EQ(rows, 4);
    EXPECT_EQ(state(ready), MR_SLOT_AVAILABLE);
    EXPECT_EQ(state(begun), MR_SLOT_AVAILABLE);
    EXPECT_FALSE(mr__producer_finish(&a, &done, 0)) << "of the round before";
    EXPECT_TRUE(mr__trainer_release(&a, (uint32_t)leased, 1));
}

TEST_F(Slots, ARefillLeavesEndsOfEpochsAlone)
{
    int slot = plan(0, 0);
    uint32_t tainted;
    ASSERT_EQ(state(slot), MR_SLOT_AVAILABLE);
    EXPECT_EQ(mr__warden_refill(&a, &tainted), 0u);
    EXPECT_EQ(state(slot), MR_SLOT_AVAILABLE);
}

TEST_F(Slots, ALateClaimOfTheRoundBeforeFindsNothing)
{
    int slot = plan();
    uint64_t before = word(slot);
    uint32_t tainted;
    mr__warden_refill(&a, &tainted);
    EXPECT_FALSE(mr__word_move(&mr__slot_rows(&a, (uint32_t)slot)[0],
                               mr__row_in(before, 0, MR_ROW_EMPTY),
                               mr__row_in(before, 1, MR_ROW_BUSY)));
    mr__slot_settle(&a, (uint32_t)slot, before);
    EXPECT_EQ(state(slot), MR_SLOT_RESERVED);
}
