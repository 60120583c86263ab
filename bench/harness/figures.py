# SPDX-License-Identifier: Apache-2.0
"""From runs to the figures that are shown: a median with its smallest and largest value."""
from statistics import mean, median

SHOWN = ("ratio", "images_per_s", "first_batch_s", "cpu_s_per_1000")
CLOSE = 0.12  # of a deviation; how far a candidate's values may be from the others'


def spread(values):
    return {"median": median(values), "min": min(values), "max": max(values), "n": len(values)}


def summarise(candidate):
    """Adds `figures` to a candidate's record: for each shown quantity median, min and max."""
    runs = [run for run in candidate["runs"] if "ratio" in run]
    candidate["figures"] = {key: spread([run[key] for run in runs]) for key in SHOWN
                            if runs and all(run.get(key) is not None for run in runs)}


def with_ratio(run, before, after):
    """A run's images/s as a multiple of the bare limit measured right before and right after it."""
    run["limit_before"], run["limit_after"] = before, after
    run["ratio"] = run["images_per_s"] / mean((before, after))
    return run


def doubts(checks):
    """Compares each candidate's values with the median candidate's. {name: [sentence]}."""
    found = {}
    usual = {key: [median(check[key][channel] for check in checks.values()) for channel in range(3)]
             for key in ("mean", "std")} if checks else {}
    for name, check in checks.items():
        for key, values in usual.items():
            if any(abs(a - b) > CLOSE for a, b in zip(check[key], values)):
                found.setdefault(name, []).append(
                    f"the {key} of its values is {short(check[key])}, the others' {short(values)}")
        if check["dtype"] != "float32":
            found.setdefault(name, []).append(f"it delivers {check['dtype']}")
        if not check["labels_known"]:
            found.setdefault(name, []).append("it delivers labels that do not exist")
    return found


def short(values):
    return " ".join(f"{value:.3f}" for value in values)
