/* SPDX-License-Identifier: Apache-2.0
 *
 * mcu_run_plain.c: for any CPU; and which one is used.
 */
#define MR_RUN
#include "loaders/codec/baseline/mcu_run_body.h"

const struct mr_mcu_runs mr__mcu_runs_plain = {run_store, run_skip};

const struct mr_mcu_runs *mr__mcu_runs(const struct mr_cpu *cpu)
{
#if defined(__x86_64__)
    if (mr__cpu_runs(cpu, MR_CPU_AVX2, 0)) /* it came with BMI2 */
        return &mr__mcu_runs_bmi2;
#endif
    (void)cpu;
    return &mr__mcu_runs_plain;
}
