/* SPDX-License-Identifier: Apache-2.0
 *
 * synth_scene.h: one picture of the procedural data set: objects of a class (a shape in a colour)
 * on a textured ground, among distractors that have the shape or the colour alone. Which class it
 * is can be told only from both together.
 */
#ifndef MR_CLI_SYNTH_SCENE_H
#define MR_CLI_SYNTH_SCENE_H

#include <stdint.h>

#define SCENE_SHAPES 8
#define SCENE_COLOURS 8
#define SCENE_CLASSES (SCENE_SHAPES * SCENE_COLOURS)
#define SCENE_MAX_OBJECTS 3

struct scene_box {
    int x0, y0, x1, y1; /* pixels; x1 and y1 are outside */
};

struct scene {
    int w, h;
    uint8_t *rgb;  /* [h][w][3], the caller's */
    uint8_t *mask; /* [h][w], the caller's: 0 ground, n the n-th object */
    int nobjects;
    struct scene_box boxes[SCENE_MAX_OBJECTS]; /* of the mask's objects 1 .. nobjects */
};

/* Random numbers of one picture: a function of the key and of how many were drawn, nothing else. */
struct scene_rng {
    uint64_t key, drawn;
};
/* The generator of picture `number` of a data set. */
struct scene_rng scene_rng(uint64_t seed, uint64_t number);
/* A whole number, lo to hi inclusive. */
int scene_rng_int(struct scene_rng *rng, int lo, int hi);

const char *scene_shape_name(int shape);   /* 0 .. SCENE_SHAPES - 1 */
const char *scene_colour_name(int colour); /* 0 .. SCENE_COLOURS - 1 */

/* Draws every pixel of s->rgb and s->mask. The same (rng, sizes, shape, colour) gives the same
 * bytes on every machine: only integers and + - * / sqrt of doubles, which IEEE 754 fixes, are
 * used. */
void scene_draw(struct scene *s, struct scene_rng *rng, int shape, int colour);

#endif
