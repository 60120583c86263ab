# SPDX-License-Identifier: Apache-2.0
"""What a damaged file is: a name, bytes, and what has to come of them; and the anatomy of JPEG and
PNG files, for those who damage them at a chosen place."""
import struct

GOLDEN = "equal to Pillow's decode of the same bytes"
SAME = "equal to Pillow's decode of the file before it was damaged"
JUDGED = "refused where the library itself reports lost pixels or an error, else equal to its own"


class Refused:
    """The expectation of a refusal: reason code and a pattern of the sentence."""

    def __init__(self, pattern, code="DATA"):
        self.pattern, self.code = pattern, code


class Case:
    """intact: the bytes before the damage. cut: the damage is a truncation, so that every crop that
    is not refused equals that part of the intact image."""

    def __init__(self, name, data, expect, intact=None, cut=False):
        self.name, self.data, self.expect = name, bytes(data), expect
        self.intact, self.cut = intact, cut


# ---- JPEG ----------------------------------------------------------------------------------------

ALONE = {0x01, *range(0xD0, 0xDA)}  # markers without a length
NAMES = {0xC0: "SOF", 0xC1: "SOF", 0xC2: "SOF", 0xC9: "SOF", 0xCA: "SOF", 0xC4: "DHT", 0xCC: "DAC",
         0xD8: "SOI", 0xD9: "EOI", 0xDA: "SOS", 0xDB: "DQT", 0xDD: "DRI", 0xFE: "COM"}


class Segment:
    """Bytes [start, end) of a JPEG: a marker with its parameters, or (marker None) coded data."""

    def __init__(self, marker, start, end):
        self.marker, self.start, self.end = marker, start, end
        self.name = NAMES.get(marker, "data" if marker is None else
                              f"RST{marker - 0xD0}" if 0xD0 <= marker < 0xD8 else
                              f"APP{marker - 0xE0}" if 0xE0 <= marker < 0xF0 else hex(marker))


def segments(jpeg):
    """Every segment of an intact JPEG, in order; its bytes are covered without a gap."""
    at, found, coded = 0, [], False
    while at < len(jpeg):
        if coded:
            end = at
            while jpeg[end] != 0xFF or jpeg[end + 1] == 0:
                end += 1
            if end > at:
                found.append(Segment(None, at, end))
            at = end
        marker = jpeg[at + 1]
        n = 2 if marker in ALONE else 2 + struct.unpack(">H", jpeg[at + 2:at + 4])[0]
        found.append(Segment(marker, at, at + n))
        coded = marker == 0xDA or 0xD0 <= marker < 0xD8
        at += n
        if marker == 0xD9:
            break
    return found


def first(jpeg, name):
    return next(s for s in segments(jpeg) if s.name == name)


def patched(data, at, new):
    """The bytes with `new` written over them at `at`."""
    new = bytes(new) if not isinstance(new, int) else bytes([new])
    return data[:at] + new + data[at + len(new):]


def inserted(data, at, new):
    return data[:at] + bytes(new) + data[at:]


def without(data, *parts):
    """The bytes without some segments or chunks."""
    for p in sorted(parts, key=lambda p: -p.start):
        data = data[:p.start] + data[p.end:]
    return data


# ---- PNG -----------------------------------------------------------------------------------------

SIGNATURE = b"\x89PNG\r\n\x1a\n"


class Chunk:
    """Bytes [start, end) of a PNG: length, type, payload, checksum."""

    def __init__(self, png, start):
        n = struct.unpack(">I", png[start:start + 4])[0]
        self.start, self.end, self.n = start, start + 12 + n, n
        self.type = png[start + 4:start + 8].decode("latin-1")
        self.payload = png[start + 8:start + 8 + n]


def chunks(png):
    at, found = len(SIGNATURE), []
    while at < len(png):
        found.append(Chunk(png, at))
        at = found[-1].end
    return found


def find(png, kind):
    return next(c for c in chunks(png) if c.type == kind)


def replaced(png, old, *new):
    """The PNG with whole chunks `new` (bytes) in place of the chunk `old`."""
    return png[:old.start] + b"".join(new) + png[old.end:]
