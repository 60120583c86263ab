#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the warp to Pillow's Image.transform: AFFINE and PERSPECTIVE, nearest and bilinear.

usage: warp_oracle.py TOOL [CASES [SEED]]     TOOL: the warp_tool program

Bilinear values may differ by one step. A point that lies on the source's edge, or with nearest
between two pixels, to 1/1000 of a pixel may fall to either side and is left out. (Pillow's own
nearest AFFINE adds 1/65536 pixels up along a row, so it is run as a PERSPECTIVE, which does not.)
"""

import random
import subprocess
import sys

try:
    import numpy as np
    from PIL import Image
except ImportError as lacking:
    print(f"skipped: {lacking}; apt-get install python3-numpy python3-pil")
    sys.exit(77)

MODES = {1: "L", 3: "RGB", 4: "CMYK"}
NEAR = 1e-3


def matrix(rng, w, h, affine):
    angle, zoom = rng.uniform(-3.2, 3.2), rng.uniform(0.2, 3)
    c, s = np.cos(angle) * zoom, np.sin(angle) * zoom
    shear = rng.uniform(-0.5, 0.5)
    m = [c + shear * s, -s, 0, s, c, 0]
    m[2] = w / 2 - m[0] * w / 2 - m[1] * h / 2 + rng.uniform(-w, w) / 3
    m[5] = h / 2 - m[3] * w / 2 - m[4] * h / 2 + rng.uniform(-h, h) / 3
    if rng.random() < 0.2:  # whole pixels
        m = [1, 0, rng.randint(-3, 3), 0, rng.choice([1, -1]), rng.randint(-3, h)]
    return m + ([0, 0] if affine else [rng.uniform(-1, 1) / 500, rng.uniform(-1, 1) / 500])


def points(m, w, h):
    y, x = np.mgrid[0:h, 0:w] + 0.5
    d = m[6] * x + m[7] * y + 1
    with np.errstate(all="ignore"):
        return (m[0] * x + m[1] * y + m[2]) / d, (m[3] * x + m[4] * y + m[5]) / d


def unsure(u, v, w, h, bilinear):
    near = lambda a, b: np.abs(a - b) < NEAR
    edge = near(u, 0) | near(u, w) | near(v, 0) | near(v, h) | ~np.isfinite(u) | ~np.isfinite(v)
    with np.errstate(all="ignore"):
        return edge if bilinear else edge | near(u, np.rint(u)) | near(v, np.rint(v))


def case(tool, rng, shares):
    w, h = rng.choice([1, 2, rng.randint(1, 200)]), rng.choice([1, 2, rng.randint(1, 200)])
    c, ow, oh = rng.choice([1, 3, 3, 4]), rng.randint(1, 200), rng.randint(1, 100)
    affine, bilinear, fill = rng.random() < 0.5, rng.random() < 0.7, rng.randint(0, 255)
    noise = np.random.default_rng(rng.getrandbits(32))
    image = noise.integers(0, 256, (h, w, c), np.uint8)
    m = matrix(rng, w, h, affine)
    line = f"{w} {h} {c} {ow} {oh} {int(bilinear)} {fill} {' '.join(repr(float(k)) for k in m)} 1\n"
    out = subprocess.run([tool], input=line.encode() + image.tobytes(), capture_output=True)
    if out.returncode:
        sys.exit(f"{line}{out.stderr.decode()}")
    ours = np.frombuffer(out.stdout, np.uint8).reshape(oh, ow, c).astype(int)
    pil = Image.fromarray(image[..., 0] if c == 1 else image, MODES[c])
    kind = Image.AFFINE if affine and bilinear else Image.PERSPECTIVE
    theirs = pil.transform((ow, oh), kind, m[:6] if kind == Image.AFFINE else m,
                           Image.BILINEAR if bilinear else Image.NEAREST,
                           fillcolor=fill if c == 1 else (fill,) * c)
    theirs = np.asarray(theirs).reshape(oh, ow, c).astype(int)
    sure = ~unsure(*points(m, ow, oh), w, h, bilinear)
    off = np.abs(ours - theirs)[sure]
    name = ("affine" if affine else "perspective") + (" bilinear" if bilinear else " nearest")
    share = shares.setdefault(name, [0, 0, 0])
    share[0] += off.size
    share[1] += int((off == 0).sum())
    share[2] = max(share[2], int(off.max(initial=0)))
    if off.max(initial=0) > int(bilinear):
        sys.exit(f"{name}: a value is {off.max()} off: {line}")


def main():
    tool, cases = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 200
    rng = random.Random(sys.argv[3] if len(sys.argv) > 3 else "warp")
    shares = {}
    for _ in range(cases):
        case(tool, rng, shares)
    for name, (n, equal, most) in sorted(shares.items()):
        print(f"{name}: {100 * equal / max(n, 1):.3f} % of {n} values equal, the largest "
              f"difference is {most}")
        if equal < 0.99 * n:
            sys.exit("fewer than 99 % are equal")


main()
