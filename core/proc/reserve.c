/* SPDX-License-Identifier: Apache-2.0
 *
 * reserve.c: the arena's memory is taken in the warden, not in the trainer. A shared memory that
 * grows over a cgroup's limit is answered by the OOM killer, and not necessarily by the death of
 * whoever grew it; so the one who grows it offers itself, and the trainer lives to say why.
 */
#include "proc/warden.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define SCORE "/proc/self/oom_score_adj"

/* The old score, NUL-terminated; "" when it cannot be read. */
static void read_score(char *text, size_t bytes)
{
    int fd = open(SCORE, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, bytes - 1);
    text[n > 0 ? n : 0] = 0;
    if (fd >= 0)
        close(fd);
}

static void write_score(const char *text)
{
    int fd = open(SCORE, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (write(fd, text, strlen(text)) < 0)
        errno = 0; /* only a preference */
    close(fd);
}

int mr__warden_reserve(const struct mr_arena *a, struct mr_errbuf *e)
{
    char score[24];
    signal(SIGXFSZ, SIG_IGN); /* as in every child: beyond RLIMIT_FSIZE an error is wanted */
    read_score(score, sizeof score);
    if (score[0])
        write_score("1000");
    MR_SET(a->control->reserving, 1);
    int rc = mr__arena_reserve(a, e);
    MR_SET(a->control->reserving, 0);
    if (score[0])
        write_score(score);
    return rc;
}
