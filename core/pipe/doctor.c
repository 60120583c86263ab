/* SPDX-License-Identifier: Apache-2.0
 *
 * doctor.c: mr_doctor(): what this machine offers, by trying it. One table: a row per question, the
 * text and the JSON are made from the answers.
 */
#include "base/config.h"
#include "base/cpu.h"
#include "base/json_writer.h"
#include "millrace/millrace.h"
#include "pipe/last_error.h"
#include "pipe/plan.h"
#include "proc/callfilter.h"
#include "proc/child.h"
#include "proc/landlock.h"
#include "proc/launch.h"
#include "proc/sandbox.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#define ANSWER 240

enum verdict { GOOD, WEAKER, BAD, FACT }; /* works; works with less; no run is possible; is so */

struct visit { /* what the questions share */
    const struct mr_sandbox *sandbox;
    struct mr_errbuf e;
};

struct question {
    const char *name;
    enum verdict (*ask)(struct visit *v, char *text);
};

static enum verdict say(char *text, enum verdict verdict, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static enum verdict say(char *text, enum verdict verdict, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, ANSWER, fmt, ap);
    va_end(ap);
    return verdict;
}

/* ---- the machine ---- */

static enum verdict ask_version(struct visit *v, char *text)
{
    (void)v;
    return say(text, FACT, "%s, build %s", MR_VERSION_STRING, mr__build_id());
}

static enum verdict ask_kernel(struct visit *v, char *text)
{
    struct utsname u;
    (void)v;
    if (uname(&u) < 0)
        return say(text, WEAKER, "unknown");
    return say(text, FACT, "%s %s, %s", u.sysname, u.release, u.machine);
}

static enum verdict ask_processors(struct visit *v, char *text)
{
    (void)v;
    return say(text, FACT, "%d may be used (affinity and cgroup quota counted)", mr__cpus());
}

static enum verdict ask_instructions(struct visit *v, char *text)
{
    struct mr_cpu cpu;
    if (mr__cpu_choose(&cpu, &v->e) < 0)
        return say(text, BAD, "%.*s", ANSWER - 1, v->e.text);
    const char *forced = getenv("MILLRACE_CPU");
    return say(text, FACT, "%s%s%s%s%s", mr__cpu_name(cpu.level),
               cpu.flags & MR_CPU_VBMI ? ", vbmi" : "", cpu.flags & MR_CPU_VBMI2 ? ", vbmi2" : "",
               cpu.flags & MR_CPU_VNNI ? ", vnni" : "",
               forced && *forced ? ", because MILLRACE_CPU says so" : "");
}

static enum verdict ask_warden(struct visit *v, char *text)
{
    char *path = mr__launch_find(NULL, &v->e);
    if (!path)
        return say(text, BAD, "%.*s", ANSWER - 1, v->e.text);
    enum verdict verdict = say(text, GOOD, "%s", path);
    free(path);
    return verdict;
}

static enum verdict ask_pidfd(struct visit *v, char *text)
{
    int fd = mr__pidfd_open(getpid());
    (void)v;
    if (fd < 0)
        return say(text, BAD, "%s: processes cannot be watched, Linux 5.4 or newer is needed",
                   strerror(errno));
    close(fd);
    return say(text, GOOD, "works");
}

static enum verdict ask_memfd(struct visit *v, char *text)
{
    int fd = memfd_create("millrace-doctor", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    (void)v;
    if (fd < 0)
        return say(text, BAD, "%s: there is no shared memory for batches", strerror(errno));
    close(fd);
    return say(text, GOOD, "works");
}

static enum verdict ask_shm(struct visit *v, char *text)
{
    struct statvfs fs;
    (void)v;
    if (statvfs("/dev/shm", &fs) < 0)
        return say(text, FACT, "is not there, and is not used");
    return say(text, FACT, "is not used; that it has %.0f MB does not matter",
               (double)fs.f_blocks * (double)fs.f_frsize / 1e6);
}

static enum verdict ask_memory(struct visit *v, char *text)
{
    const char *why;
    uint64_t bytes = mr__memory_room(&why);
    (void)v;
    return say(text, bytes < 64u << 20 ? WEAKER : GOOD, "%.0f MB can be reserved; the limit is %s",
               (double)bytes / 1e6, why);
}

static enum verdict ask_files(struct visit *v, char *text)
{
    struct rlimit r = {0, 0};
    (void)v;
    getrlimit(RLIMIT_NOFILE, &r);
    return say(text, r.rlim_cur < 64 ? WEAKER : GOOD, "%llu, can be raised to %llu (ulimit -n)",
               (unsigned long long)r.rlim_cur, (unsigned long long)r.rlim_max);
}

/* ---- the sandbox ---- */

static enum verdict layer(const struct visit *v, enum mr_layer which, const char *more, char *text)
{
    const char *missing = v->sandbox ? mr__sandbox_missing(v->sandbox, which) : v->e.text;
    if (missing)
        return say(text, WEAKER, "not in force: %.*s", ANSWER - 20, missing);
    return say(text, GOOD, "in force%s", more);
}

static enum verdict ask_privs(struct visit *v, char *text)
{
    return layer(v, MR_LAYER_PRIVS, "", text);
}

static enum verdict ask_limits(struct visit *v, char *text)
{
    return layer(v, MR_LAYER_LIMITS, ": memory, open files, no file writes, no core files", text);
}

static enum verdict ask_landlock(struct visit *v, char *text)
{
    char more[96];
    int abi = mr__landlock_abi();
    snprintf(more, sizeof more, ": ABI %d, files%s%s", abi, abi >= 4 ? ", TCP" : "",
             abi >= 6 ? ", signals" : "");
    return layer(v, MR_LAYER_FILES, more, text);
}

static enum verdict ask_seccomp(struct visit *v, char *text)
{
    char more[96], library[32];
    mr__callfilter_library(library, sizeof library);
    snprintf(more, sizeof more, ": libseccomp %s", library);
    return layer(v, MR_LAYER_CALLS, more, text);
}

static const struct question questions[] = {
    {"millrace", ask_version},      {"kernel", ask_kernel},
    {"processors", ask_processors}, {"instructions", ask_instructions},
    {"warden", ask_warden},         {"pidfd", ask_pidfd},
    {"memfd", ask_memfd},           {"memory", ask_memory},
    {"descriptors", ask_files},     {"/dev/shm", ask_shm},
    {"no_new_privs", ask_privs},    {"rlimits", ask_limits},
    {"landlock", ask_landlock},     {"seccomp", ask_seccomp},
};

/* ---- telling ---- */

struct answer {
    const char *name;
    enum verdict verdict;
    char text[ANSWER];
};

static void tell_text(struct mr_text *t, const struct answer *a)
{
    static const char *const marks[] = {"ok  ", "less", "BAD ", "    "};
    mr__text_addf(t, "%s  %-12s  %s\n", marks[a->verdict], a->name, a->text);
}

static void tell_json(struct mr_json *j, const struct answer *a)
{
    static const char *const words[] = {"good", "weaker", "bad", "fact"};
    mr__json_key(j, a->name);
    mr__json_begin_object(j);
    mr__json_key(j, "verdict");
    mr__json_str(j, words[a->verdict]);
    mr__json_key(j, "text");
    mr__json_str(j, a->text);
    mr__json_end_object(j);
}

/* The sandbox as producers enter it, in a child that then ends. NULL: v->e says why. */
static struct mr_sandbox *try_sandbox(struct visit *v)
{
    struct mr_sandbox_spec spec = {.layers = MR_LAYERS_ALL,
                                   .roots = "/",
                                   .roots_bytes = 2,
                                   .memory_bytes = 1u << 30,
                                   .threads = 2,
                                   .keep_fd = -1};
    struct mr_sandbox *s;
    int rc = mr__sandbox_new(&s, &spec, &v->e);
    if (rc >= 0)
        rc = mr__sandbox_try(s, &v->e);
    if (rc >= 0)
        return s;
    mr__sandbox_free(s);
    return NULL;
}

struct told {
    bool json, bad;
    struct mr_text text;
    struct mr_json writer;
};

static void tell(struct told *t, const struct answer *a)
{
    t->bad |= a->verdict == BAD;
    if (t->json)
        tell_json(&t->writer, a);
    else
        tell_text(&t->text, a);
}

static void ask_all(struct told *t)
{
    struct visit v = {0};
    struct mr_sandbox *sandbox = try_sandbox(&v);
    v.sandbox = sandbox;
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        struct answer a = {.name = questions[i].name};
        a.verdict = questions[i].ask(&v, a.text);
        tell(t, &a);
    }
    for (const struct mr_codec *const *c = mr_codecs; *c; c++) {
        struct answer a = {.name = (*c)->d.name, .verdict = FACT};
        if ((*c)->version)
            say(a.text, FACT, "%s", (*c)->version());
        tell(t, &a);
    }
    mr__sandbox_free(sandbox);
}

static char *finish(struct told *t)
{
    char *text = NULL;
    if (t->json) {
        mr__json_end_object(&t->writer);
        return mr__json_take(&t->writer);
    }
    if (!t->text.failed && t->text.data)
        text = strdup(t->text.data);
    mr__text_free(&t->text);
    return text;
}

int mr_doctor(const char *format, char **text)
{
    struct mr_errbuf e = {0};
    struct told t = {.writer = {.indent = 2}};
    if (!text || (format && strcmp(format, "text") && strcmp(format, "json"))) {
        mr__fail(&e, MR_E_USAGE,
                 "mr_doctor needs a place for the text, and the format text or "
                 "json");
        return mr__keep_error(&e);
    }
    t.json = format && !strcmp(format, "json");
    if (t.json)
        mr__json_begin_object(&t.writer);
    ask_all(&t);
    *text = finish(&t);
    if (!*text)
        mr__fail(&e, MR_E_MEMORY, "no memory for the text");
    else if (t.bad)
        mr__fail(&e, MR_E_SYSTEM, "something that every run needs is missing here");
    return e.code < 0 ? mr__keep_error(&e) : MR_OK;
}
