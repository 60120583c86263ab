/* SPDX-License-Identifier: Apache-2.0 */
#include "contact_sheet.h"

#include "image_write.h"
#include "out_file.h"
#include "tensor_pixels.h"
#include "tiny_font.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX 64
#define SIDE_MAX 224 /* larger images are shrunk by a whole number, */
#define SIDE_MIN 96  /* smaller ones are enlarged by one */
#define GAP 4
#define CAPTION (FONT_HEIGHT + 5)
#define LABEL_MAX 48

struct contact_sheet {
    mr_tensor image, mask, boxes; /* own copies; data NULL: the batch has none */
    struct image_shape shape, mask_shape;
    int rows;
    uint8_t valid[ROWS_MAX];
    uint32_t counts[ROWS_MAX]; /* of boxes */
    char labels[ROWS_MAX][LABEL_MAX];
};

struct canvas {
    uint8_t *rgb;
    int w, h;
};

struct cell { /* where one image lies on the canvas */
    int x, y, w, h;
    int step, zoom; /* an image's pixel = zoom canvas pixels; a canvas pixel = step image pixels */
};

static const uint8_t palette[][3] = {{255, 70, 70},  {70, 220, 90},  {80, 140, 255},
                                     {255, 210, 60}, {230, 90, 240}, {60, 220, 220}};
#define PALETTE (sizeof palette / sizeof palette[0])

/* ---- taking --------------------------------------------------------------------------------- */

static bool copy_field(mr_tensor *to, const mr_tensor *from, int rows)
{
    size_t bytes = (size_t)from->strides[0] * (size_t)rows;
    *to = *from;
    to->data = malloc(bytes ? bytes : 1);
    if (to->data)
        memcpy(to->data, from->data, bytes);
    return to->data;
}

/* "image" if there is one, else the first field that looks like one. */
static const mr_tensor *find_image(const mr_batch *batch, struct image_shape *shape)
{
    const mr_tensor *t = mr_field(batch, "image");
    if (t && tensor_image_shape(t, shape))
        return t;
    for (int32_t i = 0; i < mr_field_count(batch); i++) {
        t = mr_field_at(batch, i);
        if (t && t->ndim == 4 && tensor_image_shape(t, shape))
            return t;
    }
    return NULL;
}

/* False: memory is out. */
static bool take_labels(struct contact_sheet *s, mr_loader *loader, const mr_batch *batch)
{
    const mr_tensor *t = mr_field(batch, "label");
    for (int i = 0; i < s->rows && t && t->ndim == 1; i++) {
        double v = tensor_number(t->dtype, (const char *)t->data + i * t->strides[0]);
        bool whole = t->dtype != MR_F16 && t->dtype != MR_BF16 && t->dtype != MR_F32 &&
                     t->dtype != MR_F64 && v >= 0;
        errno = 0;
        const char *name = whole ? mr_class_name(loader, (uint64_t)v) : NULL;
        if (!name && errno == ENOMEM)
            return false;
        if (name)
            snprintf(s->labels[i], LABEL_MAX, "%s", name);
        else
            snprintf(s->labels[i], LABEL_MAX, "%g", v);
    }
    return true;
}

static bool take_overlays(struct contact_sheet *s, const mr_batch *batch)
{
    const mr_tensor *mask = mr_field(batch, "mask");
    const mr_tensor *boxes = mr_field(batch, "boxes");
    if (mask && tensor_image_shape(mask, &s->mask_shape) && s->mask_shape.h == s->shape.h &&
        s->mask_shape.w == s->shape.w && !copy_field(&s->mask, mask, s->rows))
        return false;
    if (boxes && boxes->counts && boxes->ndim == 3 && boxes->shape[2] == 4) {
        for (int i = 0; i < s->rows; i++)
            s->counts[i] = boxes->counts[i];
        return copy_field(&s->boxes, boxes, s->rows);
    }
    return true;
}

struct contact_sheet *contact_sheet_take(mr_loader *loader, const mr_batch *batch, const char **why)
{
    struct contact_sheet *s = calloc(1, sizeof *s);
    const mr_tensor *image = s ? find_image(batch, &s->shape) : NULL;
    const uint8_t *valid = mr_valid(batch);
    if (!image) {
        *why = s ? "the batch has no field that looks like images" : NULL;
        free(s);
        return NULL;
    }
    s->rows = s->shape.rows < ROWS_MAX ? (int)s->shape.rows : ROWS_MAX;
    for (int i = 0; i < s->rows; i++)
        s->valid[i] = valid ? valid[i] : 1;
    if (!copy_field(&s->image, image, s->rows) || !take_overlays(s, batch) ||
        !take_labels(s, loader, batch)) {
        *why = NULL;
        contact_sheet_free(s);
        return NULL;
    }
    return s;
}

void contact_sheet_free(struct contact_sheet *s)
{
    if (!s)
        return;
    free(s->image.data);
    free(s->mask.data);
    free(s->boxes.data);
    free(s);
}

/* ---- drawing -------------------------------------------------------------------------------- */

static void put(struct canvas *c, int x, int y, const uint8_t rgb[3])
{
    if (x >= 0 && x < c->w && y >= 0 && y < c->h)
        memcpy(c->rgb + 3 * ((size_t)y * (size_t)c->w + (size_t)x), rgb, 3);
}

static void tint(const struct contact_sheet *s, int row, int64_t x, int64_t y, uint8_t rgb[3])
{
    if (!s->mask.data)
        return;
    const struct image_shape *m = &s->mask_shape;
    const char *at =
        (const char *)s->mask.data + row * m->row_stride + y * m->y_stride + x * m->x_stride;
    double v = tensor_number(s->mask.dtype, at);
    if (!(v >= 1))
        return;
    const uint8_t *with = palette[(uint64_t)(v - 1) % PALETTE];
    for (int i = 0; i < 3; i++)
        rgb[i] = (uint8_t)((rgb[i] * 3 + with[i] * 2) / 5);
}

static void draw_image(struct canvas *c, const struct contact_sheet *s, int row,
                       const struct cell *cell)
{
    struct tensor_range range = tensor_image_range(&s->image, &s->shape, row);
    for (int y = 0; y < cell->h; y++) {
        for (int x = 0; x < cell->w; x++) {
            int64_t from_x = (int64_t)(x / cell->zoom) * cell->step;
            int64_t from_y = (int64_t)(y / cell->zoom) * cell->step;
            uint8_t rgb[3];
            tensor_pixel(&s->image, &s->shape, row, from_x, from_y, cell->step, &range, rgb);
            tint(s, row, from_x, from_y, rgb);
            put(c, cell->x + x, cell->y + y, rgb);
        }
    }
}

/* A pixel of the image as one of the cell, kept inside it. */
static int scaled(const struct cell *cell, double v, int end)
{
    double at = v * cell->zoom / cell->step;
    return at >= end - 1 ? end - 1 : at > 0 ? (int)at : 0;
}

static void draw_boxes(struct canvas *c, const struct contact_sheet *s, int row,
                       const struct cell *cell)
{
    const mr_tensor *b = &s->boxes;
    int64_t n = b->data ? s->counts[row] : 0;
    for (int64_t k = 0; k < n && k < b->shape[1]; k++) {
        const char *at = (const char *)b->data + row * b->strides[0] + k * b->strides[1];
        double v[4];
        for (int i = 0; i < 4; i++)
            v[i] = tensor_number(b->dtype, at + i * b->strides[2]);
        int x0 = scaled(cell, v[0], cell->w), y0 = scaled(cell, v[1], cell->h);
        int x1 = scaled(cell, v[2], cell->w), y1 = scaled(cell, v[3], cell->h);
        const uint8_t *rgb = palette[(size_t)k % PALETTE];
        for (int x = x0; x <= x1; x++) {
            put(c, cell->x + x, cell->y + y0, rgb);
            put(c, cell->x + x, cell->y + y1, rgb);
        }
        for (int y = y0; y <= y1; y++) {
            put(c, cell->x + x0, cell->y + y, rgb);
            put(c, cell->x + x1, cell->y + y, rgb);
        }
    }
}

static void draw_text(struct canvas *c, int x, int y, int width, const char *text)
{
    static const uint8_t ink[3] = {225, 225, 225};
    for (; *text && width >= FONT_ADVANCE; text++, x += FONT_ADVANCE, width -= FONT_ADVANCE) {
        const uint8_t *glyph = font_glyph(*text);
        for (int gy = 0; gy < FONT_HEIGHT; gy++)
            for (int gx = 0; gx < 5; gx++)
                if (glyph[gy] >> (4 - gx) & 1)
                    put(c, x + gx, y + gy, ink);
    }
}

static struct cell cell_size(const struct image_shape *s)
{
    int64_t side = s->h > s->w ? s->h : s->w;
    struct cell cell = {.step = (int)((side + SIDE_MAX - 1) / SIDE_MAX), .zoom = 1};
    if (side < SIDE_MIN)
        cell.zoom = (int)((SIDE_MIN + side - 1) / side);
    cell.w = (int)((s->w + cell.step - 1) / cell.step) * cell.zoom;
    cell.h = (int)((s->h + cell.step - 1) / cell.step) * cell.zoom;
    return cell;
}

static void draw_cell(struct canvas *c, const struct contact_sheet *s, int row,
                      const struct cell *cell)
{
    if (s->valid[row]) {
        draw_image(c, s, row, cell);
        draw_boxes(c, s, row, cell);
    }
    draw_text(c, cell->x, cell->y + cell->h + 2, cell->w,
              s->valid[row] ? s->labels[row] : "no sample");
}

int contact_sheet_write(const struct contact_sheet *s, const char *path)
{
    struct cell cell = cell_size(&s->shape);
    int columns = (int)ceil(sqrt(s->rows)), lines = (s->rows + columns - 1) / columns;
    struct canvas c = {.w = GAP + columns * (cell.w + GAP),
                       .h = GAP + lines * (cell.h + CAPTION + GAP)};
    struct encoded png = {0};
    c.rgb = malloc((size_t)c.w * (size_t)c.h * 3);
    errno = 0;
    if (!c.rgb)
        return -1;
    memset(c.rgb, 24, (size_t)c.w * (size_t)c.h * 3);
    for (int row = 0; row < s->rows; row++) {
        cell.x = GAP + row % columns * (cell.w + GAP);
        cell.y = GAP + row / columns * (cell.h + CAPTION + GAP);
        draw_cell(&c, s, row, &cell);
    }
    int rc = encode_png(&(struct pixels){c.rgb, c.w, c.h, 3}, &png);
    if (!rc)
        rc = write_file(path, png.data, png.n);
    free(png.data);
    free(c.rgb);
    return rc;
}
