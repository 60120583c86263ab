#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What taking a finished batch costs, what waiting processes cost, how soon the first batch is
there. Writes handoff.json and handoff.md. docs/bench.md says what is measured and how."""
import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from harness import figures, launch, machine
from harness.candidates import BENCH

REPOSITORY = BENCH.parent
ROUNDS = {1: 5000, 16: 2000, 64: 1000, 256: 200}  # batch size: hand-offs that are timed
THEIR_ROUNDS = 200


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="folder with JPEG files")
    parser.add_argument("--out", default="out/bench", help="folder for the results (out/bench)")
    parser.add_argument("--bin", default=str(REPOSITORY / "build/release/bin"))
    parser.add_argument("--venv", default=os.environ.get("MILLRACE_BENCH_VENV", BENCH / ".venv"))
    parser.add_argument("--repeat", type=int, default=5, help="runs of each hand-off (5)")
    parser.add_argument("--starts", type=int, default=20, help="starts that are timed (20)")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=5, help="of waiting that are watched (5)")
    return parser.parse_args()


def attempt(command, cores, timeout=300):
    try:
        return launch.run([str(word) for word in command], cores, timeout)
    except launch.Failed as failure:
        return {"failed": str(failure)}


def hand_offs(options, cores):
    """Ours and theirs for every batch size, taking turns."""
    python = Path(options.venv) / "concurrentbuffer/bin/python"
    theirs = [python, BENCH / "peers/concurrent_handoff.py", "--rounds", THEIR_ROUNDS]
    found = []
    for batch, rounds in ROUNDS.items():
        ours = [Path(options.bin) / "bench_handoff", "ready", "--rounds", rounds]
        for _ in range(options.repeat):
            for name, command in (("millrace", ours), ("concurrent-buffer", theirs)):
                if python.exists() or name == "millrace":
                    run = attempt([*command, "--batch", batch], cores)
                    found.append({"loader": name, "batch": batch, **run})
    return found


def waiting(options, cores):
    """Every slot leased to the trainer: the CPU time of all processes."""
    return attempt([Path(options.bin) / "bench_handoff", "idle", "--config",
                    BENCH / "configs/jpeg_f32.yaml", "--set", f"source.path={options.data}",
                    "--set", f"producers={options.workers}", "--seconds", options.seconds],
                   cores)


def start_once(options, cores):
    """One `millrace run` of a single batch, from before the process exists: until the line with the
    result, which comes when the batch is there, and until the process has ended."""
    command = [Path(options.bin) / "millrace", "run", BENCH / "configs/jpeg_f32.yaml", "--json",
               "--batches", "1", "--producers", str(options.workers), "--set",
               f"source.path={options.data}"]
    start = time.monotonic()
    with subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
                          preexec_fn=lambda: os.sched_setaffinity(0, cores)) as child:
        line = child.stdout.readline()
        told = time.monotonic() - start
        _, errors = child.communicate()
    ended = time.monotonic() - start
    if child.returncode != 0:
        return {"failed": launch.last_words(errors)}
    return {"told_s": told, "ended_s": ended, "first_batch_s": json.loads(line)["first_batch_s"]}


def starts(options, cores):
    start_once(options, cores)  # the page cache is warm after this one
    return [start_once(options, cores) for _ in range(options.starts)]


def hand_off_lines(found):
    lines = ["| loader | batch | MB | median us | p99 us |", "|---|---:|---:|---:|---:|"]
    for name in ("millrace", "concurrent-buffer"):
        for batch in ROUNDS:
            runs = [run for run in found if (run["loader"], run["batch"]) == (name, batch)]
            good = [run for run in runs if "failed" not in run]
            if good:
                middle = figures.spread([run["median_us"] for run in good])
                late = figures.spread([run["p99_us"] for run in good])
                lines.append(f"| {name} | {batch} | {good[0]['mb']} | {three(middle, 1)} | "
                             f"{three(late, 1)} |")
            else:
                reason = runs[0]["failed"] if runs else "not installed"
                lines.append(f"| {name} | {batch} | - | - | did not run: {reason} |")
    return lines


def three(figure, digits):
    return (f"{figure['median']:.{digits}f} ({figure['min']:.{digits}f}-"
            f"{figure['max']:.{digits}f})")


def idle_line(idle):
    if "failed" in idle:
        return f"Waiting: did not run: {idle['failed']}"
    return (f"Waiting: {idle['processes']} processes use {idle['percent_of_a_core']:.3f} % of a "
            f"core while the trainer holds all {idle['slots_held']} slots "
            f"({idle['seconds']:.0f} s).")


def start_line(runs):
    good = [run for run in runs if "failed" not in run]
    if not good:
        return f"First batch: did not run: {runs[0]['failed']}"
    parts = [f"{three(figures.spread([run[key] for run in good]), 3)} s {words}" for key, words in
             (("told_s", "from start to the line that tells of it"),
              ("first_batch_s", "as `millrace run` counts it"), ("ended_s", "to the end"))]
    return f"First batch of 64, {len(good)} starts: " + ", ".join(parts) + "."


def main():
    options = arguments()
    options.data = str(Path(options.data).resolve())
    for program in ("millrace", "bench_handoff"):
        if not (Path(options.bin) / program).exists():
            sys.exit(f"{program} is not in {options.bin}: build with cmake and MR_BENCH=ON")
    launch.adopt_orphans()
    cores = set(sorted(os.sched_getaffinity(0))[:options.workers])
    out = Path(options.out).resolve()
    out.mkdir(parents=True, exist_ok=True)
    results = {"machine": machine.describe(REPOSITORY, cores),
               "warnings": machine.warn_when_busy()}
    results["first_batch"] = starts(options, cores)
    results["waiting"] = waiting(options, cores)
    results["hand_off"] = hand_offs(options, cores)
    (out / "handoff.json").write_text(json.dumps(results, indent=1) + "\n")
    lines = [*hand_off_lines(results["hand_off"]), "", idle_line(results["waiting"]), "",
             start_line(results["first_batch"]), "",
             *[f"Warning: {warning}." for warning in results["warnings"]]]
    text = "\n".join(lines).rstrip() + "\n"
    (out / "handoff.md").write_text(text)
    print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
