#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What one thing costs: the main job as base and as test, in pairs whose order alternates. Prints
the ratio of CPU seconds per 1,000 images (all processes, start and end included), test over base,
with its 95 % interval. Without further options the base is `sandbox=off` and the test
`sandbox=require`; two builds are compared with --base-millrace and --test-millrace."""
import argparse
import json
import math
import os
import random
import subprocess
import sys
from pathlib import Path
from statistics import NormalDist, mean, median, stdev

from harness import ending

BENCH = Path(__file__).resolve().parent
RESAMPLES = 10000


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="folder with JPEG files in it or below it")
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--batches", type=int, default=150, help="of 64 images, per run (150)")
    parser.add_argument("--config", default=BENCH / "configs/jpeg_f32.yaml")
    parser.add_argument("--millrace", default=BENCH.parent / "build/release/bin/millrace")
    parser.add_argument("--base-millrace", help="another build's program for the base")
    parser.add_argument("--test-millrace", help="another build's program for the test")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="for both")
    parser.add_argument("--base-set", action="append", metavar="KEY=VALUE")
    parser.add_argument("--test-set", action="append", metavar="KEY=VALUE")
    parser.add_argument("--at-most", type=float, metavar="RATIO",
                        help="exit code 1 when the interval's upper end is above it")
    parser.add_argument("--together", action="store_true", help="both runs of a pair at once, each "
                        "on half of the processors, which they swap from pair to pair")
    parser.add_argument("--json", metavar="FILE", help="write every run there")
    options = parser.parse_args()
    builds = options.base_millrace or options.test_millrace
    if options.base_set is None and options.test_set is None and not builds:
        options.base_set, options.test_set = ["sandbox=off"], ["sandbox=require"]
    return options


def command(options, side):
    program = getattr(options, side + "_millrace") or options.millrace
    sets = [f"source.path={Path(options.data).resolve()}", *options.set,
            *(getattr(options, side + "_set") or [])]
    words = [program, "run", options.config, "--json", "--quiet", "--batches", options.batches]
    for text in sets:
        words += ["--set", text]
    return [str(word) for word in words]


def start(words, processors=None):
    """What a run prints is little: the pipes hold it all until it has ended."""
    pin = (lambda: os.sched_setaffinity(0, processors)) if processors else None
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            preexec_fn=pin)


def finish(run):
    result, cpu_s_per_1000 = ending.finish(run)
    return {"cpu_s_per_1000": cpu_s_per_1000, "images_per_s": result["images_per_s"]}


def one_after_the_other(sides, swapped):
    order = ("test", "base") if swapped else ("base", "test")
    return {side: finish(start(sides[side])) for side in order}


def together(sides, swapped):
    """Each on its half of the processors, so that what slows the machine slows both."""
    processors = sorted(os.sched_getaffinity(0))
    halves = [processors[:len(processors) // 2], processors[len(processors) // 2:]]
    if swapped:
        halves.reverse()
    runs = {side: start(sides[side], half) for side, half in zip(("base", "test"), halves)}
    return {side: finish(run) for side, run in runs.items()}


def student(confidence, freedom):
    """Student's t, by the expansion of Cornish and Fisher around the normal quantile."""
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    if freedom < 3:
        return {1: 12.706, 2: 4.303}[freedom]
    return (z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
            + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3))


def interval(logs):
    """Mean of the pairs' log ratios with its 95 % interval, as ratios."""
    middle = mean(logs)
    if len(logs) < 2:
        return math.exp(middle), 0.0, math.inf
    half = student(0.95, len(logs) - 1) * stdev(logs) / math.sqrt(len(logs))
    return math.exp(middle), math.exp(middle - half), math.exp(middle + half)


def bootstrap(logs):
    """The same from resampled pairs: no assumption about their distribution."""
    source = random.Random(1)
    means = sorted(mean(source.choices(logs, k=len(logs))) for _ in range(RESAMPLES))
    return math.exp(means[RESAMPLES // 40]), math.exp(means[-RESAMPLES // 40])


def measure(options):
    sides = {side: command(options, side) for side in ("base", "test")}
    for words in sides.values():
        finish(start(words))  # once untimed: files into the page cache
    both = together if options.together else one_after_the_other
    pairs = []
    for number in range(options.pairs):
        pair = both(sides, number % 2 == 1)
        pairs.append(pair)
        ratio = pair["test"]["cpu_s_per_1000"] / pair["base"]["cpu_s_per_1000"]
        print(f"pair {number + 1}: {pair['base']['cpu_s_per_1000']:.3f} and "
              f"{pair['test']['cpu_s_per_1000']:.3f} CPU s per 1,000 images, ratio {ratio:.4f}",
              file=sys.stderr, flush=True)
    return sides, pairs


def summary(pairs):
    logs = [math.log(p["test"]["cpu_s_per_1000"] / p["base"]["cpu_s_per_1000"]) for p in pairs]
    speeds = [math.log(p["test"]["images_per_s"] / p["base"]["images_per_s"]) for p in pairs]
    ratio, low, high = interval(logs)
    return {"pairs": len(pairs), "ratio": ratio, "low": low, "high": high,
            "bootstrap": bootstrap(logs), "speed_ratio": interval(speeds),
            "base_cpu_s_per_1000": median(p["base"]["cpu_s_per_1000"] for p in pairs),
            "test_cpu_s_per_1000": median(p["test"]["cpu_s_per_1000"] for p in pairs)}


def main():
    options = arguments()
    if options.pairs < 2:
        sys.exit("an interval needs at least two pairs")
    if options.together and len(os.sched_getaffinity(0)) < 2:
        sys.exit("--together needs two processors")
    load = os.getloadavg()[0]
    sides, pairs = measure(options)
    result = summary(pairs)
    if options.json:
        Path(options.json).write_text(json.dumps(
            {"commands": sides, "load_before": load, "summary": result, "pairs": pairs}, indent=2))
    print(f"CPU s per 1,000 images: base {result['base_cpu_s_per_1000']:.3f}, test "
          f"{result['test_cpu_s_per_1000']:.3f} (medians of {result['pairs']} pairs)\n"
          f"test over base: {result['ratio']:.4f}, 95 % interval {result['low']:.4f} to "
          f"{result['high']:.4f} (bootstrap {result['bootstrap'][0]:.4f} to "
          f"{result['bootstrap'][1]:.4f})\n"
          f"images/s, test over base: {result['speed_ratio'][0]:.4f} "
          f"({result['speed_ratio'][1]:.4f} to {result['speed_ratio'][2]:.4f})")
    if load > 0.5:
        print(f"the machine was busy (load {load:.1f}) before it began: these are no figures")
    if options.at_most and result["high"] > options.at_most:
        sys.exit(f"failed: {result['high']:.4f} is more than {options.at_most}")


if __name__ == "__main__":
    main()
