/* SPDX-License-Identifier: Apache-2.0
 *
 * printable.h: file names and other foreign text in messages. A name may hold any byte but NUL and
 * '/', a newline or a terminal's escape codes too, and a message is one line.
 */
#ifndef MR_BASE_PRINTABLE_H
#define MR_BASE_PRINTABLE_H

#include <stddef.h>

struct mr_printable {
    char text[512];
};

/* The n bytes of `text` as valid UTF-8 without control characters: other bytes become \n, \t or
 * \xNN. When that is too long its middle becomes "...", since a path's end tells more. Use as
 * mr__printable(path, n).text. */
struct mr_printable mr__printable(const char *text, size_t n);

#endif
