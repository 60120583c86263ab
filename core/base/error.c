/* SPDX-License-Identifier: Apache-2.0 */
#include "error.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static int set_text(struct mr_errbuf *e, int code, const char *fmt, va_list ap)
{
    if (e) {
        e->code = code;
        e->placed = false;
        vsnprintf(e->text, sizeof e->text, fmt, ap);
    }
    return code;
}

int mr__fail(struct mr_errbuf *e, int code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    set_text(e, code, fmt, ap);
    va_end(ap);
    return code;
}

int mr__fail_at(struct mr_errbuf *e, int code, const char *file, uint64_t line, uint64_t col,
                const char *fmt, ...)
{
    char sentence[MR_ERR_TEXT], column[24] = "";
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(sentence, sizeof sentence, fmt, ap);
    va_end(ap);
    if (col)
        snprintf(column, sizeof column, ":%" PRIu64, col);
    mr__fail(e, code, "%s:%" PRIu64 "%s: error: %s", file, line, column, sentence);
    if (e)
        e->placed = true;
    return code;
}

/* What to do about an error that a limit of the process makes: the knob, and where it stands. */
static void add_knob(char *text, size_t cap, int error)
{
    static const struct {
        int error, limit;
        const char *knob;
    } knobs[] = {{EMFILE, RLIMIT_NOFILE, "RLIMIT_NOFILE, 'ulimit -n'"},
                 {EFBIG, RLIMIT_FSIZE, "RLIMIT_FSIZE, 'ulimit -f'"},
                 {EAGAIN, RLIMIT_NPROC, "RLIMIT_NPROC, 'ulimit -u', or the cgroup's pids.max"}};
    struct rlimit r;
    if (error == ENFILE)
        snprintf(text, cap, " (raise the system's fs.file-max)");
    for (size_t i = 0; i < sizeof knobs / sizeof *knobs; i++) {
        if (knobs[i].error != error || getrlimit((__rlimit_resource_t)knobs[i].limit, &r) < 0)
            continue;
        if (r.rlim_cur == RLIM_INFINITY)
            snprintf(text, cap, " (raise %s)", knobs[i].knob);
        else
            snprintf(text, cap, " (raise %s: %llu now)", knobs[i].knob,
                     (unsigned long long)r.rlim_cur);
    }
}

int mr__fail_errno(struct mr_errbuf *e, int code, const char *fmt, ...)
{
    int saved = errno;
    va_list ap;
    va_start(ap, fmt);
    set_text(e, code, fmt, ap);
    va_end(ap);
    if (e) {
        size_t n = strlen(e->text);
        snprintf(e->text + n, sizeof e->text - n, ": %s", strerror(saved));
        n = strlen(e->text);
        add_knob(e->text + n, sizeof e->text - n, saved);
    }
    errno = saved;
    return code;
}

int mr__context(struct mr_errbuf *e, const char *fmt, ...)
{
    if (!e)
        return MR_E_SYSTEM;
    char old[MR_ERR_TEXT];
    memcpy(old, e->text, sizeof old);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    size_t n = strlen(e->text);
    snprintf(e->text + n, sizeof e->text - n, ": %.*s", (int)(sizeof e->text - n), old);
    return e->code;
}

/* Levenshtein distance with one row of memory; words longer than the row are never near. */
static size_t distance(const char *a, const char *b)
{
    size_t row[64], la = strlen(a), lb = strlen(b);
    if (la >= 64 || lb >= 64)
        return 64;
    for (size_t j = 0; j <= lb; j++)
        row[j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t up = row[j], best = diagonal + (a[i - 1] != b[j - 1]);
            if (up + 1 < best)
                best = up + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diagonal = up;
            row[j] = best;
        }
    }
    return row[lb];
}

const char *mr__nearest(const char *word, const char *const *candidates, size_t n)
{
    const char *best = NULL;
    size_t best_distance = strlen(word) / 3 + 2; /* "sede" -> "seed", but not "a" -> "flip" */
    for (size_t i = 0; i < n; i++) {
        size_t d = distance(word, candidates[i]);
        if (d < best_distance && d < strlen(candidates[i])) {
            best = candidates[i];
            best_distance = d;
        }
    }
    return best;
}
