/* SPDX-License-Identifier: Apache-2.0 */
#include "overrides.h"

#include "millrace/millrace.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONFIG_LOOK 65536 /* bytes in which a config says its version */

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

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
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
    if (!strcmp(base_name(src), "pack.json")) /* which the source says to leave out */
        return "shards";
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (ends_with(src, files[i].ending))
            return files[i].source;
    return NULL;
}

/* "version:" or "'version' :", somewhere. */
static bool has_version(const char *text)
{
    for (; (text = strstr(text, "version")); text++) {
        const char *behind = text + strlen("version");
        if (behind[strspn(behind, "\"' ")] == ':')
            return true;
    }
    return false;
}

/* A config says its version; what is no file is not read to find out. */
static bool looks_like_config(const char *path)
{
    char text[CONFIG_LOOK + 1];
    struct stat st;
    if (ends_with(path, ".yaml") || ends_with(path, ".yml"))
        return true;
    if (stat(path, &st) || !S_ISREG(st.st_mode))
        return true;
    FILE *f = fopen(path, "rb");
    if (!f)
        return true; /* whoever reads it says why not */
    size_t n = fread(text, 1, CONFIG_LOOK, f);
    fclose(f);
    text[n] = 0;
    return strlen(text) == n && has_version(text);
}

int overrides_check_source(const char *src)
{
    struct stat st;
    if (stat(src, &st))
        return errno == ENOENT
                   ? cli_fail(CLI_WRONG_USE, "there is no '%s'", src)
                   : cli_fail(CLI_WRONG_USE, "cannot look at '%s': %s", src, strerror(errno));
    if (find_source(src) || looks_like_config(src))
        return CLI_DONE;
    return cli_fail(CLI_WRONG_USE,
                    "'%s' is no data set: give a folder, .csv, .tsv, .npy, .npz, .mrs or a config",
                    src);
}

bool overrides_is_array(const char *src)
{
    const char *source = find_source(src);
    return source && !strcmp(source, "npy");
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

/* Among the plan's first lines: "source:    shards", or "  NAME   remote_shards," of a mixture. */
static bool names_shards(const char *plan)
{
    const char *end = strstr(plan, "\nbatches:"), *at = plan;
    for (; (at = strstr(at, "shards")) && at < end; at++) {
        bool begins = at > plan && (at[-1] == ' ' || at[-1] == '_');
        if (begins && (at[6] == '\n' || at[6] == ','))
            return true;
    }
    return false;
}

bool overrides_plan_is_packed(const char *config, const struct override_options *o)
{
    struct overrides set;
    struct stat st;
    char *text = NULL;
    if (stat(config, &st) || !S_ISREG(st.st_mode)) /* a pipe cannot be read again */
        return false;
    if (overrides_make(&set, o))
        return false;
    mr_options options = {.size = sizeof options, .set = set.v};
    bool packed = mr_explain(config, &options, &text) >= 0 && names_shards(text);
    mr_free(text);
    overrides_free(&set);
    return packed;
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
