/* SPDX-License-Identifier: Apache-2.0 */
#include "synth_scene.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

struct colour {
    int r, g, b;
};

/* ---- random numbers ------------------------------------------------------------------------- */

/* The finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014). */
static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

struct scene_rng scene_rng(uint64_t seed, uint64_t number)
{
    return (struct scene_rng){.key = mix(mix(seed + 0x9e3779b97f4a7c15u) ^ number)};
}

static uint32_t draw_u32(struct scene_rng *rng)
{
    return (uint32_t)(mix(rng->key + ++rng->drawn * 0x9e3779b97f4a7c15u) >> 32);
}

int scene_rng_int(struct scene_rng *rng, int lo, int hi)
{
    uint64_t span = (uint64_t)(hi - lo) + 1;
    return lo + (int)(draw_u32(rng) * span >> 32);
}

static double draw_real(struct scene_rng *rng, double lo, double hi)
{
    return lo + (hi - lo) * (draw_u32(rng) * 0x1p-32);
}

/* ---- shapes: signed distance to the edge, in units of the shape's radius, negative inside ---- */

struct point {
    double x, y;
};

static double polygon(const struct point *v, int n, double x, double y)
{
    double nearest = 1e9;
    bool inside = false;
    for (int i = 0, j = n - 1; i < n; j = i++) {
        double ex = v[j].x - v[i].x, ey = v[j].y - v[i].y;
        double wx = x - v[i].x, wy = y - v[i].y;
        double t = (wx * ex + wy * ey) / (ex * ex + ey * ey);
        t = t < 0 ? 0 : t > 1 ? 1 : t;
        double dx = wx - t * ex, dy = wy - t * ey;
        double d = dx * dx + dy * dy;
        nearest = d < nearest ? d : nearest;
        if ((v[i].y > y) != (v[j].y > y) && wx < ex * wy / ey)
            inside = !inside;
    }
    return inside ? -sqrt(nearest) : sqrt(nearest);
}

#define POLYGON(name, ...)                                      \
    static double name(double x, double y)                      \
    {                                                           \
        static const struct point v[] = {__VA_ARGS__};          \
        return polygon(v, (int)(sizeof v / sizeof v[0]), x, y); \
    }

static double circle(double x, double y)
{
    return sqrt(x * x + y * y) - 0.85;
}

static double ring(double x, double y)
{
    return fabs(sqrt(x * x + y * y) - 0.72) - 0.22;
}

POLYGON(square, {-.72, -.72}, {.72, -.72}, {.72, .72}, {-.72, .72})
POLYGON(bar, {-1, -.32}, {1, -.32}, {1, .32}, {-1, .32})
POLYGON(triangle, {0, -1}, {.866, .5}, {-.866, .5})
POLYGON(star, {0, -1}, {.235, -.324}, {.951, -.309}, {.380, .124}, {.588, .809}, {0, .4},
        {-.588, .809}, {-.380, .124}, {-.951, -.309}, {-.235, -.324})
POLYGON(cross, {-.28, -.95}, {.28, -.95}, {.28, -.28}, {.95, -.28}, {.95, .28}, {.28, .28},
        {.28, .95}, {-.28, .95}, {-.28, .28}, {-.95, .28}, {-.95, -.28}, {-.28, -.28})
POLYGON(arrow, {-.95, -.26}, {.05, -.26}, {.05, -.75}, {.95, 0}, {.05, .75}, {.05, .26},
        {-.95, .26})
POLYGON(stroke, {-1, -.07}, {1, -.07}, {1, .07}, {-1, .07})

typedef double distance_fn(double x, double y);

static const struct {
    const char *name;
    distance_fn *distance;
} shapes[SCENE_SHAPES] = {
    {"circle", circle}, {"square", square}, {"triangle", triangle}, {"star", star},
    {"ring", ring},     {"cross", cross},   {"bar", bar},           {"arrow", arrow},
};

static const struct {
    const char *name;
    struct colour base;
} colours[SCENE_COLOURS] = {
    {"red", {214, 40, 36}},     {"blue", {40, 70, 214}},    {"green", {36, 160, 60}},
    {"yellow", {232, 208, 40}}, {"purple", {132, 44, 178}}, {"orange", {240, 130, 24}},
    {"cyan", {40, 196, 206}},   {"pink", {240, 120, 180}},
};

const char *scene_shape_name(int shape)
{
    return shapes[shape].name;
}

const char *scene_colour_name(int colour)
{
    return colours[colour].name;
}

/* ---- ground --------------------------------------------------------------------------------- */

static int clamp_byte(int v)
{
    return v < 0 ? 0 : v > 255 ? 255 : v;
}

static int lattice(uint64_t key, int x, int y)
{
    return (int)(mix(key + (uint64_t)x * 0x632be59bd9b4e019u + (uint64_t)y) >> 56);
}

/* Value noise, 0 to 255: random values on a lattice of `cell` pixels, smoothly joined. */
static int noise(uint64_t key, int x, int y, int cell)
{
    int cx = x / cell, cy = y / cell;
    int fx = x % cell * 256 / cell, fy = y % cell * 256 / cell;
    fx = fx * fx * (768 - 2 * fx) >> 16;
    fy = fy * fy * (768 - 2 * fy) >> 16;
    int top = lattice(key, cx, cy) * (256 - fx) + lattice(key, cx + 1, cy) * fx;
    int low = lattice(key, cx, cy + 1) * (256 - fx) + lattice(key, cx + 1, cy + 1) * fx;
    return (top * (256 - fy) + low * fy) >> 16;
}

struct ground {
    uint64_t key;
    int cell;   /* pixels of the pattern's period */
    int ax, ay; /* direction of stripes and slope, sixteenths */
    struct colour dark, light;
};

static int clouds(const struct ground *g, int x, int y)
{
    return (2 * noise(g->key, x, y, g->cell) + noise(g->key + 1, x, y, 1 + g->cell / 4)) / 3;
}

static int stripes(const struct ground *g, int x, int y)
{
    int period = g->cell * 16;
    int at = (g->ax * x + g->ay * y) % period;
    at = at < 0 ? at + period : at;
    return at < period / 2 ? 510 * at / period : 510 - 510 * at / period;
}

static int checks(const struct ground *g, int x, int y)
{
    int lit = (x / g->cell + y / g->cell) & 1;
    return (lit ? 190 : 20) + noise(g->key, x, y, 24) / 4;
}

static int slope(const struct ground *g, int x, int y)
{
    int at = (g->ax * x + g->ay * y) / 24;
    return clamp_byte((at < 0 ? -at : at) / 2 + noise(g->key, x, y, g->cell) / 2);
}

static int (*const grounds[])(const struct ground *, int, int) = {clouds, stripes, checks, slope};

static struct colour dull_colour(struct scene_rng *rng, int lo, int hi)
{
    int gray = scene_rng_int(rng, lo, hi);
    return (struct colour){gray + scene_rng_int(rng, -18, 18), gray + scene_rng_int(rng, -18, 18),
                           gray + scene_rng_int(rng, -18, 18)};
}

static int between(int dark, int light, int t, int grain)
{
    return clamp_byte(dark + (light - dark) * t / 255 + grain);
}

static void draw_ground(struct scene *s, struct scene_rng *rng)
{
    int kind = scene_rng_int(rng, 0, (int)(sizeof grounds / sizeof grounds[0]) - 1);
    struct ground g = {.cell = scene_rng_int(rng, 10, 56),
                       .ax = scene_rng_int(rng, -16, 16),
                       .ay = scene_rng_int(rng, 1, 16)};
    g.key = mix(rng->key ^ draw_u32(rng));
    g.dark = dull_colour(rng, 30, 120);
    g.light = dull_colour(rng, 110, 225);
    for (int y = 0; y < s->h; y++) {
        uint8_t *out = s->rgb + (size_t)y * (size_t)s->w * 3;
        for (int x = 0; x < s->w; x++, out += 3) {
            int t = grounds[kind](&g, x, y);
            int grain = (lattice(g.key + 2, x, y) >> 4) - 8;
            out[0] = (uint8_t)between(g.dark.r, g.light.r, t, grain);
            out[1] = (uint8_t)between(g.dark.g, g.light.g, t, grain);
            out[2] = (uint8_t)between(g.dark.b, g.light.b, t, grain);
        }
    }
}

/* ---- figures -------------------------------------------------------------------------------- */

struct figure {
    distance_fn *distance;
    struct colour colour;
    double x, y, radius; /* pixels */
    double c, s;         /* cosine and sine of the turn */
    uint64_t key;        /* of the shading */
};

/* Any turn, without calling sin and cos, which differ between C libraries: a point of the unit
 * circle by its rational form, in one of four quadrants. */
static void turn(struct figure *f, struct scene_rng *rng)
{
    double t = draw_real(rng, 0, 1);
    double c = (1 - t * t) / (1 + t * t), s = 2 * t / (1 + t * t);
    int quadrant = scene_rng_int(rng, 0, 3);
    f->c = quadrant == 0 ? c : quadrant == 1 ? -s : quadrant == 2 ? -c : s;
    f->s = quadrant == 0 ? s : quadrant == 1 ? c : quadrant == 2 ? -s : -c;
}

static void blend(uint8_t *pixel, const struct figure *f, int x, int y, double cover)
{
    int shade = 216 + noise(f->key, x, y, 12) * 60 / 255;
    int a = (int)(cover * 256);
    const int paint[3] = {f->colour.r, f->colour.g, f->colour.b};
    for (int i = 0; i < 3; i++) {
        int lit = clamp_byte(paint[i] * shade / 256);
        pixel[i] = (uint8_t)((pixel[i] * (256 - a) + lit * a) >> 8);
    }
}

static void grow(struct scene_box *box, int x, int y)
{
    box->x0 = x < box->x0 ? x : box->x0;
    box->y0 = y < box->y0 ? y : box->y0;
    box->x1 = x >= box->x1 ? x + 1 : box->x1;
    box->y1 = y >= box->y1 ? y + 1 : box->y1;
}

static int clip(double v, int end)
{
    return v < 0 ? 0 : v > end ? end : (int)v;
}

/* Paints the figure; with number > 0 it also marks it in the mask and gives its box. */
static struct scene_box paint(struct scene *s, const struct figure *f, int number)
{
    struct scene_box box = {s->w, s->h, 0, 0};
    double reach = f->radius * 1.1 + 2;
    int x0 = clip(f->x - reach, s->w), x1 = clip(f->x + reach, s->w);
    int y0 = clip(f->y - reach, s->h), y1 = clip(f->y + reach, s->h);
    for (int y = y0; y < y1; y++) {
        for (int x = x0; x < x1; x++) {
            double dx = (x + 0.5 - f->x) / f->radius, dy = (y + 0.5 - f->y) / f->radius;
            double d = f->distance(f->c * dx + f->s * dy, f->c * dy - f->s * dx) * f->radius;
            size_t at = (size_t)y * (size_t)s->w + (size_t)x;
            if (d >= 0.5)
                continue;
            blend(s->rgb + 3 * at, f, x, y, d <= -0.5 ? 1 : 0.5 - d);
            if (number && d <= 0) {
                s->mask[at] = (uint8_t)number;
                grow(&box, x, y);
            }
        }
    }
    return box;
}

static struct colour vary(struct colour base, struct scene_rng *rng)
{
    return (struct colour){clamp_byte(base.r + scene_rng_int(rng, -22, 22)),
                           clamp_byte(base.g + scene_rng_int(rng, -22, 22)),
                           clamp_byte(base.b + scene_rng_int(rng, -22, 22))};
}

static struct figure place(const struct scene *s, struct scene_rng *rng, double lo, double hi)
{
    int side = s->w < s->h ? s->w : s->h;
    struct figure f = {.radius = side * draw_real(rng, lo, hi)};
    f.x = draw_real(rng, f.radius, s->w - f.radius);
    f.y = draw_real(rng, f.radius, s->h - f.radius);
    f.key = mix(rng->key ^ draw_u32(rng));
    turn(&f, rng);
    return f;
}

/* Gray shapes and coloured strokes: each has one half of what makes a class. */
static void draw_distractors(struct scene *s, struct scene_rng *rng)
{
    int n = scene_rng_int(rng, 3, 7);
    for (int i = 0; i < n; i++) {
        bool gray = scene_rng_int(rng, 0, 1);
        struct figure f = place(s, rng, 0.06, gray ? 0.16 : 0.3);
        f.distance = gray ? shapes[scene_rng_int(rng, 0, SCENE_SHAPES - 1)].distance : stroke;
        f.colour = gray ? dull_colour(rng, 40, 220)
                        : vary(colours[scene_rng_int(rng, 0, SCENE_COLOURS - 1)].base, rng);
        paint(s, &f, 0);
    }
}

static bool apart(const struct figure *f, const struct figure *others, int n)
{
    for (int i = 0; i < n; i++) {
        double dx = f->x - others[i].x, dy = f->y - others[i].y;
        double reach = (f->radius + others[i].radius) * 1.05;
        if (dx * dx + dy * dy < reach * reach)
            return false;
    }
    return true;
}

static void draw_objects(struct scene *s, struct scene_rng *rng, int shape, int colour)
{
    struct figure placed[SCENE_MAX_OBJECTS];
    int wanted = scene_rng_int(rng, 1, SCENE_MAX_OBJECTS);
    s->nobjects = 0;
    for (int tries = 0; tries < 12 && s->nobjects < wanted; tries++) {
        struct figure f = place(s, rng, 0.14, 0.3);
        f.distance = shapes[shape].distance;
        f.colour = vary(colours[colour].base, rng);
        if (!apart(&f, placed, s->nobjects))
            continue;
        s->boxes[s->nobjects] = paint(s, &f, s->nobjects + 1);
        placed[s->nobjects++] = f;
    }
}

void scene_draw(struct scene *s, struct scene_rng *rng, int shape, int colour)
{
    memset(s->mask, 0, (size_t)s->w * (size_t)s->h);
    draw_ground(s, rng);
    draw_distractors(s, rng);
    draw_objects(s, rng, shape, colour);
}
