/* SPDX-License-Identifier: Apache-2.0
 *
 * fault_plugin.h: the producer of fault_plugin.c, for the program.
 */
#ifndef FAULT_PLUGIN_H
#define FAULT_PLUGIN_H

#include "millrace/plugin.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

extern const mr_producer fault_producer;

#endif
