#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Damages every kind of JPEG and PNG, and photographs, at random; mutants_tool.c judges.

usage: mutants_oracle.py MUTANTS_TOOL MAKE_JPEGS COUNT [PHOTOS_DIR]

MR_MUTANTS: another count. MR_MUTANTS_SEED: other mutants, 1 by default.
"""
import os
import subprocess
import sys
import tempfile

from damaged_png import intact_pngs
from decode_oracle import photographs


def main():
    tool, make_jpegs, count = sys.argv[1:4]
    count = os.environ.get("MR_MUTANTS", count)
    seed = os.environ.get("MR_MUTANTS_SEED", "1")
    photos = photographs(sys.argv[4], 400) if len(sys.argv) > 4 else []
    photos = sorted(photos, key=os.path.getsize)[:100:2]  # the smaller ones: more of them a second
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([make_jpegs, folder], check=True)
        for name, data in intact_pngs().items():
            with open(os.path.join(folder, name + ".png"), "wb") as f:
                f.write(data)
        files = [os.path.join(folder, name) for name in sorted(os.listdir(folder))] + photos
        sys.exit(subprocess.run([tool, count, seed, *files]).returncode)


if __name__ == "__main__":
    main()
