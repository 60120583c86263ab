#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds `decode: fast` to Pillow: the tool makes rows and says what it drew; Pillow decodes the
same file at the scale that docs/planner.md promises (draft()), and resizes the same box, whose
corners lie between the smaller image's pixels (resize(box=)). The rows must be equal, and the
scales those that the rule says.

usage: fast_oracle.py TOOL PHOTOS [IMAGES]                 TOOL: the ops_tool program
       fast_oracle.py TOOL PHOTOS [IMAGES] --size N        prints how far fast rows are from exact
                                                           ones, for random_resized_crop N
"""

import math
import os
import sys
import tempfile

import ops_oracle as ops  # skips where Pillow or torchvision are missing

np, Image, ImageOps, F = ops.np, ops.Image, ops.ImageOps, ops.F
FILTERS = {name: getattr(Image.Resampling, name.upper()) for name in ("bilinear", "bicubic", "box")}


def config(decode, size, interpolation="bilinear"):
    crop = {"size": size, "interpolation": interpolation}
    lines = [ops.HEAD + f"decode: {decode}", "ops:"]
    lines.append("  - random_resized_crop: " + ops.json.dumps(crop))
    return "\n".join(lines + ["  - random_horizontal_flip", "fields: {image: {dtype: uint8}}", ""])


def scale_of(w, h, size):
    return max(s for s in (1, 2, 4, 8) if s == 1 or (w // s >= size and h // s >= size))


def axis(at, n, before, scale):
    """The pixels that the box touches, and the box in them."""
    first, last = (at + before) // scale, -(-(at + before + n) // scale)
    begin, end = (at + before) / scale - first, (at + before + n) / scale - first
    return first, last, begin, end


def pillow_row(path, draws, size, interpolation):
    d, flip = (draw["draw"] for draw in draws)
    scale = scale_of(d["w"], d["h"], size)
    image = Image.open(path)
    orientation = image.getexif().get(0x0112, 1)
    w, h = image.size
    if scale > 1:
        image.draft(None, (w // scale, h // scale))
        assert image.size == (math.ceil(w / scale), math.ceil(h / scale))
    over = [image.width * scale - w, image.height * scale - h]
    image = ImageOps.exif_transpose(image).convert("RGB")
    over = over[::-1] if orientation >= 5 else over
    before_x = over[0] if orientation in (2, 3, 6, 7) else 0
    before_y = over[1] if orientation in (3, 4, 7, 8) else 0
    x0, x1, left, right = axis(d["x"], d["w"], before_x, scale)
    y0, y1, top, bottom = axis(d["y"], d["h"], before_y, scale)
    image = image.crop((x0, y0, x1, y1)).resize(
        (size, size), FILTERS[interpolation], box=(left, top, right, bottom)
    )
    image = F.hflip(image) if flip["on"] else image
    return np.asarray(image).transpose(2, 0, 1), scale


def rows_of(tool, text, paths, folder, size):
    samples = [{"image": p, "mask": "-", "boxes": []} for p in paths]
    results, data = ops.run_tool(tool, text, samples, folder)
    rows = np.frombuffer(data, np.uint8).reshape(-1, 3, size, size)
    good = [r for r in results if "error" not in r]
    assert len(results) == len(paths) and len(good) == len(rows) == len(paths), results
    return results, rows


def turned(paths, folder):
    """Copies with every orientation, their pixels untouched: an EXIF block is put in."""
    out = []
    for i, path in enumerate(paths):
        with open(path, "rb") as f:
            data = f.read()
        exif = Image.Exif()
        exif[0x0112] = 1 + i % 8
        block = exif.tobytes()
        head = b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big")
        out.append(os.path.join(folder, f"turned{i}.jpg"))
        with open(out[-1], "wb") as f:
            f.write(data[:2] + head + block + data[2:])
    return out


def hold(tool, paths, folder):
    failed, scales = 0, {1: 0, 2: 0, 4: 0, 8: 0}
    for size in (23, 48, 100, 224):
        for interpolation in FILTERS:
            text = config("fast", size, interpolation)
            results, rows = rows_of(tool, text, paths, folder, size)
            for path, result, row in zip(paths, results, rows):
                want, scale = pillow_row(path, result["draws"], size, interpolation)
                scales[scale] += 1
                off = np.abs(row.astype(int) - want).max()
                if off:
                    failed += 1
                    print(f"FAILED: {path} {size} {interpolation} 1/{scale}: {off} steps off")
    print("rows by scale:", scales)
    return failed or min(scales.values()) == 0


def quality(tool, paths, folder, size):
    by_scale = {1: [], 2: [], 4: [], 8: []}
    for path in paths:  # one by one: rows of large sets are large
        results, fast = rows_of(tool, config("fast", size), [path] * 4, folder, size)
        _, exact = rows_of(tool, config("exact", size), [path] * 4, folder, size)
        for r, a, b in zip(results, fast, exact):
            d = r["draws"][0]["draw"]
            diff = a.astype(float) - b
            by_scale[scale_of(d["w"], d["h"], size)].append(
                (np.abs(diff).mean(), (diff**2).mean(), np.abs(diff).max())
            )
    print(f"| size {size}, decoded at | rows | mean absolute difference | PSNR, mean (worst) | ")
    for scale, rows in by_scale.items():
        if scale == 1 or not rows:
            print(f"| 1/{scale} | {len(rows)} | | |")
            continue
        mae, mse, _ = np.array(rows).T
        psnr = 10 * np.log10(255**2 / np.maximum(mse, 1e-9))
        print(
            f"| 1/{scale} | {len(rows)} | {mae.mean():.2f} | {psnr.mean():.1f} ({psnr.min():.1f}) |"
        )


def main():
    args = sys.argv[1:]
    size = int(args[args.index("--size") + 1]) if "--size" in args else 0
    tool, photos = args[:2]
    n = int(args[2]) if len(args) > 2 and args[2].isdigit() else 6
    paths = sorted(
        p
        for end in ("jpg", "jpeg", "JPEG")
        for p in ops.glob.glob(f"{photos}/**/*.{end}", recursive=True)
    )
    with tempfile.TemporaryDirectory() as folder:
        if not paths:  # no photographs here: made-up ones
            for i, made in enumerate(ops.made_up(folder, n + 3)[3:]):
                paths.append(os.path.join(folder, f"made{i}.jpg"))
                Image.open(made).save(paths[-1], quality=90, subsampling=i % 3)
        paths = paths[:: max(1, len(paths) // n)][:n]
        if size:
            quality(tool, paths, folder, size)
            return 0
        failed = hold(tool, paths + turned((paths * 8)[:8], folder), folder)
    print("fast rows differ from Pillow's" if failed else "fast rows are Pillow's, bit for bit")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
