/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/state_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define STATE_VERSION 3
#define COMMANDER_MAX 65536 /* bytes that a commander can save */
#define FORCED_NUMBERS 7

/* ---- reading: a few steps over a text, each of which may find that it is something else ---- */

struct scan {
    const char *at;
    bool bad;
};

/* Nothing is looked at any more once it is bad: `at` may stand at the end. */
static void blanks(struct scan *s)
{
    if (!s->bad)
        s->at += strspn(s->at, " \t\r\n");
}

static bool next_is(struct scan *s, char c)
{
    blanks(s);
    if (s->bad || *s->at != c)
        return false;
    s->at++;
    return true;
}

static void expect(struct scan *s, char c)
{
    if (!next_is(s, c))
        s->bad = true;
}

static void key(struct scan *s, const char *name)
{
    size_t n = strlen(name);
    expect(s, '"');
    if (!s->bad && !strncmp(s->at, name, n))
        s->at += n;
    else
        s->bad = true;
    if (!s->bad && *s->at == '"')
        s->at++;
    else
        s->bad = true;
    expect(s, ':');
}

static uint64_t number(struct scan *s)
{
    uint64_t value = 0;
    blanks(s);
    s->bad = s->bad || *s->at < '0' || *s->at > '9';
    for (; !s->bad && *s->at >= '0' && *s->at <= '9'; s->at++)
        s->bad = __builtin_mul_overflow(value, 10, &value) ||
                 __builtin_add_overflow(value, (uint64_t)(*s->at - '0'), &value);
    return value;
}

static uint64_t hash(struct scan *s)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t value = 0;
    expect(s, '"');
    for (int i = 0; i < 16 && !s->bad; i++) {
        const char *digit = *s->at ? strchr(digits, *s->at) : NULL;
        s->bad = !digit;
        value = value << 4 | (digit ? (uint64_t)(digit - digits) : 0);
        s->at += digit != NULL;
    }
    if (s->bad || *s->at != '"')
        s->bad = true;
    else
        s->at++;
    return value;
}

static uint64_t numbered(struct scan *s, const char *name)
{
    expect(s, ',');
    key(s, name);
    return number(s);
}

static uint64_t hashed(struct scan *s, const char *name)
{
    expect(s, ',');
    key(s, name);
    return hash(s);
}

static void forced_one(struct scan *s, struct mr_verdict *v)
{
    uint64_t n[FORCED_NUMBERS];
    expect(s, '[');
    for (int i = 0; i < FORCED_NUMBERS && !s->bad; i++) {
        if (i)
            expect(s, ',');
        n[i] = number(s);
    }
    expect(s, ']');
    if (s->bad || n[0] >= MR_STATE_PLACE_END || n[1] >= MR_STATE_PLACE_END || n[2] > UINT16_MAX ||
        n[4] >= MR_CAUSES || n[5] > UINT32_MAX || n[6] >= MR_ACTIVITIES) {
        s->bad = true;
        return;
    }
    *v = (struct mr_verdict){.epoch = n[0],
                             .position = n[1],
                             .attempt = (uint32_t)n[2],
                             .sample = n[3],
                             .cause = (uint32_t)n[4],
                             .detail = (uint32_t)n[5],
                             .stage = (uint32_t)n[6],
                             .reason = mr__cause_reason((uint32_t)n[4]),
                             .forced = 1};
}

/* Verdicts that can follow at most. */
static uint32_t brackets(const char *text)
{
    uint32_t n = 0;
    for (; *text && n < MR_STATE_FORCED_MAX; text++)
        n += *text == '[';
    return n;
}

static int forced_all(struct scan *s, struct mr_state *state, struct mr_errbuf *e)
{
    expect(s, ',');
    key(s, "forced");
    expect(s, '[');
    if (s->bad || next_is(s, ']'))
        return MR_OK;
    uint32_t room = brackets(s->at);
    state->forced = calloc(room + 1, sizeof *state->forced);
    if (!state->forced)
        return mr__fail(e, MR_E_MEMORY, "no memory for the state");
    do {
        if (state->nforced == room)
            s->bad = true;
        else
            forced_one(s, &state->forced[state->nforced++]);
    } while (next_is(s, ','));
    expect(s, ']');
    return MR_OK;
}

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int commander(struct scan *s, struct mr_state *state, struct mr_errbuf *e)
{
    expect(s, ',');
    key(s, "commander");
    expect(s, '[');
    uint64_t pending = number(s);
    expect(s, ',');
    state->rank = number(s);
    expect(s, ',');
    state->world = number(s);
    expect(s, ',');
    expect(s, '"');
    if (s->bad)
        return MR_OK;
    size_t n = strspn(s->at, "0123456789abcdef");
    s->bad =
        n % 2 || n / 2 > COMMANDER_MAX || (pending && pending != MR_END_EPOCH && pending != MR_END);
    state->commander = s->bad ? NULL : malloc(n / 2 + 1);
    if (!s->bad && !state->commander)
        return mr__fail(e, MR_E_MEMORY, "no memory for the state");
    for (size_t i = 0; i < n && !s->bad; i += 2)
        state->commander[i / 2] = (uint8_t)(digit_of(s->at[i]) << 4 | digit_of(s->at[i + 1]));
    state->has_commander = true;
    state->pending = (uint32_t)pending;
    state->commander_bytes = n / 2;
    s->at += n;
    if (s->bad || *s->at != '"')
        s->bad = true;
    else
        s->at++;
    expect(s, ']');
    return MR_OK;
}

int mr__state_parse(const char *text, struct mr_state *state, struct mr_errbuf *e)
{
    struct scan s = {text, false};
    int rc = MR_OK;
    *state = (struct mr_state){0};
    expect(&s, '{');
    key(&s, "millrace_state");
    uint64_t version = number(&s);
    if (!s.bad && (version < 1 || version > STATE_VERSION))
        return mr__fail(e, MR_E_VERSION,
                        "the state is of version %" PRIu64 ", this library reads 1 to %d", version,
                        STATE_VERSION);
    state->epoch = numbered(&s, "epoch");
    state->batch = numbered(&s, "batch");
    state->seed = numbered(&s, "seed");
    state->config_hash = hashed(&s, "config");
    state->data_hash = hashed(&s, "data");
    if (version >= 2) {
        state->bad = numbered(&s, "bad");
        state->list_hash = hashed(&s, "list");
        rc = forced_all(&s, state, e);
    }
    if (version >= 3 && rc >= 0)
        rc = commander(&s, state, e);
    if (rc >= 0 && next_is(&s, ',')) {
        key(&s, "weights");
        state->weights_hash = hash(&s);
    }
    expect(&s, '}');
    blanks(&s);
    bool sane = state->epoch < MR_STATE_PLACE_END && state->batch < MR_STATE_PLACE_END;
    if (rc >= 0 && (s.bad || *s.at || !sane))
        rc = mr__fail(e, MR_E_CONFIG, "this is not a state that mr_save_state wrote");
    if (rc < 0)
        mr__state_free(state);
    return rc;
}

void mr__state_free(struct mr_state *state)
{
    free(state->forced);
    free(state->commander);
    *state = (struct mr_state){0};
}

static void write_commander(struct mr_text *t, const struct mr_state *s)
{
    mr__text_addf(t, ",\"commander\":[%" PRIu32 ",%" PRIu64 ",%" PRIu64 ",\"", s->pending, s->rank,
                  s->world);
    for (size_t i = 0; i < s->commander_bytes; i++)
        mr__text_addf(t, "%02x", s->commander[i]);
    mr__text_addf(t, "\"]");
}

void mr__state_write(struct mr_text *t, const struct mr_state *s)
{
    mr__text_addf(t,
                  "{\"millrace_state\":%d,\"epoch\":%" PRIu64 ",\"batch\":%" PRIu64
                  ",\"seed\":%" PRIu64 ",\"config\":\"%016" PRIx64 "\",\"data\":\"%016" PRIx64
                  "\",\"bad\":%" PRIu64 ",\"list\":\"%016" PRIx64 "\",\"forced\":[",
                  s->has_commander ? STATE_VERSION : STATE_VERSION - 1, s->epoch, s->batch, s->seed,
                  s->config_hash, s->data_hash, s->bad, s->list_hash);
    for (uint32_t i = 0; i < s->nforced; i++) {
        const struct mr_verdict *v = &s->forced[i];
        mr__text_addf(t,
                      "%s[%" PRIu64 ",%" PRIu64 ",%" PRIu32 ",%" PRIu64 ",%" PRIu32 ",%" PRIu32
                      ",%" PRIu32 "]",
                      i ? "," : "", v->epoch, v->position, v->attempt, v->sample, v->cause,
                      v->detail, v->stage);
    }
    mr__text_addf(t, "]");
    if (s->has_commander)
        write_commander(t, s);
    if (s->weights_hash)
        mr__text_addf(t, ",\"weights\":\"%016" PRIx64 "\"", s->weights_hash);
    mr__text_addf(t, "}");
}
