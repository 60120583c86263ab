#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the CSV reader to Python's csv module on generated files.

usage: csv_oracle.py TOOL [FILES]     TOOL: the index_tool program

Half of the files are tables written by csv.writer in its dialects, half are random bytes of the
characters that matter. What csv.reader takes (strict=True) must be read alike; what it refuses
must be refused.
"""
import csv
import io
import os
import random
import subprocess
import sys
import tempfile

WORDS = ["", "a", "cat/1.jpg", "1 2 3;4", 'say "hi"', '"', '""', "a,b", "two\nlines", "cr\rcr",
         "crlf\r\n", " ", "é€", "x" * 300, "\n", "'", "\t"]
QUOTING = [csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]


def table(rng):
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=rng.choice(QUOTING),
                        lineterminator=rng.choice(["\n", "\r\n", "\r"]))
    columns = rng.randint(1, 6)
    for _ in range(rng.choice([0, 1, 3, 40, 2000])):
        writer.writerow([rng.choice(WORDS) for _ in range(columns)])
    return text.getvalue()


def noise(rng):
    return "".join(rng.choice('ab,,"\n\r "') for _ in range(rng.randint(0, 30)))


def expected(text):
    """The rows, or None when csv.reader refuses. Empty lines are no rows."""
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error:
        return None
    return [[cell.encode() for cell in row] for row in rows if row]


def read(tool, path):
    run = subprocess.run([tool, "csv", path], capture_output=True)
    if run.returncode == 1:
        return None
    if run.returncode:
        raise SystemExit(f"{tool} ended with {run.returncode}")
    rows, row, at, out = [], [], 0, run.stdout
    while at < len(out):
        if out[at:at + 1] == b"\n":
            rows.append(row)
            row, at = [], at + 1
            continue
        colon = out.index(b":", at)
        end = colon + 1 + int(out[at:colon])
        row.append(out[colon + 1:end])
        at = end + 1
    return rows


def main():
    tool, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 600
    rng = random.Random(20260101)
    refused = 0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "t.csv")
        for i in range(count):
            text = table(rng) if i % 2 else noise(rng)
            mark = rng.choice(["", "\ufeff"])
            with open(path, "w", encoding="utf-8", newline="") as file:
                file.write(mark + text)
            want, got = expected(text), read(tool, path)
            refused += want is None
            if want != got:
                print(f"file {i} differs: {text!r}\n  csv:      {want}\n  millrace: {got}")
                return 1
    print(f"{count} files read alike, {refused} of them refused by both")
    return 0 if refused else 1


sys.exit(main())
