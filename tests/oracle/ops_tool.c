/* SPDX-License-Identifier: Apache-2.0
 *
 * ops_tool: runs a config's row pipeline over single samples, for the oracle scripts.
 *
 *     ops_tool CONFIG OUT [explain] < SAMPLES
 *
 * A line of SAMPLES is "POSITION IMAGE MASK N x0 y0 x1 y1 ..." (tabs between words, MASK - for
 * none, N boxes). Per sample one JSON line goes to stdout: what was drawn, the boxes that are left,
 * and the error if there is one; the row's image and mask bytes are appended to OUT. `explain`
 * prints the plan first.
 */
#include "base/config.h"
#include "pipe/rowpipe.h"
#include "tests/unit/given_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BOXES = 64 };

struct sample {
    uint8_t *image, *mask;
    uint64_t image_bytes, mask_bytes;
    float boxes[4 * MAX_BOXES];
    uint32_t nboxes;
    uint64_t position;
};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "ops_tool: %s: %s\n", what, why);
    exit(2);
}

static uint8_t *load(const char *path, uint64_t *n)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        die(path, "cannot open");
    fseek(f, 0, SEEK_END);
    *n = (uint64_t)ftell(f);
    rewind(f);
    uint8_t *data = calloc(1, *n + 64);
    if (!data || fread(data, 1, *n, f) != *n)
        die(path, "cannot read");
    fclose(f);
    return data;
}

static void parse(char *line, struct sample *s)
{
    char *word = strtok(line, "\t\n");
    s->position = strtoull(word, NULL, 10);
    s->image = load(strtok(NULL, "\t\n"), &s->image_bytes);
    word = strtok(NULL, "\t\n");
    s->mask = strcmp(word, "-") ? load(word, &s->mask_bytes) : NULL;
    s->nboxes = (uint32_t)strtoul(strtok(NULL, "\t\n"), NULL, 10);
    if (s->nboxes > MAX_BOXES)
        die("SAMPLES", "too many boxes");
    for (uint32_t i = 0; i < 4 * s->nboxes; i++)
        s->boxes[i] = strtof(strtok(NULL, "\t\n"), NULL);
}

struct rows {
    uint8_t *image, *mask;
    uint64_t image_bytes, mask_bytes;
    float boxes[4 * MAX_BOXES];
    bool has_boxes;
};

static void take_rows(struct rows *r, const struct mr_field_plan *plans, int n)
{
    memset(r, 0, sizeof *r);
    for (int i = 0; i < n; i++) {
        if (plans[i].kind == MR_FIELD_IMAGE)
            r->image_bytes = plans[i].row_bytes;
        if (plans[i].kind == MR_FIELD_MASK)
            r->mask_bytes = plans[i].row_bytes;
        r->has_boxes = r->has_boxes || plans[i].kind == MR_FIELD_BOXES;
    }
    r->image = r->image_bytes ? aligned_alloc(64, (r->image_bytes + 63) / 64 * 64) : NULL;
    r->mask = r->mask_bytes ? aligned_alloc(64, (r->mask_bytes + 63) / 64 * 64) : NULL;
}

static void print(struct mr_rowwork *work, const struct mr_row_output *out, int rc,
                  const struct mr_errbuf *e)
{
    static char text[1 << 16];
    if (rc != MR_OK) {
        printf("{\"code\": %d, \"error\": \"%s\"}\n", rc, e->text);
        return;
    }
    if (mr__rowwork_print(work, text, sizeof text) >= (int)sizeof text)
        die("draws", "too long");
    printf("{\"draws\": %s, \"boxes\": [", text);
    for (uint32_t i = 0; i < 4 * out->nboxes; i++)
        printf("%s%.9g", i ? ", " : "", (double)out->boxes[i]);
    printf("]}\n");
}

static void run_sample(const struct mr_rowpipe *pipe, struct mr_rowwork *work, struct rows *rows,
                       const struct sample *s, FILE *bytes)
{
    struct mr_errbuf e = {0};
    struct mr_row_input in = {.key = {.seed = 1, .position = s->position},
                              .image = s->image,
                              .image_bytes = s->image_bytes,
                              .mask = s->mask,
                              .mask_bytes = s->mask_bytes,
                              .boxes = s->boxes,
                              .nboxes = s->nboxes};
    struct mr_row_output out = {.image.data = rows->image,
                                .mask.data = rows->mask,
                                .boxes = rows->has_boxes ? rows->boxes : NULL,
                                .boxes_max = MAX_BOXES};
    /* What is not written shows as bytes that no right row has all over. */
    if (rows->image)
        memset(rows->image, 0xa5, rows->image_bytes);
    if (rows->mask)
        memset(rows->mask, 0xa5, rows->mask_bytes);
    int rc = mr__rowpipe_run(pipe, work, &in, &out, &e);
    print(work, &out, rc, &e);
    if (rc == MR_OK) {
        fwrite(rows->image, 1, rows->image_bytes, bytes);
        fwrite(rows->mask, 1, rows->mask_bytes, bytes);
    }
}

int main(int argc, char **argv)
{
    static char line[1 << 16];
    struct mr_errbuf e = {0};
    struct mr_config *config;
    struct mr_rowpipe *pipe;
    struct mr_rowwork *work;
    struct mr_field_plan plans[MR_MAX_FIELDS];
    struct rows rows;
    int nplans = 0;
    if (argc < 3)
        die("usage", "ops_tool CONFIG OUT [explain] < SAMPLES");
    if (mr__config_read_with(given_tables(), &config, argv[1], NULL, NULL, &e) != MR_OK ||
        mr__rowpipe_compile(&pipe, config, plans, &nplans, &e) != MR_OK ||
        mr__rowwork_open(&work, pipe, &e) != MR_OK)
        die(argv[1], e.text);
    if (argc > 3) {
        char *text = mr__rowpipe_explain(pipe);
        fputs(text ? text : "no memory\n", stdout);
        free(text);
    }
    FILE *bytes = fopen(argv[2], "wb");
    if (!bytes)
        die(argv[2], "cannot write");
    take_rows(&rows, plans, nplans);
    while (fgets(line, sizeof line, stdin)) {
        struct sample s = {0};
        parse(line, &s);
        run_sample(pipe, work, &rows, &s, bytes);
        free(s.image);
        free(s.mask);
    }
    fclose(bytes);
    free(rows.image);
    free(rows.mask);
    mr__rowwork_close(work);
    mr__rowpipe_free(pipe);
    mr__config_free(config);
    return 0;
}
