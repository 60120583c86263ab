#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Millrace and its peers on the same files, the same job and the same cores, in rounds.
Writes results.json, table.md and plot.svg. docs/bench.md says what is measured and how."""
import argparse
import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path

from harness import figures, launch, machine, plot, table
from harness.candidates import BENCH, JOBS

REPOSITORY = BENCH.parent
START_UP = 180  # seconds that a candidate may take beside the measuring (FFCV compiles for long)
SYNTH_IMAGES = 1000


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="folder with JPEG files; without it a synthetic set is made")
    parser.add_argument("--out", default="out/bench", help="folder for the results (out/bench)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=8, help="measured per run, after the "
                        "first batch (8)")
    parser.add_argument("--limit-seconds", type=float, default=2, help="of each run of L (2)")
    parser.add_argument("--workers", type=int, default=2, help="producers, workers, cores (2)")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only these candidates")
    parser.add_argument("--job", default="jpeg_f32", choices=sorted(JOBS))
    parser.add_argument("--bin", help="folder of the built programs (build/release/bin, build/bin)")
    parser.add_argument("--venv", help="folder that setup.sh filled ($MILLRACE_BENCH_VENV, "
                        "bench/.venv)")
    return parser.parse_args()


class Bench:
    def __init__(self, options):
        self.options = options
        self.cores = set(sorted(os.sched_getaffinity(0))[:options.workers])
        self.out = Path(options.out).resolve()
        self.out.mkdir(parents=True, exist_ok=True)
        self.bin = self.find_programs()
        self.venv = Path(options.venv or os.environ.get("MILLRACE_BENCH_VENV") or BENCH / ".venv")
        self.data = str(Path(options.data).resolve()) if options.data else self.synthetic()

    def find_programs(self):
        places = [self.options.bin] if self.options.bin else ["build/release/bin", "build/bin"]
        for place in places:
            if (REPOSITORY / place / "bench_limit").exists():
                return REPOSITORY / place
        sys.exit(f"bench_limit is not in {' or '.join(places)}: build with cmake and MR_BENCH=ON")

    def synthetic(self):
        folder = self.out / "synth"
        if not folder.exists():
            subprocess.run([self.bin / "millrace", "synth", folder, "--images", str(SYNTH_IMAGES),
                            "--format", "jpeg"], check=True)
        return str(folder / "images")

    def limit(self):
        """The bare limit L, in images per second."""
        command = [self.bin / "bench_limit", "--data", self.data, "--processes",
                   str(self.options.workers), "--seconds", str(self.options.limit_seconds)]
        return launch.run(command, self.cores, 120)

    def command(self, candidate, rate, check=False):
        if candidate.is_millrace:
            return self.millrace_command(candidate, rate)
        python = self.venv / candidate.venv / "bin/python"
        command = [python, BENCH / "peers" / candidate.script, "--data", self.data, "--workers",
                   self.options.workers, "--batch", self.options.batch, "--seconds",
                   self.options.seconds, "--scratch", self.out / "scratch"]
        return [str(word) for word in command + (["--check"] if check else [])]

    def millrace_command(self, candidate, rate):
        """`millrace run` counts batches, not seconds: as many as the last known rate asks for."""
        batches = 1 + math.ceil(rate * self.options.seconds / self.options.batch)
        command = [self.bin / "millrace", "run", BENCH / "configs" / candidate.config, "--json",
                   "--batches", batches, "--producers", self.options.workers]
        for setting in (f"source.path={self.data}", f"batch.size={self.options.batch}",
                        *candidate.settings):
            command += ["--set", setting]
        return [str(word) for word in command]

    def not_installed(self, candidate):
        """Why a candidate cannot be started, or None."""
        if candidate.is_millrace:
            missing = self.bin / "millrace"
            return None if missing.exists() else "not built: the program millrace"
        failed = self.venv / f"{candidate.venv}.failed"
        if failed.exists():
            return "could not be installed: " + launch.last_words(failed.read_text())
        if not (self.venv / candidate.venv / "bin/python").exists():
            return "not installed: run bench/setup.sh " + candidate.venv
        return None

    def start(self, candidate, rate, check=False, watch_memory=False):
        environment = {"NO_ALBUMENTATIONS_UPDATE": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        timeout = 3 * self.options.seconds + START_UP
        result = launch.run(self.command(candidate, rate, check), self.cores, timeout, environment,
                            watch_memory)
        if candidate.is_millrace and not check:
            result["cpu_s_per_1000"] = 1000 * result["total_cpu_s"] / result["rows"]
        return result


def say(words):
    print(words, flush=True)


def try_out(bench, candidate, record, rate):
    """One run of each that is not timed: are the values right, how much memory does it take, how
    fast is it about? Fills `record`; a candidate that fails here is out, with its reason."""
    record["reason"] = bench.not_installed(candidate)
    if record["reason"]:
        return
    try:
        if not candidate.is_millrace:
            record["check"] = bench.start(candidate, rate, check=True)
        watched = bench.start(candidate, rate, watch_memory=True)
        record["peak_pss_bytes"] = watched["peak_pss_bytes"]
        record["rate"] = watched["images_per_s"]
        record["versions"] = watched.get("versions")
        del record["reason"]
    except launch.Failed as failure:
        record["reason"] = str(failure)


def measure_limit(bench, results):
    run = bench.limit()
    results["limits"].append({key: run[key] for key in ("images_per_s", "cpu_s_per_1000")})
    return run["images_per_s"]


def play_round(bench, number, racers, results):
    """Everybody once, each between two measurements of L. The order is turned in every round, so
    that nobody always runs first."""
    turn = number % len(racers)
    before = measure_limit(bench, results)
    for candidate, record in racers[turn:] + racers[:turn]:
        try:
            run = bench.start(candidate, record["rate"])
        except launch.Failed as failure:
            run = {"failed": str(failure)}
        after = measure_limit(bench, results)
        run["round"] = number
        if "failed" not in run:
            run = figures.with_ratio(run, before, after)
        record["runs"].append(run)
        say(f"  {candidate.name:20} {outcome(run)}")
        before = after


def outcome(run):
    if "failed" in run:
        return "failed: " + run["failed"]
    limits = f"(L {run['limit_before']:.0f}, {run['limit_after']:.0f})"
    return f"{run['images_per_s']:8.1f} images/s  {run['ratio']:.3f} L  {limits}"


def write(bench, results):
    for record in results["candidates"]:
        figures.summarise(record)
    if results["limits"]:
        results["limit"] = {key: figures.spread([run[key] for run in results["limits"]])
                            for key in results["limits"][0]}
        (bench.out / "table.md").write_text(table.markdown(results))
        (bench.out / "plot.svg").write_text(plot.svg(results))
    (bench.out / "results.json").write_text(json.dumps(results, indent=1) + "\n")


def prepare(bench, options):
    """The results' frame, and the pairs (candidate, its record)."""
    job = JOBS[options.job]
    chosen = [c for c in job["candidates"] if not options.only or c.name in options.only]
    if options.only and len(chosen) != len(set(options.only)):
        sys.exit("--only knows: " + " ".join(c.name for c in job["candidates"]))
    records = [{"name": c.name, "title": c.title, "note": c.note, "millrace": c.is_millrace,
                "runs": []} for c in chosen]
    warm = bench.limit()
    results = {"job": {"name": options.job, "title": job["title"]},
               "machine": machine.describe(REPOSITORY, bench.cores),
               "options": {**vars(options), "data": Path(bench.data).name, "files": warm["files"]},
               "libjpeg_turbo": warm["libjpeg_turbo"], "limits": [], "candidates": records,
               "warnings": machine.warn_when_busy(bench.cores)}
    return results, list(zip(chosen, records)), warm["images_per_s"]


def main():
    options = arguments()
    launch.adopt_orphans()
    bench = Bench(options)
    results, pairs, limit = prepare(bench, options)
    for warning in results["warnings"]:
        say(f"warning: {warning}")
    say(f"L is about {limit:.0f} images/s; trying everybody out")
    for candidate, record in pairs:
        try_out(bench, candidate, record, limit)
        say(f"  {candidate.name:20} " + (f"does not run: {record['reason']}" if "reason" in record
                                         else f"about {record['rate']:.0f} images/s"))
    found = figures.doubts({r["name"]: r["check"] for _, r in pairs if "check" in r})
    for _, record in pairs:
        record["doubts"] = found.get(record["name"], [])
    racers = [(candidate, record) for candidate, record in pairs if "reason" not in record]
    start = time.monotonic()
    for number in range(options.rounds if racers else 0):
        say(f"round {number + 1} of {options.rounds}")
        play_round(bench, number, racers, results)
        write(bench, results)
    results["machine"]["load_average_after"] = os.getloadavg()
    results["seconds"] = time.monotonic() - start
    write(bench, results)
    say(f"wrote results.json, table.md and plot.svg in {bench.out}")
    return 0 if racers else 1


if __name__ == "__main__":
    sys.exit(main())
