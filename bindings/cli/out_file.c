/* SPDX-License-Identifier: Apache-2.0 */
#include "out_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- temporary names, for where there are no nameless files ---- */

#define NAMES \
    64 /* at a time; a file beyond them is written all the same, and only signals miss it */

static struct {
    int used; /* 1: being written; 2: whole */
    char path[PATH_MAX + 64];
} names[NAMES];

static void remove_and_die(int number)
{
    for (int i = 0; i < NAMES; i++)
        if (__atomic_load_n(&names[i].used, __ATOMIC_ACQUIRE) == 2)
            unlink(names[i].path);
    signal(number, SIG_DFL);
    raise(number);
}

/* Only where nobody else has a use for the signal. */
static void catch_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction old;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!sigaction(numbers[i], NULL, &old) && old.sa_handler == SIG_DFL)
            signal(numbers[i], remove_and_die);
}

static void remember(const char *path)
{
    for (int i = 0; i < NAMES; i++) {
        int unused = 0;
        if (!__atomic_compare_exchange_n(&names[i].used, &unused, 1, false, __ATOMIC_ACQ_REL,
                                         __ATOMIC_ACQUIRE))
            continue;
        snprintf(names[i].path, sizeof names[i].path, "%s", path);
        __atomic_store_n(&names[i].used, 2, __ATOMIC_RELEASE);
        return;
    }
}

static void forget(const char *path)
{
    for (int i = 0; i < NAMES; i++)
        if (__atomic_load_n(&names[i].used, __ATOMIC_ACQUIRE) == 2 && !strcmp(names[i].path, path))
            __atomic_store_n(&names[i].used, 0, __ATOMIC_RELEASE);
}

static void remove_temporary(struct out_file *o)
{
    unlink(o->temporary);
    forget(o->temporary);
}

/* ---- beginning ---- */

/* The folder of `path`, to open: "." when it names none. */
static void folder_of(const char *path, char folder[PATH_MAX])
{
    snprintf(folder, PATH_MAX, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = 0;
    else
        strcpy(folder, ".");
}

/* Where the file is to be, with links followed, so that a link stays a link. */
static int find_target(struct out_file *o, const char *path)
{
    char real[PATH_MAX];
    struct stat st;
    const char *target = realpath(path, real) ? real : path;
    if (snprintf(o->target, sizeof o->target, "%s", target) >= (int)sizeof o->target) {
        errno = ENAMETOOLONG;
        return -1;
    }
    o->direct = !stat(o->target, &st) && !S_ISREG(st.st_mode);
    return 0;
}

static void name_temporary(struct out_file *o, const char *folder)
{
    static unsigned count;
    snprintf(o->temporary, sizeof o->temporary, "%s/.millrace-%ld-%u.tmp", folder, (long)getpid(),
             __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED));
}

static int open_temporary(struct out_file *o)
{
    char folder[PATH_MAX];
    folder_of(o->target, folder);
    name_temporary(o, folder);
    int fd = -1;
#ifdef O_TMPFILE
    if (!access("/proc/self/fd", X_OK)) /* the way to a name */
        fd = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
#endif
    o->nameless = fd >= 0;
    if (fd >= 0)
        return fd;
    catch_signals();
    remember(o->temporary);
    fd = open(o->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        forget(o->temporary);
    return fd;
}

int out_file_begin(struct out_file *o, const char *path)
{
    memset(o, 0, sizeof *o);
    if (find_target(o, path))
        return -1;
    int fd = o->direct ? open(o->target, O_WRONLY | O_CLOEXEC) : open_temporary(o);
    if (fd < 0)
        return -1;
    o->f = fdopen(fd, "w");
    if (o->f)
        return 0;
    int failed = errno;
    close(fd);
    if (!o->direct && !o->nameless)
        remove_temporary(o);
    errno = failed;
    return -1;
}

/* ---- ending ---- */

static int sync_folder(const char *target)
{
    char folder[PATH_MAX];
    folder_of(target, folder);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int failed = fsync(fd) && errno != EINVAL ? errno : 0;
    close(fd);
    errno = failed;
    return failed ? -1 : 0;
}

static int give_name(struct out_file *o)
{
    char self[64];
    snprintf(self, sizeof self, "/proc/self/fd/%d", fileno(o->f));
    return linkat(AT_FDCWD, self, AT_FDCWD, o->temporary, AT_SYMLINK_FOLLOW);
}

/* Every byte to the disk, and a temporary name. Closes. 0 or errno. */
static int finish_writing(struct out_file *o)
{
    int failed = 0;
    errno = 0;
    if (fflush(o->f) || ferror(o->f))
        failed = errno ? errno : EIO;
    if (!failed && !o->direct && fsync(fileno(o->f)))
        failed = errno;
    if (!failed && o->nameless && give_name(o))
        failed = errno;
    if (fclose(o->f) && !failed) /* some file systems tell of a full disk only here */
        failed = errno;
    o->f = NULL;
    return failed;
}

int out_file_end(struct out_file *o, bool keep)
{
    int failed = 0;
    if (!keep) {
        fclose(o->f);
        o->f = NULL;
    } else {
        failed = finish_writing(o);
    }
    if (o->direct) {
        errno = failed;
        return failed ? -1 : 0;
    }
    if (!failed && keep && rename(o->temporary, o->target))
        failed = errno;
    if (failed || !keep)
        remove_temporary(o);
    else
        forget(o->temporary);
    if (!failed && keep && sync_folder(o->target))
        failed = errno;
    errno = failed;
    return failed ? -1 : 0;
}

int write_file(const char *path, const void *data, size_t n)
{
    struct out_file *o = malloc(sizeof *o);
    if (!o)
        return -1;
    int rc = out_file_begin(o, path);
    if (!rc) {
        setvbuf(o->f, NULL, _IONBF, 0); /* one write */
        bool whole = fwrite(data, 1, n, o->f) == n;
        int failed = whole ? 0 : errno;
        rc = out_file_end(o, whole);
        if (!whole) {
            errno = failed ? failed : EIO;
            rc = -1;
        }
    }
    int failed = errno;
    free(o);
    errno = failed;
    return rc;
}

const char *out_file_why(int err)
{
    switch (err) {
    case 0: return "not enough memory";
    case ENOSPC: return "No space left on device; free some space or choose another folder";
    case EDQUOT: return "the disk quota is used up; free some space or choose another folder";
    case EFBIG: return "the file is larger than RLIMIT_FSIZE allows; raise it ('ulimit -f')";
    case EMFILE: return "no file descriptor is left; raise RLIMIT_NOFILE ('ulimit -n')";
    default: return strerror(err);
    }
}
