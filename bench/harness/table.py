# SPDX-License-Identifier: Apache-2.0
"""The Markdown: a paragraph, the table, and what belongs to it."""
from harness.candidates import REFERENCES
from harness.figures import spread


def three(figure, digits):
    if not figure:
        return "-"
    text = [f"{figure[key]:.{digits}f}" for key in ("median", "min", "max")]
    return f"{text[0]} ({text[1]}-{text[2]})"


def strong(figure, digits=2):
    """The same with the median in bold."""
    median, _, rest = three(figure, digits).partition(" ")
    return f"**{median}** {rest}" if rest else median


def mib(number):
    return f"{number / 2 ** 20:.0f} MiB" if number else "-"


def first_batch(record, figures):
    return f"{figures['first_batch_s']['median']:.2f} s" if "first_batch_s" in figures else "-"


# Head, its alignment, and a candidate's cell.
COLUMNS = (
    ("loader", "---", lambda record, figures: record["title"]),
    ("images/s", "---:", lambda record, figures: three(figures.get("images_per_s"), 0)),
    ("x L", "---:", lambda record, figures: strong(figures.get("ratio"))),
    ("CPU s per 1,000", "---:", lambda record, figures: three(figures.get("cpu_s_per_1000"), 2)),
    ("first batch", "---:", first_batch),
    ("memory", "---:", lambda record, figures: mib(record.get("peak_pss_bytes"))),
)
SIZE = ("size, the files = 1", "---:", lambda record, figures: size(record))
REFERENCE_TIME = ("time, crop decode alone = 1", "---:",
                  lambda record, figures: strong(figures.get("reference_time")))


def size(record):
    """Of what a row reads."""
    return f"{record['size']:.2f}" if "size" in record else "1"


def columns(results):
    """The columns of a race; more where a copy of the data set has been packed, and where rows are
    held against another reference, too."""
    records = results["candidates"]
    letter = REFERENCES[results["job"]["limit"]].letter
    shown = tuple((f"x {letter}", *column[1:]) if column[0] == "x L" else column
                  for column in COLUMNS)
    if any(record.get("size") and record["millrace"] for record in records):
        shown += (SIZE,)
    return shown + (REFERENCE_TIME,) if any(r.get("against") for r in records) else shown


def line(cells):
    return "| " + " | ".join(cells) + " |"


def reference_row(reference, limit, width, several):
    """A reference's own speed, and its share of the limit's."""
    title = REFERENCES[reference["kind"]].title
    if several:
        title += f", {reference['workers']} process{'es' if reference['workers'] > 1 else ''}"
    share = reference["images_per_s"]["median"] / limit["images_per_s"]["median"]
    cells = [title, three(reference["images_per_s"], 0),
             "1" if reference["kind"] == limit["kind"] else f"{share:.2f}",
             three(reference["cpu_s_per_1000"], 2)]
    return line(cells + ["-"] * (width - len(cells)))


def ordered(candidates):
    """Fastest first, those that did not run last."""
    return sorted(candidates, key=lambda candidate: -(candidate.get("figures") or {}).get(
        "ratio", {"median": -1})["median"])


def rows(results):
    shown = columns(results)
    yield line([head for head, _, _ in shown])
    yield "|" + "|".join(kind for _, kind, _ in shown) + "|"
    limits = {entry["workers"]: entry for entry in results["references"]
              if entry["kind"] == results["job"]["limit"]}
    for entry in results["references"]:
        yield reference_row(entry, limits[entry["workers"]], len(shown), len(limits) > 1)
    for record in ordered(results["candidates"]):
        if record.get("figures"):
            yield line([cell(record, record["figures"]) for _, _, cell in shown])


def absent(results):
    """Who did not run, and why."""
    return [f"- {record['title']} did not run: {record.get('reason', 'no round ended')}"
            for record in results["candidates"] if not record.get("figures")]


def notes(results):
    """How each does the job, with which versions, and what looks wrong."""
    found = []
    for record in ordered(results["candidates"]):
        if record.get("figures"):
            versions = ", ".join(f"{name} {version}" for name, version in
                                 (record.get("versions") or {}).items())
            said = [record["note"], stored(record), versions, *record.get("doubts", [])]
            found.append(f"- {record['title']}: " + "; ".join(part for part in said if part))
    return found


def stored(record):
    """The size of a data set of its own."""
    own, files = record.get("stored_bytes"), record.get("files_bytes")
    return f"it has {own / 1e6:.1f} MB, the files {files / 1e6:.1f} MB" if own else ""


def asked(results):
    """What is asked of a row, and what it reached."""
    letter = REFERENCES[results["job"]["limit"]].letter
    for goal in results.get("goals", []):
        of = {"size": "the files' size", "reference_time": "the time of its crop decode alone"}.get(
            goal["what"], goal["over"] or letter)
        bound = "at least" if goal["what"] == "ratio" else "at most"
        yield (f"- {goal['row']}: asked {bound} {goal['asked']:g} x {of}; "
               f"{'reached' if goal['met'] else 'NOT reached'}: {strong(goal['reached'])}")


def stage_list(us):
    return "; ".join(f"{what} {cost:.0f}" for what, cost in us.items())


def more(results):
    """What a job adds: how cost grows with the workers, and Millrace's memory by process."""
    said = []
    if len(results.get("scaling", {})) > 1:
        said.append("The ratio to L, that of one producer = 1: " + ", ".join(
            f"{workers} producers {ratio:.3f}" for workers, ratio in results["scaling"].items()
            if workers > 1) + ".")
    if results.get("outside_decoding"):
        runs = results["outside_decoding"]
        us = {what: spread([run["us"][what] for run in runs])["median"] for what in runs[0]["us"]}
        outside, decoding = (spread([run[key] for run in runs])
                             for key in ("of_limit", "decoding_of_limit"))
        said.append("An image's cost outside decoding, one producer (explain --analyze; L's time "
                    f"= 1): {strong(outside, 3)}; decoding {three(decoding, 3)}. In microseconds: "
                    + stage_list(us) + ".")
    for record in results["candidates"]:
        if "stages_us" in record:
            said.append(f"{record['title']}, microseconds of one producer for a row (explain "
                        f"--analyze): {stage_list(record['stages_us'])}.")
    for kind, costs in results.get("parts", {}).items():
        said.append(f"A row's parts by themselves, {kind} (bench_rows; L's time = 1): " + "; ".join(
            f"{part} {cost['of_limit']:.3f}" for part, cost in costs.items()) + ".")
    for record in results["candidates"]:
        if "memory" in record:
            had = record["memory"]
            processes = ", ".join(f"{name} {mib(size)}" for name, size in
                                  sorted(had["outside_arena"].items()))
            said.append(f"{record['title']}: PSS of the tree {mib(had['tree'])}, arena "
                        f"{mib(had['arena'])}; outside the arena: {processes}.")
    return said


def title(results):
    machine, options = results["machine"], results["options"]
    limit = REFERENCES[results["job"]["limit"]]
    mine = options["workers"]
    several = len({entry["workers"] for entry in results["references"]}) > 1
    workers = "as many workers as cores" if several else \
        f"{mine} workers on {len(machine['cores_used'])} cores"
    files = f"{options['files']} file{'s' if options['files'] != 1 else ''}"
    return (f"{results['job']['title']}, batch {options['batch']}, {workers} ({machine['cpu']}, "
            f"{machine['system']}, kernel {machine['kernel']}), the same {files} in a warm page "
            f"cache. **{limit.letter}** is the bare limit: {limit.says}, measured right before and "
            f"right after each run. Medians (min-max) of {options['rounds']} interleaved rounds of "
            f"{options['seconds']:g} s, {machine['time'][:10]}, commit {machine['commit']}:")


def markdown(results):
    parts = [[title(results)], rows(results), absent(results), asked(results), more(results),
             notes(results),
             [f"Warning: {warning}." for warning in results["warnings"]]]
    return "\n\n".join("\n".join(part) for part in map(list, parts) if part) + "\n"
