/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/pack_folder.h"

#include "base/printable.h"
#include "base/whole_file.h"
#include "loaders/shard/shard_check.h"
#include "loaders/shard/shard_reader.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define ORIGIN MR_SHARD_ORIGIN_FILE
#define SHARD "data-"
#define SHARD_NAME SHARD "%06" PRIu64 MR_SHARD_ENDING
#define HEAD "millrace pack 1 %016" PRIx64 " %016" PRIx64 "\n"
#define SKIP "skip %" PRIu64 "\n"
enum { HEAD_BYTES = 16 + 16 + 1 + 16 + 1 };

static const char *show(const struct mr_pack_folder *f, struct mr_printable *p)
{
    *p = mr__printable(f->path, strlen(f->path));
    return p->text;
}

static int no_memory(struct mr_errbuf *e)
{
    return mr__fail(e, MR_E_MEMORY, "not enough memory to pack");
}

static int cannot(const struct mr_pack_folder *f, const char *what, struct mr_errbuf *e)
{
    struct mr_printable p;
    return mr__fail_errno(e, MR_E_IO, "cannot %s the folder '%s'", what, show(f, &p));
}

static char *path_in(const struct mr_pack_folder *f, const char *name)
{
    char *path;
    return asprintf(&path, "%s/%s", f->path, name) < 0 ? NULL : path;
}

char *mr__pack_folder_shard(const struct mr_pack_folder *f, uint64_t number)
{
    char name[40];
    snprintf(name, sizeof name, SHARD_NAME, number);
    return path_in(f, name);
}

/* ---- the folder itself ---- */

/* A folder that was made is there after a power cut, too. */
static int make_folder(const struct mr_pack_folder *f, struct mr_errbuf *e)
{
    struct mr_printable p;
    if (mkdir(f->path, 0777) < 0)
        return errno == EEXIST ? MR_OK : cannot(f, "make", e);
    char *above = path_in(f, "..");
    int fd = above ? open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    bool synced = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);
    int rc = MR_OK;
    if (!above)
        rc = no_memory(e);
    else if (!synced)
        rc = mr__fail_errno(e, MR_E_IO, "cannot sync the folder that '%s' is in", show(f, &p));
    if (fd >= 0)
        close(fd);
    free(above);
    return rc;
}

static int lock_folder(struct mr_pack_folder *f, struct mr_errbuf *e)
{
    struct mr_printable p;
    f->fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->fd < 0)
        return cannot(f, "open", e);
    if (flock(f->fd, LOCK_EX | LOCK_NB) == 0)
        return MR_OK;
    if (errno == EWOULDBLOCK)
        return mr__fail(e, MR_E_USAGE, "somebody else is packing into '%s' now", show(f, &p));
    return cannot(f, "lock", e);
}

static bool begins(const char *name, const char *with)
{
    return !strncmp(name, with, strlen(with));
}

/* NAME.PID.TIME in hexadecimal digits, as base/whole_file.c writes beside NAME. */
static bool is_beside(const char *name, const char *whole)
{
    const char *digits = "0123456789abcdef";
    if (!begins(name, whole))
        return false;
    name += strlen(whole);
    for (int i = 0; i < 2; i++) {
        size_t n = *name == '.' ? strspn(name + 1, digits) : 0;
        if (!n)
            return false;
        name += 1 + n;
    }
    return !*name;
}

/* What writers leave when they are killed. */
static bool is_half_done(const char *name)
{
    unsigned number;
    int length = 0;
    return (sscanf(name, SHARD "%6u%n", &number, &length) == 1 &&
            !strcmp(name + length, MR_SHARD_ENDING MR_SHARD_TEMPORARY)) ||
           is_beside(name, ORIGIN) || is_beside(name, MR_SHARD_SET_FILE);
}

struct found {
    bool set, strange;
    char name[NAME_MAX + 1]; /* of something strange */
    struct mr_buf half;      /* names of what is half done, each with its NUL */
    uint64_t shards;         /* one more than the highest number */
};

static bool look_at(const char *name, struct found *found)
{
    unsigned number;
    int length = 0;
    if (!strcmp(name, MR_SHARD_SET_FILE)) {
        found->set = true;
    } else if (is_half_done(name)) {
        return mr__buf_append(&found->half, name, strlen(name) + 1);
    } else if (sscanf(name, SHARD "%6u%n", &number, &length) == 1 &&
               !strcmp(name + length, MR_SHARD_ENDING)) {
        found->shards = number >= found->shards ? number + 1 : found->shards;
    } else if (strcmp(name, ".") && strcmp(name, "..") && strcmp(name, ORIGIN)) {
        found->strange = true;
        snprintf(found->name, sizeof found->name, "%s", name);
    }
    return true;
}

/* Only in a folder that is known to be ours. One that cannot go is in nobody's way. */
static void remove_half(const struct mr_pack_folder *f, const struct found *found)
{
    const char *end = (const char *)found->half.data + found->half.n;
    for (const char *name = (const char *)found->half.data; name && name < end;
         name += strlen(name) + 1)
        unlinkat(f->fd, name, 0);
}

static int look(const struct mr_pack_folder *f, struct found *found, struct mr_errbuf *e)
{
    int fd = openat(f->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    if (!dir) {
        if (fd >= 0)
            close(fd);
        return cannot(f, "list", e);
    }
    bool room = true;
    errno = 0;
    while (room && (entry = readdir(dir))) {
        room = look_at(entry->d_name, found);
        errno = 0;
    }
    int failed = errno;
    closedir(dir);
    if (!room)
        return no_memory(e);
    errno = failed;
    return failed ? cannot(f, "list", e) : MR_OK;
}

/* ---- pack.origin ---- */

static int write_origin(struct mr_pack_folder *f, const struct mr_pack_origin *origin,
                        struct mr_errbuf *e)
{
    char text[HEAD_BYTES + 1];
    char *path = path_in(f, ORIGIN);
    snprintf(text, sizeof text, HEAD, origin->fingerprint, origin->stamps);
    int rc = path ? mr__out_file(path, text, strlen(text), "the file of what is packed", e)
                  : no_memory(e);
    free(path);
    if (rc >= 0 && fsync(f->fd) < 0 && errno != EINVAL)
        rc = cannot(f, "sync", e);
    return rc;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Lines that a power cut has left half written, or zeros, are none; the file is cut there. */
static int read_skips(struct mr_pack_folder *f, char *text, size_t n, struct mr_errbuf *e)
{
    char *line = text + HEAD_BYTES, *end;
    uint64_t sample;
    for (; (end = strchr(line, '\n')); line = end + 1) {
        if (sscanf(line, SKIP, &sample) != 1)
            return mr__fail(e, MR_E_USAGE, "'%s/" ORIGIN "' is damaged: remove the folder",
                            f->path);
        if (!mr__buf_append(&f->listed, &sample, sizeof sample))
            return no_memory(e);
    }
    if (f->listed.n)
        qsort(f->listed.data, f->listed.n / sizeof sample, sizeof sample, by_number);
    if (!mr__buf_append(&f->skips, f->listed.data, f->listed.n))
        return no_memory(e);
    if (line < text + n && ftruncate(f->origin_fd, line - text) < 0)
        return cannot(f, "write into", e);
    return MR_OK;
}

static int hold_against(struct mr_pack_folder *f, char *text, size_t n,
                        const struct mr_pack_origin *origin, struct mr_errbuf *e)
{
    struct mr_printable p;
    struct mr_pack_origin was;
    if (strlen(text) < HEAD_BYTES || sscanf(text, HEAD, &was.fingerprint, &was.stamps) != 2)
        return mr__fail(e, MR_E_USAGE,
                        "'%s/" ORIGIN "' is of no version that this Millrace "
                        "knows: remove the folder, or pack into another one",
                        show(f, &p));
    if (was.fingerprint != origin->fingerprint)
        return mr__fail(e, MR_E_USAGE,
                        "'%s' holds what was packed with other options or of other data: remove "
                        "it, or pack into another folder",
                        show(f, &p));
    if (was.stamps != origin->stamps)
        return mr__fail(e, MR_E_USAGE,
                        "files of the data set have changed since '%s' was packed: remove it, or "
                        "pack into another folder",
                        show(f, &p));
    return read_skips(f, text, n, e);
}

static int read_origin(struct mr_pack_folder *f, const struct mr_pack_origin *origin,
                       struct mr_errbuf *e)
{
    struct stat st;
    struct mr_buf text = {0};
    if (fstat(f->origin_fd, &st) < 0 || !mr__buf_reserve(&text, (size_t)st.st_size + 1))
        return no_memory(e);
    ssize_t n = pread(f->origin_fd, text.data, (size_t)st.st_size, 0);
    int rc = n < 0 ? cannot(f, "read in", e) : MR_OK;
    if (rc >= 0) {
        text.data[n] = 0;
        rc = hold_against(f, (char *)text.data, (size_t)n, origin, e);
    }
    mr__buf_free(&text);
    return rc;
}

static int open_origin(struct mr_pack_folder *f, const struct mr_pack_origin *origin,
                       const struct found *found, struct mr_errbuf *e)
{
    struct mr_printable p;
    const int flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW;
    f->origin_fd = openat(f->fd, ORIGIN, flags);
    if (f->origin_fd < 0 && errno == ENOENT) {
        if (found->set || found->strange || found->shards)
            return mr__fail(e, MR_E_USAGE,
                            "'%s' is not empty ('%s'), and not a folder that was packed into: "
                            "name a new one",
                            show(f, &p),
                            found->strange ? mr__printable(found->name, strlen(found->name)).text
                                           : "shards");
        int rc = write_origin(f, origin, e);
        if (rc < 0)
            return rc;
        f->origin_fd = openat(f->fd, ORIGIN, flags);
    }
    return f->origin_fd < 0 ? cannot(f, "write into", e) : read_origin(f, origin, e);
}

/* ---- shards that are there ---- */

static void tell(const struct mr_pack_folder *f, const char *line)
{
    if (f->log)
        f->log(f->user, line);
}

/* What is damaged first. */
struct damage {
    bool any;
    char why[256];
};

static void on_damage(void *ctx, const struct mr_shard *shard, const struct mr_shard_column *column,
                      uint64_t sample, const char *reason)
{
    struct damage *d = ctx;
    (void)shard, (void)column, (void)sample;
    if (!d->any)
        snprintf(d->why, sizeof d->why, "%s", reason);
    d->any = true;
}

/* Opening has looked at head, index and foot; this is every body. It costs a thirtieth of packing
 * them again. */
static int check_shard(const struct mr_shard *shard, const char *path, struct mr_errbuf *e)
{
    struct damage d = {0};
    struct mr_shard_checker checker = {.damage = on_damage, .ctx = &d};
    int rc = mr__shard_check(&checker, shard, e);
    mr__shard_checker_free(&checker);
    return rc == MR_OK && d.any ? mr__fail(e, MR_E_DATA, "'%s': %s", path, d.why) : rc;
}

static int drop_shard(const struct mr_pack_folder *f, const char *path, struct mr_errbuf *e)
{
    char line[MR_ERR_TEXT + 32];
    snprintf(line, sizeof line, "%s; it is packed again now", e->text);
    tell(f, line);
    return unlink(path) < 0 ? cannot(f, "remove a damaged shard from", e) : MR_OK;
}

/* MR_END: it is not there. One that may not be opened is not damaged. */
static int can_open(const char *path, struct mr_errbuf *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? MR_END : mr__fail_errno(e, MR_E_IO, "cannot open '%s'", path);
    close(fd);
    return MR_OK;
}

/* A damaged one is told of and removed: it is packed again. */
static int keep_shard(struct mr_pack_folder *f, uint64_t number, struct mr_errbuf *e)
{
    struct mr_shard shard;
    struct mr_shard_line *line = &f->kept[number];
    char *path = mr__pack_folder_shard(f, number);
    if (!path)
        return no_memory(e);
    int rc = can_open(path, e);
    if (rc == MR_OK)
        rc = mr__shard_open(&shard, path, true, e);
    bool opened = rc == MR_OK;
    if (opened)
        rc = check_shard(&shard, path, e);
    if (rc == MR_E_DATA) {
        rc = drop_shard(f, path, e);
    } else if (rc == MR_OK) {
        snprintf(line->file, sizeof line->file, SHARD_NAME, number);
        line->first = shard.first;
        line->samples = shard.samples;
        line->bytes = shard.bytes;
        line->check = shard.check;
        if (shard.fingerprint != f->fingerprint || shard.number != number)
            rc = mr__fail(e, MR_E_USAGE, "'%s' belongs to another data set: remove it", path);
    }
    if (opened)
        mr__shard_close(&shard);
    free(path);
    return rc < 0 ? rc : MR_OK;
}

static int keep_shards(struct mr_pack_folder *f, uint64_t shards, struct mr_errbuf *e)
{
    int rc = MR_OK;
    if (shards > MR_PACK_MOST_SHARDS)
        return mr__fail(e, MR_E_LIMIT, "more than %d shards: make them larger (shard_bytes)",
                        MR_PACK_MOST_SHARDS);
    f->kept = calloc(shards + 1, sizeof *f->kept);
    if (!f->kept)
        return no_memory(e);
    f->nkept = shards;
    for (uint64_t i = 0; i < shards && rc >= 0; i++)
        rc = keep_shard(f, i, e);
    return rc;
}

int mr__pack_folder_open(struct mr_pack_folder *f, const char *path,
                         const struct mr_pack_origin *origin, struct mr_errbuf *e)
{
    struct found found = {0};
    *f = (struct mr_pack_folder){.fd = -1,
                                 .origin_fd = -1,
                                 .fingerprint = origin->fingerprint,
                                 .log = f->log,
                                 .user = f->user};
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    f->path = strndup(path, n);
    int rc = f->path ? make_folder(f, e) : no_memory(e);
    if (rc >= 0)
        rc = lock_folder(f, e);
    if (rc >= 0)
        rc = look(f, &found, e);
    if (rc >= 0)
        rc = open_origin(f, origin, &found, e);
    if (rc >= 0)
        remove_half(f, &found);
    mr__buf_free(&found.half);
    if (rc >= 0)
        rc = keep_shards(f, found.shards, e);
    f->complete = found.set;
    if (rc < 0)
        mr__pack_folder_close(f);
    return rc;
}

void mr__pack_folder_close(struct mr_pack_folder *f)
{
    if (f->origin_fd >= 0)
        close(f->origin_fd);
    if (f->fd >= 0)
        close(f->fd);
    f->fd = f->origin_fd = -1;
    free(f->path);
    free(f->kept);
    mr__buf_free(&f->listed);
    mr__buf_free(&f->skips);
    mr__text_free(&f->unwritten);
    f->path = NULL;
    f->kept = NULL;
}

/* ---- samples that are left out ---- */

static uint64_t number_at(const struct mr_buf *b, size_t i)
{
    return ((const uint64_t *)(const void *)b->data)[i];
}

/* How many are less. */
static size_t less(const struct mr_buf *b, uint64_t sample)
{
    size_t lo = 0, hi = b->n / sizeof sample;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (number_at(b, mid) < sample)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

bool mr__pack_folder_skips(const struct mr_pack_folder *f, uint64_t sample)
{
    size_t i = less(&f->listed, sample);
    return i < f->listed.n / sizeof sample && number_at(&f->listed, i) == sample;
}

int mr__pack_folder_skip(struct mr_pack_folder *f, uint64_t sample, struct mr_errbuf *e)
{
    struct mr_buf *b = &f->skips;
    size_t at = less(b, sample) * sizeof sample;
    if (!mr__buf_reserve(b, sizeof sample))
        return no_memory(e);
    memmove(b->data + at + sizeof sample, b->data + at, b->n - at);
    memcpy(b->data + at, &sample, sizeof sample);
    b->n += sizeof sample;
    mr__text_addf(&f->unwritten, SKIP, sample);
    return f->unwritten.failed ? no_memory(e) : MR_OK;
}

int mr__pack_folder_sync(struct mr_pack_folder *f, struct mr_errbuf *e)
{
    const struct mr_text *t = &f->unwritten;
    if (!t->n)
        return MR_OK;
    if (write(f->origin_fd, t->data, t->n) != (ssize_t)t->n || fdatasync(f->origin_fd) < 0)
        return cannot(f, "write '" ORIGIN "' in", e);
    mr__text_free(&f->unwritten);
    return MR_OK;
}

uint64_t mr__pack_folder_source(const struct mr_pack_folder *f, uint64_t packed)
{
    uint64_t sample = packed;
    size_t n = f->skips.n / sizeof sample;
    for (size_t i = 0; i < n && number_at(&f->skips, i) <= sample; i++)
        sample++;
    return sample;
}
