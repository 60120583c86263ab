# SPDX-License-Identifier: Apache-2.0
"""The plot: a bar for each loader's median x L, a line from its smallest to its largest value."""
from html import escape

from harness.candidates import REFERENCES
from harness.table import ordered

STEPS = [size * ten for ten in (0.1, 1, 10, 100, 1000) for size in (1, 2, 5)]
LEFT, RIGHT, TOP, ROW, BAR, WIDTH = 210, 70, 58, 30, 18, 860
OURS, THEIRS = "#1f6f8b", "#b8bec4"
STYLE = ("<style>text{font:13px sans-serif;fill:#222}.small{font-size:11px;fill:#555}"
         ".axis{stroke:#ddd}.limit{stroke:#c0392b;stroke-dasharray:5 3}.spread{stroke:#222}"
         "</style>")


def text(x, y, words, anchor="start", kind=""):
    style = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{style}>{escape(words)}</text>'


def line(x1, y1, x2, y2, kind):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def step_of(most):
    """A round distance of grid lines that makes four to nine of them."""
    return next(step for step in STEPS if most / step < 9)


def axis(at, most, bottom, limit):
    step = step_of(most)
    parts = []
    for i in range(int(most / step) + 1):
        parts.append(line(at(i * step), TOP, at(i * step), bottom, "axis"))
        parts.append(text(at(i * step), bottom + 16, f"{i * step:g}", "middle", "small"))
    parts.append(line(at(1), TOP - 6, at(1), bottom, "limit"))
    parts.append(text(at(1), TOP - 10, limit, "middle", "small"))
    return parts


def bar(candidate, y, at):
    ratio = candidate["figures"]["ratio"]
    colour = OURS if candidate["millrace"] else THEIRS
    middle = y + BAR / 2
    return [f'<rect x="{at(0):.1f}" y="{y}" width="{at(ratio["median"]) - at(0):.1f}" '
            f'height="{BAR}" fill="{colour}"/>',
            line(at(ratio["min"]), middle, at(ratio["max"]), middle, "spread"),
            line(at(ratio["min"]), middle - 4, at(ratio["min"]), middle + 4, "spread"),
            line(at(ratio["max"]), middle - 4, at(ratio["max"]), middle + 4, "spread"),
            text(at(ratio["max"]) + 6, middle + 4, f"{ratio['median']:.2f}")]


def svg(results):
    limit = REFERENCES[results["job"]["limit"]]
    candidates = ordered(results["candidates"])
    ran = [candidate for candidate in candidates if candidate.get("figures")]
    most = 1.05 * max([1.0] + [candidate["figures"]["ratio"]["max"] for candidate in ran])
    bottom = TOP + ROW * len(candidates) + 4

    def at(ratio):
        return LEFT + (WIDTH - LEFT - RIGHT) * ratio / most

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 40}">', STYLE,
             f'<rect width="{WIDTH}" height="{bottom + 40}" fill="white"/>',
             text(12, 20, results["job"]["title"]), *axis(at, most, bottom, limit.axis)]
    for i, candidate in enumerate(candidates):
        y = TOP + ROW * i + (ROW - BAR) // 2
        parts.append(text(LEFT - 8, y + BAR / 2 + 4, candidate["title"], "end"))
        parts += bar(candidate, y, at) if candidate.get("figures") else [
            text(LEFT + 6, y + BAR / 2 + 4, "did not run", kind="small")]
    parts.append(text(12, bottom + 34, f"images/s as a multiple of {limit.letter}, median and "
                      f"min-max of {results['options']['rounds']} rounds; "
                      f"{results['machine']['cpu']}, {results['options']['workers']} workers, "
                      f"{results['machine']['time'][:10]}", kind="small"))
    return "\n".join(parts + ["</svg>"]) + "\n"
