/* SPDX-License-Identifier: Apache-2.0 */
#include "overrides.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const keys[OVERRIDE_NUMBERS] = {"epochs", "producers", "seed", "rank", "world"};

int overrides_make(struct overrides *set, const struct override_options *o)
{
    int n = 0;
    set->ntexts = 0;
    for (int i = 0; i < o->set.n; i++) {
        if (!strchr(o->set.v[i], '='))
            return cli_fail(CLI_WRONG_USE, "'--set %s' is not good: it takes KEY.PATH=VALUE",
                            o->set.v[i]);
        set->v[n++] = o->set.v[i];
    }
    for (int i = 0; i < OVERRIDE_NUMBERS; i++) {
        if (o->numbers[i] < 0)
            continue;
        snprintf(set->numbers[i], sizeof set->numbers[i], "%s=%lld", keys[i],
                 (long long)o->numbers[i]);
        set->v[n++] = set->numbers[i];
    }
    set->v[n] = NULL;
    set->n = n;
    return CLI_DONE;
}

void overrides_add(struct overrides *set, const char *assignment)
{
    set->v[set->n++] = assignment;
    set->v[set->n] = NULL;
}

bool overrides_add_text(struct overrides *set, const char *key, const char *value)
{
    if (!value)
        return true;
    char *text = malloc(strlen(key) + 2 * strlen(value) + 4);
    if (!text)
        return false;
    char *to = text + sprintf(text, "%s='", key);
    for (; *value; value++) {
        *to++ = *value;
        if (*value == '\'') /* YAML's way: twice */
            *to++ = '\'';
    }
    memcpy(to, "'", 2);
    set->texts[set->ntexts++] = text;
    overrides_add(set, text);
    return true;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && !strcmp(text + n - m, end);
}

static bool has_shards(const char *folder)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%.*s/pack.json", PATH_MAX - 16, folder);
    return !access(path, F_OK);
}

/* The source that reads SRC; NULL: it is a config. */
static const char *find_source(const char *src)
{
    static const struct {
        const char *ending, *source;
    } files[] = {{".csv", "manifest"}, {".tsv", "manifest"}, {".mrs", "shards"},
                 {".npy", "npy"},      {".npz", "npy"}};
    struct stat st;
    if (!stat(src, &st) && S_ISDIR(st.st_mode))
        return has_shards(src) ? "shards" : "folder";
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (ends_with(src, files[i].ending))
            return files[i].source;
    return NULL;
}

bool overrides_is_shards(const char *src)
{
    const char *source = find_source(src);
    return source && !strcmp(source, "shards");
}

bool overrides_set_source(struct overrides *set, const char *src, bool *memory)
{
    const char *source = find_source(src);
    if (!source)
        return false;
    *memory = overrides_add_text(set, "source.type", source) &&
              overrides_add_text(set, "source.path", src);
    if (ends_with(src, ".tsv"))
        overrides_add(set, "source.separator=tab");
    return true;
}

void overrides_free(struct overrides *set)
{
    while (set->ntexts)
        free(set->texts[--set->ntexts]);
}

int overrides_find_config(const char *path)
{
    struct stat st;
    if (!access(path, R_OK) && !stat(path, &st)) {
        if (!S_ISDIR(st.st_mode))
            return CLI_DONE;
        errno = EISDIR;
    }
    return cli_fail(CLI_WRONG_USE, "cannot read the config '%s': %s", path, strerror(errno));
}
