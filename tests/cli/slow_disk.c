/* SPDX-License-Identifier: Apache-2.0
 *
 * slow_disk.c: preloaded into the processes of a run, it makes every file take SLOW_DISK_MS to be
 * found. For slow_disk_test.py.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long delay_ms;

__attribute__((constructor)) static void begin(void)
{
    const char *text = getenv("SLOW_DISK_MS");
    delay_ms = text ? strtol(text, NULL, 10) : 0;
}

__attribute__((visibility("default"))) ssize_t read(int fd, void *to, size_t n)
{
    struct timespec t = {delay_ms / 1000, delay_ms % 1000 * 1000000};
    struct stat st;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && lseek(fd, 0, SEEK_CUR) == 0)
        while (nanosleep(&t, &t) < 0 && errno == EINTR)
            ;
    return syscall(SYS_read, fd, to, n);
}
