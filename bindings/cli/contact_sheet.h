/* SPDX-License-Identifier: Apache-2.0
 *
 * contact_sheet.h: one batch as one picture: a grid of its images with labels below, masks tinted
 * and boxes drawn where the batch has them.
 */
#ifndef MR_CLI_CONTACT_SHEET_H
#define MR_CLI_CONTACT_SHEET_H

#include "millrace/millrace.h"

#include <stdint.h>

struct contact_sheet;

/* Takes a copy of what it needs of the batch (64 rows at most), which is quick, so that the run
 * that is measured goes on. The loader gives the class names. NULL with *why (static text) when the
 * batch has no image, without (*why == NULL) when memory is out. */
struct contact_sheet *contact_sheet_take(mr_loader *loader, const mr_batch *batch,
                                         const char **why);
/* Draws and writes the PNG. 0, or -1 with errno (0: out of memory). */
int contact_sheet_write(const struct contact_sheet *sheet, const char *path);
void contact_sheet_free(struct contact_sheet *sheet);

#endif
