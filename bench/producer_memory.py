#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a producer takes beside the arena: a run is watched, and the largest proportional set size
of every process is told, the arena's own memory left out. Exits with 1 where a producer takes more
than --most.

usage: producer_memory.py --data DIR [--size N] [--decode exact|fast] [--batches N] [--most MIB]
       DIR: class folders with images
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

from harness import memory

HERE = os.path.dirname(os.path.abspath(__file__))
CONFIG = """\
version: 1
epochs: 0
batch: {size: 4, last: drop}
producers: 2
decode: %(decode)s
source: {type: folder, path: %(data)s}
ops:
  - random_resized_crop: {size: %(size)d}
  - random_horizontal_flip
  - normalize: {mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]}
fields: {image: {dtype: float32}, label: {dtype: int64}}
"""


def children(pid):
    """The process and all below it."""
    text = memory.read(pid, f"task/{pid}/children")
    return [pid] + [p for child in text.split() for p in children(int(child))]


def watch(millrace, config, batches):
    """The largest values seen, by process; None when the run failed."""
    seen = memory.Watch(detailed=True)
    run = subprocess.Popen([millrace, "run", config, "--quiet", "--batches", str(batches)])
    while run.poll() is None:
        seen.look(children(run.pid))
        time.sleep(0.05)
    return None if run.returncode else seen.result()["pss_by_process"]


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1])
    parser.add_argument("--data", required=True)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--decode", choices=("exact", "fast"), default="exact")
    parser.add_argument("--batches", type=int, default=200)
    parser.add_argument("--most", type=float, default=32)
    parser.add_argument("--millrace", default=f"{HERE}/../build/release/bin/millrace")
    o = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        config = os.path.join(folder, "config.yaml")
        with open(config, "w") as f:
            data = json.dumps(os.path.abspath(o.data))
            f.write(CONFIG % {"decode": o.decode, "data": data, "size": o.size})
        seen = watch(o.millrace, config, o.batches)
    if not seen:
        return 1
    most = 0
    for name, bytes_ in sorted(seen.items()):
        if name.startswith("mr-producer"):
            most = max(most, bytes_["other"] / 2**20)
        print(f"{name:16} {bytes_['other'] / 2**20:7.1f} MiB beside the arena")
    if not most:
        sys.exit("no producer was seen: the run was too short, take more --batches")
    print(f"the largest producer takes {most:.1f} MiB; {o.most:g} are allowed")
    return 1 if most > o.most else 0


if __name__ == "__main__":
    sys.exit(main())
