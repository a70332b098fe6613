"""Where and with what a result was made: kept beside it, never part of it."""

import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from ann2snn.records import MACHINES, Store, noted_machines, read_json, write_json

MACHINE = ("python", "versions", "threads", "processor", "accelerator", "system")
PACKAGES = ("ann2snn", "numba", "numpy", "pytorch-lightning", "safetensors", "torch", "torchvision")


def provenance(seconds: float) -> dict[str, Any]:
    """Git commit and dirty flag (None where git cannot tell), versions, threads, processor,
    operating system, duration."""
    changes = _git("status", "--porcelain", "--untracked-files=no")
    return {
        "git_commit": _git("rev-parse", "HEAD") or "",
        "git_dirty": None if changes is None else bool(changes),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in PACKAGES},
        "threads": _threads(),
        "processor": _processor(),
        "accelerator": _accelerator(),
        "system": f"{platform.system()} {platform.machine()}",
        "seconds": round(seconds, 3),
    }


def note_machine(project: Path, name: str, folders: Iterable[Path]) -> None:
    """Writes into `artifacts/machines.json`, which git keeps and DVC does not know, on what the
    results in `folders` were computed: `name` is their place under `artifacts`. Results that came
    from git stay noted as they are."""
    made = next((f / "provenance.json" for f in folders if (f / "provenance.json").is_file()), None)
    if made is None:
        return
    content = read_json(made)
    with Store(project / "store").lock("artifacts", "machines"):
        machines = noted_machines(project)
        machines[name] = {fact: content[fact] for fact in MACHINE}
        write_json(project / MACHINES, dict(sorted(machines.items())))


def _git(*arguments: str) -> str | None:
    """What git says; None where there is no git, or no repository."""
    try:
        done = subprocess.run(
            ["git", *arguments], capture_output=True, text=True, check=True, timeout=20
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _threads() -> int:
    torch = sys.modules.get("torch")
    return int(torch.get_num_threads()) if torch is not None else (os.cpu_count() or 1)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _accelerator() -> str:
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return ""
    return str(torch.cuda.get_device_name(0))
