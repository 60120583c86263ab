/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_writer.h"
#include "base/printable.h"
#include "base/whole_file.h"
#include "loaders/shard/shard_writer.h"

#include <stdio.h>
#include <stdlib.h>

static void put_hex(struct mr_json *j, const char *key, uint64_t value)
{
    char text[20];
    snprintf(text, sizeof text, "%016llx", (unsigned long long)value);
    mr__json_key(j, key);
    mr__json_str(j, text);
}

static void put_number(struct mr_json *j, const char *key, uint64_t value)
{
    mr__json_key(j, key);
    mr__json_u64(j, value);
}

static void put_text(struct mr_json *j, const char *key, const char *value)
{
    mr__json_key(j, key);
    mr__json_str(j, value);
}

static char *make_text(const struct mr_shard_plan *plan, const struct mr_shard_line *lines,
                       uint64_t n)
{
    struct mr_json j = {.indent = 1};
    uint64_t samples = 0, bytes = 0;
    for (uint64_t i = 0; i < n; i++) {
        samples += lines[i].samples;
        bytes += lines[i].bytes;
    }
    mr__json_begin_object(&j);
    put_number(&j, "millrace_pack", MR_SHARD_MAJOR);
    put_number(&j, "minor", MR_SHARD_MINOR);
    put_text(&j, "written_by", MR_SHARD_TOOL);
    put_text(&j, "mode", plan->mode);
    put_hex(&j, "fingerprint", plan->fingerprint);
    put_number(&j, "samples", samples);
    put_number(&j, "bytes", bytes);
    mr__json_key(&j, "shards");
    mr__json_begin_array(&j);
    for (uint64_t i = 0; i < n; i++) {
        mr__json_begin_object(&j);
        put_text(&j, "file", lines[i].file);
        put_number(&j, "first", lines[i].first);
        put_number(&j, "samples", lines[i].samples);
        put_number(&j, "bytes", lines[i].bytes);
        put_hex(&j, "check", lines[i].check);
        mr__json_end_object(&j);
    }
    mr__json_end_array(&j);
    mr__json_end_object(&j);
    return mr__json_take(&j);
}

int mr__shard_set_write(const char *folder, const struct mr_shard_plan *plan,
                        const struct mr_shard_line *lines, uint64_t n, struct mr_errbuf *e)
{
    char *text = make_text(plan, lines, n), *path = NULL;
    if (!text || asprintf(&path, "%s/%s", folder, MR_SHARD_SET_FILE) < 0) {
        free(text);
        return mr__fail(e, MR_E_MEMORY, "not enough memory for the list of %llu shards",
                        (unsigned long long)n);
    }
    int rc = mr__out_file(path, text, strlen(text), "the list of the shards", e);
    if (rc == MR_OK && mr__shard_folder_sync(path) < 0)
        rc = mr__fail_errno(e, MR_E_IO, "cannot write the folder '%s' to the disk",
                            mr__printable(folder, strlen(folder)).text);
    free(path);
    free(text);
    return rc;
}
