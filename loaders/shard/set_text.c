/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/shard/set_text.h"

#include <string.h>

#define MAX_DEPTH 16

static char next(struct mr_set_text *t)
{
    while (t->at < t->end && *t->at && strchr(" \t\r\n", *t->at))
        t->at++;
    return t->at < t->end && !t->wrong ? *t->at : 0;
}

static bool take(struct mr_set_text *t, char c)
{
    bool there = next(t) == c && c;
    t->at += there;
    t->wrong |= !there;
    return there;
}

void mr__set_text_enter(struct mr_set_text *t, char open)
{
    (void)take(t, open);
    t->wrong |= ++t->depth > MAX_DEPTH;
}

bool mr__set_text_more(struct mr_set_text *t, char close, bool *first)
{
    char c = next(t);
    if (c == close || t->wrong) {
        t->at += c == close;
        t->depth--;
        return false;
    }
    if (!*first)
        (void)take(t, ',');
    *first = false;
    return !t->wrong;
}

void mr__set_text_string(struct mr_set_text *t, char *to, size_t cap)
{
    size_t n = 0;
    (void)take(t, '"');
    while (!t->wrong && t->at < t->end && *t->at != '"') {
        char c = *t->at++;
        bool escaped = c == '\\';
        if (escaped && t->at < t->end)
            c = *t->at++;
        t->wrong |= (escaped && !strchr("\"\\/", c)) || (unsigned char)c < 0x20 || n + 1 >= cap;
        if (!t->wrong)
            to[n++] = c;
    }
    (void)take(t, '"');
    to[t->wrong ? 0 : n] = 0;
}

/* Of any length and with any escapes; what does not fit is left out. */
static void any_string(struct mr_set_text *t, char *to, size_t cap)
{
    size_t n = 0;
    (void)take(t, '"');
    while (!t->wrong && t->at < t->end && *t->at != '"') {
        if (*t->at == '\\' && t->at + 1 < t->end)
            t->at++;
        if (n + 1 < cap)
            to[n++] = *t->at;
        t->at++;
    }
    (void)take(t, '"');
    if (cap)
        to[t->wrong ? 0 : n] = 0;
}

void mr__set_text_key(struct mr_set_text *t, char *key, size_t cap)
{
    any_string(t, key, cap);
    (void)take(t, ':');
}

uint64_t mr__set_text_number(struct mr_set_text *t)
{
    uint64_t v = 0;
    const char *from;
    (void)next(t);
    for (from = t->at; t->at < t->end && *t->at >= '0' && *t->at <= '9'; t->at++)
        t->wrong |= __builtin_mul_overflow(v, (uint64_t)10, &v) ||
                    __builtin_add_overflow(v, (uint64_t)(*t->at - '0'), &v);
    t->wrong |= t->at == from || (*from == '0' && t->at > from + 1);
    return t->wrong ? 0 : v;
}

uint64_t mr__set_text_hex(struct mr_set_text *t)
{
    static const char digits[] = "0123456789abcdef";
    char text[17];
    uint64_t v = 0;
    mr__set_text_string(t, text, sizeof text);
    t->wrong |= !*text;
    for (const char *c = text; *c && !t->wrong; c++) {
        const char *digit = strchr(digits, *c);
        t->wrong |= !digit;
        v = v << 4 | (uint64_t)(digit ? digit - digits : 0);
    }
    return t->wrong ? 0 : v;
}

/* A number of any kind, true, false, null. */
static void skip_word(struct mr_set_text *t)
{
    const char *from = t->at;
    while (t->at < t->end && *t->at && !strchr(",]} \t\r\n\"[{", *t->at))
        t->at++;
    t->wrong |= t->at == from;
}

void mr__set_text_skip(struct mr_set_text *t)
{
    char c = next(t), close = c == '{' ? '}' : ']';
    bool first = true;
    if (c == '"') {
        any_string(t, NULL, 0);
    } else if (c == '{' || c == '[') {
        mr__set_text_enter(t, c);
        while (mr__set_text_more(t, close, &first)) {
            if (c == '{')
                mr__set_text_key(t, NULL, 0);
            mr__set_text_skip(t);
        }
    } else {
        skip_word(t);
    }
}

bool mr__set_text_ended(struct mr_set_text *t)
{
    return !next(t) && t->at == t->end && !t->wrong;
}
