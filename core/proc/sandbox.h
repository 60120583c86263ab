/* SPDX-License-Identifier: Apache-2.0
 *
 * sandbox.h: what a process gives up before it touches bytes that somebody else has made. Prepared
 * once in the warden, entered by each producer after its fork; entering costs some 200
 * microseconds. A layer that the kernel lacks is known before the first producer starts.
 */
#ifndef MR_PROC_SANDBOX_H
#define MR_PROC_SANDBOX_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mr_layer {
    MR_LAYER_PRIVS,  /* no_new_privs: nothing that it could start has more rights */
    MR_LAYER_LIMITS, /* memory, open files, no file writes, no core */
    MR_LAYER_FILES,  /* Landlock */
    MR_LAYER_CALLS,  /* seccomp */
    MR_LAYERS
};
#define MR_LAYERS_ALL ((1u << MR_LAYERS) - 1)

struct mr_sandbox_spec {
    unsigned layers;   /* of 1 << enum mr_layer: those that are wanted */
    const char *roots; /* what may be read: see mr__landlock_ruleset; all else may not */
    size_t roots_bytes;
    uint64_t memory_bytes; /* private memory beyond what the process has when it enters; 0: any */
    int threads;           /* that the process will run; 1: it cannot start any */
    int keep_fd;           /* stays open beside standard error, and may be written to; -1: none */
    int also_fd;           /* one more of that kind; 0: none */
    bool network;          /* the source reads over it */
};

struct mr_sandbox;

/* Prepares the layers that there are. MR_E_MEMORY; a layer that is missing is no error. */
int mr__sandbox_new(struct mr_sandbox **s, const struct mr_sandbox_spec *spec, struct mr_errbuf *e);
void mr__sandbox_free(struct mr_sandbox *s); /* safe on NULL */
/* Enters in a child process that then ends; what fails there counts as missing. MR_E_SYSTEM: no
 * child could be started. */
int mr__sandbox_try(struct mr_sandbox *s, struct mr_errbuf *e);
/* Why a layer is not in force, as a sentence; NULL: it is, or was not wanted. */
const char *mr__sandbox_missing(const struct mr_sandbox *s, enum mr_layer layer);
/* This build is for a sanitizer, which would not survive the sandbox: what is missing is known. */
bool mr__sandbox_by_choice(void);
/* The layer's name for people: "seccomp (which system calls can be made)". */
const char *mr__layer_name(enum mr_layer layer);

/* In the process that is to be confined, with a single thread. Closes every descriptor but
 * 0, 1 (both then /dev/null), 2, keep_fd and also_fd. There is no way back. Returns the layers
 * (1 << enum mr_layer) that could not be put in force beside those known to be missing. `refused`,
 * in shared memory: where the number of a forbidden system call goes (mr__callfilter_name). */
unsigned mr__sandbox_enter(const struct mr_sandbox *s, uint32_t *refused);

/* For a process that only looks around (the index helper): it can go on reading what the user can
 * read, but writes, starts and, without `network`, connects to nothing more. What the kernel lacks
 * is left out. */
void mr__sandbox_read_only(bool network);

#endif
