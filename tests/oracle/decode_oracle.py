#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the decoders to Pillow: exif_transpose(open(file)).convert(mode), cropped; no difference.

usage: decode_oracle.py TOOL [PHOTOS_DIR]     TOOL: the decode_tool program

JPEG is compared bit for bit, which holds as long as Pillow and Millrace use the same
libjpeg-turbo (Debian's and Ubuntu's Pillow packages do; wheels from PyPI bundle their own).
Where Pillow is not the rule:
  - 16-bit gray: Pillow clips at 255 when it converts mode I to L; here the high byte is kept.
  - 16 bits per channel in, 16 out: Pillow has no such mode; the samples written are the rule.
  - a transparent colour (tRNS) of a 16-bit file: Pillow compares after the reduction to 8 bits;
    here all 16 bits count.
"""
import io
import os
import random
import struct
import subprocess
import sys
import tempfile
import warnings
import zlib

import numpy as np
from PIL import Image, ImageOps

MODES = {1: "L", 3: "RGB", 4: "RGBA"}
cases = 0


def ours(tool, path, c, bits, roi=None):
    line = [tool, path, str(c), str(bits), *map(str, roi or ())]
    done = subprocess.run(line, capture_output=True)
    if done.returncode:
        sys.exit(f"{path}: {done.stderr.decode()}")
    head, data = done.stdout.split(b"\n", 1)
    w, h = map(int, head.split())
    return np.frombuffer(data, np.uint8 if bits == 8 else np.uint16).reshape(h, w, c)


def hold(tool, data, name, truth=None, crops=3, rng=random.Random(5)):
    """All channels and bits, whole and cropped. truth(c, bits): the image, None = Pillow's."""
    global cases
    with tempfile.NamedTemporaryFile(suffix=".img") as f:
        f.write(data)
        f.flush()
        for c in MODES:
            for bits in (8, 16):
                want = truth(c, bits) if truth else None
                if want is None:
                    shown = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert(MODES[c])
                    want = np.asarray(shown).reshape(shown.height, shown.width, c)
                    want = want if bits == 8 else want.astype(np.uint16) * 257
                h, w = want.shape[:2]
                for i in range(crops + 1):
                    cw, ch = rng.randint(1, w), rng.randint(1, h)
                    x, y = rng.randint(0, w - cw), rng.randint(0, h - ch)
                    roi = None if i == 0 else (x, y, cw, ch)
                    part = want if i == 0 else want[y:y + ch, x:x + cw]
                    got = ours(tool, f.name, c, bits, roi)
                    cases += 1
                    if got.shape != part.shape or not np.array_equal(got, part):
                        sys.exit(f"FAILED {name}: {c} channels, {bits} bits, crop {roi} differs")


# ---- JPEG ----------------------------------------------------------------------------------------

def picture(w, h, c, seed=0):
    y, x = np.mgrid[0:h, 0:w]
    noise = np.random.default_rng(seed).normal(0, 12, (h, w, c))
    planes = [128 + 90 * np.sin(x / (9 + k) + y / 31) + 30 * np.cos(y / (5 + k)) for k in range(c)]
    image = np.clip(np.stack(planes, -1) + noise, 0, 255).astype(np.uint8)
    return image[..., 0] if c == 1 else image


def jpeg(image, mode, **options):
    out = io.BytesIO()
    Image.fromarray(image, mode).save(out, "JPEG", **options)
    return out.getvalue()


def segments(data):
    """(marker, bytes) up to the first scan, and the rest."""
    at, found = 2, []
    while data[at + 1] != 0xDA:
        n = 2 + struct.unpack(">H", data[at + 2:at + 4])[0]
        found.append((data[at + 1], data[at:at + n]))
        at += n
    return found, data[at:]


def without(data, *markers, add=b""):
    found, rest = segments(data)
    return data[:2] + add + b"".join(s for m, s in found if m not in markers) + rest


def adobe(transform):
    return b"\xff\xee\x00\x0eAdobe" + bytes([0, 100, 0, 0, 0, 0, transform])


def exif_of(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


def jpeg_cases():
    rgb, gray, ink = picture(131, 77, 3), picture(131, 77, 1), picture(131, 77, 4)
    for subsampling in (0, 1, 2):
        for progressive in (False, True):
            yield (f"RGB {subsampling} {progressive}",
                   jpeg(rgb, "RGB", subsampling=subsampling, progressive=progressive, quality=88))
    yield "L", jpeg(gray, "L")
    yield "L progressive", jpeg(gray, "L", progressive=True)
    cmyk = jpeg(ink, "CMYK")
    yield "CMYK", cmyk
    yield "CMYK without Adobe marker", without(cmyk, 0xEE)
    yield "YCCK", without(cmyk, 0xEE, add=adobe(2))
    yield "RGB stored as RGB", without(jpeg(rgb, "RGB", subsampling=0), 0xE0, 0xEE, add=adobe(0))
    for orientation in range(0, 10):
        yield f"orientation {orientation}", jpeg(rgb, "RGB", exif=exif_of(orientation))
        yield f"gray orientation {orientation}", jpeg(gray, "L", exif=exif_of(orientation))


# ---- PNG, written here so that every kind is there ----------------------------------------------

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
PASSES = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
          (0, 1, 1, 2)]


def chunk(kind, payload):
    crc = zlib.crc32(kind + payload)
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", crc)


def packed(row, depth):
    """One row of samples as PNG bytes."""
    flat = row.reshape(-1)
    if depth == 16:
        return flat.astype(">u2").tobytes()
    if depth == 8:
        return flat.astype(np.uint8).tobytes()
    bits = (flat[:, None] >> np.arange(depth - 1, -1, -1)) & 1
    return np.packbits(bits.reshape(-1).astype(np.uint8)).tobytes()


def paeth(a, b, c):
    p = a + b - c
    near = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))
    return near[2]


def filtered(rows, step, rng):
    """PNG's five filters, one drawn for each row."""
    out, before = bytearray(), bytes(len(rows[0]) if rows else 0)
    for row in rows:
        kind = rng.randrange(5)
        out.append(kind)
        for i, v in enumerate(row):
            b = before[i]
            a, c = (row[i - step], before[i - step]) if i >= step else (0, 0)
            out.append((v - (0, a, b, (a + b) // 2, paeth(a, b, c))[kind]) & 255)
        before = row
    return bytes(out)


def png(samples, kind, depth, interlaced=False, extra=b"", rng=random.Random(6)):
    h, w = samples.shape[:2]
    step = max(1, CHANNELS[kind] * depth // 8)
    data = b""
    for x, y, dx, dy in PASSES if interlaced else [(0, 0, 1, 1)]:
        part = samples[y::dy, x::dx]
        if part.size:
            data += filtered([packed(row, depth) for row in part], step, rng)
    body = zlib.compress(data)
    cut = len(body) // 3
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, depth, kind, 0, 0, interlaced))
    return (b"\x89PNG\r\n\x1a\n" + head + extra + chunk(b"IDAT", body[:cut]) +
            chunk(b"IDAT", body[cut:]) + chunk(b"IEND", b""))


def sixteen(samples, kind, key=None):
    """What 16-bit samples become, from the definition in core/base/descriptor.h."""
    full = np.full(samples.shape[:2] + (1,), 65535)
    colour = samples[..., :1] if kind in (0, 4) else samples[..., :3]
    alpha = samples[..., -1:] if kind in (4, 6) else full
    if key is not None:
        alpha = np.where((colour == key).all(-1, keepdims=True), 0, alpha)

    def truth(c, bits):
        rgb = np.repeat(colour, 3, -1) if kind in (0, 4) else colour
        if c == 1:
            luma = rgb.astype(np.uint64) @ np.array([[19595], [38470], [7471]], np.uint64)
            out = colour if kind in (0, 4) else (luma + np.uint64(0x8000)) >> np.uint64(16)
        else:
            out = rgb if c == 3 else np.concatenate([rgb, alpha], -1)
        return (out >> 8).astype(np.uint8) if bits == 8 else out.astype(np.uint16)
    return truth


def transparent(colour):
    return chunk(b"tRNS", struct.pack(f">{len(colour)}H", *colour.tolist()))


def png_cases(rng=np.random.default_rng(7)):
    def random_samples(kind, depth):
        values = rng.integers(0, 2 ** depth, (43, 61, CHANNELS[kind]))
        return np.where(rng.random((43, 61, 1)) < 0.3, values[:1, :1], values)

    for interlaced in (False, True):
        for kind, depth in [(0, 1), (0, 2), (0, 4), (0, 8), (2, 8), (4, 8), (6, 8)]:
            s = random_samples(kind, depth)
            yield f"PNG {kind} {depth} {interlaced}", png(s, kind, depth, interlaced), None
            if kind in (0, 2) and depth == 8:
                key = transparent(s[0, 0])
                yield (f"PNG {kind} {depth} {interlaced} tRNS",
                       png(s, kind, depth, interlaced, key), None)
        for depth in (1, 2, 4, 8):
            s = random_samples(3, depth)
            plte = chunk(b"PLTE", rng.integers(0, 256, 3 << depth).astype(np.uint8).tobytes())
            alphas = rng.integers(0, 256, (1 << depth) // 2 + 1).astype(np.uint8)
            both = plte + chunk(b"tRNS", alphas.tobytes())
            yield f"PNG palette {depth} {interlaced}", png(s, 3, depth, interlaced, plte), None
            yield f"PNG palette {depth} {interlaced} tRNS", png(s, 3, depth, interlaced, both), None
        for kind in (0, 2, 4, 6):
            s = random_samples(kind, 16)
            exact = sixteen(s, kind)
            yield (f"PNG {kind} 16 {interlaced}", png(s, kind, 16, interlaced),
                   lambda c, bits, kind=kind, exact=exact:
                   None if bits == 8 and kind != 0 and c > 1 else exact(c, bits))
            if kind in (0, 2):
                key = transparent(s[0, 0])
                yield (f"PNG {kind} 16 {interlaced} tRNS", png(s, kind, 16, interlaced, key),
                       sixteen(s, kind, s[0, 0]))
    for orientation in range(0, 10):
        exif = chunk(b"eXIf", exif_of(orientation)[6:])
        yield f"PNG orientation {orientation}", png(random_samples(2, 8), 2, 8, False, exif), None


def photographs(folder, n):
    paths = sorted(os.path.join(at, f) for at, _, files in os.walk(folder) for f in files
                   if f.lower().endswith((".jpg", ".jpeg")))
    return paths[::max(1, len(paths) // n)][:n]


def main():
    warnings.simplefilter("ignore", UserWarning)  # of Pillow, about alpha that convert("RGB") drops
    tool = sys.argv[1]
    for name, data in jpeg_cases():
        hold(tool, data, name)
    for name, data, truth in png_cases():
        hold(tool, data, name, truth)
    photos = photographs(sys.argv[2], 40) if len(sys.argv) > 2 else []
    for path in photos:
        with open(path, "rb") as f:
            hold(tool, f.read(), path, crops=1)
    print(f"{cases} decodes equal those of Pillow {Image.__version__}, {len(photos)} photographs")


if __name__ == "__main__":
    main()
