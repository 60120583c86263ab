/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <math.h>

void json_begin(struct json *j, FILE *out)
{
    *j = (struct json){.out = out};
    fputc('{', out);
}

static void key(struct json *j, const char *name)
{
    fprintf(j->out, "%s\"%s\": ", j->any ? ", " : "", name);
    j->any = true;
}

void json_real(struct json *j, const char *name, double value)
{
    key(j, name);
    if (isfinite(value))
        fprintf(j->out, "%.6g", value);
    else
        fputs("null", j->out);
}

void json_count(struct json *j, const char *name, uint64_t value)
{
    key(j, name);
    fprintf(j->out, "%llu", (unsigned long long)value);
}

void json_bool(struct json *j, const char *name, bool value)
{
    key(j, name);
    fputs(value ? "true" : "false", j->out);
}

/* Bytes of the UTF-8 character at `s`, 0 when there is none. Surrogates and overlong forms are not
 * told apart: a reader takes them for one strange character, no more. */
static int utf8_length(const unsigned char *s)
{
    int n = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3 : 0;
    if (s[0] >= 0xf0 && s[0] < 0xf5)
        n = 4;
    for (int i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

static void escaped(FILE *out, const unsigned char *s)
{
    while (*s) {
        int n = utf8_length(s);
        if (*s == '"' || *s == '\\')
            fprintf(out, "\\%c", *s);
        else if (*s < 0x20 || *s == 0x7f)
            fprintf(out, "\\u%04x", *s);
        else if (n)
            fwrite(s, 1, (size_t)n, out);
        else
            fputs("\\ufffd", out);
        s += n ? n : 1;
    }
}

void json_text(struct json *j, const char *name, const char *value)
{
    key(j, name);
    if (!value) {
        fputs("null", j->out);
        return;
    }
    fputc('"', j->out);
    escaped(j->out, (const unsigned char *)value);
    fputc('"', j->out);
}

void json_list(struct json *j, const char *name)
{
    key(j, name);
    fputc('[', j->out);
    j->entries = false;
}

void json_item(struct json *j)
{
    fputs(j->entries ? ", {" : "{", j->out);
    j->entries = true;
    j->any = false;
}

void json_item_end(struct json *j)
{
    fputc('}', j->out);
}

void json_list_end(struct json *j)
{
    fputc(']', j->out);
    j->any = true;
}

void json_end(struct json *j)
{
    fputs("}\n", j->out);
}
