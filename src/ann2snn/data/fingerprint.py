"""Which raw data are there, told from names, sizes and times alone."""

import hashlib
from pathlib import Path

from ann2snn.data.settings import DataSettings


def fingerprint(settings: DataSettings, root: Path) -> str:
    """A word or hash for the raw data under `root`; empty if they are not there.

    It decides only whether what was loaded before may be used again; results are keyed by the
    manifest, which hashes every pixel.
    """
    if settings.name == "digits":
        return "scikit-learn"
    if settings.name == "mnist":
        return "idx" if any((root / "MNIST" / "raw").glob("train-images-idx3-ubyte*")) else ""
    if settings.name == "cifar10":
        if any(
            (root / name).exists() for name in ("cifar-10-batches-py", "cifar-10-python.tar.gz")
        ):
            return "batches"
        return "jpeg" if (root / "cifar10-jpg.tar.gz").is_file() else ""
    path = root / settings.path
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    digest = hashlib.sha256()
    for file in files:
        if not file.is_file():
            return ""
        state = file.stat()
        name = file.relative_to(path).as_posix()
        digest.update(f"{name} {state.st_size} {state.st_mtime_ns}\n".encode())
    return digest.hexdigest() if files else ""
