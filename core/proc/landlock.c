/* SPDX-License-Identifier: Apache-2.0 */
#include "landlock.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The same numbers on every architecture that has them. */
enum { CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446 };
enum { ASK_VERSION = 1, PATH_BENEATH = 1 };

#define READ_FILE (1ull << 2)
#define READ_DIR (1ull << 3)
#define NET_BIND_AND_CONNECT 3ull
#define SCOPE_SOCKETS_AND_SIGNALS 3ull

struct ruleset { /* newer kernels know more of it; how much is told by its size */
    uint64_t files, network, scoped;
};
struct path_beneath {
    uint64_t allowed;
    int32_t folder;
} __attribute__((packed));

/* What each version can forbid of the file system: all bits up to here. */
static uint64_t file_rights(int abi)
{
    static const int bits[] = {0, 13, 14, 15, 15, 16};
    int known = (int)(sizeof bits / sizeof *bits) - 1;
    return (1ull << bits[abi < known ? abi : known]) - 1;
}

static size_t ruleset_bytes(int abi)
{
    return abi >= 6   ? sizeof(struct ruleset)
           : abi >= 4 ? offsetof(struct ruleset, scoped)
                      : offsetof(struct ruleset, network);
}

int mr__landlock_abi(void)
{
    long abi = syscall(CREATE_RULESET, NULL, 0, ASK_VERSION);
    return abi > 0 ? (int)abi : 0;
}

static int allow(int ruleset, const char *path, bool list, struct mr_errbuf *e)
{
    struct stat st;
    struct path_beneath rule = {.folder = open(path, O_PATH | O_CLOEXEC)};
    if (rule.folder < 0)
        return MR_OK; /* what is not there cannot be read */
    bool folder = fstat(rule.folder, &st) == 0 && S_ISDIR(st.st_mode);
    rule.allowed = READ_FILE | (list && folder ? READ_DIR : 0);
    long rc = syscall(ADD_RULE, ruleset, PATH_BENEATH, &rule, 0);
    if (rc < 0)
        mr__fail_errno(e, MR_E_SYSTEM, "cannot open '%s' to the sandbox (landlock_add_rule)", path);
    close(rule.folder);
    return rc < 0 ? MR_E_SYSTEM : MR_OK;
}

int mr__landlock_ruleset(const char *roots, size_t bytes, bool list, bool network,
                         struct mr_errbuf *e)
{
    int abi = mr__landlock_abi();
    struct ruleset attr = {.files = file_rights(abi),
                           .network = network ? 0 : NET_BIND_AND_CONNECT,
                           .scoped = SCOPE_SOCKETS_AND_SIGNALS};
    int ruleset = (int)syscall(CREATE_RULESET, &attr, ruleset_bytes(abi), 0);
    if (ruleset < 0)
        return mr__fail_errno(e, MR_E_SYSTEM, "this kernel has no Landlock, or it is switched off");
    int rc = MR_OK;
    for (const char *root = roots; rc == MR_OK && root < roots + bytes; root += strlen(root) + 1)
        rc = allow(ruleset, root, list, e);
    if (rc == MR_OK)
        return ruleset;
    close(ruleset);
    return rc;
}

int mr__landlock_enter(int ruleset)
{
    return (int)syscall(RESTRICT_SELF, ruleset, 0);
}
