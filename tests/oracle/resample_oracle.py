#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds resampling to Pillow: crop(box).resize(size, filter), a window of it, flips, padding.

usage: resample_oracle.py TOOL [CASES [SEED]]     TOOL: the resample_tool program

8-bit pixels must be equal. 16-bit pixels are held to Pillow's float mode; without antialias
bilinear and bicubic are held to torch's interpolate, where torch is installed: these may differ
by one step. The share of equal pixels is printed per filter.
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

FILTERS = [
    ("nearest", Image.NEAREST),
    ("box", Image.BOX),
    ("bilinear", Image.BILINEAR),
    ("hamming", Image.HAMMING),
    ("bicubic", Image.BICUBIC),
    ("lanczos", Image.LANCZOS),
]
MODES = {
    1: "L",
    3: "RGB",
    4: "CMYK",
}  # CMYK: four channels that Pillow does not multiply by each other


SEED = sys.argv[3] if len(sys.argv) > 3 else ""


def pixels(rng, w, h, c, bits):
    """Smooth colours with noise and hard edges on top; the extremes are there."""
    y, x = np.mgrid[0:h, 0:w]
    planes = [
        np.sin(x / rng.uniform(2, 90) + k) + np.cos(y / rng.uniform(2, 90) - k) for k in range(c)
    ]
    image = np.stack(planes, -1) / 4 + 0.5
    noise = np.random.default_rng(rng.getrandbits(32)).random((h, w, c))
    image = np.clip(image + (noise - 0.5) * rng.choice([0, 0.1, 2]), 0, 1)
    return np.round(image * (255 if bits == 8 else 65535)).astype(
        np.uint8 if bits == 8 else np.uint16
    )


def geometry(rng, bits):
    side = lambda n: rng.choice([1, 2, 3, rng.randint(1, n), rng.randint(1, n)])
    g = {"in": (side(400), side(400)), "c": rng.choice([1, 3, 3, 4]), "bits": bits}
    w, h = g["in"]
    bw, bh = rng.randint(1, w), rng.randint(1, h)
    g["box"] = (rng.randint(0, w - bw), rng.randint(0, h - bh), bw, bh)
    g["to"] = (rng.choice([bw, side(300)]), rng.choice([bh, side(300)]))
    ww, wh = rng.randint(1, g["to"][0]), rng.randint(1, g["to"][1])
    g["win"] = (rng.randint(0, g["to"][0] - ww), rng.randint(0, g["to"][1] - wh), ww, wh)
    g["flips"] = (rng.randint(0, 1), rng.randint(0, 1))
    g["pads"] = tuple(rng.choice([0, 0, rng.randint(0, 9)]) for _ in range(4))
    g["fill"] = rng.randint(0, 255)
    return g


def ours(tool, image, g, filter_number, antialias):
    numbers = (
        *g["in"],
        g["c"],
        g["bits"],
        filter_number,
        antialias,
        *g["box"],
        *g["to"],
        *g["win"],
        *g["flips"],
        *g["pads"],
        g["fill"],
    )
    line = " ".join(str(n) for n in numbers) + "\n"
    out = subprocess.run([tool], input=line.encode() + image.tobytes(), capture_output=True)
    if out.returncode:
        sys.exit(f"{line}{out.stderr.decode()}")
    h = g["win"][3] + g["pads"][1] + g["pads"][3]
    w = g["win"][2] + g["pads"][0] + g["pads"][2]
    return np.frombuffer(out.stdout, image.dtype).reshape(h, w, g["c"])


def resized_by_pillow(crop, g, pillow_filter):
    if g["bits"] == 16:  # one channel at a time in float
        planes = [
            Image.fromarray(crop[..., k].astype(np.float32), "F").resize(g["to"], pillow_filter)
            for k in range(g["c"])
        ]
        return np.clip(np.rint(np.stack([np.asarray(p) for p in planes], -1)), 0, 65535)
    data = crop[..., 0] if g["c"] == 1 else crop
    image = Image.fromarray(np.ascontiguousarray(data), MODES[g["c"]]).resize(
        g["to"], pillow_filter
    )
    return np.asarray(image).reshape(g["to"][1], g["to"][0], g["c"])


def resized_by_torch(crop, g, name):
    import torch

    planes = torch.from_numpy(crop.astype(np.float32)).permute(2, 0, 1)[None]
    out = torch.nn.functional.interpolate(
        planes, size=(g["to"][1], g["to"][0]), mode=name, align_corners=False, antialias=False
    )
    return np.clip(np.rint(out[0].permute(1, 2, 0).numpy()), 0, 255 if g["bits"] == 8 else 65535)


def expected(image, g, resize):
    x, y, w, h = g["box"]
    full = resize(np.ascontiguousarray(image[y : y + h, x : x + w]))
    x, y, w, h = g["win"]
    out = full[y : y + h, x : x + w].astype(np.int64)
    out = out[:, ::-1] if g["flips"][0] else out
    out = out[::-1] if g["flips"][1] else out
    left, top, right, bottom = g["pads"]
    return np.pad(out, ((top, bottom), (left, right), (0, 0)), constant_values=g["fill"])


def run(name, tool, cases, bits, number, antialias, resize, most):
    rng = random.Random(f"{name} {bits} {SEED}")
    worst, equal, total = 0, 0, 0
    for _ in range(cases):
        g = geometry(rng, bits)
        image = pixels(rng, *g["in"], g["c"], bits)
        want = expected(image, g, lambda crop: resize(crop, g))
        diff = np.abs(ours(tool, image, g, number, antialias).astype(np.int64) - want)
        if diff.max() > most:
            print(f"{name}: differs by {diff.max()} for {g}")
        worst, equal, total = max(worst, diff.max()), equal + (diff == 0).sum(), total + diff.size
    print(
        f"{name:22} {bits:2} bits  largest difference {worst}  equal {100 * equal / total:7.3f} %"
    )
    return worst <= most


def main():
    tool, cases, good = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 60, True
    for number, (name, pillow_filter) in enumerate(FILTERS):
        for bits in (8, 16):
            good &= run(
                name,
                tool,
                cases,
                bits,
                number,
                1,
                lambda crop, g: resized_by_pillow(crop, g, pillow_filter),
                1 if number and bits == 16 else 0,
            )
    try:
        import torch  # noqa: F401
    except ImportError:
        print("no torch: the filters without antialias were not compared")
        return 0 if good else 1
    # torch keeps float between the passes; with 8 bits bicubic's overshoot is clipped there
    good &= run(
        "bilinear, no antialias",
        tool,
        cases,
        8,
        2,
        0,
        lambda c, g: resized_by_torch(c, g, "bilinear"),
        1,
    )
    good &= run(
        "bicubic, no antialias",
        tool,
        cases,
        16,
        4,
        0,
        lambda c, g: resized_by_torch(c, g, "bicubic"),
        2,
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
