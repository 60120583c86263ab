# SPDX-License-Identifier: Apache-2.0
"""kth_cli_test.py MILLRACE FAULTS.SO [VERB..]: the command line with failures inside.

The k-th allocation or system call fails, once or from there on, for every k until none is met.

Each run must end by itself with an exit code of its own: 0 with the undisturbed run's outputs, else
a sentence on stderr; and a file under its final name is the old one or whole, without a temporary
beside it. MR_KTH_STRIDE=1 tries every k (the default here is a step of 7 for allocations)."""
import itertools
import json
import mmap
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

PAGE = struct.Struct("IIIIQQQ32sQQ")  # struct kth_page
PROGRAM = 6  # KTH_PROGRAM
KINDS = ("alloc", "call")
OLD = b"what was there before\n"
CONFIG = """\
version: 1
seed: 3
epochs: 1
batch: {size: 2}
slots: 2
producers: 1
on_error: fail
source: {type: folder, path: data/images}
ops:
  - random_resized_crop: {size: 8}
"""


class Verb:
    def __init__(self, name, args, outputs=(), folder=None, goes_on=False, step=1):
        self.name, self.args, self.outputs, self.folder = name, args, outputs, folder
        self.goes_on = goes_on  # a later run finishes what a failed one has begun
        self.ours = ("pack.origin",) if goes_on else ()  # knows of files that stat has failed for
        self.step = step  # of calls


VERBS = (
    Verb("check", ["check", "c.yaml"]),
    Verb("wrong", ["check", "c.yaml", "--set", "batch.sise=3"]),
    Verb("explain", ["explain", "c.yaml"]),
    Verb("ops", ["ops", "--format", "json"]),
    Verb("doctor", ["doctor", "--json"]),
    Verb("verify", ["verify", "data/images", "--json", "--bad-list", "bad", "--producers", "1"],
         ("bad",)),
    Verb("verify", ["verify", "data/packed", "--json", "--producers", "1"], step=3),
    Verb("list", ["pack", "--list", "data/packed"]),
    Verb("run", ["run", "c.yaml", "--json", "--hash", "--state", "state", "--hash-list", "list",
                 "--contact-sheet", "sheet", "--bad-list", "bad"],
         ("state", "list", "sheet", "bad")),
    Verb("synth", ["synth", "made", "--images", "2", "--size", "16x16", "--format", "mixed"],
         folder="made"),
    Verb("pack", ["pack", "data/manifest.csv", "packed", "--shard-bytes", "6000", "--threads", "1"],
         folder="packed", goes_on=True, step=3),
    Verb("pack", ["pack", "data/images", "packed", "--mode", "raw", "--compress", "zstd",
                  "--max-side", "20"], folder="packed", goes_on=True, step=3),
    Verb("pack", ["pack", "data/packed", "files", "--unpack", "--threads", "1"], folder="files",
         step=3),
)


class Sweep:
    def __init__(self, program, faults):
        self.program = os.path.abspath(program)
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="millrace-kth-"))
        page = self.work / "page"
        page.write_bytes(bytes(PAGE.size))
        self.file = open(page, "r+b")
        self.page = mmap.mmap(self.file.fileno(), PAGE.size)
        self.env = {**os.environ, "LD_PRELOAD": os.path.abspath(faults), "OMP_NUM_THREADS": "2",
                    "MR_KTH_PAGE": str(page), "LC_ALL": "C"}
        self.plain = {k: v for k, v in os.environ.items() if k != "LD_PRELOAD"}
        self.place = self.work / "place"
        self.place.mkdir()
        (self.place / "c.yaml").write_text(CONFIG)
        subprocess.run([self.program, "synth", "data", "--images", "6", "--size", "24x20",
                        "--classes", "2", "--format", "mixed", "--quiet"], cwd=self.place,
                       env=self.plain, check=True)
        subprocess.run([self.program, "pack", "data/images", "data/packed", "--quiet"],
                       cwd=self.place, env=self.plain, check=True)
        self.failures = 0

    def fail(self, verb, what, why):
        self.failures += 1
        if self.failures < 40:
            print(f"millrace {verb.name}: {what}: {why}", flush=True)

    def run(self, verb, kind=0, forever=0, k=0):
        """One run; (exit code, stdout, stderr, outputs, hits, what failed)."""
        for name in verb.outputs:
            (self.place / name).write_bytes(OLD)
        if verb.folder:
            shutil.rmtree(self.place / verb.folder, ignore_errors=True)
        self.page[:] = PAGE.pack(PROGRAM if k else 0, kind, forever, 0, k, 0, 0, b"", 0, 0)
        done = subprocess.run([self.program, *verb.args], cwd=self.place, env=self.env,
                              capture_output=True, stdin=subprocess.DEVNULL, timeout=120)
        *_, hits, last, _, _ = PAGE.unpack(self.page[:])
        err = done.stderr.decode(errors="replace")
        return (done.returncode, self.stable(verb, done.stdout), err, self.files(verb), hits,
                last.split(b"\0")[0].decode())

    @staticmethod
    def stable(verb, stdout):
        """What of the standard output is the same in every good run."""
        keys = {"run": ("batches", "rows", "hash", "interrupted", "error"),
                "verify": ("samples", "verified", "bad", "interrupted", "error", "bad_samples")}
        if verb.name == "doctor":  # says what it finds, and what it cannot find out
            return None
        if verb.name not in keys or not stdout:
            return stdout
        report = json.loads(stdout)
        return {key: report[key] for key in keys[verb.name]}

    def files(self, verb):
        found = {name: (self.place / name).read_bytes() for name in verb.outputs}
        if verb.folder:
            found = {str(f.relative_to(self.place)): f.read_bytes()
                     for f in (self.place / verb.folder).rglob("*")
                     if f.is_file() and f.name not in verb.ours}
        return found

    def judge(self, verb, what, got, good):
        code, out, err, files, _, last = got
        what = f"{what} ({last})"
        if code not in (0, 1, 2):
            self.fail(verb, what, f"exit code {code}: {err[-300:]}")
        elif code == 0 and good[0] == 0 and (out, files) != (good[1], good[3]):
            self.fail(verb, what, "exit code 0, but other outputs than undisturbed")
        elif code and not err.strip():
            self.fail(verb, what, f"exit code {code} without a sentence")
        elif code == 0 and good[0]:
            self.fail(verb, what, "a wrong config was called good")
        for name, data in files.items():
            if data != OLD and data != good[3].get(name):
                self.fail(verb, what, f"'{name}' holds {len(data)} bytes that are neither the old "
                          f"ones nor the whole: {data[:60]!r}")
        if code and verb.goes_on:
            subprocess.run([self.program, *verb.args], cwd=self.place, env=self.plain,
                           capture_output=True)
            if self.files(verb) != good[3]:
                self.fail(verb, what, "the next run does not finish it")
        left = [str(f) for f in self.place.rglob(".millrace-*")]
        if left:
            self.fail(verb, what, f"temporary files are left: {left}")

    def sweep(self, verb):
        good = self.run(verb)
        if good[0] and verb.name != "wrong":
            self.fail(verb, "undisturbed", good[2])
            return
        for kind, forever in itertools.product((0, 1), (0, 1)):
            stride = int(os.environ.get("MR_KTH_STRIDE") or (verb.step if kind else 7))
            k, clean = 1, 0
            while clean < 2:
                got = self.run(verb, kind, forever, k)
                what = f"{KINDS[kind]} {k} {'and all behind it fail' if forever else 'fails'}"
                self.judge(verb, what, got, good)
                clean = 0 if got[4] else clean + 1
                k += stride
            print(f"millrace {verb.name}: {KINDS[kind]} {('once', 'forever')[forever]}: "
                  f"k up to {k} in steps of {stride}", flush=True)


def main():
    program, faults, *names = sys.argv[1:]
    sweep = Sweep(program, faults)
    try:
        for verb in VERBS:
            if not names or verb.name in names:
                sweep.sweep(verb)
    finally:
        shutil.rmtree(sweep.work, ignore_errors=True)
    print(f"{sweep.failures} failures")
    sys.exit(sweep.failures != 0)


main()
