/* SPDX-License-Identifier: Apache-2.0
 *
 * fault_worker.c: the producer of fault_plugin.c as a program of its own.
 */
#include "fault_plugin.h"
#include "millrace/millrace.h"

#include <stdio.h>

int main(void)
{
    if (mr_worker_run(&fault_producer) < 0) {
        fprintf(stderr, "fault_worker: %s\n", mr_error(NULL));
        return 1;
    }
    return 0;
}
