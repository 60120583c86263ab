/* SPDX-License-Identifier: Apache-2.0
 *
 * badlist_call.c: the calls about bad samples: looking at them, writing the list.
 */
#include "base/whole_file.h"
#include "pipe/loader.h"

#include <stdlib.h>

static int save(mr_loader *l, const char *path, unsigned flags, struct mr_errbuf *e)
{
    struct mr_text t = {0};
    mr__badlist_write(&t, &l->bad.list, &l->s.index, l->s.plan->image_column,
                      (flags & MR_BAD_ANYWHERE) != 0);
    int rc = t.failed ? mr__fail(e, MR_E_MEMORY, "no memory for the bad list")
                      : mr__out_file(path, t.data, t.n, "the bad list", e);
    mr__text_free(&t);
    return rc;
}

void mr__bad_save(mr_loader *l)
{
    struct mr_errbuf e;
    const char *path = l->s.plan->config->bad_list;
    if (!path || !l->bad.changed)
        return;
    int rc = save(l, path, 0, &e);
    l->bad.changed = rc < 0;
    if (rc < 0 && l->log)
        l->log(l->log_user, MR_LOG_ERROR, e.text);
}

int mr_save_bad_list(mr_loader *l, const char *path, unsigned flags)
{
    struct mr_errbuf e;
    int rc = mr__loader_enter(l, &e);
    if (rc < 0)
        return mr__keep_error(&e);
    const char *own = l->s.plan->config->bad_list;
    if (!path && !own)
        rc =
            mr__fail(&e, MR_E_USAGE, "mr_save_bad_list needs a path: the config has no 'bad_list'");
    else
        rc = save(l, path ? path : own, flags, &e);
    if (rc >= 0 && !path && !flags)
        l->bad.changed = false;
    mr__loader_leave(l);
    return rc < 0 ? mr__keep_error(&e) : MR_OK;
}

static void fill(const mr_loader *l, const struct mr_bad *bad, mr_bad_sample *out)
{
    *out = (mr_bad_sample){.size = sizeof *out,
                           .sample = bad->v.sample,
                           .epoch = bad->v.epoch,
                           .position = bad->v.position,
                           .attempt = (int32_t)bad->v.attempt,
                           .code = bad->v.reason,
                           .forced = bad->v.forced != 0,
                           .stage = mr__stage_name(bad->v.stage),
                           .cause = mr__cause_name(bad->v.cause),
                           .reason = bad->text ? bad->text : mr_strerror(bad->v.reason),
                           .path = mr__bad_path(bad, &l->s.index, l->s.plan->image_column)};
}

int mr_get_bad_sample(mr_loader *l, uint64_t number, mr_bad_sample *out)
{
    struct mr_errbuf e;
    if (!out || out->size != sizeof *out) {
        mr__fail(&e, MR_E_USAGE, "mr_bad_sample.size is not sizeof(mr_bad_sample)");
        return mr__keep_error(&e);
    }
    int rc = mr__loader_enter(l, &e);
    if (rc < 0)
        return mr__keep_error(&e);
    if (number < l->bad.list.n)
        fill(l, &l->bad.list.v[number], out);
    else
        rc = MR_END;
    mr__loader_leave(l);
    return rc;
}
