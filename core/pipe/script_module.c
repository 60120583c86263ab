/* SPDX-License-Identifier: Apache-2.0
 *
 * script_module.c: scripts are run by a plug-in that is loaded when a config names one, so that the
 * library needs no interpreter. It is found as the warden is.
 */
#include "pipe/commander_run.h"
#include "pipe/session.h"

#include <dlfcn.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MODULE "millrace-lua.so"

static bool beside_library(char *path, size_t bytes)
{
    static const char *const places[] = {"", "/millrace", "/../lib"};
    Dl_info info;
    char folder[PATH_MAX];
    if (!dladdr((void *)(uintptr_t)mr__script_module, &info) || !info.dli_fname ||
        !realpath(info.dli_fname, folder))
        return false;
    *strrchr(folder, '/') = 0;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if ((size_t)snprintf(path, bytes, "%s%s/" MODULE, folder, places[i]) < bytes &&
            access(path, R_OK) == 0)
            return true;
    return false;
}

static char *copy_of(const char *path, struct mr_errbuf *e)
{
    char *copy = strdup(path);
    if (!copy)
        mr__fail(e, MR_E_MEMORY, "no memory for a path");
    return copy;
}

char *mr__script_module(struct mr_errbuf *e)
{
    char path[PATH_MAX + 64];
    const char *named = getenv("MILLRACE_LUA");
    if (named && *named) {
        if (access(named, R_OK) == 0)
            return copy_of(named, e);
        mr__fail(e, MR_E_UNSUPPORTED, "MILLRACE_LUA names '%s', which cannot be read", named);
        return NULL;
    }
    if (beside_library(path, sizeof path))
        return copy_of(path, e);
    if (access(MR_SCRIPT_MODULE_PATH, R_OK) == 0)
        return copy_of(MR_SCRIPT_MODULE_PATH, e);
    mr__fail(e, MR_E_UNSUPPORTED,
             "the module that runs Lua scripts, '" MODULE
             "', is neither beside the library nor at '" MR_SCRIPT_MODULE_PATH
             "': the library was built without Lua 5.4's headers (liblua5.4-dev); build it with "
             "them, or write a plug-in ('commander.plugin')");
    return NULL;
}

bool mr__commander_hooks(const mr_commander *given, mr_commander *hooks)
{
    const size_t least = offsetof(mr_commander, set_epoch);
    if (!given || given->abi != MR_PLUGIN_ABI || given->size < least || !given->next)
        return false;
    *hooks = (mr_commander){0};
    memcpy(hooks, given, given->size < sizeof *hooks ? least : sizeof *hooks);
    return true;
}

int mr__commander_load(const struct mr_config *config, mr_commander *hooks, struct mr_errbuf *e)
{
    const mr_plugin *plugin;
    char *module = config->commander.script ? mr__script_module(e) : NULL;
    const char *path = module ? module : config->commander.plugin;
    if (config->commander.script && !module)
        return e->code;
    int rc = mr__plugin_load(path, &plugin, e);
    if (rc >= 0 && !mr__commander_hooks(plugin->commander, hooks))
        rc = mr__fail(e, MR_E_CODE, "the plug-in '%s' has no commander of ABI %u", path,
                      MR_PLUGIN_ABI);
    free(module);
    return rc;
}
