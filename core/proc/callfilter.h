/* SPDX-License-Identifier: Apache-2.0
 *
 * callfilter.h: the list of system calls that a producer may make, as a seccomp program. It is
 * compiled once, in the warden; a new producer only installs it.
 */
#ifndef MR_PROC_CALLFILTER_H
#define MR_PROC_CALLFILTER_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct sock_filter;

struct mr_callfilter {
    struct sock_filter *code; /* NULL: none */
    unsigned short n;
};

struct mr_callfilter_spec {
    int write_fd; /* the one descriptor beside standard error that may be written to; -1: none */
    int also_fd;  /* one more; 0: none */
    bool threads; /* more of them may be started */
    bool network;
};

/* Compiles. MR_E_SYSTEM: the kernel has no seccomp filters. */
int mr__callfilter_new(struct mr_callfilter *f, const struct mr_callfilter_spec *spec,
                       struct mr_errbuf *e);
void mr__callfilter_free(struct mr_callfilter *f);
/* From here on any other call is not made; instead its number plus one goes to *refused (in shared
 * memory; never NULL) and the process dies of SIGSYS. After no_new_privs. 0, or -1 with errno. */
int mr__callfilter_enter(const struct mr_callfilter *f, uint32_t *refused);
/* "the system call 41 (socket)", for a value that was left in *refused. */
void mr__callfilter_name(uint32_t refused, char *text, size_t bytes);
/* "2.5.4": the libseccomp in use, into text. */
void mr__callfilter_library(char *text, size_t bytes);

#endif
