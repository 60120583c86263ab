/* SPDX-License-Identifier: Apache-2.0
 *
 * pack_call.h: what mr_pack() and mr_unpack() share.
 */
#ifndef MR_PACK_CALL_H
#define MR_PACK_CALL_H

#include "millrace/pack.h"
#include "pack/pack_data.h"

#include <time.h>

struct mr_pack_call {
    const mr_pack_options *o;
    mr_pack_progress progress;
    struct timespec told; /* when `progress` was called last */
};

/* Checks what every call needs. MR_E_USAGE. */
int mr__pack_call_begin(struct mr_pack_call *call, const char *path, const char *out,
                        const mr_pack_options *options, struct mr_errbuf *e);
int mr__pack_call_threads(const struct mr_pack_call *call);
/* Tells how far it is, now and then or, with `always`, now. MR_E_CLOSED: it is to end. */
int mr__pack_call_tell(struct mr_pack_call *call, bool always, struct mr_errbuf *e);
void mr__pack_call_log(const struct mr_pack_call *call, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Gives the result away; keeps the sentence of a failure. Returns rc. */
int mr__pack_call_end(const struct mr_pack_call *call, mr_pack_progress *result, int rc,
                      struct mr_errbuf *e);

#endif
