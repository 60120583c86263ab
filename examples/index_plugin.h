/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INDEX_PLUGIN_H
#define INDEX_PLUGIN_H

#include <millrace/plugin.h>

extern const mr_commander index_commander;
extern const mr_producer index_producer;
extern MR_API const mr_plugin mr_plugin_entry;

#endif
