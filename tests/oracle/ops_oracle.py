#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds whole rows to torchvision: the tool runs a config over photographs and says what it drew;
the same draws go through torchvision's functional ops on the fully decoded PIL image, and the rows
must be equal.

usage: ops_oracle.py TOOL [PHOTOS] [IMAGES]     TOOL: the ops_tool program
Without PHOTOS all images are made up.
"""

import glob
import json
import math
import os
import random
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import torch
    import torchvision.transforms as T
    import torchvision.transforms.functional as F
    from PIL import Image, ImageOps
except ImportError as lacking:
    print(f"skipped: {lacking}; apt-get install python3-numpy python3-pil python3-torchvision")
    sys.exit(77)

HEAD = "version: 1\nsource: {type: given}\nsampler: {type: given}\n"
MODES = {
    m: getattr(T.InterpolationMode, m.upper())
    for m in ("nearest", "box", "bilinear", "hamming", "bicubic", "lanczos")
}


# ---- each op as torchvision does it: (image, params, draw, is_mask) -> image ----


def mode(p, mask):
    return MODES["nearest" if mask else p.get("interpolation", "bilinear")]


def pair(size):
    return [size, size] if isinstance(size, int) else size


def random_resized_crop(image, p, d, mask):
    return F.resized_crop(image, d["y"], d["x"], d["h"], d["w"], pair(p["size"]), mode(p, mask))


def resize(image, p, d, mask):
    size = [p["size"]] if isinstance(p["size"], int) else p["size"]
    return F.resize(image, size, mode(p, mask), max_size=p.get("max_size"))


def center_crop(image, p, d, mask):
    return F.center_crop(image, pair(p["size"]))


def fill_of(image, p, mask):
    fill = p.get("mask_fill", 0) if mask else p.get("fill", 0)
    return tuple(fill) if isinstance(fill, list) else fill


def pad(image, p, d, mask):
    return F.pad(image, p["padding"], fill_of(image, p, mask), p.get("padding_mode", "constant"))


def random_crop(image, p, d, mask):
    if "padding" in p:
        image = F.pad(image, p["padding"], fill_of(image, p, mask))
    h, w = pair(p["size"])
    if p.get("pad_if_needed") and image.width < w:
        image = F.pad(image, [w - image.width, 0], fill_of(image, p, mask))
    if p.get("pad_if_needed") and image.height < h:
        image = F.pad(image, [0, h - image.height], fill_of(image, p, mask))
    assert (
        0 <= d["x"] <= image.width - w
        and 0 <= d["y"] <= image.height - h
        and (d["w"], d["h"]) == (w, h)
    )
    return F.crop(image, d["y"], d["x"], h, w)


def color_jitter(image, p, d, mask):
    for name, factor in d.items() if not mask else ():  # in the drawn order
        image = getattr(F, "adjust_" + name)(image, factor)
    return image


def erase_pixels(image, p, d, mask):
    if mask or d["w"] == 0:
        return image
    value = torch.tensor(p.get("value", 0), dtype=torch.uint8).reshape(-1, 1, 1)
    t = F.erase(F.pil_to_tensor(image), d["y"], d["x"], d["h"], d["w"], value)
    return F.to_pil_image(t)


OPS = {
    "random_resized_crop": random_resized_crop,
    "resize": resize,
    "center_crop": center_crop,
    "pad": pad,
    "random_crop": random_crop,
    "color_jitter": color_jitter,
    "random_erasing": erase_pixels,
    "random_horizontal_flip": lambda i, p, d, m: F.hflip(i) if d["on"] else i,
    "random_vertical_flip": lambda i, p, d, m: F.vflip(i) if d["on"] else i,
}
STORES = ("normalize", "to_dtype")


def replay(image, ops, draws, mask=False):
    """The image as a float tensor, and the size of one 8-bit step in it, per channel."""
    draws = list(draws)
    tensor, step = None, None
    for op in ops:
        ((name, p),) = op.items()
        draw = draws.pop(0)["draw"] if draws and draws[0]["op"] == name else {}
        if mask and (name in STORES or tensor is not None):
            continue
        if name == "normalize":
            tensor = F.normalize(F.to_tensor(image), p["mean"], p["std"])
            step = 1 / 255 / torch.tensor(p["std"]).reshape(-1, 1, 1)
        elif name == "to_dtype":
            tensor = F.to_tensor(image) if p.get("scale") else F.pil_to_tensor(image).float()
            step = torch.tensor(1 / 255 if p.get("scale") else 1.0)
        elif name == "random_erasing" and tensor is not None:
            if draw["w"]:
                value = torch.tensor(p.get("value", 0.0), dtype=torch.float32).reshape(-1, 1, 1)
                tensor = F.erase(tensor, draw["y"], draw["x"], draw["h"], draw["w"], value)
        else:
            image = OPS[name](image, p, draw, mask)
    assert not draws
    if tensor is None:
        tensor, step = F.pil_to_tensor(image).float(), torch.tensor(1.0)
    return tensor.numpy(), step.numpy()


# ---- boxes: plain arithmetic, op by op ----


def move_boxes(size, boxes, ops, draws):
    draws = list(draws)
    w, h = size
    boxes = np.array(boxes, np.float64).reshape(-1, 4)
    clip = lambda b, w, h: np.stack(
        [b[:, 0].clip(0, w), b[:, 1].clip(0, h), b[:, 2].clip(0, w), b[:, 3].clip(0, h)], 1
    )
    boxes = clip(boxes, w, h)
    for op in ops:
        ((name, p),) = op.items()
        d = draws.pop(0)["draw"] if draws and draws[0]["op"] == name else {}
        if name == "random_horizontal_flip" and d["on"]:
            boxes = boxes[:, [2, 1, 0, 3]] * [-1, 1, -1, 1] + [w, 0, w, 0]
        elif name == "random_vertical_flip" and d["on"]:
            boxes = boxes[:, [0, 3, 2, 1]] * [1, -1, 1, -1] + [0, h, 0, h]
        elif name in ("random_resized_crop", "random_crop"):
            assert "padding" not in p and not p.get("pad_if_needed")
            boxes, w, h = clip(boxes - [d["x"], d["y"]] * 2, d["w"], d["h"]), d["w"], d["h"]
        elif name == "pad":
            l, t, r, b = p["padding"]
            boxes, w, h = boxes + [l, t, l, t], w + l + r, h + t + b
        elif name == "center_crop":
            ch, cw = pair(p["size"])
            x, y = round((w - cw) / 2), round((h - ch) / 2)
            assert x >= 0 and y >= 0
            boxes, w, h = clip(boxes - [x, y, x, y], cw, ch), cw, ch
        if name in ("random_resized_crop", "resize"):
            if isinstance(p["size"], int) and name == "resize":
                short = p["size"]
                nw, nh = (short, int(short * h / w)) if w <= h else (int(short * w / h), short)
            else:
                nh, nw = pair(p["size"])
            boxes, w, h = boxes * ([nw / w, nh / h] * 2), nw, nh
    return boxes[(boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])]


# ---- scenarios ----

NORM = {"normalize": {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}}
FLIP = {"random_horizontal_flip": {"p": 0.5}}
RRC = {"random_resized_crop": {"size": 224}}
NEAREST = {
    "random_resized_crop": {"size": 224, "interpolation": "nearest"}
}  # exact, so that what follows is seen alone
JITTER = {"color_jitter": {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "hue": 0.1}}


def scenarios():
    yield "training", [RRC, FLIP, NORM], "float32, layout: NCHW"
    yield "training nhwc u8", [RRC, FLIP], "uint8, layout: NHWC"
    for name in MODES:
        yield f"rrc {name}", [
            {"random_resized_crop": {"size": [160, 192], "interpolation": name}},
            FLIP,
        ], "uint8"
    yield "validation", [
        {"resize": {"size": 256}},
        {"center_crop": {"size": 224}},
        NORM,
    ], "float32"
    yield "exact resize", [
        {"resize": {"size": [100, 300], "interpolation": "bicubic"}},
        {"to_dtype": {"dtype": "float32", "scale": True}},
    ], "float32"
    yield "max_size", [
        {"resize": {"size": 300, "max_size": 320}},
        {"center_crop": {"size": [310, 330]}},
    ], "uint8"
    yield "enlarge", [
        {"resize": {"size": [900, 1100], "interpolation": "lanczos"}},
        {"center_crop": {"size": 300}},
    ], "uint8"
    yield "flip first", [FLIP, {"random_vertical_flip": {"p": 0.5}}, RRC, NORM], "float32"
    yield "two resizes", [
        {"resize": {"size": 300}},
        {"random_resized_crop": {"size": 128, "interpolation": "bicubic"}},
        FLIP,
    ], "uint8"
    yield "jitter", [NEAREST, FLIP, JITTER, NORM], "float32"
    yield "jitter last", [NEAREST, JITTER, FLIP], "uint8"
    yield "jitter first", [JITTER, RRC], "uint8"
    yield "strong jitter", [
        NEAREST,
        {
            "color_jitter": {
                "brightness": [0, 3],
                "contrast": [0, 3],
                "saturation": [0, 5],
                "hue": [-0.5, 0.5],
            }
        },
    ], "uint8"
    yield "gray", [NEAREST, JITTER], "uint8, channels: 1"
    for m in ("constant", "edge", "reflect", "symmetric"):
        yield f"pad {m}", [
            {"resize": {"size": [60, 80]}},
            {
                "pad": {
                    "padding": [11, 70, 90, 5],
                    "fill": [9, 99, 250],
                    "mask_fill": 7,
                    "padding_mode": m,
                }
            },
            FLIP,
        ], "uint8"
    yield "random crop", [
        {"resize": {"size": 128}},
        {"random_crop": {"size": 128, "padding": 16, "fill": 30}},
        NORM,
    ], "float32"
    yield "pad if needed", [
        {"resize": {"size": [90, 70]}},
        {"random_crop": {"size": [100, 96], "pad_if_needed": True}},
        FLIP,
    ], "uint8"
    yield "small center", [
        {"resize": {"size": [61, 300]}},
        {"center_crop": {"size": [100, 99]}},
        {"random_vertical_flip": {}},
    ], "uint8"
    yield "erase row", [
        RRC,
        NORM,
        {"random_erasing": {"p": 0.9, "value": [0.5, -1, 2]}},
    ], "float32"
    yield "erase pixels", [
        RRC,
        {"random_erasing": {"p": 0.9, "value": [3, 200, 77]}},
        FLIP,
        NORM,
    ], "float32"
    yield "erase nhwc", [RRC, NORM, {"random_erasing": {"p": 0.9}}], "float32, layout: NHWC"


def config_text(ops, image, boxes):
    lines = [HEAD, "ops:"] if ops else [HEAD]
    lines += ["  - " + json.dumps(op) for op in ops]
    fields = [f"  image: {{dtype: {image}}}", "  mask: {dtype: uint8}"]
    fields += ["  boxes: {dtype: float32, max: 64}"] if boxes else []
    return "\n".join(lines + ["fields:"] + fields) + "\n"


class Failures(list):
    def check(self, ok, text):
        if not ok:
            self.append(text)
            print("FAILED:", text)


def load(path, channels):
    return ImageOps.exif_transpose(Image.open(path)).convert("L" if channels == 1 else "RGB")


def boxable(ops):
    return all(next(iter(op)) not in ("random_crop", "pad") for op in ops) and not any(
        "center_crop" in op and isinstance(op["center_crop"]["size"], list) for op in ops
    )


def run_tool(tool, config, samples, folder):
    path, out = os.path.join(folder, "config.yaml"), os.path.join(folder, "rows.bin")
    with open(path, "w") as f:
        f.write(config)
    lines = [
        "\t".join(
            str(v) for v in (i, s["image"], s["mask"], len(s["boxes"]), *np.ravel(s["boxes"]))
        )
        for i, s in enumerate(samples)
    ]
    done = subprocess.run(
        [tool, path, out], input="\n".join(lines) + "\n", capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"{config}{done.stderr}")
    with open(out, "rb") as f:
        return [json.loads(line) for line in done.stdout.splitlines()], f.read()


SAME = 1e-3  # of an 8-bit step: float32 rounds once here, several times in torchvision


def hold(name, tool, samples, folder, failures, ops, image):
    """One scenario over all samples; returns a line for the table."""
    layout = "NHWC" if "NHWC" in image else "NCHW"
    channels = 1 if "channels: 1" in image else 3
    dtype = np.dtype(image.split(",")[0])
    with_boxes = boxable(ops)
    results, data = run_tool(tool, config_text(ops, image, with_boxes), samples, folder)
    failures.check(len(results) == len(samples), f"{name}: {len(results)} rows of {len(samples)}")
    at, worst, equal, count = 0, 0.0, 0, 0
    for sample, result in zip(samples, results):
        if "error" in result:
            failures.check(False, f"{name}: {sample['image']}: {result['error']}")
            continue
        source = load(sample["image"], channels)
        want, step = replay(source, ops, result["draws"])
        n = want.size * dtype.itemsize
        got = np.frombuffer(data, dtype, want.size, at).astype(np.float32)
        at += n
        got = got.reshape(want.shape if layout == "NCHW" else want.transpose(1, 2, 0).shape)
        got = got if layout == "NCHW" else got.transpose(2, 0, 1)
        off = np.abs(got - want) / step
        worst, equal, count = max(worst, off.max()), equal + (off < SAME).sum(), count + off.size
        mask, _ = replay(Image.open(sample["mask"]), ops, result["draws"], mask=True)
        got_mask = np.frombuffer(data, np.uint8, mask.size, at).reshape(mask.shape)
        at += mask.size
        failures.check(
            (got_mask == mask).all(),
            f"{name}: {sample['image']}: {(got_mask != mask).sum()} mask pixels differ",
        )
        if with_boxes:
            boxes = move_boxes(source.size, sample["boxes"], ops, result["draws"])
            got_boxes = np.array(result["boxes"]).reshape(-1, 4)
            failures.check(
                got_boxes.shape == boxes.shape and np.allclose(got_boxes, boxes, atol=1e-3),
                f"{name}: {sample['image']}: boxes {got_boxes.tolist()} not {boxes.tolist()}",
            )
    failures.check(at == len(data), f"{name}: rows of another size")
    share = 100 * equal / max(count, 1)
    failures.check(worst < SAME, f"{name}: {worst:.2f} steps off, {share:.4f} % are equal")
    return f"{name:18} rows {len(results):3}  worst {worst:.4f} steps  equal {share:.3f} %"


# ---- samples ----


def made_up(folder, n):
    paths = []
    for i in range(n):
        rng = np.random.default_rng(i)
        h, w = rng.integers(1, 700, 2) if i > 2 else [(1, 1), (1, 37), (333, 2)][i]
        y, x = np.mgrid[0:h, 0:w]
        image = np.stack(
            [128 + 100 * np.sin(x / (5 + 9 * k) + y / (30 - 8 * k)) for k in range(3)], -1
        )
        image = np.clip(image + rng.normal(0, 12, image.shape), 0, 255).astype(np.uint8)
        paths.append(os.path.join(folder, f"made{i}.png"))
        Image.fromarray(image).save(paths[-1])
    return paths


def make_samples(paths, folder):
    samples, rng = [], random.Random(5)
    for i, path in enumerate(paths):
        image = load(path, 3)
        w, h = image.size
        mask = (
            np.random.default_rng(i)
            .integers(0, 21, (h // 7 + 1, w // 7 + 1))
            .repeat(7, 0)
            .repeat(7, 1)[:h, :w]
        )
        mask_path = os.path.join(folder, f"mask{i}.png")
        Image.fromarray(mask.astype(np.uint8)).save(mask_path)
        boxes = []
        for _ in range(rng.randint(0, 12)):
            x, y = rng.uniform(-10, w), rng.uniform(-10, h)
            boxes.append(
                [round(v, 2) for v in (x, y, x + rng.uniform(0, w), y + rng.uniform(0, h))]
            )
        samples.append({"image": path, "mask": mask_path, "boxes": boxes})
    return samples


# ---- what is drawn ----


def hold_draws(tool, folder, failures, rows=4000):
    """Means over many draws against torchvision's get_params, in units of their standard error."""
    path = os.path.join(folder, "drawn.png")
    Image.new("RGB", (400, 300), (10, 20, 30)).save(path)
    sample = {"image": path, "mask": path, "boxes": []}
    for scale, ratio in (
        ((0.08, 1.0), (3 / 4, 4 / 3)),
        ((0.5, 1.0), (0.2, 5.0)),
        ((0.01, 0.02), (1.0, 1.0)),
    ):
        ops = [
            {"random_resized_crop": {"size": 8, "scale": list(scale), "ratio": list(ratio)}},
            FLIP,
        ]
        results, _ = run_tool(tool, config_text(ops, "uint8", False), [sample] * rows, folder)
        ours = np.array([[r["draws"][0]["draw"][k] for k in "xywh"] for r in results], float)
        flips = np.mean([r["draws"][1]["draw"]["on"] for r in results])
        image = Image.open(path)
        torch.manual_seed(3)
        theirs = np.array(
            [T.RandomResizedCrop.get_params(image, scale, ratio) for _ in range(rows)], float
        )[:, [1, 0, 3, 2]]
        figures = lambda b: np.stack(
            [b[:, 2] * b[:, 3], np.log(b[:, 2] / b[:, 3]), b[:, 0], b[:, 1], b[:, 2] ** 2], 1
        )
        a, b = figures(ours), figures(theirs)
        z = (a.mean(0) - b.mean(0)) / np.sqrt(a.var(0) / rows + b.var(0) / rows + 1e-9)
        print(
            f"draws {scale} {ratio}: z of area, log ratio, x, y, w^2: {np.round(z, 2)}; "
            f"flips {flips:.3f}"
        )
        failures.check(
            np.abs(z).max() < 4.5, f"draws for {scale} {ratio} differ from torchvision's: z = {z}"
        )
        failures.check(
            abs(flips - 0.5) < 4.5 * 0.5 / math.sqrt(rows), f"{flips:.3f} of the rows are flipped"
        )


def main():
    tool = sys.argv[1]
    photos = sys.argv[2] if len(sys.argv) > 2 else ""
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 12
    failures = Failures()
    with tempfile.TemporaryDirectory() as folder:
        paths = (
            sorted(
                p
                for p in glob.glob(os.path.join(photos, "**", "*"), recursive=True)
                if os.path.isfile(p)
            )
            if photos
            else []
        )
        paths = paths[:: max(1, len(paths) // count)][:count]
        samples = make_samples(paths + made_up(folder, 6 if paths else count), folder)
        print(f"{len(paths)} photographs, {len(samples) - len(paths)} made-up images")
        for name, ops, image in scenarios():
            print(hold(name, tool, samples, folder, failures, ops, image))
        hold_draws(tool, folder, failures)
    print(f"{len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
