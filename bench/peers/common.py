# SPDX-License-Identifier: Apache-2.0
"""What every peer shares: the command line, the files, the clock, the check and the one JSON line.

A peer is a script with one function, make(job), that returns an iterator without end over
(images, labels) batches, and ends in `common.main(make)`. The job is the same for all of them:
JPEG file -> random_resized_crop 224 (scale 0.08 to 1, ratio 3/4 to 4/3) -> horizontal flip with
p = 0.5 -> ImageNet normalisation -> float32 N x 3 x 224 x 224, with the labels beside it. With
BENCH_CROP=N in the environment it is a random crop of N x N pixels instead, not resized.
"""
import argparse
import importlib.metadata
import json
import os
import sys
import time
import traceback

CROP = int(os.environ.get("BENCH_CROP", "0"))  # worker processes inherit it
SIZE = CROP or 224
SCALE = (0.08, 1.0)
RATIO = (3 / 4, 4 / 3)
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
CHECK_BATCHES = 12


class Job:
    """What to load and how: data, workers, batch, scratch (a folder for a peer's own file format),
    and `files`: (path, label) of every JPEG, sorted; a label is the number of its folder. What a
    peer puts into `report` goes into the results."""

    def __init__(self, options):
        self.data = options.data
        self.workers = options.workers
        self.batch = options.batch
        self.scratch = options.scratch
        self.files = list_files(options.data)
        self.report = {}

    def stored(self, path):
        """A peer's own file holds the data set: how large it is."""
        self.report["stored_bytes"] = os.path.getsize(path)
        self.report["files_bytes"] = sum(os.path.getsize(file) for file, _ in self.files)


def list_files(data):
    paths = []
    for folder, _, names in os.walk(data, followlinks=True):
        paths += [os.path.join(folder, name) for name in names
                  if name.lower().endswith((".jpg", ".jpeg"))]
    paths.sort()
    classes = sorted({os.path.dirname(path) for path in paths})
    number = {name: i for i, name in enumerate(classes)}
    return [(path, number[os.path.dirname(path)]) for path in paths]


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--seconds", type=float, default=8, help="measured after the first batch")
    parser.add_argument("--images", type=int, default=0, help="stop after these instead")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--scratch", default="/tmp/millrace-bench")
    parser.add_argument("--check", action="store_true", help="look at the values "
                        "first; such a run's times do not count")
    return parser.parse_args()


def tree_cpu(root):
    """CPU seconds used so far by `root` and all that it has started."""
    parent, used, tick = {}, {}, os.sysconf("SC_CLK_TCK")
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as stat:
                    fields = stat.read().rpartition(")")[2].split()
            except OSError:
                continue
            parent[int(name)] = int(fields[1])
            used[int(name)] = sum(int(field) for field in fields[11:15]) / tick
    total = 0.0
    for pid in used:
        above = pid
        while above and above != root:
            above = parent.get(above, 0)
        total += used[pid] if above == root else 0
    return total


def take(batches, n):
    for _ in range(n):
        next(batches)


def measure(batches, job, options):
    """Images per second by the wall clock. Workers that make a batch each are finished at about the
    same time, so the clock starts after one batch of every worker, and stops after as many from
    each: neither end cuts a batch that was nearly done, for or against the peer."""
    spawned = float(os.environ.get("BENCH_SPAWNED") or time.monotonic())
    next(batches)
    first_batch = time.monotonic() - spawned
    take(batches, job.workers - 1)
    cpu_before = tree_cpu(os.getpid())
    first = last = time.monotonic()
    images = 0
    while (images < options.images) if options.images else (last - first < options.seconds):
        take(batches, job.workers)
        images += job.batch * job.workers
        last = time.monotonic()
    cpu = tree_cpu(os.getpid()) - cpu_before
    return {"images_per_s": images / (last - first), "images": images, "seconds": last - first,
            "first_batch_s": first_batch, "cpu_s_per_1000": 1000 * cpu / images}


def check(batches, job):
    """Shape, type and the values' mean and deviation per channel over a few batches. Image by
    image, so that looking takes no memory to speak of: the run is watched."""
    import numpy as np
    total, squares, n, labels = np.zeros(3), np.zeros(3), 0, set()
    for _ in range(CHECK_BATCHES):
        images, label = next(batches)
        images = np.asarray(images)
        for image in images:
            total += image.sum(axis=(1, 2), dtype=np.float64)
            squares += np.square(image, dtype=np.float64).sum(axis=(1, 2))
        n += images.size // 3
        labels |= {int(value) for value in np.asarray(label).reshape(-1)}
    known = {label for _, label in job.files}
    mean = total / n
    return {"shape": list(images.shape), "dtype": str(images.dtype), "mean": mean.tolist(),
            "std": np.sqrt(squares / n - mean ** 2).tolist(),
            "contiguous": bool(images.flags.c_contiguous), "labels_known": labels <= known,
            "labels_seen": len(labels)}


def main(make):
    options = arguments()
    job = Job(options)
    code = 0
    try:
        batches = iter(make(job))
        looked = {"check": check(batches, job)} if options.check else {}
        result = {**measure(batches, job, options), **looked, **job.report, "versions": versions()}
        print(json.dumps(result), flush=True)
    except Exception:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    stop_children()
    os._exit(code)  # some peers wait for ever for their threads otherwise


def stop_children():
    """Endless loaders have no end of their own: their worker processes are told to go."""
    import multiprocessing
    for child in multiprocessing.active_children():
        child.terminate()
        child.join(5)


def versions():
    """Versions of the packages that matter, as the environment's records have them."""
    known = ("torch", "torchvision", "opencv-python-headless", "albumentations", "pillow", "numpy",
             "numba", "nvidia-dali-cuda120", "ffcv", "tensorflow-cpu", "grain", "webdataset",
             "spdl", "spdl-io", "concurrentbuffer")
    found = {}
    for name in known:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            pass
    return found
