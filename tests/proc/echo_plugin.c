/* SPDX-License-Identifier: Apache-2.0
 *
 * echo_plugin.c: a producer that writes the message of each row into the field `text`, as text.
 */
#include <millrace/plugin.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct text {
    char *at;
    size_t room;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(t->at, t->room, format, ap);
    va_end(ap);
    if (n > 0 && (size_t)n < t->room) {
        t->at += n;
        t->room -= (size_t)n;
    }
}

/* "depth key=value value;" */
static void add_entry(struct text *t, const mr_entry *e)
{
    add(t, "%d %s=", e->depth, e->key ? e->key : "");
    if (e->type == MR_T_STR)
        add(t, "'%s'", (const char *)e->data);
    else if (e->type == MR_T_BYTES)
        add(t, "%llu bytes", (unsigned long long)e->n);
    else if (e->type == MR_T_LIST)
        add(t, "list of %llu", (unsigned long long)e->n);
    else
        for (uint64_t i = 0; i < e->n; i++)
            if (e->type == MR_T_I64)
                add(t, "%s%lld", i ? " " : "", (long long)((const int64_t *)e->data)[i]);
            else
                add(t, "%s%.17gf", i ? " " : "", ((const double *)e->data)[i]);
    add(t, ";");
}

static int fill(void *self, mr_rows *rows)
{
    (void)self;
    const mr_tensor *field = mr_rows_field(rows, "text");
    for (int32_t i = 0; i < mr_rows_count(rows); i++) {
        struct text t = {(char *)field->data + i * field->strides[0], (size_t)field->strides[0]};
        uint64_t cursor = 0;
        mr_entry e;
        while (mr_message_walk(mr_rows_message(rows, i), &cursor, &e) == MR_OK)
            add_entry(&t, &e);
    }
    return MR_OK;
}

static const mr_producer producer = {
    .size = sizeof(mr_producer), .abi = MR_PLUGIN_ABI, .fill = fill};
extern MR_API const mr_plugin mr_plugin_entry;
MR_API const mr_plugin mr_plugin_entry = {sizeof(mr_plugin), MR_PLUGIN_ABI, NULL, &producer};
