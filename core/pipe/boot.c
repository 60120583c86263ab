/* SPDX-License-Identifier: Apache-2.0
 *
 * boot.c: what a spawned warden is told: the config's text, its path (for messages and relative
 * paths), the overrides, and the rank that the trainer found itself to be, as NUL-terminated
 * strings in a sealed memfd. The warden compiles them again; the arena's signature proves that the
 * result is the trainer's.
 */
#include "pipe/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define BOOT_MAX (8u << 20)
#define OWN_SETS 2 /* rank and world: the environment is asked once */
#define OWN_SET_BYTES 24

static int append(int fd, const char *text, struct mr_errbuf *e)
{
    size_t n = strlen(text) + 1;
    while (n) {
        ssize_t w = write(fd, text, n);
        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0)
            return mr__fail_errno(e, MR_E_SYSTEM, "cannot write the boot text");
        text += w;
        n -= (size_t)w;
    }
    return MR_OK;
}

/* A write beyond RLIMIT_FSIZE, which holds for memfds too, would end the trainer by SIGXFSZ. */
static int check_size(const struct mr_config *config, const char *const *set, struct mr_errbuf *e)
{
    struct rlimit limit;
    size_t bytes = strlen(config->path) + strlen(config->text) + 8 + OWN_SETS * OWN_SET_BYTES;
    for (; set && *set; set++)
        bytes += strlen(*set) + 1;
    if (getrlimit(RLIMIT_FSIZE, &limit) < 0 || bytes <= limit.rlim_cur)
        return MR_OK;
    return mr__fail(e, MR_E_LIMIT,
                    "the config and its overrides are %zu bytes, and RLIMIT_FSIZE ('ulimit -f') "
                    "allows %llu: raise it",
                    bytes, (unsigned long long)limit.rlim_cur);
}

static int append_ranks(int fd, const struct mr_config *config, struct mr_errbuf *e)
{
    char rank[OWN_SET_BYTES], world[OWN_SET_BYTES];
    snprintf(rank, sizeof rank, "rank=%lld", (long long)config->rank);
    snprintf(world, sizeof world, "world=%lld", (long long)config->world);
    int rc = append(fd, rank, e);
    return rc < 0 ? rc : append(fd, world, e);
}

int mr__boot_write(const struct mr_config *config, const char *const *set, struct mr_errbuf *e)
{
    if (check_size(config, set, e) < 0)
        return e->code;
    int fd = memfd_create("millrace-boot", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return mr__fail_errno(e, MR_E_SYSTEM, "cannot create shared memory (memfd_create)");
    int rc = append(fd, config->path, e);
    if (rc >= 0)
        rc = append(fd, config->from_file ? "file" : "text", e);
    if (rc >= 0)
        rc = append(fd, config->text, e);
    for (; rc >= 0 && set && *set; set++)
        rc = append(fd, *set, e);
    if (rc >= 0)
        rc = append_ranks(fd, config, e);
    if (rc >= 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK) < 0)
        rc = mr__fail_errno(e, MR_E_SYSTEM, "cannot seal the boot text");
    if (rc >= 0)
        return fd;
    close(fd);
    return rc;
}

static int read_text(int fd, char **text, size_t *bytes, struct mr_errbuf *e)
{
    struct stat st;
    if (fstat(fd, &st) < 0 || st.st_size < 2 || st.st_size > BOOT_MAX)
        return mr__fail(e, MR_E_CORRUPT,
                        "there is no boot text: this program is started by "
                        "mr_open, not by hand");
    *bytes = (size_t)st.st_size;
    *text = malloc(*bytes);
    if (!*text)
        return mr__fail(e, MR_E_MEMORY, "no memory for the boot text");
    if (pread(fd, *text, *bytes, 0) == (ssize_t)*bytes && (*text)[*bytes - 1] == 0)
        return MR_OK;
    free(*text);
    return mr__fail(e, MR_E_CORRUPT, "the boot text is damaged");
}

static const char *next_string(const char *s)
{
    return s + strlen(s) + 1;
}

static int compile(struct mr_session *s, const char *text, size_t bytes, struct mr_errbuf *e)
{
    const char *path = text, *kind = next_string(path), *end = text + bytes;
    const char *config_text = kind < end ? next_string(kind) : end;
    const char *set[MR_MAX_SET + OWN_SETS + 1];
    size_t n = 0;
    struct mr_config *config;
    if (config_text >= end)
        return mr__fail(e, MR_E_CORRUPT, "the boot text is cut");
    for (const char *p = next_string(config_text); p < end && n < MR_MAX_SET + OWN_SETS;
         p = next_string(p))
        set[n++] = p;
    set[n] = NULL;
    int rc = mr__config_read_again(&config, path, config_text, !strcmp(kind, "file"), set, e);
    if (rc < 0)
        return rc;
    rc = mr__plan_compile(&s->plan, config, &s->user, e);
    if (rc < 0)
        mr__config_free(config);
    return rc;
}

static void take_descriptors(struct mr_session *s, int *feedback_fd)
{
    int *fds[MR_BOOT_FDS] = {&s->arena.control_fd, &s->arena.plan_fd, &s->arena.data_fd,
                             &s->index_fd,         &s->boot_fd,       &s->arena.ready_fd,
                             &s->arena.warden_fd,  feedback_fd};
    for (int i = 0; i < MR_BOOT_FDS; i++) {
        int fd = MR_BOOT_FIRST_FD + i;
        *fds[i] = fcntl(fd, F_GETFD) < 0 ? -1 : fd;
    }
}

int mr__boot_read(struct mr_session *s, struct mr_errbuf *e)
{
    char *text = NULL;
    size_t bytes = 0;
    int feedback_fd;
    memset(s, 0, sizeof *s);
    s->feedback.fd = -1;
    take_descriptors(s, &feedback_fd);
    int rc = read_text(s->boot_fd, &text, &bytes, e);
    if (rc < 0)
        return rc;
    /* The build is held against the trainer's before anything else is believed. */
    rc = mr__arena_attach(&s->arena, 0, e);
    if (rc >= 0)
        rc = compile(s, text, bytes, e);
    free(text);
    if (rc >= 0)
        mr__session_shape_feedback(s);
    if (rc >= 0 && mr__session_learner(s))
        s->feedback.fd = feedback_fd;
    if (rc >= 0 && s->plan->arena.signature != s->arena.shape.signature)
        rc = mr__fail(e, MR_E_CORRUPT,
                      "the config compiles to another plan here than in the "
                      "trainer (was it opened in another environment?)");
    return rc;
}
