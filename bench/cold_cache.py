#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What files cost that are not in memory yet: the main job over each file once, with a cold and a
warm page cache, with reading ahead and without, in turns. Before a cold run every file is taken out
of the cache (posix_fadvise; with --drop-caches, as root, everything is, names and sizes too) and
each is asked for whether it is gone. --iops and --mbps make the disk slow for the runs (as root,
by a cgroup), as a network disk or one that turns is."""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

BENCH = Path(__file__).resolve().parent
sys.path.insert(0, str(BENCH))
from harness import ending, machine  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="folder with JPEG files in it or below it")
    parser.add_argument("--copies", type=int, default=1, metavar="N",
                        help="copy the folder N times, so that a run lasts (1: use it as it is)")
    parser.add_argument("--work", default=".", help="where copies go: a folder on the disk (.)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="for all")
    parser.add_argument("--read-ahead", nargs="+", default=["off", "auto"], help="values to race")
    parser.add_argument("--drop-caches", action="store_true")
    parser.add_argument("--iops", type=int, help="reads that the disk does in a second")
    parser.add_argument("--mbps", type=float, help="MB that it gives in a second")
    parser.add_argument("--config", default=BENCH / "configs/jpeg_f32.yaml")
    parser.add_argument("--millrace", default=BENCH.parent / "build/release/bin/millrace")
    parser.add_argument("--json", metavar="FILE", help="write every run there")
    return parser.parse_args()


# ---- the cache ----

def files_below(folder):
    return [path for path in sorted(Path(folder).rglob("*")) if path.is_file()]


def evict(files, drop_caches):
    """Takes the files out of the page cache; what is dirty has to be on the disk first."""
    os.sync()
    for path in files:
        fd = os.open(path, os.O_RDONLY)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(fd)
    if drop_caches:
        Path("/proc/sys/vm/drop_caches").write_text("3\n")


def cached(files):
    """How many of them begin in the page cache. A read that may not wait gives nothing of a file
    that does not; the kernel then begins to read it, so evict() has to follow."""
    found = 0
    for path in files:
        fd = os.open(path, os.O_RDONLY)
        try:
            found += os.preadv(fd, [bytearray(1)], 0, os.RWF_NOWAIT) == 1
        except BlockingIOError:
            pass
        os.close(fd)
    return found


def make_cold(files, drop_caches):
    evict(files, drop_caches)
    left = cached(files)
    if left > len(files) // 100:
        sys.exit(f"{left} of {len(files)} files stay in the page cache: no cold figures from here "
                 f"(a file system in memory?)")
    evict(files, drop_caches)


def warm_up(files):
    for path in files:
        path.read_bytes()


# ---- the disk ----

class SlowDisk:
    """A cgroup whose processes get so much of the disk that `folder` is on."""

    def __init__(self, folder, iops, mbps):
        device = os.stat(folder).st_dev
        limits = {"riops": iops, "rbps": int(mbps * 1e6) if mbps else None}
        number = f"{os.major(device)}:{os.minor(device)}"
        old = Path("/sys/fs/cgroup/blkio")
        self.group = (old if old.is_dir() else Path("/sys/fs/cgroup")) / "millrace-cold-cache"
        self.group.mkdir(exist_ok=True)
        for key, value in limits.items():
            if value:
                v1 = {"riops": "blkio.throttle.read_iops_device",
                      "rbps": "blkio.throttle.read_bps_device"}[key]
                v1_file = self.group / v1
                text = f"{number} {value}" if v1_file.exists() else f"{number} {key}={value}"
                (v1_file if v1_file.exists() else self.group / "io.max").write_text(text)

    def enter(self):
        (self.group / "cgroup.procs").write_text(str(os.getpid()))

    def close(self):
        self.group.rmdir()


# ---- runs ----

def run(options, data, files, ahead, disk):
    words = [options.millrace, "run", options.config, "--json", "--quiet", "--epochs", 1]
    for text in (f"source.path={data}", f"read_ahead={ahead}", "batch.last=short", *options.set):
        words += ["--set", text]
    child = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True,
                             preexec_fn=disk.enter if disk else None)
    result, cpu_s_per_1000 = ending.finish(child)
    if result["rows"] != len(files):
        sys.exit(f"{result['rows']} rows of {len(files)} files: is one bad?")
    result["cpu_s_per_1000"] = cpu_s_per_1000
    # Every file is read in this time, those of the first batch, too.
    result["all_images_per_s"] = result["rows"] / result["seconds"]
    return result


def race(options, data, files, disk):
    kinds = [(cache, ahead) for cache in ("warm", "cold") for ahead in options.read_ahead]
    runs = {kind: [] for kind in kinds}
    for number in range(options.rounds + 1):
        for turn in range(len(kinds)):
            kind = kinds[(turn + number) % len(kinds)]
            if kind[0] == "cold":
                make_cold(files, options.drop_caches)
            else:
                warm_up(files)
            result = run(options, data, files, kind[1], disk)
            if number:  # the first round is not counted
                runs[kind].append(result)
                print(f"{kind}: {result['all_images_per_s']:.0f} images/s", file=sys.stderr,
                      flush=True)
    return runs


def spread(values, digits=0):
    return (f"{median(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})")


def table(runs):
    lines = ["| page cache | read_ahead | images/s | CPU s per 1,000 | files that had to wait | ms "
             "each | asked for ahead |", "|---|---|---:|---:|---:|---:|---:|"]
    for (cache, ahead), results in runs.items():
        waits = [r["read_wait_s"] * 1000 / max(1, r["reads_waited"]) for r in results]
        lines.append(f"| {cache} | {ahead} | {spread([r['all_images_per_s'] for r in results])} | "
                     f"{spread([r['cpu_s_per_1000'] for r in results], 2)} | "
                     f"{median(100 * r['reads_waited'] / r['reads'] for r in results):.0f} % | "
                     f"{median(waits):.2f} | "
                     f"{median(100 * r['read_aheads'] / r['rows'] for r in results):.0f} % |")
    return "\n".join(lines)


def main():
    options = arguments()
    data, disk, scratch = Path(options.data).resolve(), None, None
    try:
        if options.copies > 1:
            scratch = tempfile.mkdtemp(prefix="cold-cache-", dir=options.work)
            for i in range(options.copies):
                shutil.copytree(data, Path(scratch) / f"copy{i:03}")
            data = Path(scratch).resolve()
        files = files_below(data)
        if options.iops or options.mbps:
            disk = SlowDisk(data, options.iops, options.mbps)
        about = machine.describe(BENCH.parent, os.sched_getaffinity(0))
        runs = race(options, data, files, disk)
    finally:
        if disk:
            disk.close()
        if scratch:
            shutil.rmtree(scratch)
    mb = sum(r["mb_per_s"] for r in runs[("warm", options.read_ahead[0])]) / options.rounds
    print(f"{about['cpu']}, {about['cores']} cores, load {about['load_average_before'][0]:.1f}; "
          f"{len(files)} files, {mb:.0f} MB/s when warm; medians (min-max) of {options.rounds}\n")
    print(table(runs))
    for (cache, ahead), results in runs.items():
        print(f"\n{cache}, read_ahead {ahead}: {results[-1]['verdict']}")
    if options.json:
        named = [{"cache": c, "read_ahead": a, "runs": r} for (c, a), r in runs.items()]
        Path(options.json).write_text(json.dumps({"machine": about, "runs": named}, indent=2))


if __name__ == "__main__":
    main()
