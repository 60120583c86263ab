/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/bad_note.h"

#include "base/crash_point.h"
#include "shm/report.h"
#include "shm/verdict.h"

#include <string.h>

void mr__bad_none(const struct mr_session *s, uint32_t slot, uint32_t row)
{
    mr__bad_counts(s, slot)[row] = 0;
}

int mr__bad_verdict(const struct mr_bad_row *r, uint32_t *stage, struct mr_errbuf *e)
{
    struct mr_verdict v;
    char text[MR_VERDICT_TEXT];
    if (!mr__verdict_find(&r->s->arena, r->key.epoch, r->key.position, r->key.attempt, r->sample,
                          &v))
        return MR_OK;
    *stage = v.stage;
    return mr__fail(e, v.reason < 0 ? v.reason : MR_E_DATA, "%s",
                    mr__verdict_describe(&v, text, sizeof text));
}

/* The end of a sentence that is too long tells more than its beginning, which is a path. */
static void copy_end(char *to, size_t room, const char *text)
{
    size_t n = strlen(text), skip = 0;
    if (n >= room) {
        skip = n - (room - 4);
        while (((uint8_t)text[skip] & 0xc0) == 0x80) /* not into a character */
            skip++;
        memcpy(to, "...", 3);
        to += 3;
    }
    memcpy(to, text + skip, n - skip + 1);
}

void mr__bad_keep(const struct mr_bad_row *r, uint32_t stage, const struct mr_errbuf *e)
{
    MR_CRASH_POINT("producer.bad_found");
    struct mr_bad_note *note = mr__bad_note(r->s, r->claim->slot, r->row, r->key.attempt);
    mr__bad_counts(r->s, r->claim->slot)[r->row]++;
    if (!note)
        return;
    note->reason = e->code;
    MR_CRASH_POINT("producer.half_note");
    note->stage = stage;
    copy_end(note->text, sizeof note->text, e->text);
}

void mr__bad_report(const struct mr_bad_row *r, uint32_t samples, const struct mr_errbuf *e)
{
    MR_CRASH_POINT("producer.bad_kept");
    struct mr_event event = {.kind = MR_EVENT_BAD,
                             .code = e->code,
                             .seq = r->claim->seq,
                             .row = r->row,
                             .sample = r->sample};
    size_t n = strnlen(e->text, sizeof event.text - 1);
    memcpy(event.text, e->text, n);
    mr__lane_count_up(mr__lane(&r->s->arena, r->lane), MR_COUNT_BAD, samples);
    mr__report(&r->s->arena, r->lane, &event);
    MR_CRASH_POINT("producer.bad_reported");
}
