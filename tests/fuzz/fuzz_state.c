/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_state.c: any text as a saved state. What is taken for one is written and read again as the
 * same, and only verdicts that can be are in it.
 */
#include "pipe/state_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void require(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "fuzz: %s\n", what);
        abort();
    }
}

static void check_verdicts(const struct mr_state *s)
{
    require(s->epoch < 1ull << 48 && s->batch < 1ull << 48, "a place that cannot be");
    require(s->nforced <= MR_STATE_FORCED_MAX, "too many verdicts");
    for (uint32_t i = 0; i < s->nforced; i++) {
        const struct mr_verdict *v = &s->forced[i];
        require(v->forced == 1 && v->listed == 0 && v->cause < MR_CAUSES && v->reason < 0 &&
                    v->stage < MR_ACTIVITIES && v->position < 1ull << 48,
                "a verdict that cannot be");
    }
}

static void check_again(const struct mr_state *s)
{
    struct mr_text first = {0}, second = {0};
    struct mr_state again;
    struct mr_errbuf e;
    mr__state_write(&first, s);
    require(!first.failed, "memory");
    require(mr__state_parse(first.data, &again, &e) == MR_OK, "what is written is not read");
    mr__state_write(&second, &again);
    require(first.n == second.n && !memcmp(first.data, second.data, first.n), "another state");
    mr__text_free(&first);
    mr__text_free(&second);
    mr__state_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct mr_state s;
    struct mr_errbuf e = {0};
    char *text = malloc(n + 1);
    require(text != NULL, "memory");
    if (n)
        memcpy(text, data, n);
    text[n] = 0;
    int rc = mr__state_parse(text, &s, &e);
    free(text);
    require(rc == MR_OK || e.text[0], "an error without a sentence");
    require(rc == MR_OK || (!s.forced && !s.nforced), "a state beside an error");
    if (rc == MR_OK) {
        check_verdicts(&s);
        check_again(&s);
        mr__state_free(&s);
    }
    return 0;
}
