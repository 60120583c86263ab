/* SPDX-License-Identifier: Apache-2.0
 *
 * The versions of the kernels. A new one (NEON, AVX-512) is one file and one line here.
 */
#include "augment/kernel/passes.h"

#include <string.h>

const struct mr_kernel *const mr__kernels[] = {
#if defined(__x86_64__)
    &mr__kernel_avx2,
#endif
    &mr__kernel_scalar,
    NULL,
};

static int unknown(const char *forced, struct mr_errbuf *e)
{
    char names[128] = "";
    size_t n = 0;

    for (const struct mr_kernel *const *k = mr__kernels; *k; k++) {
        size_t m = strlen((*k)->name);
        if (n + m + 3 > sizeof names)
            break;
        memcpy(names + n, n ? ", " : "", n ? 2 : 0);
        n += n ? 2 : 0;
        memcpy(names + n, (*k)->name, m + 1);
        n += m;
    }
    return mr__fail(e, MR_E_USAGE,
                    "MILLRACE_CPU is '%s', which is no version of the kernels: "
                    "unset it or give one of %s",
                    forced, names);
}

int mr__kernel_choose(const struct mr_kernel **kernel, const char *forced, struct mr_errbuf *e)
{
    for (const struct mr_kernel *const *k = mr__kernels; *k; k++) {
        if (forced && strcmp(forced, (*k)->name) != 0)
            continue;
        *kernel = *k;
        if ((*k)->usable())
            return MR_OK;
        if (forced)
            return mr__fail(e, MR_E_UNSUPPORTED,
                            "MILLRACE_CPU is '%s', which this CPU cannot run: "
                            "unset it to use the best that it can",
                            forced);
    }
    return unknown(forced, e);
}
