# SPDX-License-Identifier: Apache-2.0
"""Damaged JPEGs, each with what has to come of it."""
import struct

from damaged_case import (GOLDEN, JUDGED, SAME, Case, Refused, first, inserted, patched, segments,
                          without)

ENDS = Refused("^the file ends ")
IN_HEADER = Refused("^the file ends inside its header$")
NO_DATA = Refused("premature end of data segment")


# ---- truncations ---------------------------------------------------------------------------------

def places(segment):
    """Where a segment is cut: {name: byte}."""
    n = segment.end - segment.start
    if segment.marker is None:
        inside = {"first byte": 1, "quarter": n // 4, "half": n // 2, "three quarters": n * 3 // 4,
                  "last byte": n - 1}
    elif n == 2:
        inside = {"half of it": 1}
    else:
        inside = {"half the marker": 1, "half the length": 3, "length alone": 4,
                  "half of it": n // 2, "last byte": n - 1}
    return {"before": segment.start,
            **{k: segment.start + v for k, v in inside.items() if 0 < v < n}}


def cut_outcome(name, at, header_end, end, scans):
    """Behind the pixels a cut is harmless, but arithmetic-coded data have no end without EOI."""
    if at < 3:
        return Refused("^not an image" if at else "^the file is empty$")
    if at < header_end:
        return IN_HEADER
    if at >= end:
        return ENDS if name.startswith("arithmetic") else SAME
    return Refused("^(the file ends |there is no data for component)") if scans > 1 else ENDS


def truncations(name, jpeg):
    parts = segments(jpeg)
    header_end = first(jpeg, "SOS").end
    end = first(jpeg, "EOI").start
    scans = sum(s.name == "SOS" for s in parts)
    seen = {}
    for part in parts:
        seen[part.name] = seen.get(part.name, 0) + 1
        label = part.name + (f" {seen[part.name]}" if seen[part.name] > 1 else "")
        for where, at in places(part).items():
            yield Case(f"{name} cut: {label}, {where}", jpeg[:at],
                       cut_outcome(name, at, header_end, end, scans), jpeg, cut=True)


def sparse(cases, step):
    """Of a class that is large and alike, every step-th."""
    return (c for i, c in enumerate(cases) if i % step == 0)


# ---- lies in the headers -------------------------------------------------------------------------

def frame_lies(name, jpeg):
    s = first(jpeg, "SOF").start
    h, w = struct.unpack(">HH", jpeg[s + 5:s + 9])

    def size(new_h, new_w):
        return patched(jpeg, s + 5, struct.pack(">HH", new_h, new_w))

    no_pixels = Refused("^(empty JPEG image|the header declares an image of)")
    for label, data, expect in [
        ("height 0", size(0, w), no_pixels),
        ("width 0", size(h, 0), no_pixels),
        ("both sides 0", size(0, 0), no_pixels),
        ("height doubled", size(2 * h, w), NO_DATA),
        ("height 65500", size(65500, w), NO_DATA),
        ("65500 x 65500", size(65500, 65500), Refused("limits.max_pixels is", "LIMIT")),
        ("height 65535", size(65535, w), Refused("maximum supported image dimension")),
        ("width 65535", size(h, 65535), Refused("maximum supported image dimension")),
        ("height halved", size(h // 2, w), GOLDEN),
        ("height one less", size(h - 1, w), GOLDEN),
        ("height 1", size(1, w), GOLDEN),
        ("width doubled", size(h, 2 * w), JUDGED),
        ("width halved", size(h, w // 2), JUDGED),
        ("12 bits", patched(jpeg, s + 4, 12), Refused("precision 12")),
        ("16 bits", patched(jpeg, s + 4, 16), Refused("precision 16")),
        ("0 bits", patched(jpeg, s + 4, 0), Refused("precision 0")),
        ("0 components", patched(jpeg, s + 9, 0), Refused("bogus marker length|empty JPEG")),
        ("2 components", patched(jpeg, s + 9, 2), Refused("bogus marker length")),
        ("5 components", patched(jpeg, s + 9, 5), Refused("bogus marker length")),
        ("255 components", patched(jpeg, s + 9, 255), Refused("bogus marker length")),
        ("sampling 0 x 0", patched(jpeg, s + 11, 0x00), Refused("bogus sampling")),
        ("sampling 5 x 1", patched(jpeg, s + 11, 0x51), Refused("bogus sampling")),
        ("sampling 15 x 15", patched(jpeg, s + 11, 0xFF), Refused("bogus sampling")),
        ("sampling 3 x 1", patched(jpeg, s + 11, 0x31), JUDGED),
        ("quantization table 3", patched(jpeg, s + 12, 3), Refused("quantization table")),
        ("quantization table 255", patched(jpeg, s + 12, 255), Refused("quantization table")),
        ("length one more", patched(jpeg, s + 3, jpeg[s + 3] + 1), Refused("bogus marker length")),
        ("length one less", patched(jpeg, s + 3, jpeg[s + 3] - 1), Refused("bogus marker length")),
        ("length 0", patched(jpeg, s + 2, b"\0\0"), Refused("bogus marker length|empty JPEG")),
        ("length 65535", patched(jpeg, s + 2, b"\xff\xff"), Refused("bogus marker length")),
        ("twice", inserted(jpeg, s, jpeg[s:first(jpeg, "SOF").end]), Refused("two SOF")),
        ("missing", without(jpeg, first(jpeg, "SOF")), Refused("SOS before SOF")),
        ("component ids alike", patched(jpeg, s + 13, jpeg[s + 10]), JUDGED),
    ]:
        yield Case(f"{name} frame header: {label}", data, expect, jpeg)
    for marker in (0xC3, 0xC5, 0xC6, 0xC7, 0xCB, 0xCD, 0xCE, 0xCF):
        yield Case(f"{name} frame header: type {marker:#x}", patched(jpeg, s + 1, marker),
                   Refused(f"unsupported JPEG process: SOF type {marker:#x}"), jpeg)


def frame_types(name, jpeg):
    """One coding declared, another one used; the file is Huffman-coded and baseline."""
    s = first(jpeg, "SOF").start
    yield Case(f"{name} declared extended", patched(jpeg, s + 1, 0xC1), SAME, jpeg)
    yield Case(f"{name} declared progressive", patched(jpeg, s + 1, 0xC2),
               Refused("invalid progressive parameters"), jpeg)
    yield Case(f"{name} declared arithmetic", patched(jpeg, s + 1, 0xC9), JUDGED, jpeg)
    yield Case(f"{name} declared JPG", patched(jpeg, s + 1, 0xC8),
               Refused("unsupported JPEG process|unsupported marker"), jpeg)


def scan_lies(name, jpeg):
    s = first(jpeg, "SOS").start
    n = jpeg[s + 4]  # components
    tail = s + 5 + 2 * n  # Ss, Se, AhAl
    for label, data, expect in [
        ("0 components", patched(jpeg, s + 4, 0), Refused("bogus marker length")),
        ("5 components", patched(jpeg, s + 4, 5), Refused("bogus marker length")),
        ("length one more", patched(jpeg, s + 3, jpeg[s + 3] + 1), Refused("bogus marker length")),
        ("length 2", patched(jpeg, s + 2, b"\0\2"), Refused("bogus marker length")),
        ("unknown component", patched(jpeg, s + 5, 77), Refused("invalid component ID 77 in SOS")),
        ("Huffman table 3", patched(jpeg, s + 6, 0x33), Refused("uffman table 0x0?3|not defined")),
        ("Huffman table 15", patched(jpeg, s + 6, 0xFF), Refused("uffman table|not defined")),
        ("before the frame header", inserted(jpeg, first(jpeg, "SOF").start,
                                             jpeg[s:tail + 3]), Refused("SOS before SOF")),
        ("spectral selection 1 to 5", patched(jpeg, tail, b"\1\5\0"), SAME),
        ("spectral selection 0 to 255", patched(jpeg, tail, b"\0\xff\0"), SAME),
        ("approximation 15", patched(jpeg, tail + 2, 0xFF), SAME),
        ("missing", without(jpeg, first(jpeg, "SOS")), Refused("missing SOS|no image|ends")),
    ]:
        yield Case(f"{name} scan header: {label}", data, expect, jpeg)


def table_lies(name, jpeg):
    dht, dqt = first(jpeg, "DHT"), first(jpeg, "DQT")
    dhts = [s for s in segments(jpeg) if s.name == "DHT"]
    dqts = [s for s in segments(jpeg) if s.name == "DQT"]
    for label, data, expect in [
        ("DHT: counts of 255", patched(jpeg, dht.start + 5, b"\xff" * 16), Refused("bogus Huff")),
        ("DHT: more codes than bytes", patched(jpeg, dht.start + 20, 0xFF),
         Refused("bogus Huffman table definition")),
        ("DHT: over-subscribed", patched(jpeg, dht.start + 5, b"\x03" + bytes(15)),
         Refused("bogus")),
        ("DHT: index 5", patched(jpeg, dht.start + 4, 0x05), Refused("bogus DHT index 5")),
        ("DHT: index 0xff", patched(jpeg, dht.start + 4, 0xFF), Refused("bogus DHT index")),
        ("DHT: length 2", patched(jpeg, dht.start + 2, b"\0\2"), JUDGED),
        ("DHT: length 0", patched(jpeg, dht.start + 2, b"\0\0"), JUDGED),
        ("DHT: length one more", patched(jpeg, dht.start + 3, jpeg[dht.start + 3] + 1),
         Refused("bogus")),
        ("DHT: length one less", patched(jpeg, dht.start + 3, jpeg[dht.start + 3] - 1),
         Refused("bogus")),
        ("DHT: length 65535", patched(jpeg, dht.start + 2, b"\xff\xff"), Refused("bogus")),
        ("DQT: index 4", patched(jpeg, dqt.start + 4, 0x04), Refused("bogus DQT index 4")),
        ("DQT: index 15", patched(jpeg, dqt.start + 4, 0x0F), Refused("bogus DQT index 15")),
        ("DQT: 16 bits declared", patched(jpeg, dqt.start + 4, 0x10), JUDGED),
        ("DQT: all zero", patched(jpeg, dqt.start + 5, bytes(64)), GOLDEN),
        ("DQT: all 255", patched(jpeg, dqt.start + 5, b"\xff" * 64), GOLDEN),
        ("DQT: length one less", patched(jpeg, dqt.start + 3, jpeg[dqt.start + 3] - 1), JUDGED),
        ("DQT: length 2", patched(jpeg, dqt.start + 2, b"\0\2"), Refused("quantization table")),
        ("DQT: length 65535", patched(jpeg, dqt.start + 2, b"\xff\xff"),
         Refused("bogus|ends inside its header")),
        ("DQT: missing", without(jpeg, *dqts), Refused("quantization table 0x00 was not defined")),
        # Motion JPEG has no tables: libjpeg-turbo has the usual ones ready, which these files use.
        ("DHT: missing", without(jpeg, *dhts), SAME),
        ("DHT: the first one missing", without(jpeg, dhts[0]), SAME),
        ("DHT: twice", inserted(jpeg, dht.start, jpeg[dht.start:dht.end]), SAME),
        ("DQT: twice", inserted(jpeg, dqt.start, jpeg[dqt.start:dqt.end]), SAME),
    ]:
        yield Case(f"{name} {label}", data, expect, jpeg)


def order_lies(name, jpeg):
    soi, eoi, sof = first(jpeg, "SOI"), first(jpeg, "EOI"), first(jpeg, "SOF")
    for label, data, expect in [
        ("SOI twice", inserted(jpeg, 2, jpeg[:2]), Refused("two SOI markers")),
        ("SOI before the frame header", inserted(jpeg, sof.start, jpeg[:2]), Refused("two SOI")),
        ("SOI missing", jpeg[2:], Refused("^not an image that this build reads")),
        ("SOI half", jpeg[1:], Refused("^not an image that this build reads")),
        ("EOI at once", inserted(jpeg, 2, b"\xff\xd9"), Refused("contains no image")),
        ("EOI before the scan", inserted(jpeg, first(jpeg, "SOS").start, b"\xff\xd9"),
         Refused("missing SOS|no image")),
        ("SOI alone", jpeg[:2] * 1 + b"\xff", Refused("ends inside its header")),
        ("SOI and EOI", jpeg[:2] + b"\xff\xd9", Refused("contains no image")),
        ("EOI twice", jpeg + b"\xff\xd9", SAME),
        ("EOI is a comment", patched(jpeg, eoi.start, b"\xff\xfe"), SAME),
        ("unknown marker 0xf0", inserted(jpeg, sof.start, b"\xff\xf0\0\2"),
         Refused("unsupported marker type 0xf0")),
        ("unknown marker 0x02", inserted(jpeg, sof.start, b"\xff\x02\0\2"),
         Refused("unsupported marker type 0x02")),
        ("marker without a length", inserted(jpeg, sof.start, b"\xff\x01"), SAME),
        ("restart marker in the header", inserted(jpeg, sof.start, b"\xff\xd3"), SAME),
        ("fill bytes before a marker", inserted(jpeg, sof.start, b"\xff" * 300), SAME),
        ("zeros before a marker", inserted(jpeg, sof.start, bytes(300)), SAME),
        ("text before a marker", inserted(jpeg, sof.start, b"garbage " * 40), SAME),
        ("comment of length 0", inserted(jpeg, sof.start, b"\xff\xfe\0\0"), SAME),
        ("comment of length 65535", inserted(jpeg, sof.start, b"\xff\xfe\xff\xff"),
         Refused("ends inside its header")),
        ("APP1 of length 0", inserted(jpeg, sof.start, b"\xff\xe1\0\0"), Refused("APP1 marker of")),
        ("APP1 of length 65535", inserted(jpeg, sof.start, b"\xff\xe1\xff\xff"),
         Refused("ends inside its header")),
        ("10,000 APP2 markers", inserted(jpeg, soi.end, b"\xff\xe2\0\x04ab" * 10000), SAME),
        ("DRI of length 5", inserted(jpeg, sof.start, b"\xff\xdd\0\5\0\0\0"),
         Refused("bogus marker length")),
        ("DNL", inserted(jpeg, sof.start, b"\xff\xdc\0\4\0\x10"), SAME),
    ]:
        yield Case(f"{name} {label}", data, expect, jpeg)


def garbage(name, jpeg):
    """In front it is another file, behind it is nobody's business."""
    other = Refused("^not an image that this build reads")
    for label, front in [("zero byte", b"\0"), ("line feed", b"\n"), ("byte order mark",
                         b"\xef\xbb\xbf"), ("HTTP header", b"HTTP/1.1 200 OK\r\n\r\n"),
                         ("64 zeros", bytes(64)), ("0xff", b"\xff")]:
        yield Case(f"{name} in front: {label}", front + jpeg, other, jpeg)
    for label, behind in [("zero byte", b"\0"), ("line feed", b"\n"), ("4096 zeros", bytes(4096)),
                          ("0xff", b"\xff"), ("itself", jpeg), ("half of itself", jpeg[:999]),
                          ("SOI", b"\xff\xd8"), ("text", b"<html>404</html>" * 9),
                          ("ZIP archive", b"PK\3\4" + bytes(60))]:
        yield Case(f"{name} behind: {label}", jpeg + behind, SAME, jpeg)


# ---- inside the coded data -----------------------------------------------------------------------

def scan_damage(name, jpeg):
    """A marker where none belongs; bytes that are lost, doubled, flipped."""
    data = first(jpeg, "data")
    middle = (data.start + data.end) // 2
    while jpeg[middle - 1] == 0xFF or jpeg[middle] == 0xFF:
        middle += 1
    arithmetic = name.startswith("arithmetic")
    # A well-formed end: arithmetic data may end in zeros that are left out, so this is a picture
    # with a flat rest, and every decoder shows it so.
    yield Case(f"{name} scan: EOI in the middle", inserted(jpeg, middle, b"\xff\xd9"),
               JUDGED if arithmetic else NO_DATA, jpeg)
    cut = Refused("cut by a marker|instead of RST|unsupported marker|premature end|two SO|bogus|"
                  "bad arithmetic code|extraneous|no data for component|ends|invalid progressive")
    for marker in (0x41, 0xC0, 0xC4, 0xD0, 0xD8, 0xDA, 0xE1, 0xFE):
        yield Case(f"{name} scan: marker {marker:#x} in the middle",
                   inserted(jpeg, middle, bytes([0xFF, marker])), cut, jpeg)
    for label, damaged in [
        ("zeros over 64 bytes", patched(jpeg, middle, bytes(64))),
        ("0xff 0 over 64 bytes", patched(jpeg, middle, b"\xff\0" * 32)),
        ("64 bytes lost", jpeg[:middle] + jpeg[middle + 64:]),
        ("64 bytes twice", inserted(jpeg, middle, jpeg[middle:middle + 64])),
    ]:
        yield Case(f"{name} scan: {label}", damaged, JUDGED, jpeg)


def flips(name, jpeg, per_segment=4):
    """Bits flipped in every kind of segment, evenly spread."""
    seen = set()
    for part in segments(jpeg):
        if part.name in seen or part.name.startswith("RST") and "RST0" in seen:
            continue
        seen.add(part.name)
        n = part.end - part.start
        count = 12 if part.marker is None else per_segment
        for i in range(count):
            bit = (2 * i + 1) * n * 8 // (2 * count)
            at = part.start + bit // 8
            if at < 3:
                continue
            yield Case(f"{name} flipped: {part.name}, bit {bit}",
                       patched(jpeg, at, jpeg[at] ^ (0x80 >> bit % 8)), JUDGED, jpeg)


def restarts(name, jpeg):
    marks = [s for s in segments(jpeg) if s.name.startswith("RST")]
    a, b = marks[0], marks[1]
    wrong = Refused("instead of RST|premature end|bad Huffman|cut by a marker|extraneous|ends")
    yield Case(f"{name}: marker lost", without(jpeg, a), wrong, jpeg)
    yield Case(f"{name}: marker doubled", inserted(jpeg, a.start, jpeg[a.start:a.end]), wrong, jpeg)
    yield Case(f"{name}: wrong number", patched(jpeg, a.start + 1, 0xD5), wrong, jpeg)
    yield Case(f"{name}: two swapped", patched(patched(jpeg, a.start + 1, 0xD1), b.start + 1, 0xD0),
               wrong, jpeg)
    yield Case(f"{name}: an interval lost", jpeg[:a.start] + jpeg[b.start:], wrong, jpeg)
    dri = first(jpeg, "DRI").start
    yield Case(f"{name}: DRI lost", without(jpeg, first(jpeg, "DRI")), wrong, jpeg)
    yield Case(f"{name}: DRI 1", patched(jpeg, dri + 4, b"\0\1"), wrong, jpeg)
    yield Case(f"{name}: DRI 65535", patched(jpeg, dri + 4, b"\xff\xff"), wrong, jpeg)


# ---- scans ---------------------------------------------------------------------------------------

def scan_counts(jpeg):
    """baseline_scans: a scan for each component. The last scan again and again, which is legal."""
    sos = [s for s in segments(jpeg) if s.name == "SOS"]
    eoi = first(jpeg, "EOI").start
    last = jpeg[sos[-1].start:eoi]
    many = Refused("more than 100 scans, which is limits.max_scans", "LIMIT")
    for label, more, expect in [("100 scans", 97, SAME), ("101 scans", 98, many),
                                ("1000 scans", 997, many)]:
        yield Case(f"baseline_scans {label}", inserted(jpeg, eoi, last * more), expect, jpeg)
    second = jpeg[:sos[1].start] + jpeg[sos[2].start:]
    yield Case("baseline_scans without the first", jpeg[:sos[0].start] + jpeg[sos[1].start:],
               Refused("there is no data for component 1"), jpeg)
    yield Case("baseline_scans without the second", second,
               Refused("there is no data for component 2"), jpeg)
    yield Case("baseline_scans without the last", jpeg[:sos[-1].start] + jpeg[eoi:],
               Refused("there is no data for component 3"), jpeg)


def progressions(name, jpeg):
    parts = segments(jpeg)
    sos = [s for s in parts if s.name == "SOS"]
    eoi = first(jpeg, "EOI").start
    # A file that was finished before its last refinements is a whole file of lower quality.
    yield Case(f"{name} without its last scan", jpeg[:sos[-1].start] + jpeg[eoi:], GOLDEN, jpeg)
    yield Case(f"{name} without its last scan and EOI", jpeg[:sos[-1].start],
               Refused("^the file ends before its last scan$"), jpeg)
    yield Case(f"{name} last scan twice", inserted(jpeg, eoi, jpeg[sos[-1].start:eoi]),
               Refused("inconsistent progression"), jpeg)
    yield Case(f"{name} without its first scan", jpeg[:sos[0].start] + jpeg[sos[1].start:],
               Refused("progression|no data for|not defined|bad Huffman|premature|ends"), jpeg)
    for label, at, new in [("Ss 64", 0, 64), ("Se 64", 1, 64), ("Ah 14", 2, 0xE0),
                           ("Al 14", 2, 0x0E)]:
        tail = sos[-1].end - 3
        yield Case(f"{name} {label}", patched(jpeg, tail + at, new),
                   Refused("invalid progressive parameters"), jpeg)
    dhts = [s for s in parts if s.name == "DHT"]
    if dhts:
        yield Case(f"{name} without Huffman tables", without(jpeg, *dhts), JUDGED, jpeg)


# ---- EXIF and Adobe ------------------------------------------------------------------------------

def app1(tiff):
    return b"\xff\xe1" + struct.pack(">H", 8 + len(tiff)) + b"Exif\0\0" + tiff


def exif_lies(name, jpeg):
    """Damaged EXIF is no EXIF: the image is shown as it is stored."""
    part = first(jpeg, "APP1")
    plain = without(jpeg, part)

    def ifd(value, count=1, kind=3, entries=1, offset=8):
        return (b"MM\0\x2a" + struct.pack(">IH", offset, entries) +
                struct.pack(">HHIHH", 0x0112, kind, count, value, 0))

    for label, tiff in [
        ("orientation 0", ifd(0)), ("orientation 9", ifd(9)), ("orientation 65535", ifd(65535)),
        ("two values", ifd(6, count=2)), ("no value", ifd(6, count=0)),
        ("2^32 - 1 values", ifd(6, count=0xFFFFFFFF)), ("type of text", ifd(6, kind=2)),
        ("unknown type", ifd(6, kind=99)), ("no entries", ifd(6, entries=0)),
        ("offset behind the end", ifd(6, offset=5000)), ("offset 0", ifd(6, offset=0)),
        ("offset 2^32 - 1", ifd(6, offset=0xFFFFFFFF)), ("cut in the entry", ifd(6)[:15]),
        ("cut in the directory", ifd(6)[:9]), ("cut in its header", ifd(6)[:5]), ("empty", b""),
        ("neither II nor MM", b"XX" + ifd(6)[2:]), ("wrong magic", b"MM\0\x2b" + ifd(6)[4:]),
        ("mixed byte order", b"II" + ifd(6)[2:]),
        ("directory that points at itself", ifd(6, entries=0) + struct.pack(">I", 8)),
    ]:
        yield Case(f"{name} EXIF: {label}", inserted(plain, 2, app1(tiff)), SAME, plain)
    turned = inserted(plain, 2, app1(ifd(6)))
    yield Case(f"{name} EXIF: 65535 entries", inserted(plain, 2, app1(ifd(6, entries=65535))), SAME,
               turned)
    yield Case(f"{name} EXIF: twice, the first counts",
               inserted(plain, 2, app1(ifd(6)) + app1(ifd(3))), SAME, turned)
    yield Case(f"{name} EXIF: behind the frame header",
               inserted(plain, first(plain, "SOF").end, app1(ifd(6))), SAME, turned)


def adobe_lies(name, jpeg):
    at = first(jpeg, "SOF").start

    def marker(transform):
        return b"\xff\xee\0\x0eAdobe" + bytes([0, 100, 0, 0, 0, 0, transform])

    for transform in (0, 1, 2, 3, 255):
        yield Case(f"{name} Adobe transform {transform}", inserted(jpeg, at, marker(transform)),
                   GOLDEN, jpeg)
    yield Case(f"{name} Adobe marker cut short", inserted(jpeg, at, b"\xff\xee\0\7Adobe"), SAME,
               jpeg)
    app0 = first(jpeg, "APP0").start
    yield Case(f"{name} JFIF version 9", patched(jpeg, app0 + 9, 9), SAME, jpeg)
    yield Case(f"{name} JFIF without a density", patched(jpeg, app0 + 12, bytes(4)), SAME, jpeg)
    yield Case(f"{name} JFIF thumbnail that is not there", patched(jpeg, app0 + 16, b"\xff\xff"),
               SAME, jpeg)


def jpeg_cases(intact, photos):
    """intact: {name: JPEG} of make_jpegs; photos: {name: JPEG} of real ones."""
    whole = ("baseline_420", "baseline_restart", "progressive_420", "arithmetic_420",
             "baseline_exif")
    for name, jpeg in intact.items():
        yield Case(f"{name} intact", jpeg, GOLDEN, jpeg)
        cuts = truncations(name, jpeg)
        yield from cuts if name in whole else sparse(cuts, 7)
        yield from garbage(name, jpeg) if name in whole[:4] else ()
        yield from flips(name, jpeg) if name in whole else ()
        yield from scan_damage(name, jpeg) if "scans" not in name else ()
        if name.startswith("progressive"):
            yield from progressions(name, jpeg)
        if name.endswith("restart") and not name.startswith("progressive"):
            yield from restarts(name, jpeg)
    for lies in (frame_lies, frame_types, scan_lies, table_lies, order_lies, adobe_lies):
        yield from lies("baseline_420", intact["baseline_420"])
    yield from scan_counts(intact["baseline_scans"])
    yield from exif_lies("baseline_exif", intact["baseline_exif"])
    for name, jpeg in photos.items():
        yield Case(f"{name} intact", jpeg, GOLDEN, jpeg)
        yield from truncations(name, jpeg)
        yield from flips(name, jpeg, per_segment=3)
        yield from scan_damage(name, jpeg)
