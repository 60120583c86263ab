# SPDX-License-Identifier: Apache-2.0
"""The end of a `millrace run --json` whose every process is waited for by its parent, so that its
time is in the run's own."""
import json
import os
import sys


def finish(run):
    """Waits for a Popen with piped text output. Returns what it printed, and the CPU seconds of all
    its processes, start and end included, for 1,000 rows. A run that failed ends this program."""
    _, status, usage = os.wait4(run.pid, 0)
    run.returncode = os.waitstatus_to_exitcode(status)
    out, err = run.communicate()
    if run.returncode != 0:
        sys.exit(f"{' '.join(run.args)} ended with {run.returncode}: {err.strip()}")
    result = json.loads(out)
    return result, 1000 * (usage.ru_utime + usage.ru_stime) / result["rows"]
