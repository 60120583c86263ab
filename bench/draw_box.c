/* SPDX-License-Identifier: Apache-2.0 */
#include "draw_box.h"

#include <math.h>
#include <stdlib.h>

struct mr_rect draw_box(int w, int h)
{
    for (int i = 0; i < 10; i++) {
        double area = (double)w * h * (0.08 + 0.92 * drand48());
        double ratio = exp(log(0.75) + (log(4.0 / 3) - log(0.75)) * drand48());
        int bw = (int)lrint(sqrt(area * ratio)), bh = (int)lrint(sqrt(area / ratio));
        if (bw > 0 && bh > 0 && bw <= w && bh <= h)
            return (struct mr_rect){(int)(drand48() * (w - bw + 1)),
                                    (int)(drand48() * (h - bh + 1)), bw, bh};
    }
    int side = w < h ? w : h;
    return (struct mr_rect){(w - side) / 2, (h - side) / 2, side, side};
}

struct mr_rect draw_square(int w, int h, int side)
{
    int bw = side < w ? side : w, bh = side < h ? side : h;

    return (struct mr_rect){(int)(drand48() * (w - bw + 1)), (int)(drand48() * (h - bh + 1)), bw,
                            bh};
}
