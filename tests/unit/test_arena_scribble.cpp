// SPDX-License-Identifier: Apache-2.0
//
// A process that crashes may have written anywhere in the control memory before. Nobody who reads
// it then may leave his mappings, loop for ever or crash; what is impossible is seen.
// MR_SCRIBBLES=N: rounds of random bytes (default: 2,000).
#include <gtest/gtest.h>

extern "C" {
#include "shm/report.h"
#include "shm/slot_steps.h"
#include "shm/verdict.h"
}

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <random>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace
{

void plan(const mr_arena &a, uint64_t seq)
{
    uint64_t word;
    int slot = mr__commander_take(&a, &word);
    if (slot < 0)
        return;
    mr_plan_head head = {};
    head.first_seq = 1;
    head.rows = head.tasks = 4;
    mr__plan_write_head(mr__plan_head(&a, (uint32_t)slot), &head);
    mr__commander_publish(&a, (uint32_t)slot, word, seq);
}

// What every process does, once.
void use_all(const mr_arena &a, std::mt19937 &random)
{
    mr_errbuf e;
    mr_event event;
    mr_claim claim;
    uint32_t tainted, n;
    uint64_t word;
    mr_verdict v;
    mr__arena_check_words(&a, &e);
    mr__commander_take(&a, &word);
    mr__commander_move(&a, mr__commander_last_seq(&a));
    mr__commander_cancel(&a, random() % 2);
    plan(a, 1 + random() % 4);
    for (int i = 0; i < 20 && mr__producer_claim(&a, 1 + random() % 3, &claim); i++) {
        ASSERT_LT(claim.slot, a.shape.slots);
        ASSERT_LT(claim.task, a.shape.tasks);
        mr__producer_finish(&a, &claim, 0);
    }
    for (uint32_t i = 0; i < a.shape.slots; i++) {
        mr__trainer_lease(&a, i, 1 + random() % 3);
        mr__trainer_release(&a, i, 1 + random() % 3);
    }
    mr__warden_recover(&a, 5);
    mr__warden_quarantine(&a, 5);
    mr__warden_refill(&a, &tainted);
    mr__verdict_find(&a, 0, 0, 0, 0, &v);
    for (mr_verdict_part part : {MR_VERDICTS_LISTED, MR_VERDICTS_MET, MR_VERDICTS_GIVEN}) {
        mr__verdicts(&a, part, &n);
        ASSERT_LE(n, 100000u);
    }
    mr__run_failed(&a, &e);
    for (uint32_t lane = 0; lane < mr__lane_count(&a); lane++) {
        int lines = 0;
        while (mr__report_take(&a, lane, &event))
            ASSERT_LE(++lines, MR_LANE_EVENTS) << "more lines than a ring holds";
    }
}

// In a child: 0, or the signal that it died of.
template <class Body> int dies_of(Body body)
{
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGSEGV, SIG_DFL);
        _exit(body());
    }
    int status = -1;
    waitpid(pid, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

class Scribble : public ::testing::Test
{
  protected:
    mr_arena a = {};
    std::vector<uint8_t> good;
    std::mt19937 random{1};

    void SetUp() override
    {
        mr_arena_spec spec = {};
        spec.slots = 3;
        spec.spares = 1;
        spec.rows = spec.tasks = 4;
        spec.producers = 2;
        spec.hands = 2;
        spec.slot_data_bytes = 4096;
        spec.message_bytes = 64;
        spec.listed_max = 3;
        mr_errbuf e;
        ASSERT_EQ(mr__arena_create(&a, &spec, &e), MR_OK) << e.text;
        a.ready_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        plan(a, 1);
        plan(a, 2);
        mr_claim claim;
        for (int i = 0; i < 6; i++)
            if (mr__producer_claim(&a, 5, &claim) && i < 5)
                mr__producer_finish(&a, &claim, i == 3 ? 7 : 0);
        mr__report_log(&a, MR_LANE_PRODUCERS, 1, "a line");
        good.assign(bytes(), bytes() + a.shape.control_bytes);
    }
    void TearDown() override
    {
        mr__arena_unmap(&a);
    }
    uint8_t *bytes()
    {
        return reinterpret_cast<uint8_t *>(a.control);
    }
    void restore()
    {
        memcpy(bytes(), good.data(), good.size());
    }
    bool corrupt(std::string *text = nullptr)
    {
        mr_errbuf e = {};
        int rc = mr__arena_check_words(&a, &e);
        EXPECT_TRUE(rc == MR_OK || rc == MR_E_CORRUPT);
        if (text)
            *text = e.text;
        return rc != MR_OK;
    }
    void use()
    {
        use_all(a, random);
    }
};

TEST_F(Scribble, AProducerCannotMakeThePlanWritable)
{
    mr_errbuf e = {};
    EXPECT_EQ(dies_of([&] {
                  if (mr__arena_protect_plan(&a, &e) < 0)
                      return 1;
                  bool reads = mr__plan_head(&a, 0)->rows == 4;
                  bool writes = mprotect(a.plan, a.shape.plan_bytes, PROT_READ | PROT_WRITE) == 0 ||
                                errno != EACCES;
                  return !reads + 2 * writes;
              }),
              0);
    EXPECT_EQ(dies_of([&] {
                  mr__arena_protect_plan(&a, &e);
                  a.plan[0] = 1;
                  return 0;
              }),
              SIGSEGV);
}

TEST_F(Scribble, ACommanderCannotReachThePixels)
{
    mr_errbuf e = {};
    EXPECT_EQ(dies_of([&] {
                  if (mr__arena_hide_data(&a, &e) < 0 || a.data_fd >= 0)
                      return 1;
                  a.data[0] = 1;
                  return 0;
              }),
              SIGSEGV);
    a.data[0] = 1; // still the others'
}

TEST_F(Scribble, WhatIsRightIsRight)
{
    std::string text;
    EXPECT_FALSE(corrupt(&text)) << text;
    use();
    EXPECT_FALSE(corrupt(&text)) << text;
}

TEST_F(Scribble, EveryByteOfTheLayoutIsHeldAgainstACopy)
{
    for (size_t i = 0; i < offsetof(mr_control, max_restarts); i++) {
        bytes()[i] ^= 0x41;
        EXPECT_TRUE(corrupt()) << "byte " << i;
        use(); /* goes by the copy */
        restore();
    }
}

TEST_F(Scribble, ImpossibleWordsAreSeen)
{
    uint64_t *slot = &mr__slot(&a, 0)->word, *rows = mr__slot_rows(&a, 0), good_word = *slot;
    struct {
        uint64_t *at, word;
        const char *says;
    } cases[] = {
        {slot, mr__slot_word(1, MR_SLOT_STATES), "a state that there is not"},
        {slot, mr__slot_word(0, MR_SLOT_RESERVED), "a state without a batch"},
        {slot, mr__slot_with_moved(good_word, MR_SLOT_AVAILABLE), "its state cannot have"},
        {slot, good_word | 0x8000, "a flag that there is not"},
        {rows, mr__row_in(good_word, 0, MR_ROW_STATES), "a row in a state that there is not"},
        {rows, mr__row_in(good_word, 3, MR_ROW_EMPTY), "an empty row that belongs to somebody"},
        {rows, mr__row_in(good_word, 0, MR_ROW_BUSY), "a busy row that belongs to nobody"},
        {rows, mr__row_in(good_word + 0x10000, 0, MR_ROW_EMPTY), "a row of another batch"},
        {&a.control->request_id, 1000, "make no sense"},
    };
    for (auto &c : cases) {
        std::string text;
        *c.at = c.word;
        EXPECT_TRUE(corrupt(&text)) << c.says;
        EXPECT_NE(text.find(c.says), std::string::npos) << text;
        EXPECT_NE(text.find("out of bounds"), std::string::npos) << text;
        restore();
    }
}

TEST_F(Scribble, APlanThatIsTooLargeIsSeen)
{
    mr__plan_head(&a, 0)->tasks = 5;
    mr__plan_head(&a, 1)->tasks = 5;
    mr__plan_head(&a, 2)->tasks = 5;
    std::string text;
    EXPECT_TRUE(corrupt(&text));
    EXPECT_NE(text.find("larger than itself"), std::string::npos) << text;
    use();
}

TEST_F(Scribble, RandomBytesLeadNobodyAstray)
{
    const char *knob = getenv("MR_SCRIBBLES");
    int rounds = knob ? atoi(knob) : 2000, seen = 0;
    for (int round = 0; round < rounds && !HasFatalFailure(); round++) {
        uint64_t n = 1 + random() % 4096;
        uint64_t at = random() % (a.shape.control_bytes - n);
        int kind = (int)(random() % 3);
        for (uint64_t i = 0; i < n; i++)
            bytes()[at + i] = kind == 0 ? 0xff : kind == 1 ? 0 : (uint8_t)random();
        seen += corrupt();
        use();
        use();
        restore();
    }
    EXPECT_GT(seen, 0); /* most of the region is text and counters */
}

TEST_F(Scribble, ALayoutThatDoesNotFitTogetherIsNotAttached)
{
    mr_errbuf e;
    for (size_t i = 0; i < offsetof(mr_control, max_restarts); i++) {
        mr_arena b = {};
        b.control_fd = dup(a.control_fd);
        b.plan_fd = dup(a.plan_fd);
        b.data_fd = dup(a.data_fd);
        b.ready_fd = b.warden_fd = -1;
        bytes()[i] ^= 0x80;
        int rc = mr__arena_attach(&b, a.shape.signature | 1, &e);
        EXPECT_LT(rc, 0) << "byte " << i;
        EXPECT_TRUE(rc == MR_E_CORRUPT || rc == MR_E_VERSION || rc == MR_E_MEMORY) << e.text;
        restore();
        mr__arena_unmap(&b);
    }
}

} // namespace
