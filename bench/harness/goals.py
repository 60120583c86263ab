# SPDX-License-Identifier: Apache-2.0
"""What is asked of a job's rows, and what they reached."""
from harness.figures import spread


def ratios(record):
    """{round: ratio} of a row."""
    return {run["round"]: run["ratio"] for run in record["runs"] if "ratio" in run}


def reached(goal, records):
    """The values of what the goal asks for, one a round; none when a row did not run."""
    row, other = records.get(goal.row), records.get(goal.over)
    if not row or goal.over and not other:
        return []
    if goal.what == "size":
        return [row["size"]] if "size" in row and row["runs"] else []
    if goal.what != "ratio":
        return [run[goal.what] for run in row["runs"] if goal.what in run]
    mine = ratios(row)
    if not goal.over:
        return list(mine.values())
    theirs = ratios(other)
    return [mine[number] / theirs[number] for number in mine if number in theirs]


def held(goals, candidates):
    """Goals whose rows ran, with the figures and whether the median is there."""
    records = {record["name"]: record for record in candidates}
    found = []
    for goal in goals:
        values = reached(goal, records)
        if values:
            figure = spread(values)
            met = figure["median"] <= goal.asked if goal.at_most else figure["median"] >= goal.asked
            found.append({"row": records[goal.row]["title"], "what": goal.what,
                          "over": records[goal.over]["title"] if goal.over else "",
                          "asked": goal.asked, "reached": figure, "met": met})
    return found
