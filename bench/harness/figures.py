# SPDX-License-Identifier: Apache-2.0
"""From runs to the figures that are shown: a median with its smallest and largest value."""
import re
from statistics import mean, median

SHOWN = ("ratio", "images_per_s", "first_batch_s", "cpu_s_per_1000", "reference_time")


def spread(values):
    return {"median": median(values), "min": min(values), "max": max(values), "n": len(values)}


def summarise(candidate):
    """Adds `figures` to a candidate's record: for each shown quantity median, min and max."""
    runs = [run for run in candidate["runs"] if "ratio" in run]
    candidate["figures"] = {key: spread([run[key] for run in runs]) for key in SHOWN
                            if runs and all(run.get(key) is not None for run in runs)}
    if candidate.get("stored_bytes"):
        candidate["size"] = candidate["stored_bytes"] / candidate["files_bytes"]


def summarise_references(measured):
    """{(kind, workers): figures} of all measurements of the references."""
    groups = {}
    for entry in measured:
        groups.setdefault((entry["kind"], entry["workers"]), []).append(entry)
    return [{"kind": kind, "workers": workers,
             **{key: spread([entry[key] for entry in group])
                for key in ("images_per_s", "cpu_s_per_1000")}}
            for (kind, workers), group in groups.items()]


def with_ratios(run, before, after, against="", limit="full"):
    """A run's images/s as a multiple of the bare limit measured right before and right after it;
    and its time as a multiple of another reference's. Both are {kind: images/s}."""
    run["limit_before"], run["limit_after"] = before[limit], after[limit]
    run["ratio"] = run["images_per_s"] / mean((before[limit], after[limit]))
    if against:
        run["reference_time"] = mean((before[against], after[against])) / run["images_per_s"]
    return run


def scaling(candidates):
    """How the ratio to L changes with the number of workers: each row's median over that of the
    row with one worker, which has 1."""
    ran = {c["workers"]: c["figures"]["ratio"]["median"] for c in candidates if c.get("figures")}
    return {workers: ratio / ran[1] for workers, ratio in sorted(ran.items())} if 1 in ran else {}


def memory(candidate, arena_bytes):
    """What Millrace's processes take, in bytes: the whole tree, the arena (reserved; what nobody
    has touched yet is in no PSS), by process what is not the arena, and the largest producer's."""
    processes = candidate["pss_by_process"]
    own = {name: seen["other"] for name, seen in processes.items()}
    most = max([bytes_ for name, bytes_ in own.items() if name.startswith("mr-producer")] or [0])
    return {"tree": candidate["peak_pss_bytes"], "arena": arena_bytes, "outside_arena": own,
            "per_producer": most}


def parts(text):
    """What bench_rows says: {kind of row: {part: {us, of_limit}}}. A kind's line begins in the
    first column, and its parts, "NAME 12.3 us/image 0.1234 of L", are indented below it."""
    found, kind = {}, None
    for line in text.splitlines():
        part = re.match(r" +(\S.*?) +([0-9.]+) us/image +([0-9.]+) of L", line)
        if part and kind:
            found.setdefault(kind, {})[part[1]] = {"us": float(part[2]), "of_limit": float(part[3])}
        elif not line.startswith(" "):
            kind = line.partition(" (")[0]
    return found


def stages(analyzed):
    """Of `millrace explain --analyze`: microseconds of each stage for a row."""
    return {stage["what"]: stage["us_per_row"] for stage in analyzed if stage["what"] != "wait"}


def outside(analyzed, before, after):
    """Of the same: also what all but the decoder take, as a share of the time that L takes for an
    image in one process."""
    us = stages(analyzed)
    more = sum(cost for what, cost in us.items() if what not in ("decode", "header"))
    limit = 1e6 / mean((before, after))
    return {"us": us, "limit_us": limit, "of_limit": more / limit,
            "decoding_of_limit": (us["decode"] + us["header"]) / limit}


def doubts(checks, dtype, close):
    """Compares each candidate's values with the median candidate's, which may be `close` away.
    {name: [sentence]}."""
    found = {}
    usual = {key: [median(check[key][channel] for check in checks.values()) for channel in range(3)]
             for key in ("mean", "std")} if checks else {}
    for name, check in checks.items():
        for key, values in usual.items():
            if any(abs(a - b) > close for a, b in zip(check[key], values)):
                found.setdefault(name, []).append(
                    f"the {key} of its values is {short(check[key])}, the others' {short(values)}")
        if check["dtype"] != dtype:
            found.setdefault(name, []).append(f"it delivers {check['dtype']}")
        if not check["labels_known"]:
            found.setdefault(name, []).append("it delivers labels that do not exist")
    return found


def short(values):
    return " ".join(f"{value:.3f}" for value in values)
