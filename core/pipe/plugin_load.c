/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/session.h"

#include <dlfcn.h>

int mr__plugin_load(const char *path, const mr_plugin **plugin, struct mr_errbuf *e)
{
    void *so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!so)
        return mr__fail(e, MR_E_CODE, "cannot load the plug-in: %s", dlerror());
    *plugin = dlsym(so, "mr_plugin_entry");
    if (!*plugin)
        return mr__fail(e, MR_E_CODE,
                        "the plug-in '%s' exports no 'mr_plugin_entry'; add "
                        "'const mr_plugin mr_plugin_entry = {...};' and make it visible",
                        path);
    if ((*plugin)->abi != MR_PLUGIN_ABI || (*plugin)->size < sizeof(mr_plugin))
        return mr__fail(e, MR_E_VERSION,
                        "the plug-in '%s' is of ABI %u, this library of ABI %u: "
                        "compile it again with this version's headers",
                        path, (*plugin)->abi, MR_PLUGIN_ABI);
    return MR_OK;
}
