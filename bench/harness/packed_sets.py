# SPDX-License-Identifier: Apache-2.0
"""Packed copies of the data set, and how `millrace pack` makes them."""
import os
import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class PackedSet:
    arguments: tuple      # of `millrace pack`
    lossless: bool = True  # a run over it gives the stream of a run over the data itself


# FFCV's jpg files have quality 90 if nothing is said, and its 256 is the longer side, too.
SHRUNKEN = ("--max-side", "256")
SETS = {
    "jpeg": PackedSet(("--mode", "jpeg")),
    "coef": PackedSet(("--mode", "coef")),
    "jpeg-256": PackedSet(("--mode", "jpeg", *SHRUNKEN, "--quality", "90"), lossless=False),
    "coef-256": PackedSet(("--mode", "coef", *SHRUNKEN, "--quality", "90"), lossless=False),
    "raw-256": PackedSet(("--mode", "raw", *SHRUNKEN), lossless=False),
    "array": PackedSet(("--mode", "array")),
}


def command(program, kind, data, folder, threads):
    """The words that pack `data` into `folder`."""
    return [program, "pack", *data, folder, *SETS[kind].arguments, "--threads", threads,
            "--json"]


def clear(folder):
    """Packing goes on where an earlier run of it stopped: not here."""
    shutil.rmtree(folder, ignore_errors=True)
    Path(folder).parent.mkdir(parents=True, exist_ok=True)


def size(folder):
    """Bytes of all files below a folder, or of a file."""
    path = Path(folder)
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file())


def photographs(data):
    """The files that a data set consists of: the JPEGs below a folder, or the one file."""
    if Path(data).is_file():
        return [data]
    return [os.path.join(folder, name) for folder, _, names in os.walk(data, followlinks=True)
            for name in names if name.lower().endswith((".jpg", ".jpeg"))]


def files_bytes(data):
    return sum(os.path.getsize(path) for path in photographs(data))
