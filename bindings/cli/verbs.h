/* SPDX-License-Identifier: Apache-2.0
 *
 * verbs.h: the verbs, one file each (verb_NAME.c).
 */
#ifndef MR_CLI_VERBS_H
#define MR_CLI_VERBS_H

#include "cli.h"

extern const struct cli_verb verb_synth;
extern const struct cli_verb verb_version;

#endif
