"""What a benchmark ran on, and what processes cost."""

import os
import platform
import resource
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

_TICKS = os.sysconf("SC_CLK_TCK")
_UTIME, _STIME = 11, 12
"""Places of user and system time in /proc/PID/stat, counted after the command's name."""


def machine() -> dict[str, Any]:
    """Processor, cores, kernel, interpreter, and how busy it already is."""
    model = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": sys.version.split()[0],
        "load_average_1min": round(os.getloadavg()[0], 2),
    }


def version_of(package: str) -> str | None:
    """An installed package's version."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def own_cpu_seconds() -> float:
    """User and system time of this process so far (getrusage)."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def cpu_seconds(*pids: int) -> float:
    """User and system time of other processes so far (/proc)."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[_UTIME]) + int(fields[_STIME])
    return total / _TICKS
