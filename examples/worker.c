/* SPDX-License-Identifier: Apache-2.0
 *
 * worker.c: a producer that is a program of its own, as another runtime would be: `producer: {exec:
 * ./worker}`.
 */
#include "index_plugin.h"

#include <millrace/millrace.h>
#include <stdio.h>

int main(void)
{
    int rc = mr_worker_run(&index_producer);
    if (rc < 0)
        fprintf(stderr, "worker: %s\n", mr_error(NULL));
    return rc < 0;
}
