# SPDX-License-Identifier: Apache-2.0
"""Runs one command to its end on the chosen cores, and watches what it uses."""
import ctypes
import json
import os
import signal
import subprocess
import tempfile
import time

PR_SET_CHILD_SUBREAPER = 36
LOOK_EVERY = 0.2  # seconds


class Failed(Exception):
    """A command that gave no result; the text says why."""


def adopt_orphans():
    """Processes that a candidate leaves behind become this process's children, so that their CPU
    time is counted and they can be ended before the next candidate starts."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def parents():
    table = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as stat:
                    table[int(name)] = int(stat.read().rpartition(")")[2].split()[1])
            except OSError:
                pass
    return table


def tree(root):
    """All processes below `root`, without it."""
    table = parents()
    below = []
    for pid in table:
        above = table[pid]
        while above and above != root:
            above = table.get(above, 0)
        if above == root:
            below.append(pid)
    return below


def reap():
    """Waits for every child that has ended; True when there is none left."""
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                return False
        except ChildProcessError:
            return True


def end_leftovers(patience=3.0):
    """Gives what is still there below this process a moment, then kills it. Returns how many."""
    deadline = time.monotonic() + patience
    while not reap():
        left = tree(os.getpid())
        if time.monotonic() > deadline:
            for pid in left:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.2)
            reap()
            return len(left)
        time.sleep(0.05)
    return 0


def last_words(text):
    """The line of an error output that tells most."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it said nothing"


def result_of(output):
    for line in reversed(output.splitlines()):
        if line.startswith("{"):
            return json.loads(line)
    raise Failed("it printed no result")


def children_cpu():
    usage = os.times()
    return usage.children_user + usage.children_system


def start(command, cores, environment, out, err):
    try:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                start_new_session=True, env=environment,
                                preexec_fn=lambda: os.sched_setaffinity(0, cores))
    except OSError as error:
        program = os.path.basename(str(command[0]))
        raise Failed(f"cannot start {program}: {error.strerror}") from None


def run(command, cores, timeout, environment=None, watch=None):
    """Runs `command` and returns its last JSON line as a dict, with what was seen from outside:
    wall_s, total_cpu_s (of all its processes), left_behind (processes that had to be killed), and
    what a memory.Watch has seen (looking takes a little of the cores, so no timed run has one)."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        reap()
        cpu = children_cpu()
        spawned = time.monotonic()
        environment = {**os.environ, **(environment or {}), "BENCH_SPAWNED": repr(spawned)}
        child = start(command, cores, environment, out, err)
        timed_out = wait(child, spawned + timeout, watch)
        wall = time.monotonic() - spawned
        left = end_leftovers()
        out.seek(0)
        err.seek(0)
        errors = err.read()
        if timed_out:
            raise Failed(f"no end after {timeout:.0f} s; its last words: {last_words(errors)}")
        if child.returncode != 0:
            raise Failed(f"exit code {child.returncode}: {last_words(errors)}")
        result = result_of(out.read())
    result.update(wall_s=wall, total_cpu_s=children_cpu() - cpu, left_behind=left)
    if watch:
        result.update(watch.result())
    return result


def wait(child, deadline, watch):
    """Until the command ends; True when it had to be stopped. Looks come often at first, so that a
    short run is looked at, too."""
    pause = 0.02
    while True:
        try:
            child.wait(pause if watch else max(0.0, deadline - time.monotonic()))
            return False
        except subprocess.TimeoutExpired:
            if time.monotonic() >= deadline:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
                return True
            if watch:
                watch.look([child.pid, *tree(child.pid)])
                pause = min(LOOK_EVERY, 1.5 * pause)
