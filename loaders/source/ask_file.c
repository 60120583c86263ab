/* SPDX-License-Identifier: Apache-2.0 */
#include "ask_file.h"

#include "base/open_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* One call gets no more than the device's largest request, or its read-ahead. Those are a
 * megabyte of most disks, which shall see few and large requests, and 128 KiB of a network; what is
 * there or on its way is passed over. */
static const off_t steps[] = {1 << 20, 128 << 10};

static void ask(int fd, off_t from, off_t end)
{
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        for (off_t at = from + (i ? steps[i] : 0); at < end; at += steps[i])
            (void)posix_fadvise(fd, at, end - at < steps[0] ? end - at : steps[0],
                                POSIX_FADV_WILLNEED);
}

/* Not every file system can tell: then EOPNOTSUPP. Better called when it is asked for, or for the
 * first byte of what is read next: the kernel begins to read a little, and it takes two requests.
 * What is on its way is not there. */
static enum mr_cached look(int fd, off_t at)
{
    char byte;
    const struct iovec to = {&byte, 1};
    ssize_t n = preadv2(fd, &to, 1, at, RWF_NOWAIT);
    return n == 1 ? MR_CACHED : n < 0 && errno == EAGAIN ? MR_CACHED_NOT : MR_CACHED_UNKNOWN;
}

enum mr_cached mr__ask_range(int fd, uint64_t at, uint64_t n)
{
    ask(fd, (off_t)at, (off_t)(at + n));
    return look(fd, (off_t)at);
}

bool mr__cached_bytes(int fd, uint64_t at, uint64_t n, mr_mapped_use *use, void *ctx)
{
    return n >= MR_MAPPED_LEAST && look(fd, (off_t)at) == MR_CACHED &&
           mr__mapped_bytes(fd, at, n, use, ctx);
}

enum mr_cached mr__ask_file(const char *path, int64_t max_bytes, uint64_t most)
{
    enum mr_cached cached = MR_CACHED_UNKNOWN;
    struct stat st;
    int fd = mr__open_file(path);
    if (fd < 0)
        return cached;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 && st.st_size <= max_bytes) {
        cached = mr__ask_range(fd, 0, (uint64_t)st.st_size < most ? (uint64_t)st.st_size : most);
    }
    close(fd);
    return cached;
}
