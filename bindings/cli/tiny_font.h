/* SPDX-License-Identifier: Apache-2.0
 *
 * tiny_font.h: letters of 5 x 7 pixels for labels in contact sheets. Capitals stand for small
 * letters too.
 */
#ifndef MR_CLI_TINY_FONT_H
#define MR_CLI_TINY_FONT_H

#include <stdint.h>

#define FONT_ADVANCE 6
#define FONT_HEIGHT 7

/* Seven rows, bit 4 is the leftmost pixel. What has no picture looks like a box. */
const uint8_t *font_glyph(char letter);

#endif
