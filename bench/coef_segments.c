/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_coef: the segments of coefficients (docs/packed_coef.md) of every JPEG below DIR: how many
 * bytes they are in parts of the files, and how long each version takes to decode them into tiles,
 * per block. Coefficients are compared: a difference ends the program.
 *
 * usage: bench_coef DIR [REPETITIONS [SEGMENT]]
 */
#include "jpeg_files.h"
#include "loaders/codec/packed/coef_segment.h"
#include "loaders/codec/packed/coef_tables.h"
#include "one_process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

enum { VERSIONS = 8, MOST = 256 << 10 /* blocks of an image */, TILES = 48 };

static struct bench {
    int width; /* pixels of a segment */
    struct mr_coef_segment *segment;
    size_t segments;
    uint8_t *bytes;
    size_t used;
    int16_t (*zigzag)[64]; /* all blocks, segment by segment */
    size_t blocks;
    struct mr_slot *slots;
    double best[VERSIONS], sum[VERSIONS]; /* seconds */
    uint64_t all_blocks, all_bytes, all_segments, file_bytes;
} bench;

/* The blocks of a component's rows, each segment's behind one another in `to`. */
static void add_run(struct jpeg_decompress_struct *cinfo, jvirt_barray_ptr array,
                    struct mr_coef_segment *s, int component, unsigned y, unsigned x, unsigned n)
{
    jpeg_component_info *c = &cinfo->comp_info[component];
    JBLOCKARRAY rows = cinfo->mem->access_virt_barray((j_common_ptr)cinfo, array, y, 1, FALSE);
    bool begins =
        s->nruns == 0 || y % (unsigned)c->v_samp_factor == 0 || cinfo->num_components == 1;

    s->run[s->nruns++] = (struct mr_coef_run){.n = n, .to = n, .begins = begins};
    for (unsigned i = 0; i < n; i++) {
        int16_t *to = bench.zigzag[bench.blocks++];
        for (int k = 0; k < 64; k++)
            to[mr__coef_zigzag[k]] = rows[0][x + i][k];
    }
}

static void cut(struct jpeg_decompress_struct *cinfo, jvirt_barray_ptr *arrays)
{
    bool one = cinfo->num_components == 1;
    unsigned max_h = one ? 1 : (unsigned)cinfo->max_h_samp_factor;
    unsigned max_v = one ? 1 : (unsigned)cinfo->max_v_samp_factor;
    unsigned across = (cinfo->image_width + 8 * max_h - 1) / (8 * max_h);
    unsigned down = (cinfo->image_height + 8 * max_v - 1) / (8 * max_v);
    unsigned wide = (unsigned)bench.width / (8 * max_h);

    for (unsigned y = 0; y < down; y++) {
        for (unsigned x = 0; x < across; x += wide) {
            struct mr_coef_segment *s = &bench.segment[bench.segments++];
            int16_t(*zigzag)[64] = bench.zigzag + bench.blocks;
            unsigned n = across - x < wide ? across - x : wide;
            s->nruns = 0;
            for (int i = 0; i < cinfo->num_components; i++) {
                unsigned h = one ? 1 : (unsigned)cinfo->comp_info[i].h_samp_factor;
                unsigned v = one ? 1 : (unsigned)cinfo->comp_info[i].v_samp_factor;
                for (unsigned k = 0; k < v; k++)
                    add_run(cinfo, arrays[i], s, i, y * v + k, x * h, n * h);
            }
            s->data = bench.bytes + bench.used;
            s->bytes = mr__coef_encode(s, (const int16_t(*)[64])zigzag, bench.bytes + bench.used);
            bench.used += s->bytes;
        }
    }
}

static void check(const char *path)
{
    int16_t(*zigzag)[64] = bench.zigzag;

    for (size_t i = 0; i < bench.segments; i++) {
        const struct mr_coef_segment *s = &bench.segment[i];
        for (uint32_t r = 0; r < s->nruns; r++) {
            for (uint32_t b = 0; b < s->run[r].n; b++, zigzag++) {
                const struct mr_slot *slot = s->run[r].row + b / 4;
                const int16_t *from = (const int16_t *)(const void *)slot + b % 4 * 8;
                for (int k = 0; k < 64; k++) {
                    if (from[mr__coef_place[k]] != (*zigzag)[k])
                        stop("other coefficients: ", path);
                }
            }
        }
    }
}

/* Every segment's tiles behind those of the one before, or, as in a decoder, where an earlier one
 * had its own. */
static void place_tiles(size_t most)
{
    size_t at = 0;

    for (size_t i = 0; i < bench.segments; i++) {
        struct mr_coef_segment *s = &bench.segment[i];
        for (uint32_t r = 0; r < s->nruns; r++) {
            size_t n = (s->run[r].n + 3) / 4;
            at = at + n > most ? 0 : at;
            s->run[r].row = bench.slots + at;
            at += n;
        }
    }
}

static void prove(const char *path, const struct mr_coef_version *version)
{
    if (bench.blocks > MOST)
        stop("an image is too large: ", path);
    memset(bench.slots, 0, bench.blocks * sizeof *bench.slots);
    place_tiles(MOST);
    for (size_t i = 0; i < bench.segments; i++) {
        if (!version->decode(&bench.segment[i]))
            stop("not decoded: ", path);
    }
    check(path);
}

static double decode(const struct mr_coef_version *version)
{
    double start = cpu_now();

    for (size_t i = 0; i < bench.segments; i++)
        version->decode(&bench.segment[i]);
    return cpu_now() - start;
}

static void measure(const char *path, const struct mr_cpu *cpu, int repetitions)
{
    for (int rep = -1; rep < repetitions; rep++) {
        for (int v = 0; mr__coef_versions[v]; v++) {
            const struct mr_coef_version *version = mr__coef_versions[v];
            if (!mr__cpu_runs(cpu, version->level, version->flags))
                continue;
            if (rep < 0) {
                prove(path, version);
                continue;
            }
            place_tiles(TILES);
            double took = decode(version);
            if (rep == 0 || took < bench.best[v])
                bench.best[v] = took;
        }
    }
}

static void file(const struct jpeg_file *f, const struct mr_cpu *cpu, int repetitions)
{
    struct jpeg_decompress_struct cinfo;
    struct jpeg_error_mgr errors;

    cinfo.err = jpeg_std_error(&errors);
    jpeg_create_decompress(&cinfo);
    jpeg_mem_src(&cinfo, f->data, f->bytes);
    jpeg_read_header(&cinfo, TRUE);
    jvirt_barray_ptr *arrays = jpeg_read_coefficients(&cinfo);
    bench.segments = bench.used = bench.blocks = 0;
    if (cinfo.num_components != 4) {
        cut(&cinfo, arrays);
        measure(f->path, cpu, repetitions);
        for (int v = 0; v < VERSIONS; v++)
            bench.sum[v] += bench.best[v];
        bench.all_blocks += bench.blocks;
        bench.all_bytes += bench.used;
        bench.all_segments += bench.segments;
        bench.file_bytes += f->bytes;
    }
    jpeg_destroy_decompress(&cinfo);
}

int main(int argc, char **argv)
{
    struct jpeg_files files;
    struct mr_errbuf e;
    struct mr_cpu cpu;

    if (argc < 2 || jpeg_files_list(&files, argv[1]) < 0 || jpeg_files_load(&files, 0, 1) < 0)
        stop("usage: bench_coef DIR [REPETITIONS [SEGMENT]]", "");
    if (mr__cpu_choose(&cpu, &e) < 0)
        stop(e.text, "");
    bench.width = argc > 3 ? atoi(argv[3]) : 64;
    bench.segment = malloc(sizeof *bench.segment * MOST);
    bench.bytes = malloc((size_t)MOST * MR_COEF_LONGEST + MR_COEF_BEHIND);
    bench.zigzag = malloc(sizeof *bench.zigzag * MOST);
    bench.slots = aligned_alloc(64, sizeof *bench.slots * MOST);
    if (!bench.segment || !bench.bytes || !bench.zigzag || !bench.slots)
        stop("out of memory", "");
    for (size_t i = 0; i < files.n; i++)
        file(&files.file[i], &cpu, argc > 2 ? atoi(argv[2]) : 5);
    printf("%zu files, %.1f blocks of %.2f bytes a file; segments with 2 bytes each: %.4f of it\n",
           files.n, (double)bench.all_blocks / (double)files.n,
           (double)bench.file_bytes / (double)bench.all_blocks,
           (double)(bench.all_bytes + 2 * bench.all_segments) / (double)bench.file_bytes);
    for (int v = 0; mr__coef_versions[v]; v++)
        printf("%-8s %7.2f ns a block\n", mr__cpu_name(mr__coef_versions[v]->level),
               bench.sum[v] / (double)bench.all_blocks * 1e9);
    jpeg_files_free(&files);
    return 0;
}
