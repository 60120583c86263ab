/* SPDX-License-Identifier: Apache-2.0
 *
 * make_jpegs FOLDER: one small JPEG of every kind that libjpeg-turbo writes, for the tests that
 * damage files: NAME.jpg, of a picture in which no two places look alike.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

enum { PROGRESSIVE = 1, ARITHMETIC = 2, SEPARATE = 4, OPTIMIZED = 8, RESTART = 16 };

struct kind {
    const char *name;
    J_COLOR_SPACE space; /* of the file */
    int across, down;    /* sampling factors of the first component */
    unsigned flags;
    int orientation; /* in an EXIF block; 0: none */
};

static const struct kind kinds[] = {
    {"baseline_444", JCS_YCbCr, 1, 1, 0, 0},
    {"baseline_420", JCS_YCbCr, 2, 2, 0, 0},
    {"baseline_422", JCS_YCbCr, 2, 1, 0, 0},
    {"baseline_440", JCS_YCbCr, 1, 2, 0, 0},
    {"baseline_411", JCS_YCbCr, 4, 1, 0, 0},
    {"baseline_gray", JCS_GRAYSCALE, 1, 1, 0, 0},
    {"baseline_rgb", JCS_RGB, 1, 1, 0, 0},
    {"baseline_cmyk", JCS_CMYK, 1, 1, 0, 0},
    {"baseline_ycck", JCS_YCCK, 2, 2, 0, 0},
    {"baseline_restart", JCS_YCbCr, 2, 2, RESTART, 0},
    {"baseline_exif", JCS_YCbCr, 2, 2, 0, 6},
    {"baseline_scans", JCS_YCbCr, 2, 2, SEPARATE, 0},
    {"baseline_optimized", JCS_YCbCr, 2, 2, OPTIMIZED, 0},
    {"progressive_444", JCS_YCbCr, 1, 1, PROGRESSIVE, 0},
    {"progressive_420", JCS_YCbCr, 2, 2, PROGRESSIVE, 0},
    {"progressive_gray", JCS_GRAYSCALE, 1, 1, PROGRESSIVE, 0},
    {"progressive_cmyk", JCS_CMYK, 1, 1, PROGRESSIVE, 0},
    {"progressive_restart", JCS_YCbCr, 2, 2, PROGRESSIVE | RESTART, 0},
    {"progressive_exif", JCS_YCbCr, 2, 2, PROGRESSIVE, 3},
    {"arithmetic_420", JCS_YCbCr, 2, 2, ARITHMETIC, 0},
    {"arithmetic_444", JCS_YCbCr, 1, 1, ARITHMETIC, 0},
    {"arithmetic_gray", JCS_GRAYSCALE, 1, 1, ARITHMETIC, 0},
    {"arithmetic_restart", JCS_YCbCr, 2, 2, ARITHMETIC | RESTART, 0},
    {"arithmetic_scans", JCS_YCbCr, 2, 2, ARITHMETIC | SEPARATE, 0},
    {"arithmetic_progressive", JCS_YCbCr, 2, 2, ARITHMETIC | PROGRESSIVE, 0},
};

enum { WIDTH = 90, HEIGHT = 70 };

static void fill_row(unsigned char *row, int w, int c, int y)
{
    static unsigned noise = 1;
    for (int x = 0; x < w; x++) {
        for (int i = 0; i < c; i++) {
            int v = (x * (3 + i) + y * (5 - i) + x * y / 16) % 256;
            noise = noise * 1664525u + 1013904223u;
            v = (v < 128 ? 2 * v : 510 - 2 * v) + (int)(noise >> 24) % 33 - 16;
            row[x * c + i] = (unsigned char)(v < 0 ? 0 : v > 255 ? 255 : v);
        }
    }
}

static void write_exif(j_compress_ptr cinfo, int orientation)
{
    unsigned char exif[32] = "Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01";
    exif[25] = (unsigned char)orientation;
    jpeg_write_marker(cinfo, JPEG_APP0 + 1, exif, sizeof exif);
}

static void separate_scans(j_compress_ptr cinfo)
{
    static jpeg_scan_info scans[4];
    for (int c = 0; c < cinfo->num_components; c++)
        scans[c] = (jpeg_scan_info){1, {c}, 0, 63, 0, 0};
    cinfo->scan_info = scans;
    cinfo->num_scans = cinfo->num_components;
}

static void configure(j_compress_ptr cinfo, const struct kind *k)
{
    cinfo->image_width = WIDTH;
    cinfo->image_height = HEIGHT;
    cinfo->in_color_space = k->space == JCS_GRAYSCALE                        ? JCS_GRAYSCALE
                            : k->space == JCS_CMYK || k->space == JCS_YCCK ? JCS_CMYK
                                                                             : JCS_RGB;
    cinfo->input_components = cinfo->in_color_space == JCS_GRAYSCALE ? 1
                              : cinfo->in_color_space == JCS_CMYK    ? 4
                                                                     : 3;
    jpeg_set_defaults(cinfo);
    jpeg_set_colorspace(cinfo, k->space);
    jpeg_set_quality(cinfo, 85, TRUE);
    cinfo->comp_info[0].h_samp_factor = k->across;
    cinfo->comp_info[0].v_samp_factor = k->down;
    if (k->space == JCS_YCCK) {
        cinfo->comp_info[3].h_samp_factor = k->across;
        cinfo->comp_info[3].v_samp_factor = k->down;
    }
    cinfo->restart_in_rows = (k->flags & RESTART) != 0;
    cinfo->arith_code = (k->flags & ARITHMETIC) != 0;
    cinfo->optimize_coding = (k->flags & OPTIMIZED) != 0;
    if (k->flags & PROGRESSIVE)
        jpeg_simple_progression(cinfo);
    else if (k->flags & SEPARATE)
        separate_scans(cinfo);
}

static int make(const char *folder, const struct kind *k)
{
    struct jpeg_compress_struct cinfo;
    struct jpeg_error_mgr err;
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.jpg", folder, k->name);
    FILE *f = fopen(path, "wb");
    unsigned char *row = calloc(WIDTH, 4);
    if (!f || !row) {
        fprintf(stderr, "cannot write '%s'\n", path);
        return 1;
    }
    cinfo.err = jpeg_std_error(&err);
    jpeg_create_compress(&cinfo);
    jpeg_stdio_dest(&cinfo, f);
    configure(&cinfo, k);
    jpeg_start_compress(&cinfo, TRUE);
    if (k->orientation)
        write_exif(&cinfo, k->orientation);
    for (int y = 0; y < HEIGHT; y++) {
        fill_row(row, WIDTH, cinfo.input_components, y);
        jpeg_write_scanlines(&cinfo, &row, 1);
    }
    jpeg_finish_compress(&cinfo);
    jpeg_destroy_compress(&cinfo);
    free(row);
    return fclose(f) != 0;
}

int main(int argc, char **argv)
{
    int bad = argc != 2;
    if (bad)
        fprintf(stderr, "usage: make_jpegs FOLDER\n");
    for (size_t i = 0; !bad && i < sizeof kinds / sizeof *kinds; i++)
        bad = make(argv[1], &kinds[i]);
    return bad;
}
