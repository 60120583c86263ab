/* SPDX-License-Identifier: Apache-2.0
 *
 * config_tool.c: the config reader for scripts. `config_tool schema` and `config_tool json` print
 * the tables; `config_tool read` takes config texts from stdin, each ended by a NUL byte, and
 * answers each with "ok" or its error, one a line.
 */
#include "base/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int print_tables(const char *format)
{
    char *text;
    struct mr_errbuf e = {0};
    if (mr__describe(NULL, NULL, format, &text, &e) < 0) {
        fprintf(stderr, "%s\n", e.text);
        return 1;
    }
    puts(text);
    free(text);
    return 0;
}

static int read_texts(void)
{
    char *text = NULL;
    size_t cap = 0;
    while (getdelim(&text, &cap, 0, stdin) > 0) {
        struct mr_config *config;
        struct mr_errbuf e = {0};
        int rc = mr__config_read(&config, "t", text, NULL, &e);
        printf("%s\n", rc < 0 ? e.text : "ok");
        mr__config_free(config);
    }
    free(text);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "read"))
        return read_texts();
    if (argc == 2)
        return print_tables(argv[1]);
    fprintf(stderr, "usage: config_tool read|schema|json\n");
    return 2;
}
