# SPDX-License-Identifier: Apache-2.0
"""Copies the JPEG files of some size into a folder. Each file once, whatever its name and place;
below `baseline` and `progressive`, as they are, into four folders each, so that there are classes.
"""
import argparse
import hashlib
import shutil
from pathlib import Path

FOLDERS = 4
NO_LENGTH = {0x01, *range(0xD0, 0xD9)}
FRAMES = {0xC0: "baseline", 0xC1: "baseline", 0xC2: "progressive"}


def size(data):
    """(width, height, kind) of a JPEG's bytes, or None."""
    at = 2
    while data[:2] == b"\xff\xd8" and at + 9 < len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker in FRAMES:
            return (int.from_bytes(data[at + 7:at + 9], "big"),
                    int.from_bytes(data[at + 5:at + 7], "big"), FRAMES[marker])
        step = 2 if marker in NO_LENGTH else 2 + int.from_bytes(data[at + 2:at + 4], "big")
        at += 1 if marker == 0xFF else step  # any number of 0xFF may stand before a marker
    return None


def chosen(folder, least, most):
    """{digest: (path, pixels, kind)} of the files in range."""
    found = {}
    for path in sorted(Path(folder).rglob("*.jp*g")):
        if path.is_symlink() or not path.is_file():
            continue
        data = path.read_bytes()
        wide = size(data)
        if wide and least <= wide[0] * wide[1] <= most:
            found.setdefault(hashlib.sha256(data).hexdigest(), (path, wide[0] * wide[1], wide[2]))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", dest="source", required=True)
    parser.add_argument("--to", required=True)
    parser.add_argument("--least", type=float, default=0, help="pixels")
    parser.add_argument("--most", type=float, default=1e12, help="pixels")
    options = parser.parse_args()
    found = chosen(options.source, options.least, options.most)
    for i, (path, _, kind) in enumerate(found.values()):
        folder = Path(options.to) / kind / str(i % FOLDERS)
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / f"{i:03d}-{path.stem}.jpg")
    pixels = [count for _, count, _ in found.values()] or [0]
    print(f"{len(found)} files of {min(pixels) / 1e6:.1f} to {max(pixels) / 1e6:.1f} megapixels "
          f"(mean {sum(pixels) / len(pixels) / 1e6:.1f}) in {options.to}")


if __name__ == "__main__":
    main()
