/* SPDX-License-Identifier: Apache-2.0
 *
 * pick.h: what a built-in sampler chose, as a message: the sample is in the header, a window is an
 * entry of its own.
 */
#ifndef MR_PIPE_PICK_H
#define MR_PIPE_PICK_H

#include "base/descriptor.h"

#define MR_PICK_WINDOW_BYTES 56 /* what a window takes in a message, behind the header */

/* Into a message that is empty but for its header. MR_E_LIMIT: `message_bytes` is too small. */
int mr__pick_write(mr_message *m, const struct mr_pick *pick, struct mr_errbuf *e);
/* Out of a message that mr__pick_write made; a user's commander may set a window the same way: the
 * entry "window" with x, y, width and height. Numbers that are no window become one that lies in no
 * image. */
void mr__pick_read(const mr_message *m, struct mr_pick *pick);

#endif
