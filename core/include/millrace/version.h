/* SPDX-License-Identifier: Apache-2.0
 *
 * millrace/version.h: the one place where the version stands; CMake reads it from here.
 */
#ifndef MILLRACE_VERSION_H
#define MILLRACE_VERSION_H

#define MR_VERSION_MAJOR 0
#define MR_VERSION_MINOR 1
#define MR_VERSION_PATCH 0
#define MR_VERSION_STRING "0.1.0"

#endif
