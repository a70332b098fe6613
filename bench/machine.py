"""The machine and the versions that a measurement belongs to."""

import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

TOOLS = ("torch", "numba", "spikingjelly", "snntorch", "sinabs", "norse")


def machine() -> dict[str, Any]:
    """Processor, cores, Python and package versions."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in TOOLS},
    }


def processor() -> str:
    """The processor's name, as the system gives it."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def version(name: str) -> str | None:
    """A package's version; None where it is not installed."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
