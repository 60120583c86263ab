/* SPDX-License-Identifier: Apache-2.0 */
#include "json_writer.h"
#include "number.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void line(struct mr_json *j)
{
    if (j->indent)
        mr__text_addf(&j->text, "\n%*s", j->indent * j->depth, "");
}

/* What has to stand before a value (or a key): nothing behind a key, else a comma and a new line.
 */
static void before(struct mr_json *j)
{
    if (j->keyed) {
        j->keyed = false;
        return;
    }
    if (!j->depth)
        return;
    if (j->filled[j->depth])
        mr__text_addf(&j->text, j->indent ? "," : ", ");
    j->filled[j->depth] = true;
    line(j);
}

static void begin(struct mr_json *j, bool array)
{
    before(j);
    mr__text_add(&j->text, array ? "[" : "{", 1);
    if (j->depth == MR_JSON_DEPTH) {
        j->text.failed = true;
        return;
    }
    j->depth++;
    j->filled[j->depth] = false;
    j->array[j->depth] = array;
}

static void end(struct mr_json *j, bool array)
{
    if (!j->depth || j->array[j->depth] != array || j->keyed) {
        j->text.failed = true;
        return;
    }
    bool filled = j->filled[j->depth--];
    if (filled)
        line(j);
    mr__text_add(&j->text, array ? "]" : "}", 1);
}

void mr__json_begin_object(struct mr_json *j)
{
    begin(j, false);
}

void mr__json_end_object(struct mr_json *j)
{
    end(j, false);
}

void mr__json_begin_array(struct mr_json *j)
{
    begin(j, true);
}

void mr__json_end_array(struct mr_json *j)
{
    end(j, true);
}

/* Length of the UTF-8 character at s, 0 when there is none (RFC 3629: no overlong forms, no
 * surrogates). */
static size_t utf8_length(const unsigned char *s)
{
    size_t n = s[0] < 0x80   ? 1
               : s[0] < 0xC2 ? 0
               : s[0] < 0xE0 ? 2
               : s[0] < 0xF0 ? 3
               : s[0] < 0xF5 ? 4
                             : 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    if ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F) ||
        (s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F))
        return 0;
    return n;
}

static void quote(struct mr_text *t, const char *text)
{
    static const char escapes[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    mr__text_add(t, "\"", 1);
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        size_t n = utf8_length(s);
        const char *short_form = NULL;
        for (const char *x = escapes; *x; x += 2)
            if ((unsigned char)*x == *s)
                short_form = x + 1;
        if (short_form)
            mr__text_addf(t, "\\%c", *short_form);
        else if (*s < 0x20 || *s == 0x7F)
            mr__text_addf(t, "\\u%04x", *s);
        else if (n)
            mr__text_add(t, (const char *)s, n);
        else
            mr__text_addf(t, "\\ufffd");
        s += n ? n : 1;
    }
    mr__text_add(t, "\"", 1);
}

void mr__json_key(struct mr_json *j, const char *key)
{
    if (j->keyed || !j->depth || j->array[j->depth])
        j->text.failed = true;
    before(j);
    quote(&j->text, key);
    mr__text_add(&j->text, ": ", 2);
    j->keyed = true;
}

void mr__json_str(struct mr_json *j, const char *text)
{
    if (!text) {
        mr__json_null(j);
        return;
    }
    before(j);
    quote(&j->text, text);
}

void mr__json_u64(struct mr_json *j, uint64_t value)
{
    before(j);
    mr__text_addf(&j->text, "%" PRIu64, value);
}

void mr__json_i64(struct mr_json *j, int64_t value)
{
    before(j);
    mr__text_addf(&j->text, "%" PRId64, value);
}

void mr__json_f64(struct mr_json *j, double value)
{
    char number[MR_NUMBER_TEXT];
    before(j);
    mr__text_addf(&j->text, "%s", isfinite(value) ? mr__number_text(value, number) : "null");
}

void mr__json_bool(struct mr_json *j, bool value)
{
    before(j);
    mr__text_addf(&j->text, "%s", value ? "true" : "false");
}

void mr__json_null(struct mr_json *j)
{
    before(j);
    mr__text_addf(&j->text, "null");
}

char *mr__json_take(struct mr_json *j)
{
    if (j->depth || j->keyed)
        j->text.failed = true;
    return mr__text_take(&j->text);
}
