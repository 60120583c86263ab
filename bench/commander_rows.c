/* SPDX-License-Identifier: Apache-2.0
 *
 * commander_rows.c: how many messages a user's commander makes in a second of processor time,
 * saving behind every batch of 64 as in a run: bench_commander CONFIG [MESSAGES]. CONFIG names a
 * script or a plug-in.
 */
#include "base/message.h"
#include "one_process.h"
#include "pipe/commander_run.h"

#include <stdio.h>
#include <stdlib.h>

#define BATCH 64

static uint64_t room[4096], state[8192];

static int run(const struct mr_config *c, uint64_t messages, struct mr_errbuf *e)
{
    struct mr_commander_run r;
    mr_commander v;
    mr__commander_run_begin(&r, c, NULL, NULL);
    int rc = mr__commander_load(c, &v, e);
    if (rc < 0)
        return rc;
    void *self = c->commander.script ? (void *)&r : v.user;
    rc = mr__hook_build(&r, &v, &self, c->commander.params);
    double from = cpu_now();
    uint64_t made = 0, saved_bytes = 0;
    for (uint64_t i = 0; rc >= 0 && i < messages; i++) {
        size_t bytes = 0;
        mr_message *m = mr__message_init(room, (size_t)c->message_bytes, 0, i, i);
        rc = mr__hook_next(&r, &v, self, m);
        made += rc == MR_OK;
        if (rc >= 0 && i % BATCH == 0 && v.save)
            mr__hook_save(&r, &v, self, state, sizeof state, &bytes);
        saved_bytes = bytes ? bytes : saved_bytes;
    }
    if (rc < 0)
        return mr__fail(e, rc, "%s", r.sentence);
    printf("%.2f million messages per second of processor time, %llu bytes saved behind a batch\n",
           (double)made / (cpu_now() - from) * 1e-6, (unsigned long long)saved_bytes);
    return MR_OK;
}

int main(int argc, char **argv)
{
    struct mr_config *c = NULL;
    struct mr_errbuf e = {0};
    if (argc < 2)
        return fprintf(stderr, "usage: bench_commander CONFIG [MESSAGES]\n"), 2;
    int rc = mr__config_read(&c, argv[1], NULL, NULL, &e);
    if (rc >= 0)
        rc = run(c, argc > 2 ? strtoull(argv[2], NULL, 10) : 2000000, &e);
    if (rc < 0)
        fprintf(stderr, "%s\n", e.text);
    mr__config_free(c);
    return rc < 0;
}
