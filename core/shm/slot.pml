/* SPDX-License-Identifier: Apache-2.0
 *
 * slot.pml: the slot protocol of core/README.md as a Promela model, with a death possible at every
 * step. tests/proc/model_check.sh runs it; docs/reliability.md says what was covered.
 *
 * A d_step is one atomic access to shared memory with its local consequences. Folded together,
 * because nothing can tell the difference or because the folded step allows more, not less:
 *   - looking at a bell and the first look at a slot after it (which misses a ring in between),
 *   - counting a bell up and waking (a death before both leaves the same sleepers),
 *   - a read that the compare-and-swap of the exact word after it proves right,
 *   - "all rows ended under this seq" (DONE is final in a generation: the last read decides),
 *   - a dead producer's rows given back (it holds one at most),
 *   - a FREE slot's record, head and row words written by the commander (nobody believes them yet).
 *
 * Checked: no invalid end state (nobody asleep with work left, everybody gone at the end); every
 * batch of the trainer's stream delivered once and in order; whole and right pixels in a slot from
 * lease to release; no store into a row of a slot that is not being filled or drained.
 * -DNO_x leaves out one rule, and must then be seen to fail.
 */

/* ---- size ---- */
#ifndef PRODUCERS
#define PRODUCERS 2
#endif
#ifndef SLOTS
#define SLOTS 1
#endif
#ifndef ROWS
#define ROWS 2
#endif
#ifndef BATCHES
#define BATCHES 2 /* of each stream, markers counted */
#endif
#ifndef LEASES
#define LEASES 1 /* slots that the trainer may hold at a time */
#endif
#ifndef MARKER
#define MARKER 0 /* this batch of each stream has no rows: the end of an epoch */
#endif
/* -DCOMPLETION: delivery in completion order instead of the stream's */

/* ---- what goes wrong, and how often ---- */
#ifndef DEATHS
#define DEATHS 0 /* of producers: killed from outside, or suspected and fenced by the warden */
#endif
#ifndef COMMANDER_DEATHS
#define COMMANDER_DEATHS 0
#endif
#ifndef TRAINER_DEATHS
#define TRAINER_DEATHS 0
#endif
#ifndef CANCELS
#define CANCELS 0
#endif
#ifndef STUCK
#define STUCK 0 /* producers that SIGKILL does not end: they go on storing, and may end later */
#endif
#ifndef SPARES
#define SPARES 0 /* of SLOTS: kept free for batches that move out of a quarantined slot */
#endif
#ifndef CRASHES
#define CRASHES 0 /* of producers, after stray stores into every row: slots are filled again */
#endif
#ifndef MAX_LEASE
#define MAX_LEASE 4 /* PRODUCERS + DEATHS + STUCK + CRASHES * PRODUCERS at most */
#endif

/* ---- words ---- */
#define FREE 0
#define RESERVED 1
#define AVAILABLE 2
#define PROCESSING 3
#define CANCELLED 4
#define QUARANTINED 5
#define MOVED 8 /* flag: the batch of a quarantined slot is elsewhere, or not wanted any more */
/* A tag is what a slot and its rows agree in: the seq and, where batches move or are filled again,
 * the round: how often they were. */
#if STUCK || CRASHES
#define ROUNDS 4
#else
#define ROUNDS 1
#endif
#define TAG(seq, round) ((seq) * ROUNDS + (round))
#define WORD(tag, state) ((tag) * 16 + (state))
#define TAGOF(word) ((word) / 16)
#define SEQ(word) ((word) / 16 / ROUNDS)
#define STATE(word) ((word) % 8)
#define WITH(word, state) WORD(TAGOF(word), state)
#ifdef NO_ROUND
#define NEXT_ROUND(tag) (tag)
#else
#define NEXT_ROUND(tag) ((tag) / ROUNDS * ROUNDS + ((tag) + 1) % ROUNDS)
#endif
#define UNMOVED(word) ((word) % 16 == QUARANTINED)

#define EMPTY 0
#define BUSY 1
#define DONE 2
#define ROW(gen, lease, state) ((gen) * 64 + (lease) * 4 + (state))
#define GEN(row) ((row) / 64) /* a tag */
#define LEASE(row) (((row) / 4) % 16)
#define ROWSTATE(row) ((row) % 4)

/* ---- places: 1 .. BATCHES are stream 0, the next BATCHES stream 1, ...; 0: none ---- */
#define STREAM(place) ((place) == 0 -> 0 : ((place) - 1) / BATCHES)
#define ORDINAL(place) (((place) - 1) % BATCHES + 1)
#define FIRST(stream) ((stream) * BATCHES + 1)
#define LAST(stream) ((stream) * BATCHES + BATCHES)
#define EPOCH(place) (ORDINAL(place) > MARKER)
#define TASKS(place) (MARKER && (place) && ORDINAL(place) == MARKER -> 0 : ROWS)
#define TORN 255
#define STRAY 254 /* by a producer that is about to crash */

/* ---- shared memory ---- */
short slot[SLOTS];
short row[SLOTS * ROWS];
byte pixels[SLOTS * ROWS]; /* whose they are: a place; TORN: being written; 0: released */
byte head[SLOTS];          /* the plan head and messages: the place that the slot is to hold */
byte record[2];            /* the place of seq, in [seq % 2] */
#if STUCK
byte planned;              /* a seq that was planned, should no slot say so any more */
#endif
#if CRASHES
byte tainted[SLOTS];       /* the seq that was leased in it when a producer crashed */
bit unhandled;             /* not memory: between a crash and the end of its refill */
#endif
byte request;              /* the stream that the trainer wants */
bit stop;
bit ready; /* the trainer's eventfd */
/* The bells. 1: has looked, not rung since; 2: asleep; 0: neither. [0] is the commander's, the last
 * its twin's. */
byte bell[MAX_LEASE + 2];

/* ---- life, by lease; [0] is the commander ---- */
#define UNBORN 0
#define LIVE 1
#define DEAD 2      /* its pidfd is readable: it takes no step any more */
#define BURIED 3    /* ... and its rows were given back */
#define SUSPECTED 4 /* without a fence only: taken for dead, and goes on */
#define FORGOTTEN 5
#define UNKILLABLE 6 /* killed, and not dead: makes no claim any more, but goes on with its row */
#define ASIDE 7      /* ... long after: stores at most; its slots are quarantined, it is replaced */
#define LATE 8       /* ... and dead at last */
#define CRASHED 9    /* dead, and who knows where it has stored before */
#define TAKEN_FOR_DEAD(i) (life[i] == DEAD || life[i] == SUSPECTED || life[i] == LATE)
#define ANYBODY(what) \
    (what(1) || what(2) || what(3) || what(4) || (MAX_LEASE > 4 && what(5 % (MAX_LEASE + 1))))
#define IS_UNKILLABLE(i) (life[i] == UNKILLABLE)
#define IS_CRASHED(i) (life[i] == CRASHED)
#define IS_STUCK(i) (life[i] == UNKILLABLE || life[i] == ASIDE)
byte life[MAX_LEASE + 1];
byte deaths = DEATHS; /* still to come; a suspicion is a death too: the fence sees to that */
byte commander_deaths = COMMANDER_DEATHS;
byte trainer_deaths = TRAINER_DEATHS;
#if STUCK
byte stuck = STUCK;
bit failed; /* more slots are quarantined than there are spares: the run ends */
#endif
#if CRASHES
byte crashes = CRASHES;
#endif
byte born = PRODUCERS; /* leases given */
byte commander;        /* the live one's number: the dead stay dead when the next is LIVE */
bit trainer_dead;

#define EACH_SLOT (1 << SLOTS) - 1

inline ring_work(k) {
    k = 1;
    do
    :: k <= MAX_LEASE -> bell[k] = 0; k++
    :: else -> break
    od;
    k = 0
}

inline ring_free() { bell[0] = 0; bell[MAX_LEASE + 1] = 0 }

inline wake_everybody(k) {
    ring_work(k);
    ring_free();
    ready = 1
}

#ifdef NO_SEQ /* the CAS compares the state only */
#define IS(word, tag, state) ((word) % 16 == (state))
#else
#define IS(word, tag, state) ((word) == WORD(tag, state))
#endif

inline free_slot(i) { slot[i] = WITH(slot[i], FREE) }

/* In what follows, and in every process's `seq`, stands a tag. */

/* result: have all rows of slot s ended under seq? */
inline all_ended(s, seq, k, result) {
    k = 0;
    result = 1;
    do
    :: k < TASKS(head[s]) ->
        if
        :: GEN(row[s * ROWS + k]) != (seq) || ROWSTATE(row[s * ROWS + k]) != DONE -> result = 0
        :: else
        fi;
        k++
    :: else -> break
    od;
    k = 0
}

/* result: 1 if the slot became AVAILABLE, 2 if FREE, 0 if neither */
inline move_on(s, seq, result) {
    if
    :: IS(slot[s], seq, RESERVED) -> slot[s] = WITH(slot[s], AVAILABLE); result = 1
    :: IS(slot[s], seq, CANCELLED) -> slot[s] = WITH(slot[s], FREE); result = 2
#ifdef NO_MOVED
    :: IS(slot[s], seq, QUARANTINED) -> slot[s] = WITH(slot[s], FREE); result = 2
#endif
    :: IS(slot[s], seq, QUARANTINED + MOVED) -> slot[s] = WITH(slot[s], FREE); result = 2
    :: else -> result = 0
    fi
}

inline close_row(s, seq, r) {
    if
    :: row[s * ROWS + r] == ROW(seq, 0, EMPTY) -> row[s * ROWS + r] = ROW(seq, 0, DONE)
    :: else
    fi
}

/* ---- steps: `at` says which one is next ---- */
#define SCAN 0
#define TRY 1
#define STORE 2
#define STORED 3
#define FINISH 4
#define SETTLE 5
#define MOVE_ON 6
#define SIGNAL 7
#define RING 8
#define WAIT 9
#define ASLEEP 10
#define LOOK 11
#define CANCEL 12
#define CLOSE 13
#define PREPARE 14
#define RESERVE 15
#define GIVE_BACK 16
#define READ 17
#define WAKE 18
#define BEAR 19
#define TAKE 20
#define LEAVE 21
#define FROZEN 22
#define FIND 23
#define COPY 24
#define MOVE 25
#define MARK 26
#define FILL 27
#define RESET 28
#define AGAIN 29
#define SEIZE 30

/* Whoever stores into a row must be in a slot that is being filled or drained. */
#ifdef PIXELS_ONLY /* leave it to the trainer to notice */
#define FILLING(s) true
#else
#define FILLING(s) (TAGOF(slot[s]) == seq && \
    (STATE(slot[s]) == RESERVED || STATE(slot[s]) == CANCELLED || STATE(slot[s]) == QUARANTINED))
#endif

#ifdef NO_GEN
#define CLAIMABLE(word, seq) (ROWSTATE(word) == EMPTY)
#define MINE(word, seq, me) (ROWSTATE(word) == BUSY && LEASE(word) == me)
#else
#define CLAIMABLE(word, seq) ((word) == ROW(seq, 0, EMPTY))
#define MINE(word, seq, me) ((word) == ROW(seq, me, BUSY))
#endif

#define ALIVE(me) \
    (life[me] == LIVE || life[me] == SUSPECTED || life[me] == FORGOTTEN || IS_STUCK(me))
#define NEXT(step) ALIVE(me) && life[me] != ASIDE && at == step
#define NEXT_STORE(step) ALIVE(me) && at == step

inline forget() {
    bell[me] = 0;
    at = 0; s = 0; r = 0; seq = 0; place = 0; todo = 0
}

/* Makes no step any more; holds the row that it holds. */
inline freeze() { bell[me] = 0; at = FROZEN; s = 0; r = 0; seq = 0; place = 0; todo = 0 }

inline scan_again() {
    s = 0;
    r = 0;
    seq = 0;
    if
    :: IS_STUCK(me) -> at = FROZEN
    :: else -> todo = EACH_SLOT; at = SCAN
    fi
}

/* Looks at slot i. Oldest first is a hint: -DANY_ORDER must do as well. */
#ifdef ANY_ORDER
#define FIRST_OF(i) (todo & (1 << i))
#elif SLOTS == 1
#define FIRST_OF(i) true
#elif SLOTS == 2
#define AGE(i) (SEQ(slot[i]) * 2 + (i))
#define FIRST_OF(i) ((todo & (1 << i)) && (!(todo & (2 >> i)) || AGE(i) < AGE(1 - i)))
#endif
#define VISIT(i) \
    d_step { NEXT(SCAN) && FIRST_OF(i) -> \
        if \
        :: todo == EACH_SLOT -> bell[me] = 1 \
        :: else \
        fi; \
        todo = todo & ~(1 << i); \
        if \
        :: STATE(slot[i]) == RESERVED -> s = i; seq = TAGOF(slot[i]); at = TRY \
        :: else -> if :: todo == 0 -> at = WAIT :: else fi \
        fi }

proctype Producer(byte me) {
    byte at, s, r, seq, place, k;
    byte todo = EACH_SLOT;
    do
    :: VISIT(0)
#if SLOTS > 1
    :: VISIT(1)
#endif
#if SLOTS > 2
    :: VISIT(2)
#endif
    :: d_step { NEXT(TRY) -> /* to claim row r */
        if
        :: r < TASKS(head[s]) && CLAIMABLE(row[s * ROWS + r], seq) ->
            row[s * ROWS + r] = ROW(seq, me, BUSY);
            bell[me] = 0;
            todo = 0;
            at = STORE
        :: else ->
            r++;
            if
            :: r >= TASKS(head[s]) -> s = 0; r = 0; seq = 0; at = (todo -> SCAN : WAIT)
            :: else
            fi
        fi }
    :: d_step { NEXT_STORE(STORE) ->
        assert(FILLING(s));
        place = head[s];
        pixels[s * ROWS + r] = TORN;
        at = STORED }
    :: d_step { NEXT_STORE(STORED) ->
        assert(FILLING(s));
        pixels[s * ROWS + r] = place;
        place = 0;
        at = FINISH }
    :: d_step { NEXT(FINISH) ->
        if
        :: MINE(row[s * ROWS + r], seq, me) ->
            row[s * ROWS + r] = ROW(seq, me, DONE);
            r = 0;
            at = SETTLE
        :: else -> scan_again()
        fi }
    :: d_step { NEXT(SETTLE) ->
        all_ended(s, seq, k, at);
        if
        :: at -> at = MOVE_ON
        :: else -> scan_again()
        fi }
    :: d_step { NEXT(MOVE_ON) ->
        move_on(s, seq, at);
        if
        :: at == 1 -> s = 0; seq = 0; at = SIGNAL
        :: at == 2 -> s = 0; seq = 0; at = RING
        :: else -> scan_again()
        fi }
    :: d_step { NEXT(SIGNAL) -> ready = 1; scan_again() }
    :: d_step { NEXT(RING) -> ring_free(); scan_again() }
    :: d_step { NEXT(WAIT) ->
        if
        :: stop -> bell[me] = 0; at = LEAVE
        :: else ->
            if
            :: bell[me] == 1 -> bell[me] = 2; at = ASLEEP
            :: else -> scan_again()
            fi
        fi }
    :: d_step { NEXT(ASLEEP) && bell[me] != 2 -> scan_again() }
#ifdef NO_FENCE
    :: d_step { life[me] == LIVE && deaths && !stop -> deaths--; life[me] = SUSPECTED }
#else
    :: d_step { life[me] == LIVE && deaths && !stop -> deaths--; life[me] = DEAD; forget() }; break
#endif
#if STUCK
    :: d_step { life[me] == LIVE && stuck && !stop ->
        stuck--;
        life[me] = UNKILLABLE;
        if
        :: at >= STORE && at <= MOVE_ON
        :: else -> freeze()
        fi }
    :: d_step { IS_STUCK(me) && at == FINISH -> at = STORE }
    :: d_step { IS_STUCK(me) && at != FROZEN -> freeze() }
    :: d_step { IS_STUCK(me) && (at != FROZEN || stop) -> /* frozen: for ever, for all we know */
        life[me] = (life[me] == ASIDE -> LATE : DEAD);
        forget() };
        break
#endif
#if CRASHES
    :: d_step { life[me] == LIVE && crashes && !stop ->
        crashes--;
        life[me] = CRASHED;
        unhandled = 1;
        do
        :: k < SLOTS * ROWS -> pixels[k] = STRAY; k++
        :: else -> break
        od;
        k = 0;
        forget() };
        break
#endif
    :: d_step { !ALIVE(me) || at == LEAVE -> forget() }; break
    od
}

/* Largest seq q of any slot (0: none yet) and the place of its batch: all that a commander knows of
 * what is planned. */
inline newest(q, place, k) {
    k = 0;
    q = 0;
    place = 0;
    do
    :: k < SLOTS ->
        if
        :: SEQ(slot[k]) > q ->
            q = SEQ(slot[k]);
#ifdef NO_RECORD /* the head of that slot, which may be FREE and already re-written */
            place = head[k]
#else
            place = record[q % 2]
#endif
        :: else
        fi;
        k++
    :: else -> break
    od;
#if STUCK && !defined(NO_PLANNED)
    if
    :: planned > q -> q = planned; place = record[q % 2]
    :: else
    fi;
#endif
    k = 0
}

/* The place behind `place` in the stream `wanted`, 0 when all is planned. */
inline advance(place, wanted) {
    if
    :: wanted > STREAM(place) -> place = FIRST(wanted)
    :: wanted <= STREAM(place) && place == LAST(STREAM(place)) -> place = 0
    :: else -> place++
    fi
}

#if STUCK
/* Slot i is quarantined, and its batch is nowhere else. */
#define SAME(i, j) (j < SLOTS && SEQ(slot[i]) == SEQ(slot[(j) % SLOTS]) && \
    TAGOF(slot[i]) < TAGOF(slot[(j) % SLOTS]))
#ifdef NO_SEARCH
#define ELSEWHERE(i) false
#else
#define ELSEWHERE(i) (SAME(i, 0) || SAME(i, 1) || SAME(i, 2))
#endif
#define FREE_ONE(i) (i < SLOTS && STATE(slot[(i) % SLOTS]) == FREE -> 1 : 0)
#define IDLE_ONE(i) (i < SLOTS && STATE(slot[(i) % SLOTS]) == QUARANTINED -> 1 : 0)
/* More slots are free than spares are unused. */
#define MAY_PLAN (FREE_ONE(0) + FREE_ONE(1) + FREE_ONE(2) + IDLE_ONE(0) + IDLE_ONE(1) + \
    IDLE_ONE(2) > KEPT_FREE && (FREE_ONE(0) || FREE_ONE(1) || FREE_ONE(2)))
#ifdef NO_SPARE
#define KEPT_FREE 0
#else
#define KEPT_FREE SPARES
#endif
#define OUT_OF_SPARES (IDLE_ONE(0) + IDLE_ONE(1) + IDLE_ONE(2) > SPARES)

/* from: a quarantined slot to be seen to, SLOTS: none. What has moved is marked before anything
 * else moves: the slot that a batch has moved to may be free by now. */
inline find_unmoved() {
    from = 0;
    do
    :: from < SLOTS && !(UNMOVED(slot[from]) && ELSEWHERE(from)) -> from++
    :: else -> break
    od;
    if
    :: from < SLOTS -> at = MARK
    :: else ->
        from = 0;
        do
        :: from < SLOTS && !UNMOVED(slot[from]) -> from++
        :: else -> break
        od;
        at = FIND
    fi
}
#else
#define MAY_PLAN true
#endif

inline plan_next() {
#if STUCK
    find_unmoved();
    if
    :: from < SLOTS ->
        place = 0;
        moving = 1;
        if
        :: at == FIND -> todo = EACH_SLOT
#ifdef MARK_FIRST
            ; slot[from] = slot[from] | MOVED
#endif
        :: else
        fi
    :: else -> from = 0; at = WAIT;
#endif
    advance(place, wanted);
    if
    :: place && MAY_PLAN -> todo = EACH_SLOT; at = TAKE
    :: else -> at = WAIT
    fi;
    place = 0
#if STUCK
    fi
#endif
}


#ifdef NO_COMMANDER_FENCE
#define IN_OFFICE (life[0] != DEAD)
#define DESK (me == 0 -> 0 : MAX_LEASE + 1)
#else
#define DESK 0
#define IN_OFFICE (life[0] == LIVE && commander == me)
#endif
#define DUTY(step) IN_OFFICE && at == step

#define TAKE_SLOT(i) \
    d_step { DUTY(TAKE) && (todo & (1 << i)) -> \
        todo = todo & ~(1 << i); \
        if \
        :: STATE(slot[i]) == FREE -> s = i; word = slot[i]; todo = 0; at = PREPARE \
        :: else -> if :: todo == 0 -> at = WAIT :: else fi \
        fi }

inline next_slot_to_cancel() {
    r = 0;
    seq = 0;
    s++;
    if
    :: s < SLOTS -> at = CANCEL
    :: else -> s = 0; done = wanted; newest(q, place, k); q = 0; plan_next()
    fi
}

/* FIND: any FREE slot; there must be one. */
#define FIND_SLOT(i) \
    d_step { DUTY(FIND) && (todo & (1 << i)) -> \
        todo = todo & ~(1 << i); \
        if \
        :: STATE(slot[i]) == FREE -> s = i; word = slot[i]; todo = 0; at = COPY \
        :: else -> \
            if \
            :: todo == 0 -> from = 0; moving = 0; at = WAIT \
            :: else \
            fi \
        fi }

inline retire() {
#if STUCK
    from = 0; moving = 0;
#endif
    bell[DESK] = 0;
    at = 0; s = 0; r = 0; seq = 0; q = 0; place = 0; wanted = 0; done = 0; todo = 0; word = 0
}

proctype Commander(byte me) {
    byte s, r, seq, q, place, wanted, done, todo, k;
    byte at = LOOK;
    short word;
#if STUCK
    byte from;  /* the slot that a batch moves out of */
    bit moving; /* settling that one */
#endif
    do
    :: d_step { DUTY(LOOK) ->
        bell[DESK] = 1;
        wanted = request;
        newest(q, place, k);
        q = 0;
        if
        :: wanted > done && wanted > STREAM(place) -> place = 0; at = CANCEL
        :: else -> plan_next()
        fi }
    :: d_step { DUTY(CANCEL) ->
        if
        :: STREAM(head[s]) >= wanted -> next_slot_to_cancel()
        :: else ->
            if
#ifdef NO_DRAIN
            :: STATE(slot[s]) == RESERVED -> free_slot(s); next_slot_to_cancel()
#else
            :: STATE(slot[s]) == RESERVED ->
                seq = TAGOF(slot[s]);
                slot[s] = WORD(seq, CANCELLED);
                at = CLOSE
#endif
            :: STATE(slot[s]) == CANCELLED -> /* by a commander that died here */
                seq = TAGOF(slot[s]);
                at = CLOSE
            :: UNMOVED(slot[s]) -> /* its EMPTY rows are closed by the warden */
                seq = TAGOF(slot[s]);
#ifndef NO_MARK_IN_CANCEL
                slot[s] = WORD(seq, QUARANTINED + MOVED);
#endif
                at = SETTLE
            :: STATE(slot[s]) == AVAILABLE -> free_slot(s); next_slot_to_cancel()
            :: else -> next_slot_to_cancel()
            fi
        fi }
    :: d_step { DUTY(CLOSE) ->
#ifndef NO_CLOSE
        if
        :: r < TASKS(head[s]) -> close_row(s, seq, r)
        :: else
        fi;
#endif
        r++;
        if
        :: r >= TASKS(head[s]) -> r = 0; at = SETTLE
        :: else
        fi }
    :: d_step { DUTY(SETTLE) ->
        all_ended(s, seq, k, at);
        if
        :: at -> at = MOVE_ON
#if STUCK
        :: !at && moving -> s = 0; seq = 0; moving = 0; at = RING
        :: !at && !moving -> next_slot_to_cancel()
#else
        :: else -> next_slot_to_cancel()
#endif
        fi }
    :: d_step { DUTY(MOVE_ON) ->
        move_on(s, seq, at);
        if
#if STUCK
        :: moving -> s = 0; seq = 0; moving = 0; at = RING
        :: else ->
            if
#endif
        :: wanted > done && wanted > STREAM(head[s]) -> next_slot_to_cancel()
        :: else -> s = 0; seq = 0; at = SIGNAL /* a marker */
#if STUCK
            fi
#endif
        fi }
#if STUCK
    :: FIND_SLOT(0)
#if SLOTS > 1
    :: FIND_SLOT(1)
#endif
#if SLOTS > 2
    :: FIND_SLOT(2)
#endif
    :: d_step { DUTY(COPY) -> /* as publish does; this slot may be the last to know a seq */
        seq = NEXT_ROUND(TAGOF(slot[from]));
        newest(q, place, k);
        place = 0;
        planned = q;
        q = 0;
        bell[DESK] = 0;
        head[s] = head[from];
        do
        :: r < TASKS(head[s]) -> row[s * ROWS + r] = ROW(seq, 0, EMPTY); r++
        :: else -> break
        od;
        r = 0;
        at = MOVE }
    :: d_step { DUTY(MOVE) ->
        if
        :: slot[s] == word -> slot[s] = WORD(seq, RESERVED)
        :: else
        fi;
        word = 0;
        s = 0;
        seq = 0;
        at = MARK }
    :: d_step { DUTY(MARK) -> /* and wakes, a step later */
        s = from;
        from = 0;
        seq = TAGOF(slot[s]);
        bell[DESK] = 0;
        if
        :: UNMOVED(slot[s]) -> slot[s] = slot[s] | MOVED
        :: else
        fi;
#ifdef NO_WAIT
        free_slot(s);
#endif
        at = SETTLE }
#endif
    :: TAKE_SLOT(0)
#if SLOTS > 1
    :: TAKE_SLOT(1)
#endif
#if SLOTS > 2
    :: TAKE_SLOT(2)
#endif
    :: d_step { DUTY(PREPARE) ->
        newest(q, place, k);
        advance(place, wanted);
        q++;
        seq = TAG(q, 0);
        bell[DESK] = 0;
        record[q % 2] = place;
        q = 0;
        head[s] = place;
        do
        :: r < TASKS(place) -> row[s * ROWS + r] = ROW(seq, 0, EMPTY); r++
        :: else -> break
        od;
        r = 0;
        place = 0;
        at = RESERVE }
    :: d_step { DUTY(RESERVE) ->
        if
        :: slot[s] == word -> slot[s] = WORD(seq, RESERVED)
        :: else
        fi;
        word = 0;
        if
        :: TASKS(head[s]) == 0 -> at = MOVE_ON
        :: else -> s = 0; seq = 0; at = RING
        fi }
    :: d_step { DUTY(RING) -> ring_work(k); wanted = 0; at = LOOK }
    :: d_step { DUTY(SIGNAL) -> ready = 1; wanted = 0; at = LOOK }
    :: d_step { DUTY(WAIT) ->
        wanted = 0;
        if
        :: stop -> at = LEAVE
        :: else ->
            if
            :: bell[DESK] == 1 -> bell[DESK] = 2; at = ASLEEP
            :: else -> at = LOOK
            fi
        fi }
    :: d_step { DUTY(ASLEEP) && bell[DESK] != 2 -> at = LOOK }
#ifdef NO_COMMANDER_FENCE
    :: d_step { life[0] == LIVE && commander_deaths && !stop ->
        commander_deaths--;
        life[0] = SUSPECTED }
#else
    :: d_step { DUTY(at) && life[0] == LIVE && commander_deaths && !stop ->
        commander_deaths--;
        life[0] = DEAD;
        retire() };
        break
#endif
    :: d_step { !IN_OFFICE || at == LEAVE -> retire() }; break
    od
}

byte delivered; /* batches of its stream that the trainer has got */
byte stream;    /* its stream */
byte held[SLOTS]; /* the place that it holds a lease on, 0: none */
byte leases;

/* The head of an AVAILABLE slot belongs to the batch that is to be delivered next. */
#ifdef NO_STREAM
#define WANTED(place) (ORDINAL(place) == delivered + 1)
#define OLDER(place) false
#elif defined(COMPLETION)
bit got[BATCHES + 1];
#define WANTED(place) (STREAM(place) == stream && \
    (TASKS(place) == 0 -> ORDINAL(place) == delivered + 1 : EPOCH(place) == (delivered >= MARKER)))
#define OLDER(place) (STREAM(place) < stream)
#else
#define WANTED(place) (place == stream * BATCHES + delivered + 1)
#define OLDER(place) (STREAM(place) < stream)
#endif

#if CRASHES
#define TAINTED(s, k) \
    (pixels[(s) * ROWS + k] == STRAY && (unhandled || tainted[s] == SEQ(slot[s])))
#else
#define TAINTED(s, k) false
#endif

inline check_pixels(s, k) {
    k = 0;
    do
    :: k < TASKS(held[s]) -> assert(pixels[s * ROWS + k] == held[s] || TAINTED(s, k)); k++
    :: else -> break
    od;
    k = 0
}

inline lease(i) {
    slot[i] = WITH(slot[i], PROCESSING);
    held[i] = head[i];
#ifdef COMPLETION
    assert(!got[ORDINAL(head[i])]);
    got[ORDINAL(head[i])] = 1;
#else
    assert(held[i] == stream * BATCHES + delivered + 1);
#endif
    check_pixels(i, k);
    delivered++;
    leases++
}

#define SEARCH(i) \
    d_step { at == SCAN && (todo & (1 << i)) -> \
        if \
        :: todo == EACH_SLOT -> ready = 0 \
        :: else \
        fi; \
        todo = todo & ~(1 << i); \
        if \
        :: STATE(slot[i]) == AVAILABLE && WANTED(head[i]) -> \
            lease(i); \
            todo = 0; \
            dry = 0; \
            at = LOOK \
        :: STATE(slot[i]) == AVAILABLE && OLDER(head[i]) -> free_slot(i); at = RING \
        :: else -> if :: todo == 0 -> dry = 1; at = LOOK :: else fi \
        fi }

#define RELEASE(i) \
    d_step { at == LOOK && held[i] -> \
        assert(STATE(slot[i]) == PROCESSING); \
        check_pixels(i, k); \
        do \
        :: k < ROWS -> pixels[(i) * ROWS + k] = 0; k++ /* what is stale must not pass for right */ \
        :: else -> break \
        od; \
        k = 0; \
        held[i] = 0; \
        leases--; \
        free_slot(i); \
        at = RING }

active proctype Trainer() {
    byte at = LOOK;
    byte todo, k;
    bit dry; /* nothing was found: wait for the eventfd */
    do
    :: d_step { at == LOOK && delivered < BATCHES && leases < LEASES && (!dry || ready) ->
        todo = EACH_SLOT;
        dry = 0;
        at = SCAN }
    :: SEARCH(0)
    :: RELEASE(0)
#if SLOTS > 1
    :: SEARCH(1)
    :: RELEASE(1)
#endif
#if SLOTS > 2
    :: SEARCH(2)
    :: RELEASE(2)
#endif
    :: d_step { at == LOOK && stream < CANCELS -> /* mr_load_state, an epoch ended early */
        stream++;
        delivered = 0;
        dry = 0;
#ifdef COMPLETION
        do
        :: k <= BATCHES -> got[k] = 0; k++
        :: else -> break
        od;
        k = 0;
#endif
        request = stream;
        at = RING }
    :: d_step { at == RING ->
        ring_free();
        if
        :: todo -> at = SCAN
        :: else -> at = LOOK
        fi }
    :: d_step { at == LOOK && delivered == BATCHES && leases == 0 ->
        stop = 1;
        wake_everybody(k);
        dry = 0 };
        break
#if STUCK
    :: d_step { failed -> trainer_dead = 1; at = 0; todo = 0; dry = 0 }; break
#endif
    :: d_step { trainer_deaths && !stop ->
        trainer_deaths--;
        trainer_dead = 1;
        at = 0; todo = 0; dry = 0 };
        break
    od
}

/* What the warden is at. The slots are gone through in each. */
#define RECOVER 0    /* the death of lease i is certain; i = 0: of a commander */
#define QUARANTINE 1 /* lease i was killed, and does not die */
#define REFILL 2     /* all producers are dead, of a crash or killed for it */

inline next_slot_to_recover() {
    r = 0;
    seq = 0;
    s++;
    if
    :: s < SLOTS && !filling -> at = READ
    :: s < SLOTS && filling -> at = FILL
    :: s == SLOTS && job == REFILL && !filling -> s = 0; filling = 1; at = FILL
    :: else -> s = 0; filling = 0; at = WAKE
    fi
}

/* result: does lease i hold a row of slot s? */
inline holds(i, s, tag, k, result) {
    k = 0;
    result = 0;
    do
    :: k < ROWS ->
        if
        :: row[s * ROWS + k] == ROW(tag, i, BUSY) -> result = 1
        :: else
        fi;
        k++
    :: else -> break
    od;
    k = 0
}

/* Who would close a row of a quarantined slot later? */
inline check_closed(k) {
    k = 0;
    do
    :: k < SLOTS * ROWS ->
        assert(STATE(slot[k / ROWS]) != QUARANTINED || k % ROWS >= TASKS(head[k / ROWS]) ||
            row[k] != ROW(TAGOF(slot[k / ROWS]), 0, EMPTY));
        k++
    :: else -> break
    od;
    k = 0
}

/* Lease i's process is dead, or set aside; a successor is to be born. */
inline bury(i) {
    if
    :: job == QUARANTINE -> skip
    :: job != QUARANTINE && (life[i] == DEAD || life[i] == LATE) -> life[i] = BURIED
    :: else -> life[i] = FORGOTTEN
    fi
}

inline bear() { born++; life[born] = LIVE; run Producer(born) }

active proctype Warden() {
    byte i, s, r, seq, k, job;
    byte at = LOOK;
    short word;
    bit filling, late;
    atomic {
        i = 1;
        do
        :: i <= PRODUCERS -> life[i] = LIVE; run Producer(i); i++
        :: else -> break
        od;
        i = 0;
        life[0] = LIVE;
        run Commander(0)
    };
    do
    :: d_step { at == LOOK && !stop && TAKEN_FOR_DEAD(0) ->
#ifdef NO_COMMANDER_RECOVER
        at = WAKE }
#else
        at = READ }
#endif
    :: d_step { at == LOOK && !stop && ANYBODY(TAKEN_FOR_DEAD) ->
        i = 1;
        do
        :: TAKEN_FOR_DEAD(i) -> break
        :: else -> i++
        od;
#ifdef NO_ORDER /* the slot is looked at before the rows are given back; for one slot */
        word = slot[0];
#endif
        late = (life[i] == LATE);
        at = GIVE_BACK }
#if STUCK
    :: d_step { at == LOOK && !stop && ANYBODY(IS_UNKILLABLE) ->
        i = 1;
        do
        :: IS_UNKILLABLE(i) -> break
        :: else -> i++
        od;
        life[i] = ASIDE;
        job = QUARANTINE;
        at = READ }
#endif
#if CRASHES
    :: d_step { at == LOOK && !stop && ANYBODY(IS_CRASHED) && !ANYBODY(IS_UNKILLABLE) ->
        i = MAX_LEASE;
        do
        :: i > 0 ->
            if
#ifdef NO_FENCE_OF_OTHERS
            :: life[i] == CRASHED -> life[i] = DEAD
#else
            :: life[i] == CRASHED || life[i] == LIVE -> life[i] = DEAD
#endif
            :: else
            fi;
            i--
        :: else -> break
        od;
        do
        :: TAKEN_FOR_DEAD(i) && i > 0 -> break
        :: else -> i++
        od;
        job = REFILL;
        at = GIVE_BACK }
#endif
    :: d_step { at == GIVE_BACK ->
        do
        :: s < SLOTS * ROWS ->
            if
            :: ROWSTATE(row[s]) == BUSY && LEASE(row[s]) == i -> row[s] = ROW(GEN(row[s]), 0, EMPTY)
            :: else
            fi;
            s++
        :: else -> break
        od;
        s = 0;
        if
        :: job == REFILL -> /* the next of the dead */
            bury(i);
            if
            :: ANYBODY(TAKEN_FOR_DEAD) ->
                i = 1;
                do
                :: TAKEN_FOR_DEAD(i) -> break
                :: else -> i++
                od
            :: else -> i = 0; at = READ
            fi
        :: else -> at = READ
        fi }
    :: d_step { at == READ -> /* after the rows: a cancel is seen here, or sees them EMPTY */
#ifdef NO_RESCAN
        s = 0;
        at = WAKE
#else
#ifndef NO_ORDER
        word = slot[s];
#endif
        seq = TAGOF(word);
        if
        :: job == QUARANTINE && STATE(word) != FREE -> holds(i, s, seq, k, r)
        :: else
        fi;
        if
        :: r -> r = 0; at = SEIZE
#ifndef NO_CLOSE_QUARANTINED
        :: !r && STATE(word) == QUARANTINED -> at = CLOSE
#endif
        :: !r && STATE(word) == CANCELLED -> at = CLOSE
#ifndef NO_SETTLE_IN_QUARANTINE
        :: !r && STATE(word) == RESERVED -> at = SETTLE
#else
        :: !r && STATE(word) == RESERVED && job != QUARANTINE -> at = SETTLE
#endif
        :: else -> next_slot_to_recover()
        fi;
        word = 0
#endif
        }
#if STUCK
    :: d_step { at == SEIZE -> /* one compare-and-swap after the other, as far as they go */
        if
        :: slot[s] == WORD(seq, RESERVED) -> slot[s] = WORD(seq, QUARANTINED)
#ifdef NO_MARK_OF_CANCELLED
        :: slot[s] == WORD(seq, CANCELLED) -> slot[s] = WORD(seq, QUARANTINED)
#else
        :: slot[s] == WORD(seq, CANCELLED) -> slot[s] = WORD(seq, QUARANTINED + MOVED)
#endif
        :: else
        fi;
#ifdef NO_CLOSE_QUARANTINED
        at = SETTLE }
#else
        at = (STATE(slot[s]) == QUARANTINED -> CLOSE : SETTLE) }
#endif
#endif
    :: d_step { at == CLOSE ->
        if
        :: r < TASKS(head[s]) -> close_row(s, seq, r)
        :: else
        fi;
        r++;
        if
        :: r >= TASKS(head[s]) -> r = 0; at = SETTLE
        :: else
        fi }
    :: d_step { at == SETTLE ->
        all_ended(s, seq, k, at);
        if
        :: at -> at = MOVE_ON
        :: else -> next_slot_to_recover()
        fi }
    :: d_step { at == MOVE_ON -> move_on(s, seq, at); next_slot_to_recover() } /* wakes follow */
#if CRASHES
    :: d_step { at == FILL ->
        seq = TAGOF(slot[s]);
        if
        :: (STATE(slot[s]) == RESERVED || STATE(slot[s]) == AVAILABLE) && TASKS(head[s]) ->
#ifndef ROWS_FIRST
            slot[s] = WORD(NEXT_ROUND(seq), RESERVED);
#endif
            seq = NEXT_ROUND(seq);
            at = RESET
        :: else ->
#ifndef NO_TAINT
            if
            :: STATE(slot[s]) == PROCESSING -> tainted[s] = SEQ(slot[s])
            :: else
            fi;
#endif
            at = AGAIN
        fi }
    :: d_step { at == RESET ->
        if
        :: r < TASKS(head[s]) && GEN(row[s * ROWS + r]) / ROUNDS == seq / ROUNDS ->
            row[s * ROWS + r] = ROW(seq, 0, EMPTY)
        :: else
        fi;
        r++;
        if
        :: r >= TASKS(head[s]) -> r = 0; at = AGAIN
        :: else
        fi }
    :: d_step { at == AGAIN -> /* a cancel may have come since */
#ifdef ROWS_FIRST
        if
        :: STATE(slot[s]) == RESERVED || STATE(slot[s]) == AVAILABLE ->
            slot[s] = WORD(seq, RESERVED)
        :: else
        fi;
#endif
        if
#ifndef NO_SECOND_LOOK
        :: slot[s] == WORD(seq, CANCELLED) -> at = CLOSE
#endif
        :: else -> next_slot_to_recover()
        fi }
#endif
    :: d_step { at == WAKE ->
#ifdef NO_REWAKE_PRODUCER
        if :: i == 0 -> wake_everybody(k) :: else fi;
#elif defined(NO_REWAKE_COMMANDER)
        if :: i != 0 -> wake_everybody(k) :: else fi;
#elif defined(NO_REWAKE_QUARANTINE)
        if :: job != QUARANTINE -> wake_everybody(k) :: else fi;
#else
        wake_everybody(k);
#endif
#if STUCK
        check_closed(k);
        failed = failed || (job == QUARANTINE && OUT_OF_SPARES);
#endif
        at = BEAR }
    :: atomic { at == BEAR && i != 0 ->
        bury(i);
        if
        :: late -> late = 0
        :: else -> bear()
        fi;
        job = RECOVER;
        i = 0;
        at = LOOK }
#if CRASHES
    :: atomic { at == BEAR && i == 0 && job == REFILL ->
        unhandled = 0;
        do
        :: i < PRODUCERS -> bear(); i++
        :: else -> break
        od;
        i = 0;
        job = RECOVER;
        at = LOOK }
#endif
    :: atomic { at == BEAR && i == 0 && job == RECOVER ->
        life[0] = LIVE;
        commander++;
        at = LOOK;
        run Commander(commander) }
    :: stop && at == LOOK -> break
    :: d_step { trainer_dead && at == LOOK && !stop -> /* the last thing it does */
        stop = 1;
        i = 0;
        do
        :: i <= MAX_LEASE -> life[i] = DEAD; i++
        :: else -> break
        od;
        i = 0 }
    od
}
