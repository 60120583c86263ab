# SPDX-License-Identifier: Apache-2.0
"""Damaged PNGs, each with what has to come of it."""
import random
import struct
import zlib

import numpy as np

from damaged_case import (GOLDEN, JUDGED, SAME, SIGNATURE, Case, Refused, chunks, find, inserted,
                          patched, replaced, without)
from decode_oracle import CHANNELS, chunk, png

ENDS = Refused("^the PNG ends early|the file ends inside this chunk$")
IN_HEADER = Refused("^the PNG ends inside its header$|^the PNG's header is damaged$")
BAD_HEADER = Refused("^the PNG is damaged: .*IHDR")
CRC = Refused("CRC error")
NO_DATA = Refused("Not enough image data")
OTHER_FILE = Refused("^not an image that this build reads")


def intact_pngs(rng=np.random.default_rng(3)):
    """{name: PNG}: every colour type and depth, plain and interlaced, and what may stand beside."""
    found = {}
    for interlaced in (False, True):
        for kind, depth in [(0, 1), (0, 2), (0, 4), (0, 8), (0, 16), (2, 8), (2, 16), (3, 1),
                            (3, 2), (3, 4), (3, 8), (4, 8), (4, 16), (6, 8), (6, 16)]:
            samples = rng.integers(0, 2 ** depth, (29, 37, CHANNELS[kind]))
            extra = b""
            if kind == 3:
                colours = rng.integers(0, 256, 3 << depth).astype(np.uint8).tobytes()
                extra = chunk(b"PLTE", colours) + chunk(b"tRNS", b"\x40\x80")
            elif kind == 2 and depth == 8:
                extra = chunk(b"gAMA", struct.pack(">I", 45455)) + chunk(b"tEXt", b"k\0v" * 30)
            name = f"png_{kind}_{depth}" + ("_interlaced" if interlaced else "")
            found[name] = png(samples, kind, depth, interlaced, extra, random.Random(4))
    return found


# ---- truncations ---------------------------------------------------------------------------------

def truncations(name, data):
    """At IEND everything that matters is there; before the last pixel nothing is good."""
    seen = {}
    for part in chunks(data):
        seen[part.type] = seen.get(part.type, 0) + 1
        label = part.type + (f" {seen[part.type]}" if seen[part.type] > 1 else "")
        inside = {"half its length": 2, "its type": 4, "half its type": 6, "its payload": 8,
                  "half of it": 8 + part.n // 2, "its checksum": 8 + part.n,
                  "half its checksum": 10 + part.n, "last byte": 11 + part.n}
        for where, n in {"before": 0, **inside}.items():
            expect = IN_HEADER if part.type == "IHDR" else SAME if part.type == "IEND" else ENDS
            if where == "its payload" and part.n == 0 or where == "half of it" and part.n < 2:
                continue
            yield Case(f"{name} cut: {label}, {where}", data[:part.start + n], expect, data,
                       cut=True)
    for n in (0, 1, 4, 7):
        yield Case(f"{name} cut: signature, {n} bytes", data[:n],
                   OTHER_FILE if n else Refused("^the file is empty$"), data)


# ---- checksums -----------------------------------------------------------------------------------

def flips(name, data):
    """A flipped bit anywhere up to the pixels' end is found by a checksum; behind it is unread."""
    seen = set()
    for part in chunks(data):
        label = part.type
        if label in seen:
            label += " 2"
        seen.add(label)
        for where, at in [("length", 3), ("type", 5), ("payload", 8 + part.n // 2),
                          ("checksum", 8 + part.n)]:
            if where == "payload" and part.n == 0:
                continue
            damaged = patched(data, part.start + at, data[part.start + at] ^ 0x10)
            if part.type == "IEND":
                expect = SAME
            elif part.type == "IHDR":
                expect = IN_HEADER
            else:
                expect = Refused("^the PNG (is damaged|ends early)")
            yield Case(f"{name} flipped: {label}, {where}", damaged, expect, data)


# ---- lies in the header --------------------------------------------------------------------------

def header(data, **fields):
    """The PNG with other values in IHDR and a right checksum."""
    old = find(data, "IHDR")
    names = ("w", "h", "depth", "kind", "compression", "filter", "interlace")
    values = dict(zip(names, struct.unpack(">IIBBBBB", old.payload)))
    values.update(fields)
    return replaced(data, old, chunk(b"IHDR", struct.pack(">IIBBBBB", *values.values())))


def header_lies(name, data):
    no_pixels = Refused("^the header declares an image of")
    pixels, side = Refused("limits.max_pixels", "LIMIT"), Refused("limits.max_side", "LIMIT")
    for label, fields, expect in [
        ("width 0", {"w": 0}, no_pixels), ("height 0", {"h": 0}, no_pixels),
        ("both sides 0", {"w": 0, "h": 0}, no_pixels),
        ("width 2^31", {"w": 1 << 31}, side), ("height 2^32 - 1", {"h": 0xFFFFFFFF}, side),
        ("100,001 wide", {"w": 100001, "h": 1}, side),
        ("90,000 x 90,000", {"w": 90000, "h": 90000}, pixels),
        ("height one more", {"h": 30}, NO_DATA), ("height 10,000", {"h": 10000}, NO_DATA),
        ("height one less", {"h": 28}, GOLDEN), ("height 1", {"h": 1}, GOLDEN),
        ("width one more", {"w": 38}, JUDGED), ("width one less", {"w": 36}, JUDGED),
        ("width doubled", {"w": 74}, Refused("Not enough image data|bad adaptive filter")),
        ("depth 0", {"depth": 0}, BAD_HEADER), ("depth 3", {"depth": 3}, BAD_HEADER),
        ("depth 32", {"depth": 32}, BAD_HEADER), ("depth 1 of RGB", {"depth": 1}, BAD_HEADER),
        ("colour type 1", {"kind": 1}, BAD_HEADER), ("colour type 5", {"kind": 5}, BAD_HEADER),
        ("colour type 7", {"kind": 7}, BAD_HEADER), ("colour type 255", {"kind": 255}, BAD_HEADER),
        ("palette that is not there", {"kind": 3}, Refused("Missing PLTE before IDAT")),
        ("gray", {"kind": 0}, JUDGED), ("with alpha", {"kind": 6}, JUDGED),
        ("compression 1", {"compression": 1}, BAD_HEADER), ("filter 1", {"filter": 1}, BAD_HEADER),
        ("filter 64", {"filter": 64}, BAD_HEADER), ("interlace 1", {"interlace": 1}, JUDGED),
        ("interlace 2", {"interlace": 2}, BAD_HEADER),
    ]:
        yield Case(f"{name} IHDR: {label}", header(data, **fields), expect, data)
    ihdr = find(data, "IHDR")
    for label, damaged, expect in [
        ("12 bytes", replaced(data, ihdr, chunk(b"IHDR", ihdr.payload[:12])), IN_HEADER),
        ("14 bytes", replaced(data, ihdr, chunk(b"IHDR", ihdr.payload + b"\0")), IN_HEADER),
        ("missing", without(data, ihdr), IN_HEADER),
        ("twice", inserted(data, ihdr.end, data[ihdr.start:ihdr.end]),
         Refused("IHDR: out of place")),
        ("behind another chunk", replaced(data, ihdr, chunk(b"tEXt", b"k\0v"),
                                          data[ihdr.start:ihdr.end]), IN_HEADER),
        ("in small letters", patched(data, ihdr.start + 4, b"ihdr"), IN_HEADER),
    ]:
        yield Case(f"{name} IHDR: {label}", damaged, expect, data)


# ---- chunks --------------------------------------------------------------------------------------

def chunk_lies(name, data):
    idat = find(data, "IDAT")
    iend = find(data, "IEND")
    for label, damaged, expect in [
        ("length 2^32 - 1", patched(data, idat.start, b"\xff" * 4), Refused("is damaged|ends")),
        ("length 2^31", patched(data, idat.start, b"\x80\0\0\0"), Refused("is damaged|ends")),
        ("length one more", patched(data, idat.start, struct.pack(">I", idat.n + 1)), CRC),
        ("length one less", patched(data, idat.start, struct.pack(">I", idat.n - 1)), CRC),
        ("length 0", patched(data, idat.start, bytes(4)), CRC),
        ("type of zeros", patched(data, idat.start + 4, bytes(4)), Refused("is damaged|ends")),
        ("type of a text", patched(data, idat.start + 4, b"tEXt"), Refused("is damaged|ends")),
    ]:
        yield Case(f"{name} IDAT: {label}", damaged, expect, data)
    broken = bytearray(chunk(b"gAMA", struct.pack(">I", 45455)))
    broken[-1] ^= 1
    text = bytearray(chunk(b"tEXt", b"k\0v"))
    text[-1] ^= 1
    for label, damaged, expect in [
        ("bad checksum in gAMA", inserted(data, idat.start, broken), CRC),
        ("bad checksum in tEXt", inserted(data, idat.start, text), CRC),
        ("bad checksum in tEXt behind the pixels", inserted(data, iend.start, text), SAME),
        ("unknown critical chunk", inserted(data, idat.start, chunk(b"CgBI", bytes(4))),
         Refused("CgBI: unhandled critical chunk")),
        ("unknown harmless chunk", inserted(data, idat.start, chunk(b"quUx", b"?" * 99)), SAME),
        ("1,000 unknown chunks", inserted(data, idat.start, chunk(b"quUx", b"?") * 1000), SAME),
        ("1,000 texts", inserted(data, idat.start, chunk(b"tEXt", b"k\0v") * 1000), SAME),
        ("animation", inserted(inserted(data, iend.start, chunk(b"fdAT", bytes(4) + idat.payload)),
                               idat.start, chunk(b"acTL", struct.pack(">II", 2, 0))), SAME),
        ("text between the pixels", inserted(data, idat.end, chunk(b"tEXt", b"k\0v")), NO_DATA),
        ("IEND before the pixels", inserted(data, idat.start, data[iend.start:iend.end]),
         Refused("is damaged")),
        ("IEND missing", without(data, iend), SAME),
        ("IEND with a payload", replaced(data, iend, chunk(b"IEND", b"abc")), SAME),
        ("pixels missing", without(data, *[c for c in chunks(data) if c.type == "IDAT"]),
         Refused("is damaged|ends")),
        ("first half of the pixels missing", without(data, idat), Refused("is damaged")),
        ("second half of the pixels missing",
         without(data, [c for c in chunks(data) if c.type == "IDAT"][1]), NO_DATA),
        ("halves swapped", halves_swapped(data), Refused("is damaged")),
        ("more pixels behind IEND", data + data[idat.start:idat.end], SAME),
        ("empty IDATs around", inserted(inserted(data, idat.end, chunk(b"IDAT", b"") * 3),
                                        idat.start, chunk(b"IDAT", b"") * 3), SAME),
    ]:
        yield Case(f"{name} {label}", damaged, expect, data)


def halves_swapped(data):
    a, b = [c for c in chunks(data) if c.type == "IDAT"]
    return data[:a.start] + data[b.start:b.end] + data[a.start:a.end] + data[b.end:]


# ---- compressed data -----------------------------------------------------------------------------

def pixels_of(data):
    return zlib.decompress(b"".join(c.payload for c in chunks(data) if c.type == "IDAT"))


def with_pixels(data, compressed):
    """The PNG with other compressed data, right checksums around them."""
    a, b = [c for c in chunks(data) if c.type == "IDAT"]
    return data[:a.start] + chunk(b"IDAT", compressed) + data[b.end:]


def stream_lies(name, data):
    raw = pixels_of(data)
    good = zlib.compress(raw)
    stored = zlib.compress(raw, 0)
    row = len(raw) // 29
    for label, stream, expect in [
        ("method 7", b"\x77" + good[1:], Refused("is damaged: IDAT")),
        ("window of 64 KB", b"\x88" + good[1:], Refused("is damaged: IDAT")),
        ("bad header check", good[:1] + b"\0" + good[2:], Refused("is damaged: IDAT")),
        ("needs a dictionary", b"\x78\x20" + good[2:], Refused("is damaged: IDAT")),
        ("bad block type", good[:2] + b"\xff" + good[3:], Refused("is damaged: IDAT")),
        ("stored block of a lying length", stored[:3] + b"\0\0" + stored[5:],
         Refused("is damaged: IDAT")),
        ("cut in half", good[:len(good) // 2], NO_DATA),
        ("empty", b"", NO_DATA),
        ("one byte", good[:1], NO_DATA),
        ("a row too few", zlib.compress(raw[:-row]), NO_DATA),
        ("a byte too few", zlib.compress(raw[:-1]), NO_DATA),
        ("a row too many", zlib.compress(raw + raw[:row]), SAME),
        ("64 MB too many", bomb(raw), SAME),
        ("garbage behind the stream", good + b"garbage" * 20, SAME),
        ("without its checksum", good[:-4], NO_DATA),
        ("with a wrong checksum", good[:-1] + bytes([good[-1] ^ 1]), Refused("data check")),
    ]:
        yield Case(f"{name} stream: {label}", with_pixels(data, stream), expect, data)
    for number in (5, 6, 128, 255):
        for at in (0, 14, 28):
            wrong = patched(raw, at * row, number)
            yield Case(f"{name} filter {number} in row {at}",
                       with_pixels(data, zlib.compress(wrong)),
                       Refused("bad adaptive filter value"), data)


def bomb(raw, megabytes=64):
    packer = zlib.compressobj(9)
    out = packer.compress(raw)
    for _ in range(megabytes):
        out += packer.compress(bytes(1 << 20))
    return out + packer.flush()


def text_bombs(name, data):
    """Compressed texts and profiles are never unpacked further than the limit on chunks."""
    at = find(data, "IDAT").start
    packed = zlib.compress(bytes(64 << 20), 9)
    for label, extra in [
        ("zTXt", chunk(b"zTXt", b"k\0\0" + packed)), ("iCCP", chunk(b"iCCP", b"p\0\0" + packed)),
        ("iTXt", chunk(b"iTXt", b"k\0\1\0\0\0" + packed)),
        ("100 zTXt", chunk(b"zTXt", b"k\0\0" + packed) * 100),
    ]:
        yield Case(f"{name} bomb: {label}", inserted(data, at, extra), SAME, data)


# ---- palette and transparency --------------------------------------------------------------------

def palette_lies(name, data):
    plte, trns = find(data, "PLTE"), find(data, "tRNS")
    bare = without(data, plte, trns)
    at = find(bare, "IDAT").start

    def other(payload):
        return inserted(bare, at, chunk(b"PLTE", payload))

    for label, damaged, expect in [
        ("missing", bare, Refused("Missing PLTE before IDAT")),
        ("empty", other(b""), Refused("PLTE|is damaged")),
        ("not a multiple of three", other(bytes(700)), Refused("PLTE|is damaged")),
        ("257 colours", other(bytes(771)), Refused("PLTE|is damaged")),
        ("twice", inserted(data, plte.end, data[plte.start:plte.end]),
         Refused("PLTE: duplicate")),
        ("behind the pixels", inserted(bare, find(bare, "IEND").start,
                                       chunk(b"PLTE", plte.payload)), Refused("Missing PLTE")),
        ("transparency before it", inserted(without(data, trns), plte.start,
                                            data[trns.start:trns.end]), SAME),
        ("transparency of 257 entries", replaced(data, trns, chunk(b"tRNS", bytes(257))), SAME),
        ("empty transparency", replaced(data, trns, chunk(b"tRNS", b"")), SAME),
        ("transparency twice", inserted(data, trns.start, data[trns.start:trns.end]), SAME),
    ]:
        yield Case(f"{name} palette: {label}", damaged, expect, data)


def exif_lies(name, data):
    def with_exif(payload):
        return inserted(data, find(data, "IDAT").start, chunk(b"eXIf", payload))

    good = b"MM\0\x2a\0\0\0\x08\0\1" + struct.pack(">HHIHH", 0x0112, 3, 1, 6, 0)
    for label, payload in [("empty", b""), ("cut", good[:15]), ("orientation 9",
                           patched(good, 18, b"\0\x09")), ("offset 2^32 - 1",
                           patched(good, 4, b"\xff" * 4)), ("garbage", b"\xff" * 64),
                           ("65535 entries of nothing", good[:8] + b"\xff\xff")]:
        yield Case(f"{name} EXIF: {label}", with_exif(payload), SAME, data)
    yield Case(f"{name} EXIF: turned", with_exif(good), GOLDEN, data)
    wrong = bytearray(chunk(b"eXIf", good))
    wrong[-1] ^= 1
    yield Case(f"{name} EXIF: bad checksum, behind the pixels",
               inserted(data, find(data, "IEND").start, wrong), SAME, data)


def garbage(name, data):
    for label, damaged, expect in [
        ("zero byte in front", b"\0" + data, OTHER_FILE),
        ("signature twice", SIGNATURE + data, IN_HEADER),
        ("signature with text line ends", data.replace(b"\r\n", b"\n", 1), OTHER_FILE),
        ("signature of seven bits", patched(data, 0, 0x09), OTHER_FILE),
        ("signature missing", data[8:], OTHER_FILE),
        ("zeros behind", data + bytes(4096), SAME),
        ("text behind", data + b"<html>" * 9, SAME),
        ("itself behind", data + data, SAME),
    ]:
        yield Case(f"{name} {label}", damaged, expect, data)


def png_cases():
    intact = intact_pngs()
    for i, (name, data) in enumerate(intact.items()):
        yield Case(f"{name} intact", data, GOLDEN, data)
        yield from (c for k, c in enumerate(truncations(name, data))
                    if name in ("png_2_8", "png_3_8", "png_6_8_interlaced") or (k + i) % 6 == 0)
        yield from (c for k, c in enumerate(flips(name, data))
                    if name in ("png_2_8", "png_3_8", "png_6_8_interlaced") or (k + i) % 5 == 0)
    rgb, palette = intact["png_2_8"], intact["png_3_8"]
    for lies in (header_lies, chunk_lies, stream_lies, text_bombs, exif_lies, garbage):
        yield from lies("png_2_8", rgb)
    yield from palette_lies("png_3_8", palette)
    for name in ("png_0_1_interlaced", "png_6_16", "png_4_8_interlaced"):
        yield from sparse_chunk_lies(name, intact[name])


def sparse_chunk_lies(name, data):
    yield from (c for k, c in enumerate(chunk_lies(name, data)) if k % 3 == 0)
