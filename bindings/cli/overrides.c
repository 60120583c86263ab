/* SPDX-License-Identifier: Apache-2.0 */
#include "overrides.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const keys[OVERRIDE_NUMBERS] = {"epochs", "producers", "seed", "rank", "world"};

int overrides_make(struct overrides *set, const struct override_options *o)
{
    int n = 0;
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
    return CLI_DONE;
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
