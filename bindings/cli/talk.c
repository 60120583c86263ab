/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include "millrace/types.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

int64_t cli_started_ns;

int64_t cli_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int cli_fail(int code, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fputs("millrace: ", stderr);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);
    return code;
}

int cli_fail_library(int code, const char *sentence)
{
    const char *mark = strstr(sentence, ": error: ");
    if (mark && mark > sentence && isdigit((unsigned char)mark[-1])) {
        fprintf(stderr, "%s\n", sentence);
        return code;
    }
    return cli_fail(code, "%s", sentence);
}

int cli_exit_code(int err)
{
    return err == MR_E_USAGE || err == MR_E_CONFIG ? CLI_WRONG_USE : CLI_FAILED;
}
