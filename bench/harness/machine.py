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


def spent():
    """Seconds of all cores since the machine began: (in use by anybody, taken by the hypervisor,
    all)."""
    with open("/proc/stat") as stat:
        ticks = [int(value) for value in stat.readline().split()[1:9]]
    total, tick = sum(ticks), os.sysconf("SC_CLK_TCK")
    return (total - ticks[3] - ticks[4]) / tick, ticks[7] / tick, total / tick


class Others:
    """What everybody but this process and its children takes of the cores from now on."""

    def __init__(self):
        self.before = (*spent(), self.own())

    @staticmethod
    def own():
        times = os.times()
        return sum(times[:4])

    def shares(self):
        """Of all cores' time so far: (others, the hypervisor)."""
        used, stolen, total, own = (after - was for after, was in
                                    zip((*spent(), self.own()), self.before))
        total = max(total, 0.01)
        return max(0.0, used - stolen - own) / total, stolen / total

    def warnings(self, when):
        others, stolen = self.shares()
        said = []
        if others > 0.05:
            said.append(f"{when} others used {100 * others:.0f} % of the cores: figures are low")
        if stolen > 0.02:
            said.append(f"{when} the hypervisor took {100 * stolen:.0f} % of the cores")
        return said


def warn_when_busy(seconds=2.0):
    """Sentences about what may disturb the measurement; none when the machine is quiet."""
    others = Others()
    time.sleep(seconds)
    return others.warnings("before it began,")


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
