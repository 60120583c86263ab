# SPDX-License-Identifier: Apache-2.0
"""What the figures were measured on, and whether it was quiet."""
import os
import platform
import subprocess
import time


def cpu_model():
    with open("/proc/cpuinfo") as info:
        for line in info:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def memory_gib():
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2 ** 30, 1)


def busy_share(seconds=1.0):
    """Share of all cores in use by anybody, over a moment; and the share stolen by a hypervisor."""
    def read():
        with open("/proc/stat") as stat:
            return [int(value) for value in stat.readline().split()[1:9]]
    before = read()
    time.sleep(seconds)
    spent = [after - was for after, was in zip(read(), before)]
    total = max(1, sum(spent))
    return 1 - (spent[3] + spent[4]) / total, spent[7] / total


def warn_when_busy(cores):
    """Sentences about what may disturb the measurement; none when the machine is quiet."""
    busy, stolen = busy_share()
    load = os.getloadavg()[0]
    warnings = []
    if busy > 0.1:
        warnings.append(f"{100 * busy:.0f} % of the cores are in use: figures will be low")
    if load > 0.5 * len(cores):
        warnings.append(f"the load average is {load:.2f}: wait until the machine is quiet")
    if stolen > 0.02:
        warnings.append(f"the hypervisor takes {100 * stolen:.0f} % of the time")
    return warnings


def git_version(folder):
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--tags"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def describe(folder, cores):
    return {"cpu": cpu_model(), "cores_used": sorted(cores), "cores": os.cpu_count(),
            "memory_gib": memory_gib(), "kernel": platform.release(),
            "system": platform.freedesktop_os_release().get("PRETTY_NAME", "Linux"),
            "python": platform.python_version(), "commit": git_version(folder),
            "load_average_before": os.getloadavg(),
            "time": time.strftime("%Y-%m-%d %H:%M:%S %z")}
