# SPDX-License-Identifier: Apache-2.0
"""A .npy file of float32 rows of 1 MiB, each with other bytes, without numpy."""
import os
import struct
from pathlib import Path

SIDE = 512  # a row has 512 x 512 numbers
ROW = 4 * SIDE * SIDE


def head(rows):
    """The file's first bytes: version 1.0, the whole padded to 64."""
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {SIDE}, {SIDE}), }}"
    room = -(10 + len(text) + 1) % 64
    text = text.encode() + b" " * room + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def numbers():
    """One row's bytes: numbers from 1 to 2."""
    noise = bytearray(os.urandom(ROW))
    for at in range(0, ROW, 4):
        noise[at + 2] |= 0x80
        noise[at + 3] = 0x3F
    return bytes(noise)


def make(path, rows):
    """Makes the file unless it is there. Row i is the first one turned by i numbers."""
    path = Path(path)
    if path.exists() and path.stat().st_size == len(head(rows)) + rows * ROW:
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    twice = numbers() * 2
    with open(path, "wb") as file:
        file.write(head(rows))
        for i in range(rows):
            at = 4 * (37 * i % (SIDE * SIDE))
            file.write(twice[at:at + ROW])
    return path
