/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/shard/shard_set.h"

#include "base/open_file.h"
#include "base/printable.h"
#include "loaders/shard/set_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define MAX_LIST_BYTES (256u << 20) /* some million shards */

static struct mr_printable show(const char *path)
{
    return mr__printable(path, strlen(path));
}

static int no_memory(struct mr_errbuf *e)
{
    return mr__fail(e, MR_E_MEMORY, "not enough memory for the list of a set's shards");
}

static int damaged(const struct mr_shard_set *set, const char *what, struct mr_errbuf *e)
{
    return mr__fail(e, MR_E_DATA, "'%s/%s' is damaged: %s; copy it again, or pack again",
                    show(set->folder).text, MR_SHARD_SET_FILE, what);
}

/* ---- its text ---- */

static void read_line(struct mr_set_text *t, struct mr_shard_line *line)
{
    char key[32];
    bool first = true;
    mr__set_text_enter(t, '{');
    while (mr__set_text_more(t, '}', &first)) {
        mr__set_text_key(t, key, sizeof key);
        if (!strcmp(key, "file"))
            mr__set_text_string(t, line->file, sizeof line->file);
        else if (!strcmp(key, "first"))
            line->first = mr__set_text_number(t);
        else if (!strcmp(key, "samples"))
            line->samples = mr__set_text_number(t);
        else if (!strcmp(key, "bytes"))
            line->bytes = mr__set_text_number(t);
        else if (!strcmp(key, "check"))
            line->check = mr__set_text_hex(t);
        else
            mr__set_text_skip(t);
    }
}

static int read_lines(struct mr_set_text *t, struct mr_shard_set *set, struct mr_errbuf *e)
{
    struct mr_buf lines = {0};
    bool first = true;
    int rc = MR_OK;
    mr__set_text_enter(t, '[');
    while (rc == MR_OK && mr__set_text_more(t, ']', &first)) {
        struct mr_shard_line line = {0};
        read_line(t, &line);
        if (!t->wrong && !mr__buf_append(&lines, &line, sizeof line))
            rc = no_memory(e);
    }
    free(set->line);
    set->n = lines.n / sizeof *set->line;
    set->line = (struct mr_shard_line *)(void *)lines.data;
    return rc;
}

struct version {
    uint64_t major, minor;
};

static int read_text(struct mr_set_text *t, struct mr_shard_set *set, struct version *v,
                     struct mr_errbuf *e)
{
    char key[32];
    bool first = true;
    int rc = MR_OK;
    mr__set_text_enter(t, '{');
    while (rc == MR_OK && mr__set_text_more(t, '}', &first)) {
        mr__set_text_key(t, key, sizeof key);
        if (!strcmp(key, "millrace_pack"))
            v->major = mr__set_text_number(t);
        else if (!strcmp(key, "minor"))
            v->minor = mr__set_text_number(t);
        else if (!strcmp(key, "written_by"))
            mr__set_text_string(t, set->written_by, sizeof set->written_by);
        else if (!strcmp(key, "mode"))
            mr__set_text_string(t, set->mode, sizeof set->mode);
        else if (!strcmp(key, "fingerprint"))
            set->fingerprint = mr__set_text_hex(t);
        else if (!strcmp(key, "samples"))
            set->samples = mr__set_text_number(t);
        else if (!strcmp(key, "shards"))
            rc = read_lines(t, set, e);
        else
            mr__set_text_skip(t);
        if (v->major && v->major != MR_SHARD_MAJOR && *set->written_by)
            break; /* whatever it may look like from here on */
    }
    return rc;
}

static bool is_name(const char *file)
{
    size_t n = strlen(file), ending = strlen(MR_SHARD_ENDING);
    return n > ending && !strchr(file, '/') && !strcmp(file + n - ending, MR_SHARD_ENDING);
}

static int check_lines(const struct mr_shard_set *set, struct mr_errbuf *e)
{
    uint64_t samples = 0;
    char what[700];
    for (uint64_t i = 0; i < set->n; i++) {
        const struct mr_shard_line *line = &set->line[i];
        bool follows =
            line->first == samples && !__builtin_add_overflow(samples, line->samples, &samples);
        if (is_name(line->file) && follows)
            continue;
        snprintf(what, sizeof what, "the shard '%s', number %llu of its list, %s",
                 show(line->file).text, (unsigned long long)i,
                 follows ? "has no name of a shard" : "does not begin where the one before ends");
        return damaged(set, what, e);
    }
    if (samples != set->samples)
        return damaged(set, "its shards do not have the samples that it says in all", e);
    return MR_OK;
}

int mr__shard_set_parse(struct mr_shard_set *set, const char *text, size_t n, struct mr_errbuf *e)
{
    struct mr_set_text t = {.at = text, .end = text + n};
    struct version v = {0};
    int rc = read_text(&t, set, &v, e);
    if (rc < 0)
        return rc;
    if (v.major && v.major != MR_SHARD_MAJOR)
        return mr__fail(e, MR_E_VERSION,
                        "'%s/%s' is of version %llu of the format, written by '%s', and this "
                        "is %s, which reads version %d: read the shards with the other one, or "
                        "pack the data again",
                        show(set->folder).text, MR_SHARD_SET_FILE, (unsigned long long)v.major,
                        *set->written_by ? show(set->written_by).text : "a newer Millrace",
                        MR_SHARD_TOOL, MR_SHARD_MAJOR);
    if (!mr__set_text_ended(&t) || !v.major)
        return damaged(set, "it is no list of shards, or only a part of one", e);
    return check_lines(set, e);
}

/* ---- its file ---- */

static int cannot_open(const struct mr_shard_set *set, struct mr_errbuf *e)
{
    if (errno == ENOENT)
        return mr__fail(e, MR_E_IO,
                        "there is no %s in '%s', which 'millrace pack' writes at its end: nothing "
                        "was packed there, or packing was interrupted and goes on when it is run "
                        "again",
                        MR_SHARD_SET_FILE, show(set->folder).text);
    return mr__fail_errno(e, MR_E_IO, "cannot look at '%s/%s'", show(set->folder).text,
                          MR_SHARD_SET_FILE);
}

static int read_list(struct mr_shard_set *set, struct mr_errbuf *e)
{
    struct mr_shard_file *file;
    struct mr_buf text = {0};
    struct stat st;
    char *path = NULL;
    if (asprintf(&path, "%s/%s", *set->folder ? set->folder : ".", MR_SHARD_SET_FILE) < 0)
        return no_memory(e);
    int rc = !mr__shard_is_url(path) && stat(path, &st) < 0 ? cannot_open(set, e)
                                                            : mr__shard_file_open(&file, path, e);
    free(path);
    if (rc < 0)
        return rc;
    if (file->bytes > MAX_LIST_BYTES)
        rc = damaged(set, "it is too large for a list of shards", e);
    else if (!mr__buf_reserve(&text, file->bytes + 1))
        rc = no_memory(e);
    else
        rc = mr__shard_file_read(file, 0, text.data, file->bytes, e);
    if (rc == MR_OK)
        rc = mr__shard_set_parse(set, (const char *)text.data, file->bytes, e);
    mr__shard_file_close(file);
    mr__buf_free(&text);
    return rc;
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static int not_a_folder(const char *path, struct mr_errbuf *e)
{
    return mr__fail(e, MR_E_CONFIG, "'%s' is the list of the shards: give the folder, not its %s",
                    show(path).text, MR_SHARD_SET_FILE);
}

static int take_one(struct mr_shard_set *set, const char *path, struct mr_errbuf *e)
{
    const char *name = name_of(path), *slash = name > path ? name - 1 : NULL;
    struct mr_shard shard;
    if (strlen(name) >= sizeof set->line->file)
        return mr__fail(e, MR_E_DATA, "the name of the shard '%s' is too long", show(path).text);
    set->line = calloc(1, sizeof *set->line);
    set->alone = true;
    if (!set->line)
        return no_memory(e);
    set->folder[!slash ? 0 : slash == path ? 1 : slash - path] = 0;
    int rc = mr__shard_open(&shard, path, true, e);
    if (rc < 0)
        return rc;
    snprintf(set->line->file, sizeof set->line->file, "%s", name);
    set->line->samples = set->samples = shard.samples;
    set->line->bytes = shard.bytes;
    set->line->check = shard.check;
    set->line->first = shard.first;
    set->fingerprint = shard.fingerprint;
    set->n = 1;
    memcpy(set->mode, shard.mode, sizeof set->mode);
    memcpy(set->written_by, shard.written_by, sizeof shard.written_by);
    mr__shard_close(&shard);
    return MR_OK;
}

int mr__shard_set_read(struct mr_shard_set *set, const char *path, struct mr_errbuf *e)
{
    struct stat st;
    *set = (struct mr_shard_set){.folder = strdup(path)};
    if (!set->folder)
        return no_memory(e);
    for (size_t n = strlen(path); n > 1 && set->folder[n - 1] == '/'; n--)
        set->folder[n - 1] = 0;
    bool folder = !mr__shard_is_url(path) && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    int rc = folder                                      ? read_list(set, e)
             : is_name(name_of(path))                    ? take_one(set, path, e)
             : !strcmp(name_of(path), MR_SHARD_SET_FILE) ? not_a_folder(path, e)
                                                         : read_list(set, e);
    if (rc < 0)
        mr__shard_set_free(set);
    return rc;
}

void mr__shard_set_free(struct mr_shard_set *set)
{
    free(set->folder);
    free(set->line);
    *set = (struct mr_shard_set){0};
}

char *mr__shard_set_path(const struct mr_shard_set *set, uint64_t i)
{
    char *path = NULL;
    const char *between = *set->folder ? "/" : "";
    return asprintf(&path, "%s%s%s", set->folder, between, set->line[i].file) < 0 ? NULL : path;
}

int mr__shard_set_open(const struct mr_shard_set *set, uint64_t i, bool whole,
                       struct mr_shard *shard, struct mr_errbuf *e)
{
    const struct mr_shard_line *line = &set->line[i];
    char *path = mr__shard_set_path(set, i);
    int rc = path ? mr__shard_open(shard, path, whole, e) : no_memory(e);
    if (rc == MR_OK && (shard->check != line->check || shard->bytes != line->bytes ||
                        shard->samples != line->samples || shard->first != line->first ||
                        (!set->alone && shard->number != i))) {
        rc = mr__fail(e, MR_E_DATA,
                      "the shard '%s' is another one than %s says: it was made by another packing, "
                      "or both were copied at different times; copy or pack all of them again",
                      show(path).text, MR_SHARD_SET_FILE);
        mr__shard_close(shard);
    }
    if (rc < 0)
        *shard = (struct mr_shard){0};
    free(path);
    return rc;
}
