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

from harness import figures, goals, launch, machine, memory, packed_sets, plot, rows_file, table
from harness.candidates import BENCH, OWN, REFERENCES
from harness.jobs import JOBS

REPOSITORY = BENCH.parent
START_UP = 600  # seconds that a candidate may take beside the measuring (FFCV compiles for long)
SYNTH_IMAGES = 1000
COPIES = 4     # packing takes the data set so many times, so that a run lasts
HASHED = 4     # batches that are compared with those of the data set that was packed


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="folder with JPEG files; without it a synthetic set is made")
    parser.add_argument("--job", default="jpeg_f32", choices=sorted(JOBS))
    parser.add_argument("--out", help="folder for the results (out/bench, or out/bench/JOB)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=8, help="measured per run, after the "
                        "first batch (8)")
    parser.add_argument("--limit-seconds", type=float, default=2, help="of each run of L (2)")
    parser.add_argument("--workers", type=int, default=2, help="producers, workers, cores (2)")
    parser.add_argument("--batch", type=int, help="64, or what suits the job")
    parser.add_argument("--rows", type=int, help="of 1 MiB, of a job without images (2048)")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only these candidates")
    parser.add_argument("--bin", help="folder of the built programs (build/release/bin, build/bin)")
    parser.add_argument("--venv", help="folder that setup.sh filled ($MILLRACE_BENCH_VENV, "
                        "bench/.venv)")
    options = parser.parse_args()
    options.batch = options.batch or JOBS[options.job].batch
    options.out = options.out or ("out/bench" if options.job == "jpeg_f32"
                                  else f"out/bench/{options.job}")
    return options


class Bench:
    def __init__(self, options):
        self.options = options
        self.job = JOBS[options.job]
        self.all_cores = sorted(os.sched_getaffinity(0))
        self.out = Path(options.out).resolve()
        self.out.mkdir(parents=True, exist_ok=True)
        self.bin = self.find_programs()
        self.venv = Path(options.venv or os.environ.get("MILLRACE_BENCH_VENV") or BENCH / ".venv")
        self.data = self.find_data()

    def find_programs(self):
        places = [self.options.bin] if self.options.bin else ["build/release/bin", "build/bin"]
        for place in places:
            if (REPOSITORY / place / "bench_limit").exists():
                return REPOSITORY / place
        sys.exit(f"bench_limit is not in {' or '.join(places)}: build with cmake and MR_BENCH=ON")

    def find_data(self):
        if self.job.rows:
            return str(rows_file.make(self.out / "rows.npy", self.options.rows or self.job.rows))
        return str(Path(self.options.data).resolve()) if self.options.data else self.synthetic()

    def synthetic(self):
        folder = self.out / "synth"
        if not folder.exists():
            subprocess.run([self.bin / "millrace", "synth", folder, "--images", str(SYNTH_IMAGES),
                            "--format", "jpeg"], check=True)
        return str(folder / "images")

    def workers(self, candidate=None):
        return candidate.workers if candidate and candidate.workers else self.options.workers

    def cores(self, workers):
        return set(self.all_cores[:workers])

    def reference(self, kind, workers):
        """What the bare work takes, on as many cores as there are workers."""
        program = REFERENCES[kind].program
        command = [self.bin / program, "--data", self.data, "--processes", str(workers),
                   "--seconds", str(self.options.limit_seconds)]
        if program == "bench_limit":
            command += ["--decode", kind, "--side", str(self.job.crop)]
        return launch.run(command, self.cores(workers), 120)

    def packed_folder(self, candidate):
        return self.out / "scratch" / f"packed-{candidate.packed}"

    def pack_command(self, candidate, data):
        if self.job.rows:
            data = (BENCH / "configs" / candidate.config, "--set", f"source.path={data}")
        else:
            data = (data,)
        return packed_sets.command(self.bin / "millrace", candidate.packed, data,
                                   self.packed_folder(candidate), self.workers(candidate))

    def pack(self, candidate, data, watch=None):
        """One run of `millrace pack`, from the beginning."""
        packed_sets.clear(self.packed_folder(candidate))
        return self.launch(candidate, self.pack_command(candidate, data), watch)

    def copies(self):
        """A folder that has the data set COPIES times."""
        folder = self.out / "scratch" / "copies"
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(COPIES):
            link = folder / f"copy{number}"
            link.unlink(missing_ok=True)
            link.symlink_to(self.data)
        return folder

    def time_packing(self, candidate, watch=None):
        """Start and end of the program, and the writing to the disk, are in the time."""
        result = self.pack(candidate, self.copies(), watch)
        images = COPIES * len(packed_sets.photographs(self.data))
        result.update(images_per_s=images / result["wall_s"], images=images,
                      cpu_s_per_1000=1000 * result["total_cpu_s"] / images,
                      stored_bytes=packed_sets.size(self.packed_folder(candidate)),
                      files_bytes=COPIES * packed_sets.files_bytes(self.data))
        return result

    def source(self, candidate):
        """The settings of the source; without a candidate those of the data set itself."""
        if candidate and candidate.packed:
            return ("source.type=shards", f"source.path={self.packed_folder(candidate)}")
        return (f"source.path={self.data}",)

    def millrace_settings(self, candidate):
        return (*self.source(candidate), f"batch.size={self.options.batch}",
                f"producers={self.workers(candidate)}", *candidate.settings)

    def millrace_command(self, candidate, rate):
        """`millrace run` counts batches, not seconds: as many as the last known rate asks for."""
        batches = 1 + math.ceil(rate * self.options.seconds / self.options.batch)
        command = [self.bin / "millrace", "run", BENCH / "configs" / candidate.config, "--json",
                   "--batches", batches]
        for setting in self.millrace_settings(candidate):
            command += ["--set", setting]
        return command

    def peer_command(self, candidate, check=False):
        return [self.venv / candidate.venv / "bin/python", BENCH / "peers" / candidate.script,
                "--data", self.data, "--workers", self.workers(candidate), "--batch",
                self.options.batch, "--seconds", self.options.seconds, "--scratch",
                self.out / "scratch"] + (["--check"] if check else [])

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

    def launch(self, candidate, command, watch=None):
        environment = {"NO_ALBUMENTATIONS_UPDATE": "1", "PYTHONDONTWRITEBYTECODE": "1",
                       "BENCH_CROP": str(self.job.crop), **dict(candidate.environment)}
        return launch.run([str(word) for word in command], self.cores(self.workers(candidate)),
                          3 * self.options.seconds + START_UP, environment, watch)

    def race(self, candidate, rate, watch=None):
        """One timed run (not to be used when it was watched)."""
        if candidate.is_packing:
            return self.time_packing(candidate, watch)
        if not candidate.is_millrace:
            return self.launch(candidate, self.peer_command(candidate, bool(watch)), watch)
        result = self.launch(candidate, self.millrace_command(candidate, rate), watch)
        result["cpu_s_per_1000"] = 1000 * result["total_cpu_s"] / result["rows"]
        return result

    def look(self, candidate):
        """What Millrace's batches hold. Peers look at their own in the run that is watched."""
        return self.launch(candidate, [self.bin / "bench_values", BENCH / "configs" /
                                       candidate.config, *self.millrace_settings(candidate)])

    def stream(self, candidate, source):
        """A hash of the first batches, with the settings of some source."""
        command = [self.bin / "millrace", "run", BENCH / "configs" / candidate.config, "--json",
                   "--hash", "--batches", HASHED]
        for setting in (*source, f"batch.size={self.options.batch}", *candidate.settings):
            command += ["--set", setting]
        return self.launch(candidate, command)["hash"]

    def unpack_is_same(self, candidate):
        """Does a packed copy give what the data set gives?"""
        return self.stream(candidate, self.source(candidate)) == \
            self.stream(candidate, self.source(None))

    def analyze(self, candidate, rate=0):
        """The stages of `millrace explain --analyze`, of one producer: over as many batches as it
        has by default, or as a known rate asks for."""
        command = [self.bin / "millrace", "explain", BENCH / "configs" / candidate.config,
                   "--analyze", "--json", "--producers", "1"]
        if rate:
            rows = rate / self.workers(candidate) * self.options.seconds
            command += ["--batches", 2 + math.ceil(rows / self.options.batch)]
        for setting in (*self.source(candidate), f"batch.size={self.options.batch}",
                        *candidate.settings):
            command += ["--set", setting]
        return self.launch(candidate, command)["stages"]

    def outside(self, candidate):
        """What a row costs one producer, stage by stage, and one process's L before and after."""
        before = self.reference("full", 1)["images_per_s"]
        stages = self.analyze(candidate)
        return figures.outside(stages, before, self.reference("full", 1)["images_per_s"])

    def parts(self):
        """What a producer's work is made of, each part timed by itself on one core (bench_rows)."""
        if not (self.bin / "bench_rows").exists():
            return {}
        done = subprocess.run([self.bin / "bench_rows", self.data, str(self.options.rounds)],
                              capture_output=True, text=True, check=False,
                              preexec_fn=lambda: os.sched_setaffinity(0, self.cores(1)))
        return figures.parts(done.stdout) if done.returncode == 0 else {}


def say(words):
    print(words, flush=True)


def prepare_packed(bench, candidate, record):
    """Makes what a row reads. The copies of some rows are the same: they are made again."""
    bench.pack(candidate, bench.data)
    record["stored_bytes"] = packed_sets.size(bench.packed_folder(candidate))
    record["files_bytes"] = packed_sets.files_bytes(bench.data)
    if packed_sets.SETS[candidate.packed].lossless:
        record["same_stream"] = bench.unpack_is_same(candidate)


def try_out(bench, candidate, record, rate):
    """Everybody once, not timed: are the values right, how much memory does it take, how fast is it
    about? Fills `record`; a candidate that fails here is out, with its reason."""
    record["reason"] = bench.not_installed(candidate)
    if record["reason"]:
        return
    counts = candidate.is_millrace and not candidate.is_packing
    try:
        if candidate.packed and not candidate.is_packing:
            prepare_packed(bench, candidate, record)
        if counts:  # batches, not seconds: how many are enough to watch?
            rate = bench.race(candidate, rate / 4)["images_per_s"]
        watched = bench.race(candidate, rate, memory.Watch(detailed=candidate.is_millrace))
        if counts and not bench.job.rows:
            record["check"] = bench.look(candidate)
        elif "check" in watched:
            record["check"] = watched["check"]
    except launch.Failed as failure:
        record["reason"] = str(failure)
        return
    record["rate"] = watched["images_per_s"]
    for key in ("peak_pss_bytes", "pss_by_process", "versions", "stored_bytes", "files_bytes"):
        if key in watched:
            record[key] = watched[key]
    if counts:
        record["memory"] = figures.memory(record, watched["arena_bytes"])
    del record["reason"]


def measure_references(bench, results, workers):
    """Images/s of each kind of bare decoding that the job is held against."""
    rates = {}
    for kind in bench.job.references:
        run = bench.reference(kind, workers)
        results["reference_runs"].append(
            {"kind": kind, "workers": workers,
             **{key: run[key] for key in ("images_per_s", "cpu_s_per_1000")}})
        rates[kind] = run["images_per_s"]
    return rates


def play_round(bench, number, racers, results):
    """Everybody once, each between two measurements of the references. The order is turned in every
    round, so that nobody always runs first."""
    turn = number % len(racers)
    before, measured_with = None, 0
    for candidate, record in racers[turn:] + racers[:turn]:
        workers = record["workers"]
        if workers != measured_with:
            before, measured_with = measure_references(bench, results, workers), workers
        try:
            run = bench.race(candidate, record["rate"])
        except launch.Failed as failure:
            run = {"failed": str(failure)}
        after = measure_references(bench, results, workers)
        run["round"] = number
        if "failed" not in run:
            run = figures.with_ratios(run, before, after, record["against"], bench.job.limit)
        record["runs"].append(run)
        say(f"  {candidate.name:20} {outcome(run, REFERENCES[bench.job.limit].letter)}")
        before = after


def outcome(run, letter):
    if "failed" in run:
        return "failed: " + run["failed"]
    limits = f"({letter} {run['limit_before']:.0f}, {run['limit_after']:.0f})"
    extra = f"  {run['reference_time']:.3f} of the crop decode's time" \
        if "reference_time" in run else ""
    return f"{run['images_per_s']:8.1f} images/s  {run['ratio']:.3f} {letter}  {limits}{extra}"


def write(bench, results):
    for record in results["candidates"]:
        figures.summarise(record)
    results["goals"] = goals.held(bench.job.goals, results["candidates"])
    if results["reference_runs"]:
        results["references"] = figures.summarise_references(results["reference_runs"])
        if bench.options.job == "scaling":
            results["scaling"] = figures.scaling(results["candidates"])
        (bench.out / "table.md").write_text(table.markdown(results))
        (bench.out / "plot.svg").write_text(plot.svg(results))
    (bench.out / "results.json").write_text(json.dumps(results, indent=1) + "\n")


def prepare(bench, options):
    """The results' frame, and the pairs (candidate, its record)."""
    job = bench.job
    chosen = [c for c in job.candidates if not options.only or c.name in options.only]
    if options.only and len(chosen) != len(set(options.only)):
        sys.exit("--only knows: " + " ".join(c.name for c in job.candidates))
    records = [{"name": c.name, "title": c.title, "note": c.note, "millrace": c.is_millrace,
                "against": c.against, "workers": bench.workers(c), "runs": []} for c in chosen]
    warm = bench.reference(job.limit, options.workers)
    cores = bench.cores(options.workers)
    results = {"job": {"name": options.job, "title": job.title, "limit": job.limit},
               "machine": machine.describe(REPOSITORY, cores),
               "options": {**vars(options), "data": Path(bench.data).name, "files": warm["files"]},
               "libjpeg_turbo": warm.get("libjpeg_turbo"), "reference_runs": [],
               "references": [], "candidates": records, "warnings": machine.warn_when_busy()}
    return results, list(zip(chosen, records)), warm["images_per_s"]


def main():
    options = arguments()
    launch.adopt_orphans()
    bench = Bench(options)
    results, pairs, limit = prepare(bench, options)
    before = results["warnings"]
    for warning in before:
        say(f"warning: {warning}")
    say(f"{REFERENCES[bench.job.limit].letter} is about {limit:.0f} images/s; trying everybody out")
    start, others = time.monotonic(), machine.Others()
    for candidate, record in pairs:
        try_out(bench, candidate, record, limit)
        say(f"  {candidate.name:20} " + (f"does not run: {record['reason']}" if "reason" in record
                                         else f"about {record['rate']:.0f} images/s"))
    found = figures.doubts({r["name"]: r["check"] for _, r in pairs if "check" in r},
                           bench.job.dtype, bench.job.close)
    for _, record in pairs:
        record["doubts"] = found.get(record["name"], [])
        if not record.get("same_stream", True):
            record["doubts"].append("its batches are not those of the data set that was packed")
        for doubt in record["doubts"]:
            say(f"doubt: {record['name']}: {doubt}")
    racers = [(candidate, record) for candidate, record in pairs if "reason" not in record]
    for number in range(options.rounds if racers else 0):
        say(f"round {number + 1} of {options.rounds}, after {time.monotonic() - start:.0f} s")
        play_round(bench, number, racers, results)
        results["warnings"] = before + others.warnings("while it ran,")
        write(bench, results)
    if bench.job.parts and not options.only:
        results["parts"] = bench.parts()
        results["outside_decoding"] = [bench.outside(OWN) for _ in range(options.rounds)]
    for candidate, record in racers if bench.job.stages else []:
        if candidate.is_millrace:
            record["stages_us"] = figures.stages(bench.analyze(candidate, record["rate"]))
    results["machine"]["load_average_after"] = os.getloadavg()
    results["seconds"] = time.monotonic() - start
    write(bench, results)
    for line in table.asked(results):
        say(line)
    say(f"wrote results.json, table.md and plot.svg in {bench.out}, after "
        f"{results['seconds']:.0f} s")
    return 0 if racers else 1


if __name__ == "__main__":
    sys.exit(main())
