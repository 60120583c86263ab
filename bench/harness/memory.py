# SPDX-License-Identifier: Apache-2.0
"""Memory of a tree of processes as proportional set size (PSS): a page that n processes share
counts as 1/n in each, so that the sum over all of them is what they really take, shared memory
included."""

ARENA = ("/memfd:millrace-control", "/memfd:millrace-plan", "/memfd:millrace-data")


def kib(line):
    return 1024 * int(line.split()[1])


def rollup(text):
    """Bytes, from /proc/PID/smaps_rollup."""
    return sum(kib(line) for line in text.splitlines() if line.startswith("Pss:"))


def split(text):
    """(bytes of the arena, bytes of all else), from /proc/PID/smaps."""
    arena = other = 0
    inside = False
    for line in text.splitlines():
        if line.startswith("Pss:"):
            if inside:
                arena += kib(line)
            else:
                other += kib(line)
        elif "-" in line.partition(" ")[0]:  # "from-to flags offset device inode path"
            inside = any(name in line for name in ARENA)
    return arena, other


def read(pid, name):
    try:
        with open(f"/proc/{pid}/{name}") as file:
            return file.read()
    except OSError:  # it has ended, or is not ours to look at
        return ""


class Watch:
    """The largest values seen over a run. By process (Millrace's have names) only when `detailed`:
    that takes more time."""

    def __init__(self, detailed=False):
        self.detailed = detailed
        self.peak = 0
        self.processes = {}

    def look(self, pids):
        self.peak = max(self.peak, sum(self.look_at(pid) for pid in pids))

    def look_at(self, pid):
        if not self.detailed:
            return rollup(read(pid, "smaps_rollup"))
        arena, other = split(read(pid, "smaps"))
        name = read(pid, "comm").strip()
        if name and arena + other > 0:
            was = self.processes.setdefault(name, {"arena": 0, "other": 0})
            was["arena"] = max(was["arena"], arena)
            was["other"] = max(was["other"], other)
        return arena + other

    def result(self):
        seen = {"peak_pss_bytes": self.peak}
        if self.detailed:
            seen["pss_by_process"] = self.processes
        return seen
