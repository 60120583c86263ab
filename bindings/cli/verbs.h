/* SPDX-License-Identifier: Apache-2.0
 *
 * verbs.h: the verbs, in verb_NAME.c.
 */
#ifndef MR_CLI_VERBS_H
#define MR_CLI_VERBS_H

#include "cli.h"

extern const struct cli_verb verb_check;
extern const struct cli_verb verb_doctor;
extern const struct cli_verb verb_explain;
extern const struct cli_verb verb_ops;
extern const struct cli_verb verb_pack;
extern const struct cli_verb verb_run;
extern const struct cli_verb verb_stats;
extern const struct cli_verb verb_synth;
extern const struct cli_verb verb_verify;
extern const struct cli_verb verb_version;

#endif
