# SPDX-License-Identifier: Apache-2.0
"""A power cut at any point of packing: every operation's prefix, with unsynced ones lost at random.

What was written and not synced may be there, or not, or torn; a name that was made, moved or taken
away in a folder that was not synced since may be so, or not (ALICE, OSDI 2014). In each such state
a shard's name is absent or all of it is there; and packing goes on from it, to the same bytes.

pack_power_test.py MILLRACE LIBOP_LOG.SO"""
import os
import random
import struct
import sys

import cli_testing
from cli_testing import CliTest, main, tree_bytes

RECORDER = os.path.abspath(sys.argv.pop(2))
DROPS = 50    # of unsynced operations, for each prefix
RESUMED = 60  # states from which packing goes on


def read_log(data):
    at, ops = 0, []
    while at < len(data):
        kind, fd, n, m = struct.unpack_from("<ciII", data, at)
        at += 13
        ops.append((kind.decode(), fd, data[at:at + n], data[at + n:at + n + m]))
        at += n + m
    return ops


class Disk:
    """Files by number, and names of a folder; each with what is on the disk and what came since."""

    def __init__(self, folder):
        self.folder = str(folder).encode()
        self.names, self.new_names = {}, []  # name -> number; [(name, number or None)]
        self.data, self.new_data = {}, {}    # number -> bytes; number -> [(at, bytes) or size]
        self.open, self.size, self.count = {}, {}, 0  # open: descriptor -> number; 0: the folder

    def own(self, path):
        """The name in the folder; None: somewhere else."""
        path = os.path.normpath(path)
        return path[len(self.folder) + 1:] if path.startswith(self.folder + b"/") else None

    def current(self):
        names = dict(self.names)
        for name, number in self.new_names:
            names.pop(name, None)
            if number is not None:
                names[name] = number
        return names

    def begin_file(self, fd, name):
        self.count += 1
        self.data[self.count], self.new_data[self.count] = b"", []
        self.open[fd], self.size[self.count] = self.count, 0
        if name is not None:
            self.new_names.append((name, self.count))

    def apply(self, op):
        kind, fd, a, b = op
        number = self.open.get(fd)
        if kind in "cto":
            self.open.pop(fd, None)
            name = self.own(a)
            if kind == "t":
                self.begin_file(fd, None)
            elif name in self.current():
                self.open[fd] = self.current()[name]
            elif kind == "c" and name is not None:
                self.begin_file(fd, name)
            elif os.path.normpath(a) == self.folder:
                self.open[fd] = 0
        elif kind == "w" and number:
            self.new_data[number].append((self.size[number], a))
            self.size[number] += len(a)
        elif kind == "x" and number:
            self.size[number] = struct.unpack("<Q", a)[0]
            self.new_data[number].append(self.size[number])
        elif kind == "s" and number == 0:
            self.names, self.new_names = self.current(), []
        elif kind == "s" and number:
            self.data[number] = self.content(number, self.new_data[number])
            self.new_data[number] = []
        elif kind == "l" and number and self.own(b) is not None:
            self.new_names.append((self.own(b), number))
        elif kind == "r" and self.own(b) is not None:
            moved = self.current()[self.own(a)]
            self.new_names += [(self.own(b), moved), (self.own(a), None)]
        elif kind == "u" and self.own(a) is not None:
            self.new_names.append((self.own(a), None))

    def content(self, number, changes):
        data = bytearray(self.data[number])
        for change in changes:
            if isinstance(change, int):
                del data[change:]
                continue
            at, some = change
            data.extend(bytes(max(0, at + len(some) - len(data))))
            data[at:at + len(some)] = some
        return bytes(data)

    def crash(self, rng):
        """What is there after a power cut now: {name: bytes}."""
        names = dict(self.names)
        for name, number in self.new_names:
            if rng.random() < 0.5:
                names.pop(name, None)
                if number is not None:
                    names[name] = number
        found = {}
        for name, number in names.items():
            changes = [c for c in self.new_data[number] if rng.random() < 0.6]
            if changes and not isinstance(changes[-1], int) and rng.random() < 0.3:
                at, some = changes[-1]
                changes[-1] = (at, some[:rng.randrange(len(some) + 1)])
            found[name.decode()] = self.content(number, changes)
        return found


class PowerCut(CliTest):
    def pack(self, out, *args, env=None):
        self.millrace("pack", self.images, out, "--shard-bytes", 12000, "--threads", 1, "--quiet",
                      "--on-error", "skip", *args, env=env)

    def setUp(self):
        super().setUp()
        self.images = self.synth() / "images"
        (self.images / "red_circle/000004.jpg").write_bytes(b"\xff\xd8\xff bad")
        (self.images / "red_circle/zz.jpg").write_bytes(b"\xff\xd8\xff bad")
        log = self.work / "log"
        self.pack("out", env={"LD_PRELOAD": RECORDER, "MR_OP_LOG": str(log)})
        self.ops = read_log(log.read_bytes())
        self.final = tree_bytes(self.work / "out")

    def check(self, state, where):
        for name, data in state.items():
            if name.endswith(".mrs") or name == "pack.json":
                self.assertEqual(data, self.final[name], f"{where}: {name}")
        if "pack.json" in state:
            self.assertEqual({n for n in state if n.endswith(".mrs")},
                             {n for n in self.final if n.endswith(".mrs")}, where)

    def resume(self, state, number):
        out = self.work / f"crashed{number}"
        out.mkdir()
        for name, data in state.items():
            (out / name).write_bytes(data)
        self.pack(out.name)
        self.assertEqual(tree_bytes(out), self.final, number)

    def test_every_prefix(self):
        rng = random.Random(5)
        disk, states = Disk(self.work / "out"), []
        kinds = {op[0] for op in self.ops}
        self.assertTrue({"m", "w", "s", "r", "l"} <= kinds, kinds)
        for i, op in enumerate(self.ops):
            disk.apply(op)
            for _ in range(DROPS):
                state = disk.crash(rng)
                self.check(state, f"after operation {i} ({op[0]})")
                states.append(state)
        self.assertEqual({n.decode() for n in disk.current()}, set(self.final))
        self.check(disk.crash(random.Random(1)), "at the end")
        self.assertGreater(len(states), 1000)
        for number, state in enumerate(rng.sample(states, RESUMED)):
            self.resume(state, number)


if __name__ == "__main__":
    main()
