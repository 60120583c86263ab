/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/pack_call.h"

#include "base/parallel.h"
#include "pipe/last_error.h"
#include "pipe/plan.h"

enum { TELL_MS = 50 };

int mr__pack_call_begin(struct mr_pack_call *call, const char *path, const char *out,
                        const mr_pack_options *options, struct mr_errbuf *e)
{
    static const mr_pack_options defaults = {.size = sizeof defaults};
    *call = (struct mr_pack_call){.o = options ? options : &defaults};
    if (call->o->size != sizeof *options)
        return mr__fail(e, MR_E_USAGE, "mr_pack_options.size is not sizeof(mr_pack_options)");
    if (!path && !call->o->config_text)
        return mr__fail(e, MR_E_USAGE, "the path of a config or its text is needed");
    if (!out || !*out)
        return mr__fail(e, MR_E_USAGE, "the path of a folder is needed, to write into");
    if (call->o->threads < 0)
        return mr__fail(e, MR_E_USAGE, "%d threads are not enough", call->o->threads);
    return MR_OK;
}

int mr__pack_call_threads(const struct mr_pack_call *call)
{
    int threads = call->o->threads ? call->o->threads : mr__cpus();
    return threads < MR_PARALLEL_MAX ? threads : MR_PARALLEL_MAX;
}

int mr__pack_call_tell(struct mr_pack_call *call, bool always, struct mr_errbuf *e)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t ms =
        (now.tv_sec - call->told.tv_sec) * 1000 + (now.tv_nsec - call->told.tv_nsec) / 1000000;
    if (!call->o->progress || (!always && ms < TELL_MS))
        return MR_OK;
    call->told = now;
    if (!call->o->progress(call->o->user, &call->progress))
        return MR_OK;
    return mr__fail(e, MR_E_CLOSED, "ended by the caller, with %llu of %llu samples done",
                    (unsigned long long)call->progress.done,
                    (unsigned long long)call->progress.samples);
}

void mr__pack_call_log(const struct mr_pack_call *call, const char *fmt, ...)
{
    char line[MR_ERR_TEXT + 80];
    va_list ap;
    if (!call->o->log)
        return;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    call->o->log(call->o->user, line);
}

int mr__pack_call_end(const struct mr_pack_call *call, mr_pack_progress *result, int rc,
                      struct mr_errbuf *e)
{
    if (result)
        *result = call->progress;
    e->code = rc;
    return rc < 0 ? mr__keep_error(e) : MR_OK;
}
