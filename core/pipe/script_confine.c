/* SPDX-License-Identifier: Apache-2.0
 *
 * script_confine.c: a commander that runs nothing but a script gives up what built-in producers
 * give up: it can read the script's folder, take the memory that the script may have, and wake the
 * loader's other processes. The interpreter keeps a script in already; this holds when it does not.
 */
#include "pipe/commander_run.h"
#include "proc/sandbox.h"
#include "shm/report.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define OWN_MEMORY (32ull << 20) /* of the process beside the script's */

/* The script's folder, and the script itself, which may be a link. Returns their bytes. */
static size_t find_roots(const char *script, char roots[2 * PATH_MAX])
{
    size_t n = (size_t)(strrchr(script, '/') - script); /* an absolute path */
    if (n >= PATH_MAX)
        return 0;
    memcpy(roots, n ? script : "/", n ? n : 1);
    n += n == 0;
    roots[n++] = 0;
    char *file = realpath(script, NULL);
    if (file && strlen(file) < PATH_MAX) {
        strcpy(roots + n, file);
        n += strlen(file) + 1;
    }
    free(file);
    return n;
}

static struct mr_sandbox_spec spec_of(const struct mr_config *config, const struct mr_arena *a,
                                      char roots[2 * PATH_MAX])
{
    return (struct mr_sandbox_spec){
        .layers = MR_LAYERS_ALL,
        .roots = roots,
        .roots_bytes = find_roots(config->commander.script, roots),
        .memory_bytes = (uint64_t)config->commander.max_memory_bytes + OWN_MEMORY,
        .threads = 1,
        .keep_fd = a ? a->ready_fd : -1,
        .also_fd = a ? a->warden_fd : 0,
    };
}

static int judge(const struct mr_config *config, const struct mr_arena *a,
                 const struct mr_sandbox *sandbox, unsigned failed, struct mr_errbuf *e)
{
    for (int layer = 0; layer < MR_LAYERS; layer++) {
        const char *name = mr__layer_name((enum mr_layer)layer);
        const char *why = mr__sandbox_missing(sandbox, (enum mr_layer)layer);
        if (!why && failed >> layer & 1)
            why = "the kernel refused it";
        if (!why || mr__sandbox_by_choice())
            continue;
        if (config->sandbox == MR_SANDBOX_REQUIRE)
            return mr__fail(e, MR_E_SYSTEM, "'sandbox: require', but there is no %s: %s", name,
                            why);
        if (a)
            mr__report_log(a, MR_LANE_COMMANDER, MR_REPORT_WARNING,
                           "the script runs without %s: %s ('sandbox: off' leaves this line out)",
                           name, why);
    }
    return MR_OK;
}

int mr__script_confine(const struct mr_config *config, struct mr_arena *a, struct mr_errbuf *e)
{
    static uint32_t unseen; /* without an arena nobody asks which call was refused */
    struct mr_sandbox *sandbox;
    char roots[2 * PATH_MAX];
    mr__hook_clock();
    if (config->sandbox == MR_SANDBOX_OFF)
        return MR_OK;
    struct mr_sandbox_spec spec = spec_of(config, a, roots);
    int rc = mr__sandbox_new(&sandbox, &spec, e);
    if (rc < 0)
        return rc;
    unsigned failed =
        mr__sandbox_enter(sandbox, a ? &mr__lane(a, MR_LANE_COMMANDER)->refused : &unseen);
    if (a) /* they were closed, and the numbers are not ours any more */
        a->control_fd = a->plan_fd = a->data_fd = -1;
    rc = judge(config, a, sandbox, failed, e);
    mr__sandbox_free(sandbox);
    return rc;
}
