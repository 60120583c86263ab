# SPDX-License-Identifier: Apache-2.0
"""The Markdown table."""

HEAD = ("| loader | images/s | x L | CPU s per 1,000 | first batch | memory | how |",
        "|---|---:|---:|---:|---:|---:|---|")


def three(figure, digits):
    if not figure:
        return "-"
    text = [f"{figure[key]:.{digits}f}" for key in ("median", "min", "max")]
    return f"{text[0]} ({text[1]}-{text[2]})"


def row(candidate):
    figures = candidate.get("figures") or {}
    if not figures:
        reason = candidate.get("reason", "no round ended").replace("|", "\\|")
        return f"| {candidate['title']} | - | - | - | - | - | did not run: {reason} |"
    memory = candidate.get("peak_pss_bytes")
    first = figures.get("first_batch_s")
    cells = [candidate["title"], three(figures.get("images_per_s"), 0),
             f"**{figures['ratio']['median']:.2f}** ({figures['ratio']['min']:.2f}-"
             f"{figures['ratio']['max']:.2f})", three(figures.get("cpu_s_per_1000"), 2),
             f"{first['median']:.2f} s" if first else "-",
             f"{memory / 2 ** 20:.0f} MiB" if memory else "-",
             "; ".join([candidate["note"], *candidate.get("doubts", [])])]
    return "| " + " | ".join(cells) + " |"


def ordered(candidates):
    """Fastest first, those that did not run last."""
    return sorted(candidates, key=lambda candidate: -(candidate.get("figures") or {}).get(
        "ratio", {"median": -1})["median"])


def markdown(results):
    machine, options, limit = results["machine"], results["options"], results["limit"]
    title = results["job"]["title"]
    lines = [f"{title}; batch {options['batch']}, {options['workers']} workers on "
             f"{len(machine['cores_used'])} cores of {machine['cpu']}, {machine['system']}, kernel "
             f"{machine['kernel']}; {options['files']} files, warm page cache; commit "
             f"{machine['commit']}, {machine['time'][:10]}.", "",
             f"Median (min-max) of {options['rounds']} interleaved rounds. L is the bare limit: "
             f"{options['workers']} processes that only decode with libjpeg-turbo, measured right "
             "before and right after each run.", "", *HEAD,
             f"| L | {three(limit['images_per_s'], 0)} | 1 | {three(limit['cpu_s_per_1000'], 2)} "
             "| - | - | full decode from memory to RGB, nothing else |"]
    lines += [row(candidate) for candidate in ordered(results["candidates"])]
    lines += [""] + [f"Warning: {warning}." for warning in results["warnings"]]
    return "\n".join(lines).rstrip() + "\n"
