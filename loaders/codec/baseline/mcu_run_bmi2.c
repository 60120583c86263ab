/* SPDX-License-Identifier: Apache-2.0
 *
 * mcu_run_bmi2.c: with shifts by any register, and no flags, as BMI2 has them: the chain from one
 * look-up to the next is a load and two shifts.
 */
#if defined(__x86_64__)
#include "base/cpu.h"

#define MR_RUN __attribute__((target(MR_TARGET_AVX2)))
#include "loaders/codec/baseline/mcu_run_body.h"

const struct mr_mcu_runs mr__mcu_runs_bmi2 = {run_store, run_skip};
#endif
