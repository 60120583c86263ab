#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every damaged file has its expected outcome: a golden decode, or a reason code and a sentence.

usage: damaged_oracle.py DECODE_TOOL MAKE_JPEGS [PHOTOS_DIR]     prints the table with MR_LIST=1

damaged_jpeg.py, damaged_png.py and damaged_files.py are the table. Beyond what it says of each case
  - a crop is refused, or equals that part of the image; of a file cut short, of the intact image;
  - the answer does not depend on what was decoded before: every case is asked twice;
  - nor on the engine (`decode: {engine: ...}`): pixels, or reason code and sentence, are the same.
"""
import os
import random
import subprocess
import sys
import tempfile

import numpy as np

from damaged_case import GOLDEN, JUDGED, SAME, Refused as Expected
from damaged_files import file_cases
from damaged_jpeg import jpeg_cases
from damaged_png import png_cases
from decode_oracle import photographs
from serve_decode import Decoder, Refused, matches, outcome, pillow, turned


def truth(case):
    return pillow(case.data if case.expect == GOLDEN else case.intact)


def judged(decoder, case):
    """None: the library says that pixels are lost."""
    try:
        return turned(decoder.ask("plain", case.data, 3, 8, None), case.data)
    except Refused:
        return None


def fault(decoder, case):
    """What is wrong with our answer, or None; and the answer."""
    try:
        got = decoder.decode(case.data) if case.data is not None else decoder.decode_file(case.path)
    except Refused as refused:
        if isinstance(case.expect, Expected):
            good = matches(refused, case.expect.code, case.expect.pattern)
            return None if good else f"not refused as expected, but: {refused}", str(refused)
        lost = case.expect == JUDGED and judged(decoder, case) is None
        return None if lost else f"refused: {refused}", str(refused)
    if isinstance(case.expect, Expected):
        return "decoded, but a refusal was expected", got
    want = judged(decoder, case) if case.expect == JUDGED else truth(case)
    if want is None:
        return "decoded, but the library says that pixels are lost", got
    same = want.shape == got.shape and np.array_equal(want, got)
    return None if same else "the pixels are not the expected ones", got


def crop_fault(decoder, case, got):
    """A crop of the image, or of a file that is refused as a whole; what is wrong, and the crop."""
    rng = random.Random(case.name)
    if case.data is None or (isinstance(got, str) and not case.cut):
        return None, None
    whole = pillow(case.intact) if isinstance(got, str) else got
    h, w = whole.shape[:2]
    cw, ch = rng.randint(1, w), rng.randint(1, max(1, h // 2))
    x, y = rng.randint(0, w - cw), rng.randint(0, h - ch)
    part = outcome(decoder, case.data, roi=(x, y, cw, ch))
    if isinstance(part, str):
        bad = not isinstance(got, str)
        return f"the crop is refused, the whole is not: {part}" if bad else None, part
    same = np.array_equal(part, whole[y:y + ch, x:x + cw])
    return (None if same else f"the crop {x},{y} {cw} x {ch} is not that part of the image"), part


def same_answer(a, b):
    return np.array_equal(a, b) if not isinstance(a, str) and not isinstance(b, str) else \
        isinstance(a, str) and isinstance(b, str) and a == b


def run(decoder, cases):
    """The number of faults, each of which is printed; per case the answers to file and crop."""
    faults, answers = 0, []
    for case in cases:
        wrong, got = fault(decoder, case)
        crop_wrong, part = crop_fault(decoder, case, got)
        wrong = wrong or crop_wrong
        answers.append((got, part))
        if wrong:
            faults += 1
            print(f"FAILED {case.name}, engine {decoder.engine}: {wrong}")
        elif os.environ.get("MR_LIST"):
            print(f"{case.name}: {got if isinstance(got, str) else 'pixels'}")
    for case, (before, _) in list(zip(cases, answers))[::-1]:
        if case.data is not None and not same_answer(before, outcome(decoder, case.data)):
            faults += 1
            print(f"FAILED {case.name}, engine {decoder.engine}: the second answer differs from "
                  "the first")
    return faults, answers


def run_engines(decoders, cases):
    """The number of faults of all engines, and of answers that differ between them."""
    done = [run(decoder, cases) for decoder in decoders]
    faults = sum(n for n, _ in done)
    for case, *answers in zip(cases, *(answers for _, answers in done)):
        for what, (one, *others) in zip(("file", "crop"), zip(*answers)):
            if not all(same_answer(one, other) for other in others):
                faults += 1
                print(f"FAILED {case.name}: the engines' answers to the {what} differ")
    return faults


def read(path):
    with open(path, "rb") as f:
        return f.read()


def small_photographs(folder):
    """Three real ones, not so large that their many cases take long."""
    paths = sorted(photographs(folder, 100), key=os.path.getsize)[10:13]
    return {f"photo {i + 1}": read(path) for i, path in enumerate(paths)}


def main():
    tool, make_jpegs = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([make_jpegs, folder], check=True)
        intact = {name[:-4]: read(os.path.join(folder, name)) for name in os.listdir(folder)}
        photos = small_photographs(sys.argv[3]) if len(sys.argv) > 3 else {}
        decoders = [Decoder(tool, engine) for engine in ("auto", "libjpeg")]
        cases = [*jpeg_cases(intact, photos), *png_cases(), *file_cases(folder, intact)]
        names = [case.name for case in cases]
        doubled = {name for name in names if names.count(name) > 1}
        faults = run_engines(decoders, cases) + len(doubled)
        for name in sorted(doubled):
            print(f"FAILED {name}: two cases of this name")
        status = any([decoder.close() for decoder in decoders])
    kinds = {kind: sum(case.expect == kind for case in cases) for kind in (GOLDEN, SAME, JUDGED)}
    print(f"{len(cases)} damaged files, {len(decoders)} engines, {faults} faults: expected "
          f"{len(cases) - sum(kinds.values())} refusals, {kinds[GOLDEN]} decodes equal to "
          f"Pillow's, {kinds[SAME]} equal to the intact image, {kinds[JUDGED]} as the library "
          "judges")
    sys.exit(1 if faults or status or len(cases) < 200 else 0)


if __name__ == "__main__":
    main()
